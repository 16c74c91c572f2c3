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

// sumLines are the account, DNS, and what was noticed, in lines of w cells. On a
// narrow terminal each takes one, and the details have the rest.
func (m *Model) sumLines(w int) []textLine {
	r := m.snap.Run
	if r == nil {
		return nil
	}
	list := []textLine{{"ledger", "not counted yet", faint}}
	if l := r.Ledger; l != nil {
		style := good
		if l["unaccounted"] > 0 {
			style = bad
		}
		list = m.nowLine("ledger", ledgerText(l, w-len("ledger ")), w, style)
	}
	text, style := m.mxText(w - len("mx "))
	list = append(list, m.nowLine("mx", text, w, style)...)
	for _, v := range m.snap.Resolvers {
		list = append(list, m.nowLine("veto", v, w, warn)...)
	}
	for _, c := range m.snap.Canaries {
		list = append(list, m.nowLine("canary", c, w, plain)...)
	}
	for _, n := range r.Notes {
		if !strings.HasPrefix(n, "old MX of ") { // which mxText says
			list = append(list, m.nowLine("note", n, w, plain)...)
		}
	}
	if m.snap.GatewayErr != "" {
		list = append(list, m.nowLine("gateway", m.snap.GatewayErr, w, bad)...)
	}
	return list
}

// ledgerWords are the sets of the account, and what they are called where
// there is little room.
var ledgerWords = []struct{ set, brief string }{
	{"returned", "ret"}, {"absorbed", "abs"}, {"deleted", "del"}, {"redirected", "redir"}, {"present", "here"},
}

// ledgerText says what is unaccounted first, and leaves out empty sets. Where w
// cells are too few, it says so in short words, and at last only what is here.
func ledgerText(l map[string]int64, w int) string {
	unaccounted := fmt.Sprintf("%d unaccounted: ", l["unaccounted"])
	long := unaccounted + fmt.Sprintf("%d accepted + %d generated = %d delivered", l["accepted"], l["generated"], l["delivered"])
	brief := unaccounted + fmt.Sprintf("%d acc + %d gen = %d dlv", l["accepted"], l["generated"], l["delivered"])
	for _, word := range ledgerWords {
		if n := l[word.set]; n > 0 {
			long += fmt.Sprintf(" + %d %s", n, word.set)
			brief += fmt.Sprintf(" + %d %s", n, word.brief)
		}
	}
	if w < narrow-len("ledger ") {
		brief = fmt.Sprintf("%d unaccounted, %d here", l["unaccounted"], l["present"])
	}
	return fitting(w, long, brief)
}

// fitting is the longer text where there is room for it.
func fitting(w int, long, brief string) string {
	if screen.Width(long) <= w {
		return long
	}
	return brief
}

// mxText says until when the old MX may be cached, and which authorities agree.
func (m *Model) mxText(w int) (string, screen.Style) {
	r, style := m.snap.Run, plain
	long := "no authority was asked yet"
	brief := long
	if len(r.Authorities) > 0 {
		var agree bool
		long, agree = authorities(r.Authorities, "%d of %d say %s")
		brief, _ = authorities(r.Authorities, "%d/%d %s")
		if !agree {
			style = warn
		}
	}
	switch at := m.clock(r.Expires); {
	case m.unasked() != "": // whatever was noticed of DNS is from before
		was, _ := authorities(r.Authorities, "%d of %d said %s")
		return fitting(w, "not asked since DNS was changed; at "+m.unasked()+" "+was, "not asked since a change; at "+m.unasked()+" "+brief), warn
	case r.Facts["mx.here"] == "true":
		long, brief = "still leads here; "+long, "leads here; "+brief
	case r.Expires.Unix() <= 0: // nothing was seen yet that could be cached
	case r.Expires.After(m.now):
		long, brief = "old MX may be cached until "+at+"; "+long, "old until "+at+"; "+brief
	default:
		long, brief = "old MX in no cache since "+at+"; "+long, "old gone "+at+"; "+brief
	}
	return fitting(w, long, brief), style
}

// unasked is when the authorities were asked last, "" if the run did not change
// DNS since.
func (m *Model) unasked() string {
	var at time.Time
	stale := false
	for i := range m.snap.Run.Authorities {
		a := &m.snap.Run.Authorities[i]
		at, stale = later(at, a.At), stale || a.Stale
	}
	if !stale {
		return ""
	}
	return m.clock(at)
}

// authorities says for each domain what its name servers answer, how many of
// how many in the given form, and whether they agree everywhere. Domains for
// which they answer the same are named together.
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
	named := map[string][]string{}
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
		said := strings.Join(words, ", ")
		if len(named[said]) == 0 {
			parts = append(parts, said)
		}
		named[said] = append(named[said], d)
	}
	slices.SortStableFunc(parts, func(a, b string) int { return split(named[b], votes) - split(named[a], votes) })
	for i, said := range parts {
		parts[i] = strings.Join(named[said], ", ") + ": " + said
	}
	return strings.Join(parts, "; "), agree
}

// split is how many answers there are for the first of some domains: those that
// have more than one are said first.
func split(domains []string, votes map[string]map[string]int) int { return len(votes[domains[0]]) }

// clientLines are the hosts that still connect, the last first, in lines of w
// cells.
func (m *Model) clientLines(w int) []textLine {
	if m.snap.ClientsErr != "" {
		return m.nowLine("clients", "unknown: "+m.snap.ClientsErr, w, warn)
	}
	var list []textLine
	for i := range m.snap.Clients {
		c := &m.snap.Clients[i]
		var what []string
		if c.Accepted > 0 || c.Deferred == 0 {
			what = append(what, fmt.Sprintf("%d accepted", c.Accepted))
		}
		if c.Deferred > 0 {
			what = append(what, fmt.Sprintf("%d put off", c.Deferred))
		}
		text := fmt.Sprintf("%s %s: %s, last %s ago", c.Host, c.Helo, strings.Join(what, ", "), short(m.now.Sub(c.LastValid)))
		if screen.Width("late "+text) > w && w >= narrow-2 { // the name is what may be given up
			text = fmt.Sprintf("%s: %s, last %s ago, as %s", c.Host, strings.Join(what, ", "), short(m.now.Sub(c.LastValid)), c.Helo)
		}
		list = append(list, textLine{"late", text, plain})
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
	if m.focused() == onSteps {
		mark = "› "
	}
	rows := a.H - 1
	top := max(0, min(r.Index-1-rows/3, len(r.Steps)-rows))
	head := mark + "STEP"
	if rows < len(r.Steps) {
		head += fmt.Sprintf("  %d to %d of %d", top+1, top+rows, len(r.Steps))
	}
	a.Put(0, 0, head, heading)
	a.Right(a.W, 0, "ENTERED", heading)
	entered := map[string]time.Time{}
	for _, v := range r.Visits {
		if !v.Undo {
			entered[v.State] = v.Entered
		}
	}
	for y := range min(rows, len(r.Steps)-top) {
		drawStep(a, y+1, &r.Steps[top+y], r, m.clock(entered[r.Steps[top+y].State]))
	}
}

// drawStep marks a state that was left, the present one, and one to come.
func drawStep(a screen.Area, y int, s *runner.Step, r *runner.Monitor, at string) {
	glyph, style := "·", faint
	switch {
	case s.Number == r.Index && !r.Ended():
		glyph, style = "›", strong
	case at != "-":
		glyph, style = "+", plain
	}
	x := a.Put(0, y, fmt.Sprintf("%s %2d %-17s ", glyph, s.Number, s.State), style)
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
	if m.focused() == onEvents {
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
		a.Put(x, y, screen.Cut(strings.TrimSpace(l.Text), a.W-x), plain)
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
