package monitor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/runner"
	"example.org/ims/internal/tui/screen"
)

// sumLines are the account, DNS, and what was noticed, in words for w cells.
func (m *Model) sumLines(w int) []textLine {
	r := m.snap.Run
	if r == nil {
		return nil
	}
	var list []textLine
	if l := r.Ledger; l != nil {
		list = append(list, ledgerLine(l, w))
	} else {
		list = append(list, textLine{"ledger", "not counted yet", faint})
	}
	list = append(list, m.mxLine(w))
	for _, v := range m.snap.Resolvers {
		list = append(list, textLine{"veto", v, warn})
	}
	for _, c := range m.snap.Canaries {
		list = append(list, textLine{"canary", c, plain})
	}
	for _, n := range r.Notes {
		if !strings.HasPrefix(n, "old MX of ") { // which mxLine says
			list = append(list, textLine{"note", n, plain})
		}
	}
	if m.snap.GatewayErr != "" {
		list = append(list, textLine{"gateway", m.snap.GatewayErr, bad})
	}
	return list
}

// ledgerWords are the sets of the account, and what they are called where
// there is little room.
var ledgerWords = []struct{ set, brief string }{
	{"returned", "ret"}, {"absorbed", "abs"}, {"deleted", "del"}, {"redirected", "redir"}, {"present", "here"},
}

// ledgerLine says what is unaccounted first, and leaves out empty sets.
func ledgerLine(l map[string]int64, w int) textLine {
	unaccounted := fmt.Sprintf("%d unaccounted: ", l["unaccounted"])
	long := unaccounted + fmt.Sprintf("%d accepted + %d generated = %d delivered", l["accepted"], l["generated"], l["delivered"])
	brief := unaccounted + fmt.Sprintf("%d acc + %d gen = %d dlv", l["accepted"], l["generated"], l["delivered"])
	for _, word := range ledgerWords {
		if n := l[word.set]; n > 0 {
			long += fmt.Sprintf(" + %d %s", n, word.set)
			brief += fmt.Sprintf(" + %d %s", n, word.brief)
		}
	}
	t := textLine{"ledger", fitting(w-len("ledger "), long, brief), good}
	if l["unaccounted"] > 0 {
		t.style = bad
	}
	return t
}

// fitting is the longer text where there is room for it.
func fitting(w int, long, brief string) string {
	if screen.Width(long) <= w {
		return long
	}
	return brief
}

// mxLine says which authorities agree, and until when the old MX may be
// cached.
func (m *Model) mxLine(w int) textLine {
	r := m.snap.Run
	t := textLine{"mx", "no authority was asked yet", plain}
	long, brief := t.text, t.text
	if len(r.Authorities) > 0 {
		var agree bool
		long, agree = authorities(r.Authorities, "%d of %d say %s")
		brief, _ = authorities(r.Authorities, "%d/%d %s")
		if !agree {
			t.style = warn
		}
	}
	switch at := m.clock(r.Expires); {
	case r.Facts["mx.here"] == "true":
		long, brief = "still leads here; "+long, "leads here; "+brief
	case r.Expires.Unix() <= 0: // nothing was seen yet that could be cached
	case r.Expires.After(m.now):
		long, brief = "old MX may be cached until "+at+"; "+long, "old until "+at+"; "+brief
	default:
		long, brief = "old MX in no cache since "+at+"; "+long, "old gone "+at+"; "+brief
	}
	t.text = fitting(w-len("mx "), long, brief)
	return t
}

// authorities says for each domain what its name servers answer, how many of
// how many in the given form, and whether they agree everywhere.
func authorities(all []runner.Authority, form string) (text string, agree bool) {
	var domains, parts []string
	votes := map[string]map[string]int{}
	for _, a := range all {
		if votes[a.Domain] == nil {
			domains, votes[a.Domain] = append(domains, a.Domain), map[string]int{}
		}
		votes[a.Domain][cmp.Or(a.Answer, "no MX")]++
	}
	agree = true
	for _, d := range domains {
		of := 0
		for _, n := range votes[d] {
			of += n
		}
		answers := slices.Sorted(maps.Keys(votes[d]))
		slices.SortStableFunc(answers, func(a, b string) int { return votes[d][b] - votes[d][a] })
		words := make([]string, len(answers))
		for i, a := range answers {
			words[i] = fmt.Sprintf(form, votes[d][a], of, strings.TrimSuffix(a, "."))
		}
		agree = agree && len(answers) == 1
		parts = append(parts, d+": "+strings.Join(words, ", "))
	}
	return strings.Join(parts, "; "), agree
}

// clientLines are the hosts that still connect, the last first.
func (m *Model) clientLines() []textLine {
	if m.snap.ClientsErr != "" {
		return []textLine{{"clients", "unknown: " + m.snap.ClientsErr, warn}}
	}
	var list []textLine
	for i := range m.snap.Clients {
		c := &m.snap.Clients[i]
		what := fmt.Sprintf("%d accepted", c.Accepted)
		if c.Deferred > 0 {
			what += fmt.Sprintf(", %d put off", c.Deferred)
		}
		list = append(list, textLine{"late", fmt.Sprintf("%s %s: %s, last %s ago", c.Host, c.Helo, what, short(m.now.Sub(c.LastValid))), plain})
	}
	return list
}

// drawSteps is the procedure, around the present state.
func (m *Model) drawSteps(a screen.Area) {
	r := m.snap.Run
	if r == nil || a.H == 0 {
		return
	}
	mark := "  "
	if m.focus == onSteps {
		mark = "› "
	}
	a.Put(0, 0, mark+"STEP", heading)
	a.Right(a.W, 0, "ENTERED", heading)
	entered := map[string]time.Time{}
	for _, v := range r.Visits {
		if !v.Undo {
			entered[v.State] = v.Entered
		}
	}
	rows := a.H - 1
	top := max(0, min(r.Index-1-rows/3, len(r.Steps)-rows))
	for y := range min(rows, len(r.Steps)-top) {
		drawStep(a, y+1, top+y+1, &r.Steps[top+y], r, m.clock(entered[r.Steps[top+y].State]))
	}
}

// drawStep marks a state that was left, the present one, and one to come.
func drawStep(a screen.Area, y, n int, s *runner.Step, r *runner.Monitor, at string) {
	glyph, style := "·", faint
	switch {
	case n == r.Index && !r.Ended():
		glyph, style = "›", strong
	case at != "-":
		glyph, style = "+", plain
	}
	x := a.Put(0, y, fmt.Sprintf("%s %2d %-17s ", glyph, n, s.State), style)
	a.Put(x, y, screen.Cut(s.Title, a.W-x-max(screen.Width(at), 8)-1), style)
	if at != "-" {
		a.Right(a.W, y, at, style)
	}
}

// drawEvents are the last lines of the journal, the newest at the bottom.
func (m *Model) drawEvents(a screen.Area) {
	if a.H == 0 {
		return
	}
	mark := "  "
	if m.focus == onEvents {
		mark = "› "
	}
	y := 0
	if a.H > 2 {
		a.Put(0, 0, mark+"LAST EVENTS", heading)
		y = 1
	}
	all := m.recent(a.H - y)
	for _, l := range all {
		x := a.Put(0, y, m.clock(l.At)+" ", faint)
		a.Put(x, y, screen.Cut(l.Text, a.W-x), plain)
		y++
	}
}

// recent are the newest n lines, of the journal and of whoever else speaks. An
// observation is no event.
func (m *Model) recent(n int) []runner.Line {
	var all []runner.Line
	for i := len(m.lines) - 1; i >= 0 && len(all) < n; i-- {
		if m.lines[i].Kind != "observed" {
			all = append(all, m.lines[i])
		}
	}
	all = append(all, m.said[max(0, len(m.said)-n):]...)
	slices.SortStableFunc(all, func(a, b runner.Line) int { return a.At.Compare(b.At) })
	return all[max(0, len(all)-n):]
}
