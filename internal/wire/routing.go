package wire

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"example.org/ims/internal/dependents"
	"example.org/ims/internal/mail/routing"
	"example.org/ims/internal/world"
	"example.org/ims/pkg/gateway"
)

// organization answers questions about the routing of all gateways together.
type organization struct {
	name     string // of the gateway that is asked about
	mover    *dependents.Mover
	blind    error // why there is none
	gateways map[string]gateway.Gateway
	places   map[string]routing.Origin
	sites    []routing.Site
	domains  []string
}

var _ world.Routing = (*organization)(nil)

// read is the organization as routing sees it now, and the gateway's own part.
func (o *organization) read(ctx context.Context) (org routing.Org, own gateway.Config, err error) {
	org = routing.Org{Domains: o.domains, Sites: o.sites}
	for _, name := range slices.Sorted(maps.Keys(o.gateways)) {
		c, err := o.gateways[name].Config(ctx)
		if err != nil {
			return org, own, fmt.Errorf("read gateway %q: %w", name, err)
		}
		if name == o.name {
			own = c
		}
		if !c.Exists {
			continue
		}
		org.Gateways = append(org.Gateways, routing.Gateway{
			Name: name, Site: o.places[name].Site, Location: o.places[name].Location, Spaces: c.Spaces, Sites: c.Sites,
			Carries: c.Running && (c.Effective.Mode == gateway.InboundOutbound || c.Effective.Mode == gateway.OutboundOnly),
		})
	}
	return org, own, nil
}

// Cover implements world.Routing.
func (o *organization) Cover(ctx context.Context) (world.Cover, error) {
	var out world.Cover
	org, own, err := o.read(ctx)
	if err != nil {
		return out, err
	}
	add := func(words string, c routing.Coverage) {
		switch {
		case c.Verdict == routing.Covered:
		case c.Blackhole != "":
			out.Swallowed = append(out.Swallowed, fmt.Sprintf("%s (%s would take it and carries nothing)", words, c.Blackhole))
		default:
			out.Uncovered = append(out.Uncovered, words)
		}
	}
	for _, s := range own.Spaces {
		c := routing.Cover(org, o.name, s)
		add(coverWords(s, c), c)
	}
	for _, s := range own.Sites {
		add("connected site "+s.Name, routing.CoverSite(org, o.name, s.Name))
	}
	for _, g := range org.Gateways {
		if g.Name != o.name && len(g.Spaces)+len(g.Sites) > 0 {
			out.Others = append(out.Others, g.Name)
		}
	}
	return out, nil
}

func coverWords(s gateway.Space, c routing.Coverage) string {
	words := fmt.Sprintf("address space %s:%s", s.Type, s.Pattern)
	if c.Origin.Site != "" {
		words += " from site " + c.Origin.Site
	}
	switch {
	case c.Blackhole != "": // whoever asks says so
	case c.Witness != "":
		words += fmt.Sprintf(" (for example %s)", c.Witness)
	case c.Verdict == routing.Undecided:
		words += " (could not be decided)"
	}
	return words
}

// Dependents names the settings of other gateways that name this one. What is
// found counts, even if something else could not be found out.
func (o *organization) Dependents(ctx context.Context) ([]string, error) {
	if o.blind != nil {
		return nil, o.blind
	}
	r := o.mover.Report(ctx)
	if len(r.Findings) == 0 && len(r.Unsure) > 0 {
		return nil, fmt.Errorf("find who names gateway %q: %s", o.name, r.Unsure[0])
	}
	var found []string
	for _, f := range r.Findings {
		found = append(found, f.String())
	}
	return found, nil
}
