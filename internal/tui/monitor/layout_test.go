package monitor

import (
	"testing"

	"pgregory.net/rapid"

	"example.org/ims/internal/tui/screen"
)

// letterOf names panels in drawings.
const letterOf = "HNTSMVLCEK"

// drawing shows which panel every cell belongs to; a cell of two panels is #,
// one of none is blank.
func drawing(w, h int, want wants) []string {
	s := screen.New(w, h)
	all := s.Area(0, 0, w, h)
	for p, b := range layout(w, h, want) {
		for y := b.Y; y < b.Y+b.H; y++ {
			for x := b.X; x < b.X+b.W; x++ {
				mark := string(letterOf[p])
				if x >= w || y >= h || s.At(x, y).Rune != ' ' {
					mark = "#"
				}
				all.Put(x, y, mark, plain)
			}
		}
	}
	return s.Lines(screen.Encoding{})
}

// column is a drawing's first cells, read downwards.
func column(lines []string, x int) string {
	out := ""
	for _, l := range lines {
		if x < len(l) {
			out += l[x : x+1]
		} else {
			out += " "
		}
	}
	return out
}

func TestLayout(t *testing.T) {
	some := wants{nowPanel: 4, storesPanel: 6, matrixPanel: 7, verdictPanel: 2, sumsPanel: 2, clientsPanel: 2, eventsPanel: 4, stepsPanel: 25}
	for _, c := range []struct {
		name        string
		w, h        int
		want        wants
		left, right string
	}{
		{"smallest", 40, 12, some, "HHNNNSSMMVLK", ""},
		{"classic", 80, 24, some, "HHNNNNSSSSSSMMMMMVVLLCEK", ""},
		{"classic, little to say", 80, 24, wants{nowPanel: 2, storesPanel: 6, matrixPanel: 3, verdictPanel: 2, sumsPanel: 2}, "HHNNSSSSSSMMMMMMMMMVVLLK", ""},
		{"tall and narrow", 60, 40, some, "HHNNNNSSSSSSMMMMMMMMMMMMMMMMMVVLLCCEEEEK", ""},
		{"wide", 160, 48, some, "HHNNNNTTTTTTTTTTTTTTTTTTTTTTTTTCCEEEEEEEEEEVVLLK", "HHNNNNSSSSSSMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMVVLLK"},
	} {
		lines := drawing(c.w, c.h, c.want)
		if got := column(lines, 0); got != c.left {
			t.Errorf("%s: left\n  %s, want\n  %s", c.name, got, c.left)
		}
		if got := column(lines, c.w-1); c.right != "" && got != c.right {
			t.Errorf("%s: right\n  %s, want\n  %s", c.name, got, c.right)
		}
	}
}

// TestLayoutFills: at every size, whatever panels want, no two overlap, none is
// outside, and every panel that matters is there.
func TestLayoutFills(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(MinWidth, 250).Draw(t, "w"), rapid.IntRange(MinHeight, 90).Draw(t, "h")
		var want wants
		for p := range want {
			want[p] = rapid.IntRange(0, 60).Draw(t, "lines")
		}
		for y, l := range drawing(w, h, want) {
			for x, r := range l {
				if r == '#' {
					t.Fatalf("cell %d,%d is in two panels", x, y)
				}
			}
			if l == "" {
				t.Fatalf("line %d of %dx%d is nobody's", y, w, h)
			}
		}
		at := layout(w, h, want)
		for _, p := range []panel{headPanel, nowPanel, storesPanel, matrixPanel, verdictPanel, sumsPanel, footPanel} {
			if at[p].H == 0 || at[p].W == 0 {
				t.Fatalf("%dx%d has no panel %c", w, h, letterOf[p])
			}
		}
	})
}
