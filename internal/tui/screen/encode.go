package screen

import (
	"strings"
	"unicode/utf8"
)

// Encoding is what a terminal can show.
type Encoding struct {
	Color bool // NO_COLOR is not set
	ASCII bool // the locale knows no more
}

// plain are the pictures of cells where only ASCII can be shown.
var plain = map[rune]rune{
	'›': '>', '…': '~', '→': '>', '·': '.', '—': '-', '─': '-', '│': '|', '┌': '+', '┐': '+', '└': '+', '┘': '+', '↑': '^', '↓': 'v',
	'▁': '.', '▂': ':', '▃': '-', '▄': '=', '▅': '+', '▆': '*', '▇': '%', '█': '#', '±': '+', '×': 'x', '⏎': '/',
}

func asciiOf(r rune) rune {
	if r < utf8.RuneSelf {
		return r
	}
	if p, ok := plain[r]; ok {
		return p
	}
	return '?'
}

// Lines are the lines without any style, blanks at their ends cut off.
func (s *Screen) Lines(e Encoding) []string {
	lines := make([]string, s.h)
	var b strings.Builder
	for y := range lines {
		b.Reset()
		for _, c := range s.cells[y*s.w : (y+1)*s.w] {
			e.write(&b, c.Rune)
		}
		lines[y] = strings.TrimRight(b.String(), " ")
	}
	return lines
}

func (e Encoding) write(b *strings.Builder, r rune) {
	switch {
	case r == 0 && e.ASCII:
		b.WriteByte('?')
	case r == 0:
	case e.ASCII:
		b.WriteRune(asciiOf(r))
	default:
		b.WriteRune(r)
	}
}

// Text is the screen for a terminal: lines with SGR sequences, and nothing
// else that a terminal obeys.
func (s *Screen) Text(e Encoding) string {
	var b strings.Builder
	b.Grow(s.w * s.h * 2)
	for y := range s.h {
		if y > 0 {
			b.WriteByte('\n')
		}
		row := s.cells[y*s.w : (y+1)*s.w]
		for len(row) > 0 && row[len(row)-1] == (Cell{Rune: ' '}) {
			row = row[:len(row)-1]
		}
		var now Style
		for _, c := range row {
			if st := e.seen(c.Style); st != now {
				b.WriteString(sgr(st))
				now = st
			}
			e.write(&b, c.Rune)
		}
		if now != (Style{}) {
			b.WriteString("\x1b[m")
		}
	}
	return b.String()
}

// seen is the part of a style that is shown.
func (e Encoding) seen(st Style) Style {
	if !e.Color {
		st.Color = Default
	}
	return st
}

var colorCodes = [...]string{Good: ";32", Bad: ";31", Warn: ";33", Info: ";36"}

func sgr(st Style) string {
	code := "\x1b[0"
	if st.Bold {
		code += ";1"
	}
	if st.Dim {
		code += ";2"
	}
	if st.Reverse {
		code += ";7"
	}
	return code + colorCodes[st.Color] + "m"
}
