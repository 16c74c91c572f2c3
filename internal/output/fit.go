package output

import (
	"slices"
	"unicode/utf8"
)

// Columns with a Max are cut to wellCut before others are left out, and never
// below minCut.
const (
	wellCut = 24
	minCut  = 12
)

// fit makes a table fit into a width: those of its columns that have a Max are
// cut, the widest first, and where that is not enough those with a Drop are left
// out, the highest first, and named. A table that is to be folded needs no room
// for the rest of its last column.
func (t Table) fit(width int) (fitting Table, left []string) {
	widths := t.widths()
	room := func(cut int) int {
		n := -len(gap)
		for i, w := range widths {
			switch {
			case t.Fold && i == len(widths)-1:
				w = min(w, minCut)
			case t.Columns[i].Max > 0:
				w = min(w, cut)
			}
			n += w + len(gap)
		}
		return width - n
	}
	t.Columns, t.Rows = slices.Clone(t.Columns), slices.Clone(t.Rows)
	for room(wellCut) < 0 {
		i := t.droppable()
		if i < 0 {
			break
		}
		left = append(left, t.Columns[i].Name)
		t.Columns, widths = slices.Delete(t.Columns, i, i+1), slices.Delete(widths, i, i+1)
		for r := range t.Rows {
			if i < len(t.Rows[r]) {
				t.Rows[r] = slices.Delete(slices.Clone(t.Rows[r]), i, i+1)
			}
		}
	}
	for over := -room(width); over > 0; over = -room(width) {
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
