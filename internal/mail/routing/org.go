// Package routing is the organization's routing: address spaces and connected
// sites of all gateways, folded into one table a site, each site with its own
// delayed copy.
//
// It is pure: no clock, no network, no storage; time comes in as an argument,
// and the same arguments give the same answer. It refuses to know transfer
// modes: they were never a routing input (Q285090, Q238719). The one question
// where the ability to carry mail counts is [Cover], which is about what a
// retirement would leave behind.
package routing

import (
	"fmt"
	"slices"
	"strings"

	"example.org/ims/pkg/gateway"
)

// Org is an organization as routing sees it.
type Org struct {
	// Domains are local at every site.
	Domains  []string
	Sites    []Site
	Gateways []Gateway
}

// Site is a site: a group of servers with its own copy of the routing table.
type Site struct {
	Name string
	// Locations are the location strings of its servers (Q234639).
	Locations []string
	// Domains are the mail domains that live at this site.
	Domains []string
}

// Gateway is what routing knows of one gateway.
type Gateway struct {
	Name     string
	Site     string
	Location string
	Spaces   []gateway.Space
	Sites    []gateway.Site
	// Carries says that it can carry outbound mail: it runs or can be started,
	// in a mode that picks up outbound mail. Tables ignore it; Cover does not.
	Carries bool
}

// Origin is where a message is submitted.
type Origin struct {
	Site     string
	Location string
}

// Origins lists every origin of the organization: each site with each of its
// locations, and with none.
func (o Org) Origins() []Origin {
	var list []Origin
	for _, s := range o.Sites {
		list = append(list, Origin{Site: s.Name})
		for _, l := range s.Locations {
			if l != "" {
				list = append(list, Origin{Site: s.Name, Location: l})
			}
		}
	}
	return list
}

// Without is the organization after the named gateway was removed.
func (o Org) Without(name string) Org {
	o.Gateways = slices.DeleteFunc(slices.Clone(o.Gateways), func(g Gateway) bool { return g.Name == name })
	return o
}

// gateway finds a gateway by name.
func (o Org) gateway(name string) (Gateway, bool) {
	i := slices.IndexFunc(o.Gateways, func(g Gateway) bool { return g.Name == name })
	if i < 0 {
		return Gateway{}, false
	}
	return o.Gateways[i], true
}

// visible reports whether a space of g takes part in routing from an origin.
// A space of scope site is not replicated outside its site (Q279404), a
// location exists only inside a site (Q234639).
func visible(g Gateway, scope gateway.Scope, from Origin) bool {
	switch scope {
	case gateway.ScopeOrganization:
		return true
	case gateway.ScopeSite:
		return g.Site == from.Site
	case gateway.ScopeLocation:
		return g.Site == from.Site && strings.EqualFold(g.Location, from.Location)
	}
	return false
}

// CheckSpace says what is wrong with an address space: a type other than a
// word, or a cost outside 1..100. An empty pattern is allowed and matches any
// address of the type, worst (Q146299).
func CheckSpace(s gateway.Space) error {
	if s.Type == "" || strings.ContainsAny(s.Type, ": \t*%") {
		return fmt.Errorf("check address space %q: type %q is not a word", s.Pattern, s.Type)
	}
	if s.Cost < 1 || s.Cost > 100 {
		return fmt.Errorf("check address space %q: cost %d is not within 1 and 100", s.Pattern, s.Cost)
	}
	if s.Scope > gateway.ScopeLocation {
		return fmt.Errorf("check address space %q: unknown scope %d", s.Pattern, s.Scope)
	}
	return nil
}

// isSMTP reports whether an address space is about SMTP addresses.
func isSMTP(s gateway.Space) bool { return strings.EqualFold(s.Type, "SMTP") }
