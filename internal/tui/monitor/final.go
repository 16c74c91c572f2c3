package monitor

import (
	"strconv"

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
	now := m.nowLines(finalWidth, false)
	verdict, w, command := m.verdictText(false, false)
	sums := hang("verdict", verdict, finalWidth, w.style())
	sums = append(sums, commandLines("fix    ", command, finalWidth)...)
	sums = append(sums, hang("empty  ", m.etaLine(), finalWidth, plain)...)
	sums = append(sums, m.sumLines(finalWidth)...)
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
	if b := m.brief(1 << 10); b != "" {
		text += " · " + b
	}
	return text
}

// Verdict is the judgement on the whole in one line, the command that resolves
// it, "" if none does, and whether it counts as stalled.
func (m *Model) Verdict() (text, command string, stalled bool) {
	if m.snap.Summary == nil {
		return "", "", false
	}
	text, _, command = m.verdictText(false, false)
	return text, command, m.whole().stalled
}

// Stores are the counts in one line.
func (m *Model) Stores() string {
	text := ""
	for _, st := range m.stores() {
		c := &m.snap.Census.Stores[st]
		n := strconv.FormatInt(c.Messages, 10)
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
