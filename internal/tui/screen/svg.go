package screen

import (
	"fmt"
	"html"
	"strings"
)

// Cells of a drawing, in pixels.
const (
	cellW, cellH = 8.4, 18
	margin       = 14
)

var svgColors = [...]string{Default: "#d8dee9", Good: "#a3be8c", Bad: "#ef7f8a", Warn: "#ebcb8b", Info: "#88c0d0"}

// SVG draws the screen as a picture: the same bytes for the same screen. Runs
// of cells are stretched to their width, so that no font moves a column.
func (s *Screen) SVG(title string) string {
	var b strings.Builder
	w, h := float64(s.w)*cellW+2*margin, float64(s.h)*cellH+2*margin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.1f %.1f" role="img">`+"\n", w, h)
	fmt.Fprintf(&b, "<title>%s</title>\n", html.EscapeString(title))
	b.WriteString(`<rect width="100%" height="100%" rx="6" fill="#242933"/>` + "\n")
	b.WriteString(`<g font-family="ui-monospace,DejaVu Sans Mono,Menlo,Consolas,monospace" font-size="14" xml:space="preserve">` + "\n")
	for y := range s.h {
		for x := 0; x < s.w; {
			n := s.run(x, y)
			s.svgRun(&b, x, y, n)
			x += n
		}
	}
	b.WriteString("</g>\n</svg>\n")
	return b.String()
}

// run is the number of cells from x on that have one style.
func (s *Screen) run(x, y int) int {
	n := 1
	for x+n < s.w && s.At(x+n, y).Style == s.At(x, y).Style {
		n++
	}
	return n
}

func (s *Screen) svgRun(b *strings.Builder, x, y, n int) {
	var text strings.Builder
	for i := range n {
		Encoding{}.write(&text, s.At(x+i, y).Rune)
	}
	st, words := s.At(x, y).Style, text.String()
	top := float64(y)*cellH + margin
	fill := svgColors[st.Color]
	if st.Reverse {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%d" fill="%s"/>`+"\n", float64(x)*cellW+margin, top, float64(n)*cellW, cellH, fill)
		fill = "#242933"
	}
	more := ""
	if st.Bold {
		more += ` font-weight="bold"`
	}
	if st.Dim {
		more += ` opacity=".7"`
	}
	for _, w := range phrases(words) {
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs" fill="%s"%s>%s</text>`+"\n",
			float64(x+w.at)*cellW+margin, top+13.5, float64(Width(w.text))*cellW, fill, more, html.EscapeString(w.text))
	}
}

// phrase is a text without two blanks in a row, which a drawing would not keep.
type phrase struct {
	at   int // cells from the beginning
	text string
}

func phrases(text string) []phrase {
	var list []phrase
	at := 0
	for part := range strings.SplitSeq(text, "  ") {
		lead := len(part) - len(strings.TrimLeft(part, " "))
		if word := strings.Trim(part, " "); word != "" {
			list = append(list, phrase{at + lead, word})
		}
		at += Width(part) + 2
	}
	return list
}
