package wire

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"example.org/ims/internal/mail/routing"
	"example.org/ims/internal/world"
	"example.org/ims/pkg/gateway"
)

// organization answers questions about the routing of all gateways together.
type organization struct {
	name     string   // of the gateway that is asked about
	names    []string // under which others may know it: host name, address
	gateways map[string]gateway.Gateway
	places   map[string]routing.Origin
	sites    []routing.Site
	domains  []string
}

var _ world.Routing = (*organization)(nil)

// Uncovered names what no other gateway covers from every site.
func (o *organization) Uncovered(ctx context.Context) ([]string, error) {
	org := routing.Org{Domains: o.domains, Sites: o.sites}
	var own gateway.Config
	for _, name := range slices.Sorted(maps.Keys(o.gateways)) {
		c, err := o.gateways[name].Config(ctx)
		if err != nil {
			return nil, fmt.Errorf("read gateway %q: %w", name, err)
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
	var missing []string
	for _, s := range own.Spaces {
		if c := routing.Cover(org, o.name, s); c.Verdict != routing.Covered {
			missing = append(missing, coverWords(s, c))
		}
	}
	for _, s := range own.Sites {
		if c := routing.CoverSite(org, o.name, s.Name); c.Verdict != routing.Covered {
			missing = append(missing, fmt.Sprintf("connected site %s", s.Name))
		}
	}
	return missing, nil
}

func coverWords(s gateway.Space, c routing.Coverage) string {
	words := fmt.Sprintf("address space %s:%s", s.Type, s.Pattern)
	if c.Origin.Site != "" {
		words += " from site " + c.Origin.Site
	}
	switch {
	case c.Blackhole != "":
		words += fmt.Sprintf(" (%s would take it and carries nothing)", c.Blackhole)
	case c.Witness != "":
		words += fmt.Sprintf(" (for example %s)", c.Witness)
	case c.Verdict == routing.Undecided:
		words += " (could not be decided)"
	}
	return words
}

// Dependents names the settings of other gateways that name this one.
func (o *organization) Dependents(ctx context.Context) ([]string, error) {
	var found []string
	for _, name := range slices.Sorted(maps.Keys(o.gateways)) {
		if name == o.name {
			continue
		}
		c, err := o.gateways[name].Config(ctx)
		if err != nil {
			return nil, fmt.Errorf("read gateway %q: %w", name, err)
		}
		for _, s := range []gateway.Settings{c.Stored, c.Effective} {
			if o.known(s.ForwardHost) {
				found = append(found, name+": forward host")
			}
			for _, d := range slices.Sorted(maps.Keys(s.DomainHosts)) {
				if o.known(s.DomainHosts[d]) {
					found = append(found, fmt.Sprintf("%s: host of domain %s", name, d))
				}
			}
		}
		for _, s := range c.Sites {
			if o.known(s.RoutingAddress) {
				found = append(found, fmt.Sprintf("%s: routing address of site %s", name, s.Name))
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// known reports whether a host or address is the gateway.
func (o *organization) known(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]@")), ".")
	return host != "" && slices.ContainsFunc(o.names, func(n string) bool { return strings.EqualFold(n, host) })
}
