package routing_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/mail/routing"
	"example.org/ims/pkg/gateway"
)

func sp(pattern string, cost int, scope ...gateway.Scope) gateway.Space {
	s := gateway.Space{Type: "SMTP", Pattern: pattern, Cost: cost}
	if len(scope) > 0 {
		s.Scope = scope[0]
	}
	return s
}

func gw(name, site string, spaces ...gateway.Space) routing.Gateway {
	return routing.Gateway{Name: name, Site: site, Spaces: spaces, Carries: true}
}

func names(cs []routing.Choice) []string {
	var out []string
	for _, c := range cs {
		out = append(out, c.Gateway)
	}
	return out
}

var twoSites = []routing.Site{
	{Name: "HQ", Locations: []string{"B1", "B2"}, Domains: []string{"hq.example"}},
	{Name: "Branch", Domains: []string{"branch.example"}},
}

func TestRoute(t *testing.T) {
	loc := gw("loc", "HQ", sp("*", 1, gateway.ScopeLocation))
	loc.Location = "B1"
	tests := []struct {
		name     string
		gws      []routing.Gateway
		site     string
		location string
		address  string
		kind     routing.Kind
		want     []string
	}{
		{"own domain is local", []routing.Gateway{gw("g", "HQ", sp("*", 1))}, "HQ", "", "u@HQ.example", routing.Local, nil},
		{"organization domain is local", []routing.Gateway{gw("g", "HQ", sp("*", 1))}, "Branch", "", "u@org.example", routing.Local, nil},
		{"Q148985 no route", []routing.Gateway{gw("g", "HQ", sp("*@a.org", 1))}, "HQ", "", "u@b.org", routing.Unrouted, nil},
		{"Q152471 quality before cost", []routing.Gateway{gw("blank", "HQ", sp("", 1)), gw("star", "HQ", sp("*", 90))}, "HQ", "", "u@b.org", routing.Via, []string{"star"}},
		{"Q229961 more characters win", []routing.Gateway{gw("a", "HQ", sp("*", 1)), gw("b", "HQ", sp("*.org", 9))}, "HQ", "", "u@b.org", routing.Via, []string{"b"}},
		{"cost second", []routing.Gateway{gw("a", "HQ", sp("*", 2)), gw("b", "HQ", sp("*", 1))}, "HQ", "", "u@b.org", routing.Via, []string{"b"}},
		{"xog04003 equals share", []routing.Gateway{gw("b", "HQ", sp("*", 1)), gw("a", "HQ", sp("*", 1))}, "HQ", "", "u@b.org", routing.Via, []string{"a", "b"}},
		{"one choice a gateway", []routing.Gateway{gw("a", "HQ", sp("*", 1), sp("*", 1))}, "HQ", "", "u@b.org", routing.Via, []string{"a"}},
		{"Q279404 other site's scope", []routing.Gateway{gw("a", "Branch", sp("*", 1, gateway.ScopeSite))}, "HQ", "", "u@b.org", routing.Unrouted, nil},
		{"Q279404 own site's scope", []routing.Gateway{gw("a", "HQ", sp("*", 1, gateway.ScopeSite))}, "HQ", "B2", "u@b.org", routing.Via, []string{"a"}},
		{"Q234639 location", []routing.Gateway{loc}, "HQ", "b1", "u@b.org", routing.Via, []string{"loc"}},
		{"Q234639 other location", []routing.Gateway{loc}, "HQ", "B2", "u@b.org", routing.Unrouted, nil},
		{"other type", []routing.Gateway{gw("a", "HQ", gateway.Space{Type: "X400", Pattern: "*", Cost: 1})}, "HQ", "", "u@b.org", routing.Unrouted, nil},
		{"no domain", []routing.Gateway{gw("a", "HQ", sp("*", 1))}, "HQ", "", "u", routing.Unrouted, nil},
		{"other site without connected site", []routing.Gateway{gw("a", "HQ", sp("*", 1))}, "HQ", "", "u@branch.example", routing.Unrouted, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			org := routing.Org{Domains: []string{"org.example"}, Sites: twoSites, Gateways: tt.gws}
			kind, choices := routing.Build(org, tt.site).Route(tt.address, tt.location)
			if kind != tt.kind {
				t.Errorf("kind = %d, want %d", kind, tt.kind)
			}
			if d := cmp.Diff(tt.want, names(choices)); d != "" {
				t.Errorf("choices (-want +got):\n%s", d)
			}
		})
	}
}

func TestConnectedSites(t *testing.T) {
	dear, cheap, inside := gw("dear", "HQ", sp("*", 1)), gw("cheap", "HQ"), gw("inside", "Branch")
	dear.Sites = []gateway.Site{{Name: "Branch", Cost: 5, RoutingAddress: "slow.branch.example"}}
	cheap.Sites = []gateway.Site{{Name: "Branch", Cost: 2, RoutingAddress: "@mx.branch.example"}}
	inside.Sites = []gateway.Site{{Name: "Branch", Cost: 1, RoutingAddress: "self.example"}, {Name: "HQ", Cost: 1, RoutingAddress: "mx.hq.example"}}
	org := routing.Org{Sites: twoSites, Gateways: []routing.Gateway{dear, cheap, inside}}

	kind, got := routing.Build(org, "HQ").Route("u@branch.example", "")
	if kind != routing.Via || len(got) != 1 || got[0].Gateway != "cheap" || got[0].NextHop != "mx.branch.example" {
		t.Errorf("HQ to Branch: %d %+v", kind, got)
	}
	_, got = routing.Build(org, "Branch").Route("u@hq.example", "")
	if len(got) != 1 || got[0].NextHop != "mx.hq.example" {
		t.Errorf("Branch to HQ: %+v", got)
	}
	if c := routing.CoverSite(org, "cheap", "Branch"); c.Verdict != routing.Covered {
		t.Errorf("cover without cheap: %+v", c)
	}
	if c := routing.CoverSite(org.Without("dear"), "cheap", "Branch"); c.Verdict != routing.Uncovered {
		t.Errorf("cover without both: %+v", c)
	}
}

func TestSpreadIsEvenAndRepeatable(t *testing.T) {
	org := routing.Org{Sites: twoSites, Gateways: []routing.Gateway{
		gw("a", "HQ", sp("*", 1)), gw("b", "HQ", sp("*", 1)), gw("c", "Branch", sp("*", 1)), gw("d", "HQ", sp("*", 2)),
	}}
	tab := routing.Build(org, "HQ")
	want := map[string]int{"a": 34, "b": 33, "c": 33}
	for range 2 {
		if d := cmp.Diff(want, tab.Spread("u@x.org", "", 100)); d != "" {
			t.Errorf("spread (-want +got):\n%s", d)
		}
	}
	none := routing.Build(routing.Org{Sites: twoSites}, "HQ")
	if d := cmp.Diff(map[string]int{"": 3}, none.Spread("u@x.org", "", 3)); d != "" {
		t.Errorf("spread without route (-want +got):\n%s", d)
	}
}

func TestCheckSpace(t *testing.T) {
	for _, s := range []gateway.Space{{Pattern: "*", Cost: 1}, sp("*", 0), sp("*", 101), sp("*", 1, 9), {Type: "SMTP:", Cost: 1}} {
		if routing.CheckSpace(s) == nil {
			t.Errorf("CheckSpace(%+v) found nothing", s)
		}
	}
	if err := routing.CheckSpace(sp("", 100)); err != nil {
		t.Errorf("blank pattern: %v", err)
	}
}

// A space that is scoped to a site is not replicated outside it (Q279404), so
// other sites' tables do not list it.
func TestRoutesLeaveOutForeignScopes(t *testing.T) {
	g := gw("g", "HQ", sp("*", 1, gateway.ScopeSite), sp("*@x.org", 2))
	g.Sites = []gateway.Site{{Name: "Branch", Cost: 3, RoutingAddress: "mx.branch.example"}}
	org := routing.Org{Sites: twoSites, Gateways: []routing.Gateway{g}}
	want := []gateway.Route{{Gateway: "g", Space: &g.Spaces[1]}, {Gateway: "g", Site: &g.Sites[0]}}
	if d := cmp.Diff(want, routing.Build(org, "Branch").Routes()); d != "" {
		t.Errorf("Branch (-want +got):\n%s", d)
	}
	if n := len(routing.Build(org, "HQ").Routes()); n != 3 {
		t.Errorf("HQ lists %d routes, want 3", n)
	}
}

// A location exists only inside its site (Q234639).
func TestCoverAsksOnlyWhereTheSpaceCounts(t *testing.T) {
	old, here := gw("old", "HQ", sp("*", 1, gateway.ScopeLocation)), gw("here", "HQ", sp("*", 1, gateway.ScopeLocation))
	old.Location, here.Location = "B1", "B1"
	sites := []routing.Site{{Name: "HQ", Locations: []string{"B1"}}, {Name: "Branch", Locations: []string{"B1"}}}
	org := routing.Org{Sites: sites, Gateways: []routing.Gateway{old, here}}
	if c := routing.Cover(org, "old", old.Spaces[0]); c.Verdict != routing.Covered {
		t.Errorf("same site, same location: %+v", c)
	}
	org.Gateways[1].Location = "B2"
	if c := routing.Cover(org, "old", old.Spaces[0]); c.Verdict != routing.Uncovered || c.Origin != (routing.Origin{Site: "HQ", Location: "B1"}) {
		t.Errorf("same site, other location: %+v", c)
	}
}
