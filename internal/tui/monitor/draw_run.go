package monitor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/internal/runner"
	"example.org/ims/internal/tui/screen"
)

// nowLines are the present state: what it is, what is missing, until when it
// waits, and what a person has to do next.
func (m *Model) nowLines() []textLine {
	r := m.snap.Run
	if r == nil {
		return m.gatewayLines()
	}
	if r.Ended() {
		return []textLine{{"", cmp.Or(r.Title, r.State), strong}, {"next", m.nextWords(), plain}}
	}
	first := textLine{r.State, r.Title, plain}
	if n := len(r.Visits); n > 0 {
		v := &r.Visits[n-1]
		if len(v.Source) > 0 {
			first.text += " [" + strings.Join(v.Source, ", ") + "]"
		}
		first.text += ", for " + output.Duration(m.now.Sub(v.Entered).Truncate(time.Second))
	}
	list := []textLine{first}
	if r.Asked != nil {
		list = append(list, textLine{"QUESTION", strings.TrimSpace(r.Asked.Comment), warn})
	}
	var missing []textLine
	for _, c := range r.Missing {
		word := "not yet"
		if c.Verdict == "unknown" {
			word = "unknown"
		}
		missing = append(missing, textLine{word, c.That + ": " + c.Why, warn})
	}
	list = append(list, missing[:min(len(missing), 1)]...)
	if !r.Ends.IsZero() && !r.Limit.IsZero() {
		list = append(list, textLine{"waits", "until " + m.clock(r.Ends) + " at the earliest; a person is asked after " + m.clock(r.Limit), plain})
	}
	next := textLine{"next", m.nextWords(), plain}
	if r.Asked != nil {
		next.text = "a answers, x rejects; elsewhere: " + r.Action.Command
	}
	list = append(list, next)
	return append(list, missing[min(len(missing), 1):]...)
}

func (m *Model) gatewayLines() []textLine {
	c := &m.snap.Config
	if m.snap.Seen.IsZero() {
		return []textLine{{"", cmp.Or(m.snap.GatewayErr, "not seen yet"), warn}}
	}
	list := []textLine{
		{"listens", c.Listen + " as " + c.Hostname, plain},
		{"routes", fmt.Sprintf("%s, %s", output.Count(int64(len(c.Spaces)), "address space"), output.Count(int64(len(c.Sites)), "connected site")), plain},
		{"next", "no run is open: ims retire " + c.Name + " --dry-run", plain},
	}
	if m.snap.GatewayErr != "" {
		list = append(list, textLine{"gateway", m.snap.GatewayErr, bad})
	}
	return list
}

// nextWords is the next thing that a person has to do.
func (m *Model) nextWords() string {
	a := m.snap.Run.Action
	text := a.What
	if a.Verb != "" {
		when := "now"
		if a.At.After(m.now) {
			when = "not before " + m.clock(a.At)
		}
		text = string(a.Verb) + " " + a.State + ", " + when + ": " + a.What
	} else if a.At.After(m.now) {
		text += ", not before " + m.clock(a.At)
	}
	return text
}

// sumLines are the account, DNS, and what was noticed.
func (m *Model) sumLines() []textLine {
	r := m.snap.Run
	if r == nil {
		return nil
	}
	var list []textLine
	if l := r.Ledger; l != nil {
		list = append(list, ledgerLine(l))
	} else {
		list = append(list, textLine{"ledger", "not counted yet", faint})
	}
	list = append(list, m.mxLine())
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

// ledgerLine says what is unaccounted first, and leaves out empty sets.
func ledgerLine(l map[string]int64) textLine {
	t := textLine{"ledger", fmt.Sprintf("%d unaccounted: %d accepted + %d generated = %d delivered", l["unaccounted"], l["accepted"], l["generated"], l["delivered"]), good}
	for _, set := range []string{"returned", "absorbed", "deleted", "redirected", "present"} {
		if l[set] > 0 {
			t.text += fmt.Sprintf(" + %d %s", l[set], set)
		}
	}
	if l["unaccounted"] > 0 {
		t.style = bad
	}
	return t
}

// mxLine says which authorities agree, and until when the old MX may be
// cached.
func (m *Model) mxLine() textLine {
	r := m.snap.Run
	t := textLine{"mx", "no authority was asked yet", plain}
	if len(r.Authorities) > 0 {
		var agree bool
		if t.text, agree = authorities(r.Authorities); !agree {
			t.style = warn
		}
	}
	switch {
	case r.Facts["mx.here"] == "true":
		t.text = "still leads here; " + t.text
	case r.Expires.Unix() <= 0: // nothing was seen yet that could be cached
	case r.Expires.After(m.now):
		t.text = "old MX may be cached until " + m.clock(r.Expires) + "; " + t.text
	default:
		t.text = "old MX in no cache since " + m.clock(r.Expires) + "; " + t.text
	}
	return t
}

// authorities says for each domain what its name servers answer, and whether
// they agree everywhere.
func authorities(all []runner.Authority) (text string, agree bool) {
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
			words[i] = fmt.Sprintf("%d of %d say %s", votes[d][a], of, strings.TrimSuffix(a, "."))
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
