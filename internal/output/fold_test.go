package output

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestFoldIsTotal folds tables of any shape at any width: it ends, loses no
// word, and leaves a line too long only for a word that has no room.
func TestFoldIsTotal(t *testing.T) {
	word := rapid.StringOfN(rapid.RuneFrom([]rune("aé.…'")), 1, 30, -1)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "columns")
		table := Table{Fold: true}
		for range n {
			table.Columns = append(table.Columns, Column{
				Name: strings.Join(rapid.SliceOfN(word, 1, 3).Draw(t, "name"), " "), Number: rapid.Bool().Draw(t, "number"),
			})
		}
		for range rapid.IntRange(0, 4).Draw(t, "rows") {
			row := make([]string, n)
			for i := range row {
				row[i] = strings.Join(rapid.SliceOfN(word, 0, 12).Draw(t, "cell"), " ")
			}
			table.Rows = append(table.Rows, row)
		}
		width := rapid.IntRange(1, 200).Draw(t, "width")
		whole, err := table.render()
		if err != nil {
			t.Fatal(err)
		}
		folded := table.fold(whole, width)
		if want, got := bytes.Fields(whole), bytes.Fields(folded); !slices.EqualFunc(want, got, bytes.Equal) {
			t.Fatalf("folded to %d: words are %q, want %q", width, got, want)
		}
		header, _, _ := strings.Cut(string(whole), "\n")
		under := len([]rune(header)) - len([]rune(table.Columns[n-1].Name)) // what follows stands no further left
		if under+minCut > width {
			under = hanging
		}
		for line := range strings.Lines(string(folded)) {
			got := []rune(strings.TrimSuffix(line, "\n"))
			if len(got) <= width {
				continue
			}
			blanks := len(got) - len([]rune(strings.TrimLeft(string(got), " ")))
			if from := max(blanks, under) + 1; from < len(got) && slices.Contains(got[from:], ' ') {
				t.Fatalf("folded to %d: %q is too long, and could be broken", width, string(got))
			}
		}
	})
}

// TestFoldWithoutRoom is a table whose columns before the last fill the line.
func TestFoldWithoutRoom(t *testing.T) {
	table := Table{Columns: Columns("ID", "GUARD", "WHY"), Fold: true}
	table.Add("settle", "!route.here && !route.stale && gw.q.mta == 0", "the run itself changes it")
	whole, err := table.render()
	if err != nil {
		t.Fatal(err)
	}
	want := "ID      GUARD\n    WHY\nsettle  !route.here && !route.stale &&\n    gw.q.mta == 0  the run itself\n    changes it\n"
	if got := string(table.fold(whole, 40)); got != want {
		t.Errorf("folded to 40:\n%s\nwant\n%s", got, want)
	}
}
