package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"example.org/ims/pkg/zone"
)

// Records reads what a line of a change says of RRsets: what RRset.String wrote
// of each, with "; " between two. So what a person does by hand is what the plan
// shows, and binds to. What is quoted, the text of a TXT record, is data.
func Records(line string) ([]zone.RRset, error) {
	var out []zone.RRset
	for _, one := range cutOutside(line, "; ") {
		words := strings.SplitN(one, " ", 4)
		if len(words) == 3 && words[2] == "(none)" {
			out = append(out, zone.NewRRset(words[0], words[1], 0))
			continue
		}
		if len(words) < 4 {
			return nil, fmt.Errorf("read records: %q is none", one)
		}
		ttl, err := strconv.ParseUint(words[1], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("read records: TTL of %q: %w", one, err)
		}
		out = append(out, zone.NewRRset(words[0], words[2], uint32(ttl), cutOutside(words[3], " | ")...))
	}
	return out, nil
}

// cutOutside splits text at a separator that stands outside of quotes, with the
// escapes of RFC 1035 5.1.
func cutOutside(text, sep string) []string {
	var parts []string
	quoted, from := false, 0
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case text[i] == '"':
			quoted = !quoted
		case !quoted && strings.HasPrefix(text[i:], sep):
			parts = append(parts, text[from:i])
			i += len(sep) - 1
			from = i + 1
		}
	}
	return append(parts, text[from:])
}

// records writes the commands of a change of RRsets that a plan shows in words,
// each a compare-and-swap of its own, in the order of the effect. It returns the
// longest TTL of what is replaced, in seconds.
func (c *commands) records(h *Hand, ch Change) (ttl uint32) {
	before, err := c.listed(ch.Before)
	after, err2 := c.listed(ch.After)
	if err != nil || err2 != nil || len(before) != len(after) {
		h.Warning = fmt.Sprintf("what %s of %s was, or is to be, could not be read when the plan was made: write the update by hand", c.state, ch.Target)
		return 0
	}
	for i, old := range before {
		z, ok := c.p.Places.holding(old.Name)
		switch {
		case !ok:
			h.Warning = "the plan does not say which server takes updates of " + old.Name
			continue
		case old.SameData(after[i]):
			h.Nothing = append(h.Nothing, fmt.Sprintf("%s %s is as it is to be", old.Name, old.Type))
		default:
			h.Do = append(h.Do, update(z, old, after[i]))
			h.Undo = append(h.Undo, update(z, after[i], old))
			ttl = max(ttl, old.TTL)
		}
		h.See = append(h.See, digs(z, old.Name, old.Type)...)
	}
	return ttl
}

func (c *commands) listed(lines []string) (all []zone.RRset, err error) {
	for _, l := range lines {
		sets, err := Records(l)
		if err != nil {
			return nil, err
		}
		all = append(all, sets...)
	}
	return all, nil
}

// holding is where the records of a name are changed.
func (p *Places) holding(name string) (Zone, bool) {
	for _, z := range slices.Concat(p.Zones, p.Names) {
		if zone.CanonicalName(z.Domain) == zone.CanonicalName(name) {
			return z, true
		}
	}
	return Zone{}, false
}

// digs ask every authority for records.
func digs(z Zone, name, typ string) []string {
	servers := z.Authorities
	if !slices.Contains(servers, z.Server) {
		servers = append([]string{z.Server}, servers...)
	}
	out := make([]string, len(servers))
	for i, s := range servers {
		host, port := hostPort(s)
		out[i] = fmt.Sprintf("dig @%s -p %s %s %s +norecurse +noall +answer", word(host), port, word(name), typ)
	}
	return out
}

// zone writes the commands of a change of a domain's MX: a compare-and-swap by
// value-dependent prerequisites (RFC 2136 2.4.2), and its reverse.
func (c *commands) zone(h *Hand, domain string, old, next zone.RRset, known bool) {
	z, ok := c.p.Places.holding(domain)
	if !ok {
		h.Warning = "the plan does not say which server takes updates of " + domain
		return
	}
	h.See = append(h.See, digs(z, domain, "MX")...)
	switch {
	case !known:
		h.Warning = "the MX of " + domain + " could not be read when the plan was made: write the update by hand"
	case old.SameData(next):
		h.Nothing = append(h.Nothing, "the MX of "+domain+" is as it is to be")
	default:
		h.Do = append(h.Do, update(z, old, next))
		h.Undo = append(h.Undo, update(z, next, old))
	}
}

func update(z Zone, old, next zone.RRset) string {
	host, port := hostPort(z.Server)
	lines := []string{
		"nsupdate -k " + word(z.KeyFile) + " <<'END'",
		"server " + host + " " + port,
		"zone " + zone.CanonicalName(z.Zone),
	}
	if old.Empty() {
		lines = append(lines, fmt.Sprintf("prereq nxrrset %s %s", old.Name, old.Type))
	}
	for _, d := range old.Data {
		lines = append(lines, fmt.Sprintf("prereq yxrrset %s %s %s", old.Name, old.Type, d))
	}
	if !old.Empty() {
		lines = append(lines, fmt.Sprintf("update delete %s %s", old.Name, old.Type))
	}
	for _, d := range next.Data {
		lines = append(lines, fmt.Sprintf("update add %s %d %s %s", next.Name, next.TTL, next.Type, d))
	}
	return strings.Join(append(lines, "send", "END"), "\n")
}
