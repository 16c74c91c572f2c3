package monitor

import (
	"fmt"
	"slices"
	"strings"

	"example.org/ims/internal/tui/screen"
)

// dialog asks for what an action needs: a choice, then one field after the
// other. Whatever is destructive has a field that must be typed exactly, and
// what is judged by evidence is not accepted before its end was on the screen.
type dialog struct {
	title   string
	text    []string
	top     int  // the first line of the text that is shown
	must    bool // the text has to be seen to its end
	seen    bool // it was
	choices []string
	choice  int // unchosen, until somebody chooses
	fields  []field
	at      int
	wrong   string
	submit  func(d *dialog) []Effect
	// over says why the dialog is about nothing any more, "" while it is not;
	// nil is never.
	over func() string
}

// unchosen is no choice: none is made by enter alone.
const unchosen = -1

type field struct {
	label, value string
	must         string // what has to be typed; "" is anything
	optional     bool
}

// reason is the field that every action has.
func reason() field { return field{label: "reason"} }

// page is the text of a dialog in lines of its box, and how many of them are
// shown at once.
func (d *dialog) page(w, h int) (text []string, rows int) {
	room := boxWidth(w) - 4
	whole := slices.Clone(d.text)
	if screen.Width(d.title)+2 > room { // what is cut at its place is said here
		whole = append([]string{d.title}, whole...)
	}
	for _, c := range d.choices {
		if screen.Width(c)+4 > room {
			whole = append(whole, c)
		}
	}
	for _, t := range whole {
		text = append(text, screen.Wrap(t, room)...)
	}
	rows = max(h-2-d.fixed(), 1)
	return text, min(rows, len(text))
}

// boxWidth is the width of a dialog on a terminal of w cells.
func boxWidth(w int) int { return min(w-2, 76) }

// fixed is how many lines of a box are no text: two rims, how far the text is
// scrolled, choices, fields, and what is wrong.
func (d *dialog) fixed() int { return 4 + len(d.choices) + len(d.fields) }

// turn scrolls the text by a number of lines, and notes when its end is shown.
// A terminal that is too small shows nothing of it.
func (d *dialog) turn(by, w, h int) {
	if w < MinWidth || h < MinHeight {
		return
	}
	text, rows := d.page(w, h)
	d.top = max(0, min(d.top+by, len(text)-rows))
	d.seen = d.seen || d.top+rows >= len(text)
}

// where says which lines of the text are shown, "" if all are.
func (d *dialog) where(w, h int) string {
	text, rows := d.page(w, h)
	if rows >= len(text) {
		return ""
	}
	words := fmt.Sprintf("lines %d-%d of %d", d.top+1, d.top+rows, len(text))
	if d.top+rows < len(text) {
		words += ", PgDn shows more"
	}
	return words
}

// closeDialog drops a dialog whose matter is over, and says why.
func (m *Model) closeDialog() {
	if m.dialog == nil || m.dialog.over == nil {
		return
	}
	if why := m.dialog.over(); why != "" {
		m.dialog = nil
		m.say("closed, nothing was sent: " + why)
	}
}

func (m *Model) inDialog(name string) []Effect {
	d := m.dialog
	d.wrong = ""
	d.turn(0, m.w, m.h)
	switch {
	case name == "esc":
		m.dialog = nil
		m.say("nothing was changed")
	case name == "enter":
		return m.accept()
	case m.scrollDialog(name) || d.choose(name):
	default:
		d.fields[d.at].value = edit(d.fields[d.at].value, name)
	}
	return nil
}

// scrollDialog reports whether a key scrolls the text. Up and down do where
// there is nothing to choose.
func (m *Model) scrollDialog(name string) bool {
	d := m.dialog
	_, rows := d.page(m.w, m.h)
	by, ok := map[string]int{"pgup": -rows, "pgdown": rows, "home": -1 << 30, "end": 1 << 30}[name]
	if !ok && len(d.choices) == 0 {
		by, ok = map[string]int{"up": -1, "down": 1}[name]
	}
	if ok {
		d.turn(by, m.w, m.h)
	}
	return ok
}

// choose reports whether a key is about the choices: up and down, and digits
// as long as nothing was typed.
func (d *dialog) choose(name string) bool {
	last := len(d.choices) - 1
	switch name {
	case "up", "shift+tab":
		d.choice = min(max(d.choice-1, 0), last)
		return true
	case "down", "tab":
		d.choice = min(d.choice+1, last)
		return true
	}
	if len(name) != 1 || d.at > 0 || d.fields[0].value != "" {
		return false
	}
	if i := int(name[0]) - '1'; i >= 0 && i <= min(last, 8) {
		d.choice = i
		return true
	}
	return false
}

// accept takes the field that is typed, and submits after the last.
func (m *Model) accept() []Effect {
	d := m.dialog
	f := d.fields[d.at]
	switch value := strings.TrimSpace(f.value); {
	case d.must && !d.seen:
		d.wrong = "not before the evidence was seen to its end: PgDn or End scrolls"
		return nil
	case len(d.choices) > 0 && d.choice == unchosen:
		d.wrong = fmt.Sprintf("nothing is chosen yet: 1 to %d, or ↑↓", len(d.choices))
		return nil
	case f.must != "" && value != f.must:
		d.wrong = fmt.Sprintf("%q is not %s; esc leaves everything as it is", value, f.must)
		return nil
	case value == "" && !f.optional:
		d.wrong = f.label + " is needed: it is kept in the log"
		return nil
	}
	if d.at++; d.at < len(d.fields) {
		return nil
	}
	m.dialog = nil
	return d.submit(d)
}

// drawDialog is a box over the middle of the screen.
func (m *Model) drawDialog(a screen.Area) {
	d := m.dialog
	d.turn(0, m.w, m.h)
	w := boxWidth(a.W)
	text, rows := d.page(a.W, a.H)
	h := d.fixed() + rows
	box := a.Area((a.W-w)/2, max((a.H-h)/2, 0), w, h)
	box.Clear()
	rim := "─"
	box.Put(0, 0, "┌"+strings.Repeat(rim, w-2)+"┐", warn)
	for y := 1; y < box.H-1; y++ {
		box.Put(0, y, "│", warn)
		box.Put(w-1, y, "│", warn)
	}
	box.Put(0, box.H-1, "└"+strings.Repeat(rim, w-2)+"┘", warn)
	box.Put(2, 0, screen.Cut(" "+d.title+" ", w-4), screen.Style{Color: screen.Warn, Bold: true})
	y := 1
	for _, t := range text[d.top : d.top+rows] {
		box.Put(2, y, t, plain)
		y++
	}
	box.Put(2, y, screen.Cut(d.where(a.W, a.H), w-4), warn)
	y = d.drawInput(box, y+1)
	box.Put(2, y, screen.Cut(d.wrong, w-4), bad)
}

// drawInput are the choices and the fields.
func (d *dialog) drawInput(box screen.Area, y int) int {
	w := box.W
	for i, c := range d.choices {
		mark := "  "
		if i == d.choice {
			mark = "› "
		}
		box.Put(2, y, screen.Cut(fmt.Sprintf("%s%d %s", mark, i+1, c), w-4), plain)
		y++
	}
	for i, f := range d.fields {
		mark, end := "  ", ""
		if i == d.at {
			mark, end = "› ", "_"
		}
		label := f.label
		if f.optional {
			label += " (optional)"
		}
		box.Put(2, y, screen.Cut(mark+label+": "+tailOf(f.value, w-8-len(label))+end, w-4), strong)
		y++
	}
	return y
}

// keysWords are what the keys do in a dialog.
func (d *dialog) keysWords(w, h int) string {
	words := "enter goes on  esc changes nothing"
	if len(d.choices) > 0 {
		words += "  ↑↓ chooses"
	}
	if d.where(w, h) != "" {
		words += "  PgUp PgDn scroll"
	}
	return words
}

// tailOf is the end of what is typed.
func tailOf(text string, n int) string {
	r := []rune(text)
	return string(r[max(0, len(r)-max(n, 1)):])
}
