// Package setting knows each setting of a gateway by one name: its flag of
// "ims gateway set", which is also its name in findings and waivers. It turns a
// setting into the text that the flag reads, into a patch, and into the command
// that a person would type. It reads no gateway and changes none.
package setting

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/ims/pkg/gateway"
)

// ID names a setting.
type ID string

// The settings that are more than a value of their own: what names hosts.
const (
	ForwardHost ID = "forward-host"
	DomainHosts ID = "domain-hosts"
	Reroute     ID = "reroute"
	ETRN        ID = "etrn"
	Accept      ID = "accept" // networks that may connect
	Reject      ID = "reject" // networks that may not
	Relay       ID = "relay"
)

// Setting is one setting.
type Setting struct {
	ID    ID
	Title string
	// Text is the value as the flag reads it.
	Text func(gateway.Settings) string
	// Patch names the setting in p with the value that it has in s.
	Patch func(s gateway.Settings, p *gateway.SettingsPatch)
}

// All are the settings, in the order of the pages they stand on.
func All() []Setting {
	all := []Setting{
		set("mode", "transfer mode", func(s gateway.Settings) string { return s.Mode.String() },
			func(s gateway.Settings, p *gateway.SettingsPatch) { p.Mode = &s.Mode }),
		set("refuse", "way to refuse", func(s gateway.Settings) string { return s.Refuse.String() },
			func(s gateway.Settings, p *gateway.SettingsPatch) { p.Refuse = &s.Refuse }),
		set("retry", "retry intervals", func(s gateway.Settings) string { return durations(s.Retry) },
			func(s gateway.Settings, p *gateway.SettingsPatch) { p.Retry = &s.Retry }),
	}
	all = append(all, timeouts()...)
	return append(all,
		set("max-size", "largest message", func(s gateway.Settings) string { return strconv.FormatInt(s.MaxSize, 10) },
			func(s gateway.Settings, p *gateway.SettingsPatch) { p.MaxSize = &s.MaxSize }),
		set("max-inbound", "sessions from the Internet", func(s gateway.Settings) string { return strconv.Itoa(s.MaxInbound) },
			func(s gateway.Settings, p *gateway.SettingsPatch) { p.MaxInbound = &s.MaxInbound }),
		set("max-outbound", "sessions to the Internet", func(s gateway.Settings) string { return strconv.Itoa(s.MaxOutbound) },
			func(s gateway.Settings, p *gateway.SettingsPatch) { p.MaxOutbound = &s.MaxOutbound }),
		set(ForwardHost, "forward host", func(s gateway.Settings) string { return s.ForwardHost },
			func(s gateway.Settings, p *gateway.SettingsPatch) { p.ForwardHost = &s.ForwardHost }),
		set(DomainHosts, "host of a domain", func(s gateway.Settings) string { return Table(s.DomainHosts) },
			func(s gateway.Settings, p *gateway.SettingsPatch) { p.DomainHosts = &s.DomainHosts }),
		set(Reroute, "rerouted domains", func(s gateway.Settings) string { return Table(s.Reroute) },
			func(s gateway.Settings, p *gateway.SettingsPatch) { p.Reroute = &s.Reroute }),
		set(ETRN, "sent on demand", func(s gateway.Settings) string { return Table(s.ETRN) },
			func(s gateway.Settings, p *gateway.SettingsPatch) { p.ETRN = &s.ETRN }),
		set(Accept, "may connect", func(s gateway.Settings) string { return Networks(Admissions(s.Accept, false)) },
			func(s gateway.Settings, p *gateway.SettingsPatch) { p.Accept = &s.Accept }),
		set(Reject, "may not connect", func(s gateway.Settings) string { return Networks(Admissions(s.Accept, true)) },
			func(s gateway.Settings, p *gateway.SettingsPatch) { p.Accept = &s.Accept }),
		set(Relay, "may relay", func(s gateway.Settings) string { return Networks(s.Relay) },
			func(s gateway.Settings, p *gateway.SettingsPatch) { p.Relay = &s.Relay }),
	)
}

func set(id ID, title string, text func(gateway.Settings) string, patch func(gateway.Settings, *gateway.SettingsPatch)) Setting {
	return Setting{id, title, text, patch}
}

// timeouts are the time-outs by priority; a patch has all of them.
func timeouts() []Setting {
	var all []Setting
	for _, one := range []struct {
		id, title string
		of        func(gateway.Timeouts) time.Duration
	}{
		{"timeout-urgent", "time-out of urgent mail", func(t gateway.Timeouts) time.Duration { return t.Urgent }},
		{"timeout-normal", "time-out of normal mail", func(t gateway.Timeouts) time.Duration { return t.Normal }},
		{"timeout-non-urgent", "time-out of non-urgent mail", func(t gateway.Timeouts) time.Duration { return t.NonUrgent }},
		{"timeout-report", "time-out of reports", func(t gateway.Timeouts) time.Duration { return t.Report }},
	} {
		all = append(all, set(ID(one.id), one.title,
			func(s gateway.Settings) string { return Duration(one.of(s.Timeouts)) },
			func(s gateway.Settings, p *gateway.SettingsPatch) { p.Timeouts = &s.Timeouts },
		))
	}
	return all
}

// Patch names those settings of s that are listed.
func Patch(s gateway.Settings, ids []ID) gateway.SettingsPatch {
	var p gateway.SettingsPatch
	for _, one := range All() {
		if slices.Contains(ids, one.ID) {
			one.Patch(s, &p)
		}
	}
	return p.Clone()
}

// Differ lists the settings whose values differ.
func Differ(a, b gateway.Settings) []ID {
	var ids []ID
	for _, one := range All() {
		if one.Text(a) != one.Text(b) {
			ids = append(ids, one.ID)
		}
	}
	return ids
}

// Command sets the listed settings of a gateway to the values that they have in
// s, and restarts it if it runs with others.
func Command(gw string, s gateway.Settings, ids []ID, reason string) string {
	words := []string{"ims gateway set", Quote(gw)}
	for _, one := range All() {
		if slices.Contains(ids, one.ID) {
			words = append(words, "--"+string(one.ID), Quote(one.Text(s)))
		}
	}
	return strings.Join(append(words, "--restart --reason", Quote(reason)), " ")
}

// Table writes a table of domains as the flags read it.
func Table(t map[string]string) string {
	parts := make([]string, 0, len(t))
	for _, d := range slices.Sorted(maps.Keys(t)) {
		parts = append(parts, d+"="+t[d])
	}
	return strings.Join(parts, ",")
}

// Networks writes a list of networks as the flags read it, in order.
func Networks(list []netip.Prefix) string {
	list = slices.SortedFunc(slices.Values(list), netip.Prefix.Compare)
	parts := make([]string, len(list))
	for i, n := range list {
		parts[i] = gateway.NetworkText(n)
	}
	return strings.Join(slices.Compact(parts), ",")
}

// Admissions are the networks of those lines that reject, or that do not.
func Admissions(list []gateway.Admission, reject bool) []netip.Prefix {
	var out []netip.Prefix
	for _, a := range list {
		if a.Reject == reject {
			out = append(out, a.Net)
		}
	}
	return out
}

// Admission is the list that accepts some networks and rejects others.
func Admission(accept, reject []netip.Prefix) []gateway.Admission {
	list := []gateway.Admission{}
	for _, n := range accept {
		list = append(list, gateway.Admission{Net: n})
	}
	for _, n := range reject {
		list = append(list, gateway.Admission{Net: n, Reject: true})
	}
	return list
}

func durations(list []time.Duration) string {
	parts := make([]string, len(list))
	for i, d := range list {
		parts[i] = Duration(d)
	}
	return strings.Join(parts, ",")
}

// Duration is d without parts that are zero: 15m and not 15m0s.
func Duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Quote is a word as a shell wants it.
func Quote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./@:=+,%", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
