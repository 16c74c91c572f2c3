package routing

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"example.org/ims/pkg/gateway"
)

// NoRoute is the status of a report for an address that nothing routes
// (RFC 3463 5.4.4; "no route to the intended recipient", Q148985).
const NoRoute = "5.4.4"

// Kind says what a table answers for an address.
type Kind uint8

// Answers of a table.
const (
	Unrouted Kind = iota // nothing matches: report it with status NoRoute
	Local                // the domain lives at the origin's own site
	Via                  // hand it to a gateway
)

// Choice is one of the equally good ways to go.
type Choice struct {
	Gateway string
	// Space is the address space that matched, nil for a connected site.
	Space *gateway.Space
	// Site is the connected-site entry that was used, nil for a space.
	Site *gateway.Site
	// NextHop is the routing address of a connected site; "" means that the
	// gateway finds the host by the recipient's domain.
	NextHop string
	Quality Quality
	Cost    int
}

// Table is one site's routing table, ready for look-ups. It does not change
// after Build and may be used concurrently.
type Table struct {
	Site    string
	lines   []line
	local   map[string]bool
	remote  map[string]string // domain → the site it lives at
	toSites map[string][]Choice
}

// line is one address space of one gateway.
type line struct {
	gw      Gateway
	space   gateway.Space
	matcher matcher
}

// Build folds the organization into the table of one site. Spaces that are
// scoped to other sites are not in it (Q279404). Unknown sites have a table
// without local domains.
func Build(org Org, site string) Table {
	t := Table{
		Site: site, local: map[string]bool{}, remote: map[string]string{}, toSites: map[string][]Choice{},
	}
	for _, d := range org.Domains {
		t.local[fold(d)] = true
	}
	for _, s := range org.Sites {
		for _, d := range s.Domains {
			if s.Name == site {
				t.local[fold(d)] = true
			} else if _, taken := t.remote[fold(d)]; !taken {
				t.remote[fold(d)] = s.Name
			}
		}
	}
	gws := slices.SortedFunc(slices.Values(org.Gateways), func(a, b Gateway) int { return cmp.Compare(a.Name, b.Name) })
	for _, g := range gws {
		for _, sp := range g.Spaces {
			if sp.Scope != gateway.ScopeOrganization && g.Site != site {
				continue
			}
			t.lines = append(t.lines, line{gw: g, space: sp, matcher: compile(sp.Pattern)})
		}
		for _, cs := range g.Sites {
			if cs.Name == g.Site {
				continue // a gateway does not lead to the site it stands in
			}
			t.toSites[cs.Name] = append(t.toSites[cs.Name], Choice{
				Gateway: g.Name, Site: &cs, NextHop: hostOf(cs.RoutingAddress), Cost: cs.Cost,
			})
		}
	}
	return t
}

// hostOf drops the at sign that some write before a routing address (Q196927).
func hostOf(routingAddress string) string {
	_, host, ok := cutLast(strings.TrimSpace(routingAddress))
	if !ok {
		return strings.TrimSpace(routingAddress)
	}
	return host
}

// Route answers for one address submitted at a location of the table's site.
// For Via it gives every equally good choice, sorted by gateway, at most one a
// gateway: match quality first, cost second (Q229961, Q152471). A domain of
// another site is reached by connected sites alone: a catch-all space never
// sends the organization's own mail to the Internet.
func (t Table) Route(address, location string) (Kind, []Choice) {
	domain := domainOf(address)
	switch {
	case domain == "":
		return Unrouted, nil
	case t.local[domain]:
		return Local, nil
	}
	if site, ok := t.remote[domain]; ok {
		return kindOf(leastCost(t.toSites[site]))
	}
	var best []Choice
	from := Origin{Site: t.Site, Location: location}
	folded := fold(address)
	for _, l := range t.lines {
		if !isSMTP(l.space) || !visible(l.gw, l.space.Scope, from) {
			continue
		}
		q := l.matcher.match(folded)
		if q.Class == NoMatch {
			continue
		}
		sp := l.space
		best = better(best, Choice{Gateway: l.gw.Name, Space: &sp, Quality: q, Cost: sp.Cost})
	}
	return kindOf(best)
}

func kindOf(best []Choice) (Kind, []Choice) {
	if len(best) == 0 {
		return Unrouted, nil
	}
	return Via, best
}

// better adds c to the equally best choices, or replaces them, or drops c.
func better(best []Choice, c Choice) []Choice {
	if len(best) == 0 {
		return append(best, c)
	}
	d := cmp.Or(c.Quality.Compare(best[0].Quality), best[0].Cost-c.Cost)
	switch {
	case d > 0:
		return append(best[:0], c)
	case d < 0 || slices.ContainsFunc(best, func(b Choice) bool { return b.Gateway == c.Gateway }):
		return best
	}
	return append(best, c)
}

// leastCost keeps the choices of least cost: the others are never used
// (release notes of 5.0, 3.2.5).
func leastCost(all []Choice) []Choice {
	var best []Choice
	for _, c := range all {
		best = better(best, c)
	}
	return best
}

// Routes are the table's lines in the contract's form, sorted by gateway.
func (t Table) Routes() []gateway.Route {
	var out []gateway.Route
	for _, l := range t.lines {
		sp := l.space
		out = append(out, gateway.Route{Gateway: l.gw.Name, Space: &sp})
	}
	for _, name := range slices.Sorted(maps.Keys(t.toSites)) {
		for _, c := range t.toSites[name] {
			cs := *c.Site
			out = append(out, gateway.Route{Gateway: c.Gateway, Site: &cs})
		}
	}
	slices.SortStableFunc(out, func(a, b gateway.Route) int { return cmp.Compare(a.Gateway, b.Gateway) })
	return out
}

// Spread routes count messages to one address and says how many each gateway
// gets, "" for those without a route. Local ones are in nobody's count.
func (t Table) Spread(address, location string, count int) map[string]int {
	out := map[string]int{}
	kind, choices := t.Route(address, location)
	switch kind {
	case Unrouted:
		out[""] = count
	case Via:
		var b Balancer
		for range count {
			out[b.Pick(choices).Gateway]++
		}
	case Local:
	}
	return out
}

// Balancer shares mail evenly among equal choices, in turn. The zero value is
// ready. It is not safe for concurrent use: its owner guards it.
type Balancer struct {
	turn map[string]int
}

// Pick takes the next of the choices, which must not be empty. Each set of
// gateways has its own turn.
func (b *Balancer) Pick(choices []Choice) Choice {
	if b.turn == nil {
		b.turn = map[string]int{}
	}
	var key strings.Builder
	for _, c := range choices {
		fmt.Fprintf(&key, "%q", c.Gateway)
	}
	i := b.turn[key.String()] % len(choices)
	b.turn[key.String()] = i + 1
	return choices[i]
}
