package monitor

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"example.org/ims/internal/output"
	"example.org/ims/internal/tui/screen"
	"example.org/ims/pkg/gateway"
)

// drawPane is what covers the overview.
func (m *Model) drawPane(a screen.Area) {
	switch m.pane {
	case lettersPane:
		m.drawLetters(a)
	case letterPane:
		m.scrolled(a, "message "+m.letter.Entry, m.letterLines(a.W))
	case journalPane:
		m.scrolled(a, "journal", m.journalLines(a.W))
	case detailsPane:
		m.scrolled(a, "details", m.detailLines(a.W))
	case helpPane:
		m.scrolled(a, "keys", m.helpLines())
	case overview:
	}
}

// scrolled shows lines from where the pane was scrolled to.
func (m *Model) scrolled(a screen.Area, title string, list []textLine) {
	rows := a.H - 1
	m.scroll = max(0, min(m.scroll, len(list)-rows))
	if len(list) > rows {
		title += fmt.Sprintf(" (lines %d to %d of %d)", m.scroll+1, min(m.scroll+rows, len(list)), len(list))
	}
	a.Put(0, 0, screen.Cut(title, a.W), heading)
	lines(a.Area(0, 1, a.W, rows), list[m.scroll:min(m.scroll+rows, len(list))])
}

// drawLetters are the messages of a row.
func (m *Model) drawLetters(a screen.Area) {
	of := m.letters.Of
	a.Put(0, 0, screen.Cut(fmt.Sprintf("messages for %s in %s", cmp.Or(of.Dest, "no destination yet"), of.Store.Title()), a.W), heading)
	switch {
	case m.letters.Err != "":
		a.Put(0, 1, screen.Cut(m.letters.Err, a.W), bad)
		return
	case len(m.letters.Items) == 0:
		a.Put(0, 1, "none", faint)
		return
	}
	wide := a.W >= 72
	a.Put(2, 1, "FROM", heading)
	if wide {
		a.Put(2+a.W*3/10, 1, "TO", heading)
	}
	edge := a.W - 20
	a.Right(edge, 1, "SIZE", heading)
	a.Right(edge+5, 1, "AGE", heading)
	a.Right(edge+11, 1, "TRIES", heading)
	a.Right(edge+17, 1, "NEXT", heading)
	rows := a.H - 3
	top := max(0, min(m.line-rows/2, len(m.letters.Items)-rows))
	for y := range min(rows, len(m.letters.Items)-top) {
		m.drawLetterRow(a, y+2, edge, wide, &m.letters.Items[top+y], top+y == m.line)
	}
	if it := m.item(); it != nil {
		words := cmp.Or(it.Held, it.Last, "not tried yet")
		a.Put(2, a.H-1, screen.Cut(fmt.Sprintf("%d of %d: %s", m.line+1, len(m.letters.Items), words), a.W-2), faint)
	}
}

func (m *Model) drawLetterRow(a screen.Area, y, edge int, wide bool, it *gateway.Item, here bool) {
	style := plain
	if here {
		style = strong
		a.Put(0, y, "›", strong)
	}
	from, to := a.W*3/10-1, edge-8-a.W*3/10
	if !wide {
		from = edge - 10
	}
	a.Put(2, y, screen.Cut("<"+it.From+">", from), style)
	if wide {
		a.Put(2+a.W*3/10, y, screen.Cut(strings.Join(it.Rcpts, ", "), to-2), style)
	}
	a.Right(edge, y, size(it.Size), style)
	a.Right(edge+5, y, short(m.now.Sub(it.Accepted)), style)
	a.Right(edge+11, y, strconv.Itoa(it.Attempts), style)
	a.Right(edge+17, y, m.until(it.Next), style)
}

// letterLines are envelope, attempts and header of one message.
func (m *Model) letterLines(w int) []textLine {
	if m.letter.Err != "" {
		return []textLine{{"", m.letter.Err, bad}}
	}
	l := &m.letter.Letter
	if l.Item.Entry == "" {
		return []textLine{{"", "reading…", faint}}
	}
	it := &l.Item
	list := []textLine{
		{"message   ", it.Message + ", " + it.Class + ", " + output.Bytes(it.Size), plain},
		{"from      ", "<" + it.From + ">", plain},
	}
	for _, r := range it.Rcpts {
		list = append(list, textLine{"to        ", "<" + r + ">", plain})
	}
	list = append(list,
		textLine{"store     ", it.Store.Title() + ", since " + m.clock(it.Since), plain},
		textLine{"accepted  ", m.clock(it.Accepted) + ", " + short(m.now.Sub(it.Accepted)) + " ago", plain},
		textLine{"attempts  ", fmt.Sprintf("%d; next %s, times out %s", it.Attempts, m.clock(it.Next), m.clock(it.Expires)), plain})
	for label, text := range map[string]string{"held      ": it.Held} {
		if text != "" {
			list = append(list, textLine{label, text, warn})
		}
	}
	list = wrapped(list, "last reply", it.Last, w)
	list = append(list, textLine{"", "", plain})
	for _, e := range l.Events {
		text := string(e.Kind) + " " + e.Store
		for _, more := range []string{e.Peer, e.Actor, e.Reason} {
			if more != "" {
				text += "  " + more
			}
		}
		list = append(list, textLine{m.clock(e.At), text, plain})
	}
	list = append(list, textLine{"", "", plain})
	for _, h := range l.Header {
		list = append(list, folded(h, w)...)
	}
	if len(l.Header) == 0 {
		list = append(list, textLine{"", "no header can be read", faint})
	}
	return list
}

// folded is a line of a header in as many lines as it takes.
func folded(line string, w int) []textLine {
	if screen.Width(line) <= w {
		return []textLine{{"", line, plain}}
	}
	var list []textLine
	for i, part := range screen.Wrap(line, w-2) {
		if i > 0 {
			part = "  " + part
		}
		list = append(list, textLine{"", part, plain})
	}
	return list
}

// wrapped adds a text in lines below each other.
func wrapped(list []textLine, label, text string, w int) []textLine {
	room := w
	if label != "" {
		room -= len(label) + 1
	}
	for i, line := range screen.Wrap(text, max(room, 1)) {
		if i > 0 {
			label = strings.Repeat(" ", len(label))
		}
		list = append(list, textLine{label, line, plain})
	}
	return list
}

func (m *Model) journalLines(w int) []textLine {
	list := make([]textLine, 0, len(m.lines))
	for i := range m.lines {
		l := &m.lines[i]
		list = wrapped(list, fmt.Sprintf("%5d %s", l.Seq, m.clock(l.At)), l.Kind+" "+l.State+": "+l.Text, w)
	}
	if len(list) == 0 {
		list = append(list, textLine{"", "nothing was read of it", faint})
	}
	return list
}

// helpLines are all keys, and the words of verdicts.
func (m *Model) helpLines() []textLine {
	var list []textLine
	section := func(title string, keys []binding) {
		list = append(list, textLine{"", title, strong})
		for _, k := range keys {
			if k.show == "q" && k.what == "back" {
				continue
			}
			text := k.what
			if k.why != nil {
				if why := k.why(m); why != "" {
					text += "  (not now: " + why + ")"
				}
			}
			list = append(list, textLine{fmt.Sprintf("%5s", k.show), text, plain})
		}
		list = append(list, textLine{"", "", plain})
	}
	here, focus := m.pane, m.focus
	m.pane, m.focus = overview, onMatrix
	section("on the matrix, and on a message", m.local())
	section("everywhere", m.global())
	m.pane, m.focus = here, focus
	list = append(list, textLine{"", "verdicts", strong})
	for _, w := range [][2]string{
		{"   slow", "it moves by itself: an attempt is planned, and a host answers"},
		{"blocked", "it moves once something else changes: held, stopped, no host answers"},
		{"  never", "nothing that is planned can move it: no attempt before its time-out, no such host, a null MX"},
		{"", ""},
		{"    ok", "nothing may come in any more, and nothing does; ! is that it does"},
		{"   9h!", "some of them time out before the queue is empty"},
		{" +2: g", "two more lines, for which there is no room: g shows them"},
		{"ledger", "acc accepted, gen generated, dlv delivered, ret returned, abs absorbed, del deleted, redir redirected, here present"},
		{"", ""},
	} {
		if w[1] == "" {
			list = append(list, textLine{})
		}
		list = wrapped(list, w[0], w[1], m.w)
	}
	return wrapped(list, "  leave", m.opt.Leaves, m.w)
}
