package routing

import (
	"cmp"
	"slices"

	"example.org/ims/pkg/gateway"
)

// Verdict answers whether something is covered.
type Verdict uint8

// Undecided is the zero value, so that an answer nobody gave counts as none.
const (
	Undecided Verdict = iota
	Covered
	Uncovered
)

func (v Verdict) String() string {
	switch v {
	case Covered:
		return "covered"
	case Uncovered:
		return "uncovered"
	case Undecided:
	}
	return "undecided"
}

// Coverage is an answer with its proof. An uncovered space comes with an
// address that, submitted at Origin, would find no route or one of a gateway
// that cannot carry it (Blackhole).
type Coverage struct {
	Verdict   Verdict
	Origin    Origin
	Witness   string
	Blackhole string
}

// Cover says whether, without the named gateway, every address that one of its
// address spaces matches still goes to a gateway that carries mail, from every
// origin at which the space counts. It decides by the languages of the
// patterns, and by who would win for each kind of address, never by samples:
// a better or cheaper space of a gateway that carries nothing is a black hole,
// not a cover. Where some addresses fall into a black hole and others find no route,
// the answer is the black hole: of that no sender is told. An unknown gateway
// and a type other than SMTP are Undecided.
func Cover(org Org, name string, space gateway.Space) Coverage {
	out := Coverage{Verdict: Covered}
	g, ok := org.gateway(name)
	if !ok || !isSMTP(space) {
		return Coverage{}
	}
	for _, from := range org.Origins() {
		if !visible(g, space.Scope, from) {
			continue
		}
		out = worse(out, CoverFrom(org.Without(name), space, from))
	}
	return out
}

// worse is the graver of two answers, the first of two alike.
func worse(a, b Coverage) Coverage {
	rank := func(c Coverage) int {
		switch {
		case c.Blackhole != "":
			return 3
		case c.Verdict == Uncovered:
			return 2
		case c.Verdict == Undecided:
			return 1
		}
		return 0
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}

// CoverFrom answers for one origin; rest is the organization without the
// gateway. Addresses that are local at the origin, or that connected sites
// route, are no concern of a space. An address the space matches counts even
// if a better space took it before.
func CoverFrom(rest Org, space gateway.Space, from Origin) Coverage {
	all := rivals(Build(rest, from.Site), from)
	out := Coverage{Verdict: Covered}
	for _, lang := range languages(space.Pattern) {
		out = worse(out, coverOne(lang.text, from, all))
	}
	return out
}

// rival is a pattern that competes for an address.
type rival struct {
	text    []rune
	quality Quality
	cost    int
	gateway string
	carries bool
	exempt  bool // local, or routed by connected sites
}

// languages are a pattern as wildcard patterns, each with its quality.
func languages(pattern string) []rival {
	m := compile(pattern)
	switch {
	case len(m.text) == 0:
		return []rival{{text: []rune("*"), quality: Quality{Class: Blank}}}
	case m.wild:
		return []rival{{text: m.text, quality: Quality{Class: Wildcard, Chars: m.chars}}}
	}
	out := []rival{{text: m.text, quality: Quality{Class: Exact}}}
	if p, ok := m.partial(); ok {
		out = append(out, rival{text: p, quality: Quality{Class: Partial}})
	}
	return out
}

// rivals are everything that decides where an address goes from an origin.
func rivals(t Table, from Origin) []rival {
	var out []rival
	for d := range t.local {
		out = append(out, rival{text: []rune("*@" + d), exempt: true})
	}
	for d := range t.remote {
		out = append(out, rival{text: []rune("*@" + d), exempt: true})
	}
	slices.SortFunc(out, func(a, b rival) int { return cmp.Compare(string(a.text), string(b.text)) })
	for _, l := range t.lines {
		if !isSMTP(l.space) || !visible(l.gw, l.space.Scope, from) {
			continue
		}
		for _, r := range languages(l.space.Pattern) {
			r.cost, r.gateway, r.carries = l.space.Cost, l.gw.Name, l.gw.Carries
			out = append(out, r)
		}
	}
	return out
}

// coverOne decides for one language: it looks for a black hole, and then for
// what finds no route.
func coverOne(want []rune, from Origin, all []rival) Coverage {
	pats := [][]rune{want}
	holes := false
	for _, r := range all {
		pats = append(pats, r.text)
		holes = holes || !r.exempt && !r.carries
	}
	out := Coverage{Verdict: Covered}
	if holes {
		out = worse(out, firstLost(pats, from, all, func(hole string) bool { return hole != "" }))
	}
	if out.Blackhole == "" {
		out = worse(out, firstLost(pats, from, all, func(hole string) bool { return hole == "" }))
	}
	return out
}

// firstLost finds an address that is lost in a way that is asked for.
func firstLost(pats [][]rune, from Origin, all []rival, asked func(hole string) bool) Coverage {
	var hole string
	w, found, decided := search(pats, func(matching []int) bool {
		var bad bool
		hole, bad = lost(all, matching[1:])
		return bad && asked(hole)
	})
	switch {
	case found:
		return Coverage{Verdict: Uncovered, Origin: from, Witness: w, Blackhole: hole}
	case !decided:
		return Coverage{Origin: from}
	}
	return Coverage{Verdict: Covered}
}

// lost reports whether an address that these rivals match would not be
// carried, and by whom it would be swallowed.
func lost(all []rival, matching []int) (hole string, bad bool) {
	var best []rival
	for _, i := range matching {
		r := all[i-1]
		if r.exempt {
			return "", false
		}
		if len(best) > 0 {
			d := cmp.Or(r.quality.Compare(best[0].quality), best[0].cost-r.cost)
			if d < 0 {
				continue
			}
			if d > 0 {
				best = best[:0]
			}
		}
		best = append(best, r)
	}
	for _, r := range best {
		if !r.carries {
			return r.gateway, true
		}
	}
	return "", len(best) == 0
}

// CoverSite says whether, without the named gateway, mail to a connected site
// still goes to gateways that carry it. Origins make no difference: connected
// sites have no scope.
func CoverSite(org Org, name, site string) Coverage {
	best := leastCost(Build(org.Without(name), "").toSites[site])
	for _, c := range best {
		if g, _ := org.gateway(c.Gateway); !g.Carries {
			return Coverage{Verdict: Uncovered, Blackhole: g.Name}
		}
	}
	if len(best) == 0 {
		return Coverage{Verdict: Uncovered}
	}
	return Coverage{Verdict: Covered}
}

// Contains reports whether every address that pattern b matches in its own
// class is matched by pattern a, with an address that is not as the witness.
// Blank patterns match everything; partial matches are left out on both sides.
func Contains(a, b string) (Verdict, string) {
	w, found, decided := search([][]rune{languages(b)[0].text, languages(a)[0].text}, func(m []int) bool {
		return len(m) < 2
	})
	switch {
	case found:
		return Uncovered, w
	case !decided:
		return Undecided, ""
	}
	return Covered, ""
}
