package output

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// Column is a column of a table.
type Column struct {
	Name   string
	Number bool // right-aligned
	Max    int  // cut to this width, 0 for never
	Drop   int  // left out where a terminal is too narrow, the highest first; 0 for never
	Below  bool // never cut on a terminal, but put below its row if it is too narrow; of one column at most
}

// Table is rows under headers, without lines, as kubectl prints them. Cells
// are made safe when they are printed.
type Table struct {
	Columns []Column
	Rows    [][]string
	Fold    bool // on a terminal, fold the last column so that a line stays readable
}

// Columns are columns of text with the given names; a name that ends in "#" is
// a column of numbers, and printed without it.
func Columns(names ...string) []Column {
	cols := make([]Column, len(names))
	for i, n := range names {
		cols[i] = Column{Name: n}
		if last := len(n) - 1; last >= 0 && n[last] == '#' {
			cols[i] = Column{Name: n[:last], Number: true}
		}
	}
	return cols
}

// Add adds a row; a cell that is no string is printed with %v.
func (t *Table) Add(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = fmt.Sprint(c)
	}
	t.Rows = append(t.Rows, row)
}

// render lays the table out. Lines have no trailing blanks.
func (t Table) render() ([]byte, error) {
	var b bytes.Buffer
	w := tablewriter.NewTable(&b, t.options()...)
	header := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		header[i] = Safe(c.Name)
	}
	w.Header(header)
	for n, row := range t.Rows {
		if len(row) != len(t.Columns) {
			return nil, fmt.Errorf("lay out row %d: %d cells for %d columns", n+1, len(row), len(t.Columns))
		}
		safe := make([]string, len(row))
		for i, c := range row {
			safe[i] = Safe(c)
			if safe[i] == "" {
				safe[i] = "-" // an empty cell would shift what awk and eyes see
			}
		}
		if err := w.Append(safe); err != nil {
			return nil, fmt.Errorf("lay out row %d: %w", n+1, err)
		}
	}
	if err := w.Render(); err != nil {
		return nil, fmt.Errorf("lay out table: %w", err)
	}
	var out bytes.Buffer
	for line := range bytes.Lines(b.Bytes()) {
		out.Write(bytes.TrimRight(line, " \n"))
		out.WriteByte('\n')
	}
	return out.Bytes(), nil
}

// defaultWidth is how wide a terminal is that does not say.
const defaultWidth = 80

// hanging is how far what follows is indented where the columns before the last
// leave it no room.
const hanging = 4

// fold breaks the last column of a rendered table between words; what follows
// stands under its header, or indented a little if there is no room under it. A
// word that is wider than the room for it stays whole.
func (t Table) fold(rendered []byte, width int) []byte {
	header, _, _ := strings.Cut(string(rendered), "\n")
	indent := hanging
	if last := strings.LastIndex(header, Safe(t.Columns[len(t.Columns)-1].Name)); last >= 0 {
		indent = utf8.RuneCountInString(header[:last])
	}
	if indent+minCut > width {
		indent = max(min(indent, hanging, width-minCut), 0)
	}
	return foldLines(rendered, width, func(string) int { return indent })
}

// foldLines breaks lines that are wider than a width between words; what follows
// is indented by as much as indent says of the line.
func foldLines(text []byte, width int, indent func(line string) int) []byte {
	var out bytes.Buffer
	for line := range strings.Lines(string(text)) {
		by := indent(line)
		rest := []rune(strings.TrimSuffix(line, "\n"))
		for len(rest) > width {
			at := breakAt(rest, by, width)
			if at < 0 {
				break
			}
			out.WriteString(strings.TrimRight(string(rest[:at]), " ") + "\n")
			rest = []rune(strings.Repeat(" ", by) + strings.TrimLeft(string(rest[at:]), " "))
		}
		out.WriteString(string(rest) + "\n")
	}
	return out.Bytes()
}

// leading is how many blanks a line begins with.
func leading(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// breakAt is the blank at which a line is folded: the last one that fits, or
// else the first; -1 if there is none behind the indent and the line's own
// blanks. What is behind it, indented, is therefore shorter than the line was.
func breakAt(line []rune, indent, width int) int {
	first := 0
	for first < len(line) && line[first] == ' ' {
		first++
	}
	first = max(first, indent)
	for i := min(width, len(line)-1); i > first; i-- {
		if line[i] == ' ' {
			return i
		}
	}
	for i := max(width, first) + 1; i < len(line); i++ {
		if line[i] == ' ' {
			return i
		}
	}
	return -1
}

// options undo the library's defaults: a box, centred and rewritten headers,
// numbers on the left, widths that follow the locale.
func (t Table) options() []tablewriter.Option {
	aligns := make([]tw.Align, len(t.Columns))
	widths := tw.NewMapper[int, int]()
	for i, c := range t.Columns {
		aligns[i] = tw.AlignLeft
		if c.Number {
			aligns[i] = tw.AlignRight
		}
		if c.Max > 0 {
			widths.Set(i, c.Max+len(gap)+1) // the library counts padding, and cuts one early
		}
	}
	cell := tw.CellConfig{
		Formatting:   tw.CellFormatting{AutoWrap: tw.WrapTruncate, AutoFormat: tw.Off},
		Alignment:    tw.CellAlignment{Global: tw.AlignLeft, PerColumn: aligns},
		Padding:      tw.CellPadding{Global: tw.Padding{Left: "", Right: gap, Overwrite: true}},
		ColMaxWidths: tw.CellWidth{PerColumn: widths},
	}
	return []tablewriter.Option{
		tablewriter.WithConfig(tablewriter.Config{Header: cell, Row: cell}),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithTrimSpace(tw.Off),
		tablewriter.WithEastAsian(tw.Off),
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Symbols:  tw.NewSymbols(tw.StyleNone),
			Settings: tw.Settings{Lines: tw.LinesNone, Separators: tw.SeparatorsNone},
		})),
	}
}

// gap stands between columns.
const gap = "  "
