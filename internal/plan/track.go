package plan

import (
	"maps"
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
	out := &configuration{zones: maps.Clone(c.zones), leads: c.leads, places: c.places}
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

// split are wanted address spaces, with the scope that they have at the first
// of these gateways, or at the others.
func split(list []string, of ...*gateway.Config) []gateway.Space {
	wanted, err := gateway.ParseSpaces(list)
	if err != nil { // the run refuses it, which the plan says
		return nil
	}
	var now []gateway.Space
	for _, g := range of {
		if g != nil {
			now = append(now, g.Spaces...)
		}
	}
	return gateway.Scoped(wanted, now)
}

// sameSpace reports whether two address spaces are for the same addresses.
func sameSpace(a, b gateway.Space) bool {
	return strings.EqualFold(a.Type, b.Type) && strings.EqualFold(a.Pattern, b.Pattern)
}
