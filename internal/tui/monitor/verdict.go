package monitor

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/internal/setting"
	"example.org/ims/internal/tui/screen"
	"example.org/ims/pkg/gateway"
)

// word is a verdict on a row: whether what waits there will move.
type word uint8

const (
	moving  word = iota // it was not tried yet, or is under way
	slow                // it moves by itself: the next attempt is planned, and somebody answers
	blocked             // it moves once something else changes
	never               // nothing that is planned can move it
)

func (w word) String() string { return [...]string{"", "slow", "blocked", "never"}[w] }

// verdict is a word, why, and what resolves it: keys here, a command elsewhere.
// A command can be pasted as it is.
type verdict struct {
	word    word
	why     string
	verb    string
	command string
}

// judge says whether the entries of a row will move. It is causal: it asks
// what is planned and what answered last, not how long it takes.
func (m *Model) judge(d *gateway.Destination) verdict {
	c := &m.snap.Config
	switch {
	case d.Store == gateway.Corrupt:
		return verdict{never, "unreadable: " + d.Held, onOne("d deletes", d), m.command("delete", "it cannot be read", d)}
	case d.Store == gateway.Bad:
		return verdict{blocked, "set aside: " + d.Held, onOne("l releases, n returns", d), m.command("release", "it may be sent", d)}
	case d.Store == gateway.Hold:
		return verdict{blocked, "held " + d.Held, onOne("l releases, n returns", d), m.command("release", "it may be sent", d)}
	case c.Name != "" && !c.Running:
		return elsewhere("the service is stopped", "start "+c.Name, "mail waits in it")
	case c.Paused && d.Store != gateway.MTA:
		return elsewhere("the service is paused", "resume "+c.Name, "mail waits in it")
	case d.Store == gateway.MTSOut && (c.Effective.Mode == gateway.None || c.Effective.Mode == gateway.InboundOnly):
		return elsewhere("mode "+c.Effective.Mode.Title()+" picks up nothing from mts-out", "set "+c.Name+" --mode outbound-only --restart", "mts-out holds mail")
	case d.Store != gateway.Out && d.Store != gateway.MTSIn, d.Tried == 0:
		return verdict{}
	}
	return m.judgeTried(d)
}

// onOne is what keys do to a row. One without a destination is no subject of
// theirs, but each of its messages is.
func onOne(verb string, d *gateway.Destination) string {
	if d.Dest == "" {
		return "enter shows them, then " + verb
	}
	return verb
}

// elsewhere is a verdict that no key of the monitor resolves.
func elsewhere(why, act, reason string) verdict {
	command := "ims gateway " + act + " --reason " + setting.Quote(reason)
	return verdict{blocked, why, command, command}
}

// actLimit is how many entries ims queue acts on unless it is told.
const actLimit = 1000

// command is what does to a row what a key would, as a shell wants it. Where
// the row has changed meanwhile, only a retry is still made.
func (m *Model) command(verb, reason string, d *gateway.Destination) string {
	text := "ims queue " + verb + " " + m.snap.Gateway + " --store " + d.Store.String()
	if d.Dest != "" {
		text += " --dest " + setting.Quote(d.Dest)
	}
	switch {
	case verb != "retry":
		text += fmt.Sprintf(" --expect %d", d.Messages)
	case d.Messages > actLimit:
		text += fmt.Sprintf(" --limit %d", d.Messages)
	}
	return text + " --reason " + setting.Quote(reason)
}

// judgeTried says it of a row that was tried at least once.
func (m *Model) judgeTried(d *gateway.Destination) verdict {
	last := cmp.Or(undialled(d.Last), "no word why")
	switch {
	case d.Next.IsZero() && len(m.snap.Config.Effective.Retry) == 0:
		return verdict{never, "no retry is planned: " + last, "r retries, n returns", m.command("return", "no retry is planned", d)}
	case !d.Expires.IsZero() && !d.Next.IsZero() && d.Next.After(d.Ends):
		return verdict{never, "it times out before the next attempt: " + last, "r retries, n returns", m.command("return", "it times out before its next attempt", d)}
	case takesNone(d.Last):
		return verdict{never, output.Count(int64(d.Most), "attempt") + ", nobody takes its mail: " + last, "n returns them", m.command("return", "nobody takes its mail", d)}
	case unreachable(d.Last):
		return verdict{blocked, m.ahead(d) + last, "r retries, n returns", m.command("retry", "a host answers", d)}
	}
	return verdict{slow, last, "r retries now", m.command("retry", "it should be taken now", d)}
}

// ahead is what happens to a row that nobody touches: until the last of its
// time-outs it is tried, and when that is done next.
func (m *Model) ahead(d *gateway.Destination) string {
	var parts []string
	if d.Ends.After(m.now) {
		parts = append(parts, "tried "+m.until(d.Ends)+" more")
	}
	if d.Next.After(m.now) {
		parts = append(parts, "next in "+m.until(d.Next))
	}
	if len(parts) == 0 {
		return "no host answers: "
	}
	return strings.Join(parts, ", ") + ": "
}

// takesNone reports whether a reply says that there is nobody to ask: no such
// host, or a null MX (RFC 7505).
func takesNone(last string) bool {
	if reply(last) {
		return false
	}
	last = strings.ToLower(last)
	return strings.Contains(last, "no such host") || strings.Contains(last, "no such domain") || strings.Contains(last, "null mx")
}

// reply reports whether a host said it.
func reply(last string) bool {
	return len(last) > 2 && last[0] >= '2' && last[0] <= '5' && last[1] >= '0' && last[1] <= '9'
}

// undialled is a reply without the address that was called, where it says that
// twice: as "connect to HOST ADDRESS: dial tcp ADDRESS: connect: refused".
func undialled(last string) string {
	before, after, found := strings.Cut(last, ": dial tcp ")
	address, why, told := strings.Cut(after, ": ")
	if !found || !told || !strings.HasSuffix(before, " "+address) {
		return last
	}
	return before + ": " + strings.TrimPrefix(why, "connect: ")
}

// unreachable reports whether a reply is ours: that nobody could be reached.
func unreachable(last string) bool {
	if reply(last) {
		return false
	}
	last = strings.ToLower(last)
	for _, sign := range []string{"refused", "timeout", "timed out", "unreachable", "no route", "no host", "no address", "not exist", "reset", "connect"} {
		if strings.Contains(last, sign) {
			return true
		}
	}
	return false
}

// stallAfter is how long nothing may leave before the whole is called stalled
// at the least, if nothing movable is left and no run judges that.
const stallAfter = 10 * time.Second

// standing is the verdict on the whole, with its culprit.
type standing struct {
	verdict
	culprit *gateway.Destination
	stalled bool
	since   time.Time // the standstill, if it is stalled
}

// whole judges the whole queue by the worst row.
func (m *Model) whole() standing {
	var out standing
	sum := m.snap.Summary
	if sum == nil {
		return out
	}
	for i := range sum.Worst {
		if v := m.judge(&sum.Worst[i]); v.word > out.word {
			out.verdict, out.culprit = v, &sum.Worst[i]
		}
	}
	if out.word == moving { // nothing was tried: something may stand in the way of all
		for i := range min(len(sum.Rows), 5) {
			if v := m.judge(&sum.Rows[i]); v.word > out.word {
				out.verdict, out.culprit = v, &sum.Rows[i]
			}
		}
	}
	out.since, out.stalled = m.standstill()
	out.stalled = out.stalled && out.culprit != nil
	return out
}

// standstill reports whether what waits counts as stalled, and since when it
// stands. While a run is open its own stall timer decides, so that everybody is
// told the same; what left since ends it. Elsewhere nothing may have left for
// longer than the longest pause between two attempts.
func (m *Model) standstill() (since time.Time, stalled bool) {
	moved := m.past.moved
	if r := m.snap.Run; r != nil && !r.Ended() {
		if r.Stall == nil || moved.After(m.past.begun) && moved.After(r.Stall.Called) {
			return since, false
		}
		return r.Stall.Since, true
	}
	limit := stallAfter
	for _, pause := range m.snap.Config.Effective.Retry {
		limit = max(limit, pause)
	}
	return moved, !m.past.begun.IsZero() && m.snap.At.Sub(moved) >= limit && m.stuck()
}

// stuck reports whether nothing that waits moves by itself: no row that was
// not tried yet, none that is only slow, none under way. It looks at the rows
// of the window, which begins with the oldest.
func (m *Model) stuck() bool {
	sum := m.snap.Summary
	if sum.Found > len(sum.Rows) || m.snap.Census.InFlight > 0 {
		return false
	}
	for i := range sum.Rows {
		if m.judge(&sum.Rows[i]).word < blocked {
			return false
		}
	}
	return len(sum.Rows) > 0
}

// verdictText says it in words, with the keys that resolve it, or without: then
// command is what does. brief leaves out why.
func (m *Model) verdictText(keys, brief bool) (text string, w word, command string) {
	all := m.whole()
	switch total, ok := m.snap.Census.Total(); {
	case m.snap.Summary == nil:
		return "unknown: " + cmp.Or(m.snap.SummaryErr, "not summed up yet"), blocked, ""
	case all.culprit != nil:
	case ok && total == 0 && !m.snap.Seen.IsZero() && m.aside() != "":
		return "blocked: " + m.aside() + ", which leaves only by hand", blocked, ""
	case ok && total == 0 && !m.snap.Seen.IsZero():
		return "empty: every store is", moving, ""
	default:
		return "moving: nothing was put off yet", moving, ""
	}
	who := name(all.culprit)
	if brief {
		who = screen.Cut(who, briefName)
	}
	text = fmt.Sprintf("%s: %s (%d)", all.word, who, all.culprit.Messages)
	if brief { // the head says that it is stalled
		first, _, _ := strings.Cut(all.verb, ", ")
		return text + ", " + strings.TrimSuffix(first, " them"), all.word, all.command
	}
	if keys {
		text += ", " + all.verb
	}
	text += ": " + all.why
	if all.stalled {
		text = "STALLED for " + output.Duration(m.now.Sub(all.since).Truncate(time.Second)) + ", " + text
	}
	return text, all.word, all.command
}

// briefName is how much of a destination's name is shown on a narrow terminal,
// in cells, so that what resolves it is seen.
const briefName = 14

// name is the destination of a row in words.
func name(d *gateway.Destination) string {
	if d.Dest == "" {
		return "all in " + d.Store.String()
	}
	return d.Dest
}
