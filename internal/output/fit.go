package output

import (
	"slices"
	"unicode/utf8"
)

// minCut is the width below which a column is not cut.
const minCut = 12

// fit makes a table fit into a width: first columns with a Drop are left out,
// the highest first, and named; then those with a Max are cut further, the
// widest first. A table that is to be folded needs no room for the rest of its
// last column.
func (t Table) fit(width int) (fitting Table, left []string) {
	widths := t.widths()
	room := func() int {
		n := -len(gap)
		for i, w := range widths {
			if t.Fold && i == len(widths)-1 {
				w = min(w, minCut)
			}
			n += w + len(gap)
		}
		return width - n
	}
	t.Columns, t.Rows = slices.Clone(t.Columns), slices.Clone(t.Rows)
	for room() < 0 {
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
	for over := -room(); over > 0; over = -room() {
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
