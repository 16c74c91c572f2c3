package monitor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/internal/tui/screen"
	"example.org/ims/pkg/gateway"
)

// Styles by meaning.
var (
	plain   = screen.Style{}
	faint   = screen.Style{Dim: true}
	strong  = screen.Style{Bold: true}
	heading = screen.Style{Color: screen.Info}
	good    = screen.Style{Color: screen.Good}
	bad     = screen.Style{Color: screen.Bad, Bold: true}
	warn    = screen.Style{Color: screen.Warn}
)

func (w word) style() screen.Style { return [...]screen.Style{good, plain, warn, bad}[w] }

// draw fills the terminal.
func (m *Model) draw(a screen.Area) {
	switch {
	case !m.fresh:
		m.drawHead(a.Area(0, 0, a.W, 2))
		a.Put(0, 2, "looking…", faint)
	case m.pane != overview:
		m.drawHead(a.Area(0, 0, a.W, 2))
		m.drawPane(a.Area(0, 2, a.W, a.H-3))
	default:
		m.drawOverview(a)
	}
	m.drawFoot(a)
	if m.dialog != nil {
		m.drawDialog(a)
	}
}

// texts are the lines of the panels that are nothing else, and want what every
// panel would like to have, on a terminal of w by h cells.
func (m *Model) texts(w, h int) (now, verdict, sums, clients []textLine, want wants) {
	now, verdict, sums, clients = m.nowLines(w, true), m.verdictLines(w), m.sumLines(w), m.clientLines(columnWidth(w, h))
	want = wants{
		nowPanel: max(len(now), 2), storesPanel: 1 + len(m.stores()), matrixPanel: 2, verdictPanel: len(verdict), sumsPanel: len(sums),
		clientsPanel: len(clients), eventsPanel: min(len(m.lines)+len(m.said), 12),
	}
	if m.snap.Summary != nil {
		want[matrixPanel] = max(2+m.snap.Summary.Found, 3)
	}
	if m.snap.Run != nil {
		want[stepsPanel] = 1 + len(m.snap.Run.Steps)
	}
	return now, verdict, sums, clients, want
}

// focused is the part that has the keys: that which was chosen, if the terminal
// has room for it.
func (m *Model) focused() focus {
	if m.focus != onMatrix && !m.shown(m.focus) {
		return onMatrix
	}
	return m.focus
}

// shown reports whether a part is on the screen, with its head. Where nothing
// is, each may be chosen.
func (m *Model) shown(f focus) bool {
	if m.w < MinWidth || m.h < MinHeight {
		return true
	}
	_, _, _, _, want := m.texts(m.w, m.h)
	at := layout(m.w, m.h, want)
	switch f {
	case onSteps:
		return m.snap.Run != nil && at[stepsPanel].H > 1
	case onEvents:
		return at[eventsPanel].H > 2 // which have a head
	case onMatrix, numFocus:
	}
	return f == onMatrix
}

func (m *Model) drawOverview(a screen.Area) {
	now, verdict, sums, clients, want := m.texts(a.W, a.H)
	at := layout(a.W, a.H, want)
	in := func(p panel) screen.Area { return a.Area(at[p].X, at[p].Y, at[p].W, at[p].H) }
	m.drawHead(in(headPanel))
	lines(in(nowPanel), now)
	m.drawSteps(in(stepsPanel))
	m.drawStores(in(storesPanel))
	m.drawMatrix(in(matrixPanel))
	lines(in(verdictPanel), verdict)
	lines(in(sumsPanel), sums)
	lines(in(clientsPanel), clients)
	m.drawEvents(in(eventsPanel))
}

// textLine is a line in one style, after a label in another.
type textLine struct {
	label string
	text  string
	style screen.Style
}

// lines shows as many lines as there is room for, and how many there are not.
func lines(a screen.Area, list []textLine) {
	for y, l := range list[:min(len(list), a.H)] {
		x, room := 0, a.W
		if y == a.H-1 && y > 0 && len(list) > a.H {
			more := fmt.Sprintf(" +%d: g", len(list)-a.H)
			room -= screen.Width(more)
			a.Put(room, y, more, faint)
		}
		if l.label != "" {
			x = a.Put(0, y, l.label+" ", heading)
		}
		a.Put(x, y, screen.Cut(l.text, room-x), l.style)
	}
}

// hang breaks a text into lines of w cells, each below the text of the first.
func hang(label, text string, w int, style screen.Style) []textLine {
	list := wrapped(nil, label, text, w)
	for i := range list {
		list[i].style = style
	}
	return list
}

// drawHead says what is watched, and how it stands.
func (m *Model) drawHead(a screen.Area) {
	r := m.snap.Run
	left := "ims  " + m.snap.Gateway
	if r != nil {
		left = "ims  " + r.Gateway + " → " + cmp.Or(r.Next, "no successor") + "  " + r.Runbook
		if a.W < narrow {
			left = fmt.Sprintf("%s → %s %d/%d %s", r.Gateway, cmp.Or(r.Next, "none"), r.Index, r.States, r.State)
		} else if !r.Ended() {
			left += fmt.Sprintf("  %d of %d %s", r.Index, r.States, r.State)
			if a.W >= 100 {
				left += "  since " + m.clock(r.Opened)
			}
		}
		end := m.now
		if r.Closed != nil {
			end = *r.Closed
		}
		left += "  " + output.Duration(end.Sub(r.Opened).Truncate(time.Second))
	}
	right, style := m.age()
	if a.W < narrow && style == faint {
		right = ""
	}
	a.Put(0, 0, screen.Cut(left, a.W-screen.Width(right)-1), strong)
	a.Right(a.W, 0, right, style)
	text, st := m.status()
	x := a.Put(0, 1, screen.Cut(text, a.W), st)
	if rest := m.brief(a.W - x - 2); rest != "" && x+2 < a.W {
		a.Put(x+2, 1, screen.Cut(rest, a.W-x-2), plain)
	}
}

// age is how old the data is.
func (m *Model) age() (string, screen.Style) {
	at := m.snap.Seen
	if m.snap.Run != nil && m.snap.Gone.IsZero() && at.IsZero() {
		at = m.snap.At
	}
	if at.IsZero() {
		return "no data yet", faint
	}
	d := m.now.Sub(at)
	if d < 3*time.Second {
		return "data 0s old", faint
	}
	return "data " + output.Duration(d.Truncate(time.Second)) + " old", warn
}

// status is how the run stands, in words.
func (m *Model) status() (string, screen.Style) {
	r := m.snap.Run
	text, style := m.runStatus()
	if r == nil {
		text, style = m.gatewayStatus()
	}
	if m.snap.DryRun {
		text = "DRY RUN, nothing is changed; " + text
	}
	return text, style
}

func (m *Model) runStatus() (string, screen.Style) {
	r := m.snap.Run
	switch {
	case r == nil:
		return "", plain
	case r.Ended():
		return "ENDED: " + r.Outcome, strong
	case !m.snap.Gone.IsZero():
		return "NO RUNNER IS ALIVE for " + output.Duration(m.now.Sub(m.snap.Gone).Truncate(time.Second)), bad
	case r.Problem != "":
		return "NOT PERFORMED", bad
	case r.Paused != nil:
		return "PAUSED for " + output.Duration(m.now.Sub(r.Paused.Since).Truncate(time.Second)) + " by " + r.Paused.Actor, warn
	case r.Phase == "operating" && (r.Why == "stall" || r.Why == "timeout"):
		return "STALLED, WAITING FOR OPERATOR (" + r.Why + ")", bad
	case r.Phase == "operating":
		return "WAITING FOR OPERATOR (" + r.Why + ")", bad
	case r.Asked != nil && m.whole().stalled:
		return "WAITING FOR AN ANSWER, STALLED", warn
	case r.Asked != nil:
		return "WAITING FOR AN ANSWER", warn
	case m.whole().stalled:
		return "STALLED", bad
	case r.Undoing:
		return "BEING UNDONE", warn
	}
	return "RUNNING", good
}

func (m *Model) gatewayStatus() (string, screen.Style) {
	c := &m.snap.Config
	switch {
	case m.snap.Seen.IsZero():
		return "NOT SEEN YET", faint
	case !c.Exists:
		return "REMOVED", strong
	case !c.Running:
		return "STOPPED", warn
	case c.Paused:
		return "PAUSED", warn
	case m.whole().stalled:
		return "STALLED", bad
	}
	return "RUNNING, " + c.Effective.Mode.Title(), good
}

// brief is the queue in a few words, and who else looks, in w cells. Where they
// are too few, what the screen says elsewhere gives way, then names.
func (m *Model) brief(w int) string {
	var queued, empty, resumes, watch, names string
	if total, ok := m.snap.Census.Total(); ok && !m.snap.Seen.IsZero() {
		queued = strings.TrimSuffix(fmt.Sprintf("%d queued, %s", total, m.aside()), ", ")
		if e := m.estimate(); total > 0 && !e.at.IsZero() {
			empty = "empty about " + m.clock(e.at)
		} else if total > 0 {
			empty = "ETA unknown"
		}
	}
	if r := m.snap.Run; r != nil {
		if r.Resumes > 0 {
			resumes = output.Count(int64(r.Resumes), "resume")
		}
		if n := len(r.Viewers); n > 1 {
			watch = fmt.Sprintf("%d watch", n)
			names = watch + ": " + strings.Join(r.Viewers, ", ")
		}
	}
	text := ""
	for _, parts := range [][]string{{queued, empty, resumes, names}, {queued, resumes, names}, {queued, empty, watch}, {queued, watch}, {queued}} {
		parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
		if text = strings.Join(parts, " · "); screen.Width(text) <= w {
			break
		}
	}
	return text
}

// aside is what waits for somebody beside the queues, "" if nothing does. It
// leaves only by hand.
func (m *Model) aside() string {
	var parts []string
	all := &m.snap.Census.Stores
	held, torn := &all[gateway.Hold], &all[gateway.Corrupt]
	if n := held.Messages + all[gateway.Bad].Messages; n > 0 {
		parts = append(parts, fmt.Sprintf("%d held", n))
	}
	if torn.Messages > 0 {
		parts = append(parts, fmt.Sprintf("%d unreadable", torn.Messages))
	}
	if !known(held) || !known(torn) || !known(&all[gateway.Bad]) {
		parts = append(parts, "side stores unknown")
	}
	return strings.Join(parts, ", ")
}

// verdictLines say what hinders, and when it will be over, in lines of w cells.
// On a narrow terminal the details have why.
func (m *Model) verdictLines(w int) []textLine {
	if w < narrow {
		text, word, _ := m.verdictText(true, true)
		return append([]textLine{{"", text, word.style()}}, hang("empty", m.etaLine(), w, plain)...)
	}
	text, word, _ := m.verdictText(true, false)
	return append(hang("verdict", text, w, word.style()), hang("empty  ", m.etaLine(), w, plain)...)
}

// etaLine is the estimate with its basis and its range, or why there is none.
func (m *Model) etaLine() string {
	e := m.estimate()
	total, ok := m.snap.Census.Total()
	switch {
	case ok && total == 0 && !m.snap.Seen.IsZero() && m.aside() != "":
		return "now, but for " + m.aside()
	case ok && total == 0 && !m.snap.Seen.IsZero():
		return "now"
	case e.at.IsZero():
		return "unknown, because " + e.why
	}
	text := "about " + m.clock(e.at) + " (" + m.clock(e.early) + " to "
	if e.lat.IsZero() {
		text += "open"
	} else {
		text += m.clock(e.lat)
	}
	text += "; " + e.basis + ")"
	if s := m.snap.Summary; s != nil && s.Total.Expiring > 0 {
		text += fmt.Sprintf("; %d time out before", s.Total.Expiring)
	}
	return text
}

// maxFlash is how many lines of the screen something that is said may take.
const maxFlash = 4

// drawFoot is the line of keys at the end of the screen, or what was said last,
// which takes the lines that it needs.
func (m *Model) drawFoot(a screen.Area) {
	foot := a.Area(0, a.H-1, a.W, 1)
	switch {
	case m.filter != nil:
		foot.Put(0, 0, screen.Cut("filter: "+*m.filter+"_   enter keeps it, esc drops it", a.W), strong)
	case m.flash != "" && m.now.Before(m.flashEnd):
		list := hang("", m.flash, a.W, warn)
		list = list[:min(len(list), maxFlash)]
		foot = a.Area(0, a.H-len(list), a.W, len(list))
		foot.Clear()
		lines(foot, list)
	case m.dialog != nil:
		foot.Put(0, 0, screen.Cut(m.dialog.keysWords(m.w, m.h), a.W), faint)
	default:
		foot.Put(0, 0, screen.Cut(m.keyLine(a.W), a.W), faint)
	}
}

// clock is a wall-clock time, with the day if it is not today's.
func (m *Model) clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	t = t.In(m.now.Location())
	if t.Format(time.DateOnly) == m.now.Format(time.DateOnly) {
		return t.Format("15:04:05")
	}
	return t.Format("Jan 2 15:04")
}

// short is a length of time in at most four cells: 45s, 12m, 3h, 9d.
func short(d time.Duration) string {
	switch d = max(d, 0); {
	case d < 100*time.Second:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < 100*time.Minute:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}

// until is how long it is to a time, "-" if there is none, "now" if it is over.
func (m *Model) until(t time.Time) string {
	switch {
	case t.IsZero():
		return "-"
	case !t.After(m.now):
		return "now"
	}
	return short(t.Sub(m.now))
}

// size is an amount of mail in at most seven cells.
func size(n int64) string { return strings.ReplaceAll(output.Bytes(n), "iB", "") }

// known reports whether a store's count can be shown.
func known(c *gateway.Count) bool { return c.Known != gateway.Unknown }
