package check

// list is a slice that grows in parts: what is in it is never copied, and so
// never in memory twice. A part that was begun has its full length.
type list[T any] struct {
	parts [][]T
	n     int
}

const (
	partBits = 14
	partSize = 1 << partBits
)

func (l *list[T]) len() int { return l.n }

// at is the i-th element; it stays where it is.
func (l *list[T]) at(i int) *T { return &l.parts[i>>partBits][i&(partSize-1)] }

func (l *list[T]) add(v T) {
	if l.n&(partSize-1) == 0 {
		l.parts = append(l.parts, make([]T, partSize))
	}
	*l.at(l.n) = v
	l.n++
}

// room makes sure that the next n elements, which are fewer than fit into a
// part, are side by side: what is left of the last part is filled.
func (l *list[T]) room(n int, filler T) {
	for free := partSize - l.n&(partSize-1); n > free && free > 0; free-- {
		l.add(filler)
	}
}

// run are the elements from one to another, in one part.
func (l *list[T]) run(from, to int) []T {
	if from == to {
		return nil
	}
	i := from & (partSize - 1)
	return l.parts[from>>partBits][i : i+to-from]
}

// size is how many elements there is memory for.
func (l *list[T]) size() int { return len(l.parts) * partSize }
