package output

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// Columns with a Max are cut to wellCut before others are left out, and never
// below minCut.
const (
	wellCut = 24
	minCut  = 12
)

// room is how many of a terminal's cells a table leaves where its columns that
// have a Max are cut; less than 0 is how many it lacks.
func (t Table) room(width, cut int) int {
	n := -len(gap)
	for i, w := range t.widths() {
		switch {
		case t.Fold && i == len(t.Columns)-1:
			w = min(w, minCut)
		case t.Columns[i].Max > 0:
			w = min(w, cut)
		}
		n += w + len(gap)
	}
	return width - n
}

// without is a table without a column.
func (t Table) without(column int) Table {
	t.Columns, t.Rows = slices.Delete(slices.Clone(t.Columns), column, column+1), slices.Clone(t.Rows)
	for r := range t.Rows {
		if column < len(t.Rows[r]) {
			t.Rows[r] = slices.Delete(slices.Clone(t.Rows[r]), column, column+1)
		}
	}
	return t
}

// hang takes the column out that goes below its row, if there is no room for it
// uncut: below is its header and its cells, nil if it stays.
func (t Table) hang(width int) (rest Table, below []string) {
	i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Below })
	if i < 0 {
		return t, nil
	}
	whole := t
	whole.Columns = slices.Clone(t.Columns)
	whole.Columns[i].Max = 0
	if whole.room(width, 1<<20) >= 0 {
		return whole, nil
	}
	below = append(below, t.Columns[i].Name)
	for _, row := range t.Rows {
		cell := ""
		if i < len(row) {
			cell = row[i]
		}
		below = append(below, cell)
	}
	return t.without(i), below
}

// weave puts cells below the lines of a rendered table that they belong to.
func weave(rendered []byte, below []string, width int) []byte {
	var out bytes.Buffer
	n := 0
	for line := range bytes.Lines(rendered) {
		out.Write(line)
		if n < len(below) && below[n] != "" {
			text := strings.Repeat(" ", hanging) + Safe(below[n])
			out.Write(foldLines([]byte(text), width, func(string) int { return hanging }))
		}
		n++
	}
	return out.Bytes()
}

// fit makes a table fit into a width: those of its columns that have a Max are
// cut, the widest first, and where that is not enough those with a Drop are left
// out, the highest first, and named. A table that is to be folded needs no room
// for the rest of its last column.
func (t Table) fit(width int) (fitting Table, left []string) {
	t.Columns = slices.Clone(t.Columns)
	for t.room(width, wellCut) < 0 {
		i := t.droppable()
		if i < 0 {
			break
		}
		left = append(left, t.Columns[i].Name)
		t = t.without(i)
	}
	widths := t.widths()
	for over := -t.room(width, width); over > 0; over = -t.room(width, width) {
		widest := -1
		for i, c := range t.Columns {
			if c.Max > 0 && widths[i] > minCut && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest] = max(widths[widest]-over, minCut)
		t.Columns[widest].Max = widths[widest]
	}
	return t, left
}

func (t Table) droppable() int {
	best := -1
	for i, c := range t.Columns {
		if c.Drop > 0 && (best < 0 || c.Drop > t.Columns[best].Drop) {
			best = i
		}
	}
	return best
}

// widths are those of the columns as they would be printed, counted in
// characters.
func (t Table) widths() []int {
	widths := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		widths[i] = utf8.RuneCountInString(Safe(c.Name))
		for _, row := range t.Rows {
			if i < len(row) {
				widths[i] = max(widths[i], utf8.RuneCountInString(Safe(row[i])))
			}
		}
		if c.Max > 0 {
			widths[i] = min(widths[i], max(c.Max, utf8.RuneCountInString(Safe(c.Name))))
		}
	}
	return widths
}
