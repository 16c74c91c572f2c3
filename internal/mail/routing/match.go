package routing

import "strings"

// Class is the kind of a match, worst first.
type Class uint8

// Kinds of match (Q229961, Q152471).
const (
	NoMatch  Class = iota
	Blank          // the type matches and the pattern is blank
	Partial        // same local part, and the domain ends with the pattern's
	Wildcard       // a pattern with * or %
	Exact          // the same string
)

// Quality is how well a pattern matches: the class, and among wildcards the
// number of characters that are not wild.
type Quality struct {
	Class Class
	Chars int
}

// Compare is negative when q is a worse match than o, zero when as good.
func (q Quality) Compare(o Quality) int {
	if q.Class != o.Class {
		return int(q.Class) - int(o.Class)
	}
	return q.Chars - o.Chars
}

// Match compares a whole address with an address-space pattern, ignoring case.
// The local part is never stripped: "company.com" and "@company.com" do not
// match user@company.com, "*@company.com" does (Q229961). A star stands for
// any number of characters, a percent sign for exactly one.
//
// A pattern without wildcards also matches partially, when its local part is
// the address's and its domain is a parent of the address's: the source's
// example is user@com for user@microsoft.com.
func Match(pattern, address string) Quality {
	return compile(pattern).match(fold(address))
}

// matcher is a pattern made ready: folded, and classified.
type matcher struct {
	text  []rune
	wild  bool
	chars int
}

func compile(pattern string) matcher {
	m := matcher{text: []rune(fold(pattern))}
	for _, r := range m.text {
		if r == '*' || r == '%' {
			m.wild = true
		} else {
			m.chars++
		}
	}
	return m
}

// fold makes comparisons ignore case, character by character.
func fold(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// match works on a folded address.
func (m matcher) match(address string) Quality {
	switch {
	case len(m.text) == 0:
		return Quality{Class: Blank}
	case m.wild:
		if glob(m.text, []rune(address)) {
			return Quality{Class: Wildcard, Chars: m.chars}
		}
	case string(m.text) == address:
		return Quality{Class: Exact}
	default:
		if p, ok := m.partial(); ok && glob(p, []rune(address)) {
			return Quality{Class: Partial}
		}
	}
	return Quality{}
}

// partial is the wildcard pattern of a plain pattern's partial matches.
func (m matcher) partial() ([]rune, bool) {
	s := string(m.text)
	local, domain, ok := cutLast(s)
	if m.wild || !ok || local == "" || domain == "" {
		return nil, false
	}
	return []rune(local + "@*." + domain), true
}

// cutLast splits at the last at sign.
func cutLast(s string) (local, domain string, ok bool) {
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// glob matches in O(len(p)·len(s)) at worst, without recursion: on a mismatch
// the last star swallows one character more.
func glob(p, s []rune) bool {
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '%' || p[i] == s[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// domainOf is the folded domain of an address, "" if it has none.
func domainOf(address string) string {
	_, d, _ := cutLast(fold(address))
	return d
}
