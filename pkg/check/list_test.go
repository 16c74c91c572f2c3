package check

import (
	"slices"
	"testing"
)

// TestListKeepsRunsTogether: elements that were asked to be side by side are,
// wherever a part ends, and what fills the gap before them is the filler.
func TestListKeepsRunsTogether(t *testing.T) {
	for _, before := range []int{0, 1, partSize - 3, partSize - 2, partSize - 1, partSize, 2*partSize - 1} {
		var l list[int]
		for i := range before {
			l.add(i)
		}
		l.room(3, -1)
		from := l.len()
		for i := range 3 {
			l.add(100 + i)
		}
		if got := l.run(from, l.len()); !slices.Equal(got, []int{100, 101, 102}) {
			t.Errorf("after %d: %v", before, got)
		}
		if got := l.run(from, from); len(got) != 0 {
			t.Errorf("after %d: %v in a run of nothing", before, got)
		}
		for i := range from {
			if want := *l.at(i); want != i && (i < before || want != -1) {
				t.Errorf("after %d: element %d is %d", before, i, want)
			}
		}
	}
}
