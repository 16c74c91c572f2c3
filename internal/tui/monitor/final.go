package monitor

import (
	"fmt"

	"example.org/ims/internal/tui/screen"
)

// finalWidth is the width of what stays on the normal screen.
const finalWidth = 80

// Final is what was seen last, for the normal screen after the monitor: lines
// of at most eighty cells, without any style.
func (m *Model) Final() []string {
	if !m.fresh {
		return nil
	}
	stores := m.stores()
	verdict, w := m.verdictLine(false)
	if m.snap.Summary == nil {
		verdict, w = m.unsummed()
	}
	now := m.nowLines(finalWidth, false)
	var sums []textLine
	for _, l := range append([]textLine{{"verdict", verdict, w.style()}, {"empty  ", m.etaLine(), plain}}, m.sumLines(1<<10)...) {
		for _, part := range wrapped(nil, l.label, l.text, finalWidth) {
			part.style = l.style
			sums = append(sums, part)
		}
	}
	s := screen.New(finalWidth, 2+len(now)+1+len(stores)+len(sums))
	a := s.Area(0, 0, finalWidth, 1<<20)
	m.drawHead(a.Area(0, 0, a.W, 2))
	lines(a.Area(0, 2, a.W, len(now)), now)
	y := 2 + len(now)
	m.drawStores(a.Area(0, y, a.W, 1+len(stores)))
	y += 1 + len(stores)
	lines(a.Area(0, y, a.W, len(sums)), sums)
	return s.Lines(screen.Encoding{})
}

// Words is the state in one line, for where no screen is.
func (m *Model) Words() string {
	text, _ := m.status()
	if b := m.brief(); b != "" {
		text += " · " + b
	}
	return text
}

// Verdict is the judgement on the whole in one line, and whether it counts as
// stalled.
func (m *Model) Verdict() (text string, stalled bool) {
	if m.snap.Summary == nil {
		return "", false
	}
	text, _ = m.verdictLine(false)
	return text, m.whole().stalled
}

// Stores are the counts in one line.
func (m *Model) Stores() string {
	text := ""
	for _, st := range m.stores() {
		c := &m.snap.Census.Stores[st]
		n := fmt.Sprint(c.Messages)
		if !known(c) {
			n = "unknown"
		}
		if text != "" {
			text += ", "
		}
		text += st.String() + " " + n
	}
	return text
}
