// Package screen is a grid of character cells: what a picture of the monitor
// is made of before anybody knows whether it goes to a terminal, into a test's
// file or into a drawing. It refuses to hold anything that is no printable
// cell: control characters, bidirectional marks and bytes that are not UTF-8
// are escaped on the way in, because subjects and addresses come from
// strangers, and text that does not fit is cut, so no line is ever wider than
// the grid.
//
// It imports github.com/mattn/go-runewidth, because how many cells a rune
// takes is a table of Unicode and not ours.
package screen

import (
	"strings"

	"github.com/mattn/go-runewidth"

	"example.org/ims/internal/output"
)

// Color is one of the terminal's own sixteen colours; no other is used, so
// that the user's palette decides how they look.
type Color uint8

// Colours, each with one meaning.
const (
	Default Color = iota
	Good          // green: as it must be
	Bad           // red: nothing moves by itself
	Warn          // yellow: somebody has to look
	Info          // cyan: names and headings
)

// Style is how a cell is drawn. It never carries a meaning of its own.
type Style struct {
	Color   Color
	Bold    bool
	Dim     bool
	Reverse bool
}

// Cell is one cell. Rune is 0 in the right half of a wide character.
type Cell struct {
	Rune  rune
	Style Style
}

// Screen is a grid. The zero value has no cells.
type Screen struct {
	w, h  int
	cells []Cell
}

// New makes an empty grid of w columns and h lines.
func New(w, h int) *Screen {
	s := &Screen{w: max(w, 0), h: max(h, 0)}
	s.cells = make([]Cell, s.w*s.h)
	for i := range s.cells {
		s.cells[i].Rune = ' '
	}
	return s
}

// Size is the number of columns and of lines.
func (s *Screen) Size() (w, h int) { return s.w, s.h }

// At is the cell at a place inside the grid.
func (s *Screen) At(x, y int) Cell { return s.cells[y*s.w+x] }

// widths counts cells as most terminals do, whatever the locale: a fixed
// picture is worth more than a right guess in some.
var widths = &runewidth.Condition{StrictEmojiNeutral: true}

// Width is the number of cells that a text takes once it is made safe.
func Width(text string) int {
	n := 0
	for _, r := range output.Safe(text) {
		n += widths.RuneWidth(r)
	}
	return n
}

// Cut shortens a text to n cells, and says so with an ellipsis.
func Cut(text string, n int) string {
	text = output.Safe(text)
	if Width(text) <= n {
		return text
	}
	if n <= 0 {
		return ""
	}
	var b strings.Builder
	used := 0
	for _, r := range text {
		w := widths.RuneWidth(r)
		if used+w > n-1 {
			break
		}
		b.WriteRune(r)
		used += w
	}
	return b.String() + "…"
}

// Wrap breaks a text into lines of at most n cells, at spaces where it can. A
// character that is wider than n is a line of its own.
func Wrap(text string, n int) []string {
	var lines []string
	line, used := "", 0
	flush := func() {
		if used > 0 {
			lines = append(lines, line)
		}
		line, used = "", 0
	}
	for word := range strings.FieldsSeq(output.Safe(text)) {
		w := Width(word)
		if used > 0 && used+1+w > n {
			flush()
		}
		if used > 0 {
			line, used = line+" ", used+1
		}
		for _, r := range word {
			cells := widths.RuneWidth(r)
			if used+cells > n {
				flush()
			}
			line, used = line+string(r), used+cells
		}
	}
	flush()
	return lines
}

// Area is a rectangle of a screen in which places count from its corner. What
// does not fit in is cut.
type Area struct {
	s          *Screen
	X, Y, W, H int
}

// Area is a rectangle, cut to the screen.
func (s *Screen) Area(x, y, w, h int) Area {
	x, y = min(max(x, 0), s.w), min(max(y, 0), s.h)
	return Area{s, x, y, min(max(w, 0), s.w-x), min(max(h, 0), s.h-y)}
}

// Area is a rectangle of an area.
func (a Area) Area(x, y, w, h int) Area {
	x, y = min(max(x, 0), a.W), min(max(y, 0), a.H)
	return Area{a.s, a.X + x, a.Y + y, min(max(w, 0), a.W-x), min(max(h, 0), a.H-y)}
}

// Put writes a text and returns the column after it. Runes without a width of
// their own are left out.
func (a Area) Put(x, y int, text string, st Style) int {
	if y < 0 || y >= a.H {
		return x
	}
	for _, r := range output.Safe(text) {
		w := widths.RuneWidth(r)
		if w == 0 {
			continue
		}
		if x < 0 || x+w > a.W {
			return x
		}
		a.set(x, y, r, st)
		if w == 2 {
			a.set(x+1, y, 0, st)
		}
		x += w
	}
	return x
}

// Right writes a text that ends before column x.
func (a Area) Right(x, y int, text string, st Style) { a.Put(x-Width(text), y, text, st) }

// Fill gives the cells of a line, from column x on, a style.
func (a Area) Fill(x, y, w int, st Style) {
	for i := max(x, 0); i < min(x+w, a.W) && y >= 0 && y < a.H; i++ {
		a.s.cells[(a.Y+y)*a.s.w+a.X+i].Style = st
	}
}

// Clear empties an area.
func (a Area) Clear() {
	for y := range a.H {
		for x := range a.W {
			a.set(x, y, ' ', Style{})
		}
	}
}

// set writes one cell. A wide character that loses a half becomes blank.
func (a Area) set(x, y int, r rune, st Style) {
	row := a.s.cells[(a.Y+y)*a.s.w : (a.Y+y+1)*a.s.w]
	i := a.X + x
	if row[i].Rune == 0 && r != 0 && i > 0 {
		row[i-1].Rune = ' '
	}
	if i+1 < len(row) && row[i+1].Rune == 0 && r != 0 {
		row[i+1].Rune = ' '
	}
	row[i] = Cell{r, st}
}
