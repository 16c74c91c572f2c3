package plan

import (
	"maps"
	"strconv"
	"strings"

	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// track carries an effect along that changes either of the two gateways, or the
// MX of a domain. What apply shows in words only is changed, too.
func (c *configuration) track(e Effect, target string) {
	if e.modelled() {
		c.apply(e, target, "", "")
		return
	}
	g := c.gateway
	if e.Args.OnSuccessor {
		g = c.next
	}
	if g == nil {
		return
	}
	switch e.Action {
	case machine.GatewayMode, machine.GatewayConfig:
		g.Stored = patched(g.Stored, e.Args)
	case machine.GatewayRunning:
		g.Running = e.Args.Running != gateway.Stopped.String()
	case machine.RouteSpaces:
		g.Spaces = split(e.Args.Spaces, g, c.gateway, c.next)
	case machine.RouteSites:
		g.Sites = nil
	default: // nothing that a configuration holds
	}
}

// copied is the configuration as it is now, whatever becomes of it.
func (c *configuration) copied() *configuration {
	out := &configuration{zones: maps.Clone(c.zones), places: c.places}
	if c.gateway != nil {
		one := *c.gateway
		out.gateway = &one
	}
	if c.next != nil {
		one := *c.next
		out.next = &one
	}
	return out
}

// split reads wanted address spaces, "TYPE:PATTERN COST" each. Their scope is
// that of the space with the same pattern, or of the closest one around it, of
// the gateway that gets them first and then of the others: who shares the work
// of a gateway is to be seen by nobody who did not see the gateway (Q279404).
func split(list []string, of ...*gateway.Config) []gateway.Space {
	var out []gateway.Space
	for _, text := range list {
		name, cost, _ := strings.Cut(text, " ")
		kind, pattern, _ := strings.Cut(name, ":")
		n, _ := strconv.Atoi(cost) // the run refuses a text that is none, before the plan is made
		s := gateway.Space{Type: kind, Pattern: pattern, Cost: n}
		best := -1
		for _, g := range of {
			if g == nil {
				continue
			}
			for _, have := range g.Spaces {
				if k := around(have, s); k > best {
					best, s.Scope = k, have.Scope
				}
			}
		}
		out = append(out, s)
	}
	return out
}

// around is how close an address space lies around another, or -1.
func around(have, s gateway.Space) int {
	a, b := strings.ToLower(have.Pattern), strings.ToLower(s.Pattern)
	rest, wild := strings.CutPrefix(a, "*")
	switch {
	case !strings.EqualFold(have.Type, s.Type):
		return -1
	case a == b:
		return len(a) + 1
	case wild && strings.HasSuffix(b, rest):
		return len(rest)
	}
	return -1
}

// sameSpace reports whether two address spaces are for the same addresses.
func sameSpace(a, b gateway.Space) bool {
	return strings.EqualFold(a.Type, b.Type) && strings.EqualFold(a.Pattern, b.Pattern)
}
