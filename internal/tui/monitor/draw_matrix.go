package monitor

import (
	"cmp"
	"fmt"
	"strconv"

	"example.org/ims/internal/output"
	"example.org/ims/internal/tui/screen"
	"example.org/ims/pkg/gateway"
)

// matrixColumns are where the columns of the matrix begin or end; 0 leaves one
// out. Numbers are aligned right.
type matrixColumns struct {
	dest           int
	store          int // where it begins
	ages           [gateway.NumAges]int
	count          int
	next, expires  int
	verdict, reply int // where they begin
}

func columnsFor(w int) matrixColumns {
	var c matrixColumns
	fixed, cell := 5+5+8+9, 0 // count, next, time-out, verdict
	switch {
	case w < 60:
		c.dest = max(w-20, 8)
		c.count, c.next, c.verdict = c.dest+2+4, c.dest+2+9, c.dest+2+10
		return c
	case w < 76: // without the store, and without time-outs
		c.dest = w - 2 - 4*gateway.NumAges - 5 - 5 - 9
		for i := range c.ages {
			c.ages[i] = 2 + c.dest + 4*(i+1)
		}
		c.count, c.next, c.verdict = w-14, w-9, w-8
		return c
	case w < 96:
		fixed, cell = fixed+7, 4
	default:
		fixed, cell = fixed+8, 5
	}
	c.dest = min(w-2-fixed-cell*gateway.NumAges, 32)
	x := 2 + c.dest + 1
	c.store = x
	x += 6
	for i := range c.ages {
		x += cell
		c.ages[i] = x
	}
	c.count, c.next, c.expires = x+5, x+10, x+18
	c.verdict = x + 19
	if c.reply = c.verdict + 8; w-c.reply < 24 {
		c.reply = 0
	}
	return c
}

// drawMatrix is destinations by age: the rows around the cursor, and below
// them what is known of the one that it is on.
func (m *Model) drawMatrix(a screen.Area) {
	if a.H == 0 {
		return
	}
	c := columnsFor(a.W)
	mark := "  "
	if m.focused() == onMatrix {
		mark = "› "
	}
	a.Put(0, 0, mark+"DESTINATION", heading)
	m.drawMatrixHead(a, &c)
	sum := m.snap.Summary
	if sum == nil || len(sum.Rows) == 0 {
		a.Put(2, 1, screen.Cut(m.noRows(), a.W-2), faint)
		return
	}
	rows, words := a.H-1, m.rowLines(a.W-2)
	switch { // room for the words on the one at the cursor
	case sum.Found+len(words) <= rows || a.H > 8:
		rows -= len(words)
	case a.H > 4 || sum.Found < rows:
		rows--
	}
	top := max(0, min(m.cursor-rows/2, sum.Found-rows))
	for y := range min(rows, sum.Found-top) {
		i := top + y - m.query.Offset
		if i < 0 || i >= len(sum.Rows) {
			a.Put(2, y+1, "…", faint)
			continue
		}
		m.drawRow(a, y+1, &sum.Rows[i], &c, top+y == m.cursor)
	}
	y := min(rows, sum.Found-top) + 1
	lines(a.Area(2, y, a.W-2, min(a.H-y, len(words))), words)
}

func (m *Model) noRows() string {
	switch {
	case m.snap.Summary == nil:
		return cmp.Or(m.snap.SummaryErr, "not summed up yet")
	case m.query.Match != "":
		return "no destination has " + m.query.Match + " in its name; / changes the filter"
	}
	return "nothing is queued"
}

func (m *Model) drawMatrixHead(a screen.Area, c *matrixColumns) {
	if c.store > 0 {
		a.Put(c.store, 0, "STORE", heading)
	}
	for i, x := range c.ages {
		if x > 0 {
			a.Right(x, 0, gateway.AgeTitles[i], heading)
		}
	}
	a.Right(c.count, 0, "N", heading)
	a.Right(c.next, 0, "NEXT", heading)
	if c.expires > 0 {
		a.Right(c.expires, 0, "EXPIRES", heading)
	}
	a.Put(c.verdict, 0, "VERDICT", heading)
	if c.reply > 0 {
		by := "LAST REPLY, by " + string(m.query.Sort)
		if m.query.Match != "" {
			by += ", with " + m.query.Match
		}
		a.Put(c.reply, 0, screen.Cut(by, a.W-c.reply), heading)
	}
}

func (m *Model) drawRow(a screen.Area, y int, d *gateway.Destination, c *matrixColumns, here bool) {
	v := m.judge(d)
	style := plain
	if here {
		style = strong
		a.Put(0, y, "›", strong)
	}
	a.Put(2, y, screen.Cut(cmp.Or(d.Dest, "(not yet known)"), c.dest), style)
	if c.store > 0 {
		a.Put(c.store, y, d.Store.String(), style)
	}
	for i, x := range c.ages {
		if x > 0 && d.Ages[i] > 0 {
			a.Right(x, y, count(d.Ages[i]), style)
		} else if x > 0 {
			a.Right(x, y, "·", faint)
		}
	}
	a.Right(c.count, y, count(d.Messages), style)
	a.Right(c.next, y, m.until(d.Next), style)
	if c.expires > 0 {
		text := m.until(d.Expires)
		if d.Expiring > 0 {
			text += "!" // some time out before the queue is empty
		}
		a.Right(c.expires, y, text, style)
	}
	a.Put(c.verdict, y, v.word.String(), v.word.style())
	if c.reply > 0 {
		a.Put(c.reply, y, screen.Cut(cmp.Or(v.why, d.Last), a.W-c.reply), style)
	}
}

// count is a number in at most four cells.
func count(n int64) string {
	switch {
	case n < 10_000:
		return strconv.FormatInt(n, 10)
	case n < 1_000_000:
		return fmt.Sprintf("%dk", n/1000)
	}
	return fmt.Sprintf("%dM", n/1_000_000)
}

// mostWords is how many lines of the matrix the words on a row take at most.
const mostWords = 3

// rowLines are what does not fit into the row at the cursor, in lines of w
// cells. What the verdict says is not said again.
func (m *Model) rowLines(w int) []textLine {
	d := m.row()
	if d == nil {
		return nil
	}
	place := fmt.Sprintf("%d of %d:", m.cursor+1, m.snap.Summary.Found)
	list := hang(place, m.rowWords(d, m.whole().culprit), w, faint)
	return list[:min(len(list), mostWords)]
}

// rowWords says of a row who it is, whether it moves, and what becomes of it.
func (m *Model) rowWords(d, culprit *gateway.Destination) string {
	v := m.judge(d)
	text := cmp.Or(d.Dest, "not yet known")
	if culprit == nil || culprit.Store != d.Store || culprit.Dest != d.Dest {
		if v.verb != "" {
			text += ", " + v.verb
		}
		if v.why != "" {
			text += ": " + v.why
		}
	}
	if d.Expiring > 0 {
		text += fmt.Sprintf("; %d will time out", d.Expiring)
	}
	if d.Tried > 0 {
		text += fmt.Sprintf("; %d tried, up to %s", d.Tried, output.Count(int64(d.Most), "time"))
	}
	return text
}
