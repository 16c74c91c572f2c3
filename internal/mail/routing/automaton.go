package routing

import (
	"encoding/binary"
	"slices"
)

// maxProduct bounds the states a search visits; beyond it the answer is
// Undecided. Patterns of people need a few hundred.
const maxProduct = 1 << 16

// other stands for every character that no pattern names.
const other = rune(-1)

// machine runs several wildcard patterns at once over one input: a set of
// positions for each, as one sorted list of global positions.
type machine struct {
	pats   [][]rune
	offset []int // global position of each pattern's position 0
}

func newMachine(pats [][]rune) machine {
	m := machine{pats: pats}
	n := 0
	for _, p := range pats {
		m.offset = append(m.offset, n)
		n += len(p) + 1
	}
	return m
}

// start is the set of positions before any input.
func (m machine) start() []int {
	var set []int
	for i := range m.pats {
		set = m.enter(set, i, 0)
	}
	return normal(set)
}

// enter adds a position and those a star reaches without input.
func (m machine) enter(set []int, pat, pos int) []int {
	p := m.pats[pat]
	set = append(set, m.offset[pat]+pos)
	for pos < len(p) && p[pos] == '*' {
		pos++
		set = append(set, m.offset[pat]+pos)
	}
	return set
}

// step reads one character.
func (m machine) step(set []int, r rune) []int {
	var next []int
	for _, g := range set {
		pat, pos := m.locate(g)
		p := m.pats[pat]
		if pos == len(p) {
			continue
		}
		switch p[pos] {
		case '*':
			next = m.enter(next, pat, pos)
		case '%', r:
			next = m.enter(next, pat, pos+1)
		}
	}
	return normal(next)
}

// accepting lists the patterns that match the input read so far.
func (m machine) accepting(set []int) []int {
	var out []int
	for _, g := range set {
		if pat, pos := m.locate(g); pos == len(m.pats[pat]) {
			out = append(out, pat)
		}
	}
	return out
}

func (m machine) locate(g int) (pat, pos int) {
	i, found := slices.BinarySearch(m.offset, g)
	if !found {
		i--
	}
	return i, g - m.offset[i]
}

func normal(set []int) []int {
	slices.Sort(set)
	return slices.Compact(set)
}

// address recognises what can be a mailbox: something, the last at sign, a
// domain. It keeps witnesses readable and empty strings out of the question.
type address uint8

const (
	addrStart address = iota
	addrLocal
	addrAt
	addrDomain
	addrDead
)

func (a address) step(r rune) address {
	switch {
	case a == addrDead || (a == addrStart && r == '@'):
		return addrDead
	case a == addrStart:
		return addrLocal
	case r == '@':
		return addrAt
	case a == addrAt:
		return addrDomain
	}
	return a
}

// node is one state of the search: how the machine and the address stand, and
// how it was reached.
type node struct {
	set  []int
	addr address
	from int
	by   rune
}

// search walks, shortest input first, every input that is an address and that
// the first pattern can still match, and calls bad with the patterns that
// match at each address the first one matches. It returns the first input for
// which bad says true. decided is false when there were too many states.
func search(pats [][]rune, bad func(matching []int) bool) (witness string, found, decided bool) {
	m := newMachine(pats)
	letters := alphabet(pats)
	nodes := []node{{set: m.start(), from: -1}}
	seen := map[string]bool{}
	for i := 0; i < len(nodes); i++ {
		n := nodes[i]
		if n.addr == addrDomain {
			if a := m.accepting(n.set); len(a) > 0 && a[0] == 0 && bad(a) {
				return spell(nodes, i, letters), true, true
			}
		}
		for _, r := range letters {
			next := node{set: m.step(n.set, r), addr: n.addr.step(r), from: i, by: r}
			if next.addr == addrDead || len(next.set) == 0 || next.set[0] > len(pats[0]) {
				continue
			}
			k := keyOf(next)
			if seen[k] {
				continue
			}
			if len(nodes) >= maxProduct {
				return "", false, false
			}
			seen[k] = true
			nodes = append(nodes, next)
		}
	}
	return "", false, true
}

// alphabet is the characters that patterns tell apart, and one for the rest.
func alphabet(pats [][]rune) []rune {
	set := []rune{'@'}
	for _, p := range pats {
		for _, r := range p {
			if r != '*' && r != '%' {
				set = append(set, r)
			}
		}
	}
	slices.Sort(set)
	return append([]rune{other}, slices.Compact(set)...)
}

// spell reads the input back, with a character that no pattern names for the
// rest.
func spell(nodes []node, i int, letters []rune) string {
	free := other
	for _, r := range "xyzqwvjkabcdefghilmnoprstu0123456789" {
		if !slices.Contains(letters, r) {
			free = r
			break
		}
	}
	for r := rune(0x3b1); free == other; r++ {
		if !slices.Contains(letters, r) {
			free = r
		}
	}
	var out []rune
	for ; nodes[i].from >= 0; i = nodes[i].from {
		if r := nodes[i].by; r != other {
			out = append(out, r)
		} else {
			out = append(out, free)
		}
	}
	slices.Reverse(out)
	return string(out)
}

func keyOf(n node) string {
	b := make([]byte, 0, 1+2*len(n.set))
	b = append(b, byte(n.addr))
	for _, g := range n.set {
		b = binary.AppendUvarint(b, uint64(g))
	}
	return string(b)
}
