package routing_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"example.org/ims/internal/mail/routing"
	"example.org/ims/pkg/gateway"
)

func TestCover(t *testing.T) {
	deaf := gw("deaf", "HQ", sp("*@a.org", 1))
	deaf.Carries = false
	idle := gw("idle", "HQ", sp("*", 50))
	idle.Carries = false
	tests := []struct {
		name   string
		space  gateway.Space
		others []routing.Gateway
		want   routing.Verdict
	}{
		{"last one (eleven-steps.1)", sp("*", 1), nil, routing.Uncovered},
		{"another catch-all", sp("*", 1), []routing.Gateway{gw("b", "Branch", sp("*", 9))}, routing.Covered},
		{"blank covers", sp("*", 1), []routing.Gateway{gw("b", "HQ", sp("", 9))}, routing.Covered},
		{"only one domain", sp("*", 1), []routing.Gateway{gw("b", "HQ", sp("*@a.org", 9))}, routing.Uncovered},
		{"together", sp("*.a.org", 1), []routing.Gateway{gw("b", "HQ", sp("*@%*.a.org", 1)), gw("c", "HQ", sp("*@.a.org", 1))}, routing.Covered},
		{"Q279404 scoped to its site", sp("*", 1), []routing.Gateway{gw("b", "Branch", sp("*", 1, gateway.ScopeSite))}, routing.Uncovered},
		{"both scoped to one site", sp("*", 1, gateway.ScopeSite), []routing.Gateway{gw("b", "HQ", sp("*", 1, gateway.ScopeSite))}, routing.Covered},
		{"better match carries nothing", sp("*", 1), []routing.Gateway{gw("b", "HQ", sp("*", 1)), deaf}, routing.Uncovered},
		{"worse match carries nothing", sp("*", 1), []routing.Gateway{gw("b", "HQ", sp("*", 1)), idle}, routing.Covered},
		{"a domain of the organization needs no cover", sp("*@org.example", 1), nil, routing.Covered},
		{"partial matches count too", sp("u@org", 1), []routing.Gateway{gw("b", "HQ", sp("u@org", 1))}, routing.Covered},
		{"wildcard does not cover the partial ones", sp("u@org", 1), []routing.Gateway{gw("b", "HQ", sp("*@org", 1))}, routing.Uncovered},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			org := routing.Org{Domains: []string{"org.example"}, Sites: twoSites}
			org.Gateways = append([]routing.Gateway{gw("old", "HQ", tt.space)}, tt.others...)
			got := routing.Cover(org, "old", tt.space)
			if got.Verdict != tt.want {
				t.Fatalf("got %+v, want %v", got, tt.want)
			}
			if got.Verdict == routing.Uncovered {
				checkWitness(t, org.Without("old"), tt.space, got)
			}
		})
	}
	if c := routing.Cover(routing.Org{}, "nobody", sp("*", 1)); c.Verdict != routing.Undecided {
		t.Errorf("unknown gateway: %+v", c)
	}
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// TestABlackHoleIsToldFirst: where some addresses find no route and others one
// of a gateway that carries nothing, the latter counts, at whatever origin.
func TestABlackHoleIsToldFirst(t *testing.T) {
	deaf := gw("deaf", "Branch", sp("*@z.org", 1, gateway.ScopeSite))
	deaf.Carries = false
	old := gw("old", "HQ", sp("*", 1))
	org := routing.Org{Sites: twoSites, Gateways: []routing.Gateway{old, gw("b", "HQ", sp("*@a.org", 1)), deaf}}
	got := routing.Cover(org, "old", sp("*", 1))
	if got.Verdict != routing.Uncovered || got.Blackhole != "deaf" || got.Origin.Site != "Branch" {
		t.Errorf("got %+v, want what deaf swallows at Branch", got)
	}
	checkWitness(t, org.Without("old"), sp("*", 1), got)
	org.Gateways[2].Carries = true
	if got = routing.Cover(org, "old", sp("*", 1)); got.Verdict != routing.Uncovered || got.Blackhole != "" {
		t.Errorf("got %+v, want an address without a route", got)
	}
}

// checkWitness routes the witness for real.
func checkWitness(t failer, rest routing.Org, space gateway.Space, c routing.Coverage) {
	t.Helper()
	if routing.Match(space.Pattern, c.Witness).Class == routing.NoMatch {
		t.Fatalf("witness %q is not in %q", c.Witness, space.Pattern)
	}
	kind, choices := routing.Build(rest, c.Origin.Site).Route(c.Witness, c.Origin.Location)
	if (kind == routing.Unrouted) != (c.Blackhole == "") {
		t.Fatalf("witness %q: kind %d, black hole %q", c.Witness, kind, c.Blackhole)
	}
	for _, ch := range choices {
		if ch.Gateway == c.Blackhole {
			return
		}
	}
	if c.Blackhole != "" {
		t.Fatalf("witness %q does not go to %q: %+v", c.Witness, c.Blackhole, choices)
	}
}

// Cover agrees with the router: covered means that no sample is lost,
// uncovered comes with an address that is.
func TestCoverAgainstRouting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		org := routing.Org{Domains: []string{"b"}, Sites: twoSites}
		space := sp(genPattern.Draw(t, "space"), 1)
		carries := map[string]bool{}
		for i := range rapid.IntRange(0, 4).Draw(t, "n") {
			g := gw(fmt.Sprint("g", i), rapid.SampledFrom([]string{"HQ", "Branch"}).Draw(t, "site"))
			g.Spaces = []gateway.Space{sp(genPattern.Draw(t, "pattern"), rapid.IntRange(1, 2).Draw(t, "cost"),
				gateway.Scope(rapid.IntRange(0, 1).Draw(t, "scope")))}
			g.Carries = rapid.Bool().Draw(t, "carries")
			carries[g.Name] = g.Carries
			org.Gateways = append(org.Gateways, g)
		}
		rest := org
		org.Gateways = append(org.Gateways, gw("old", "HQ", space))
		c := routing.Cover(org, "old", space)
		if c.Verdict == routing.Uncovered {
			checkWitness(t, rest, space, c)
			return
		}
		for _, a := range rapid.SliceOfN(genAddress, 30, 30).Draw(t, "samples") {
			if routing.Match(space.Pattern, a).Class == routing.NoMatch {
				continue
			}
			for _, from := range org.Origins() {
				kind, choices := routing.Build(rest, from.Site).Route(a, from.Location)
				for _, ch := range choices {
					if !carries[ch.Gateway] {
						t.Fatalf("%v, but %q from %+v goes to %q", c.Verdict, a, from, ch.Gateway)
					}
				}
				if kind == routing.Unrouted {
					t.Fatalf("%v, but %q from %+v has no route", c.Verdict, a, from)
				}
			}
		}
	})
}

func TestCoverGivesUp(t *testing.T) {
	wide := "*a%%%%%%%%%%%%%%%%%%%%%%@x"
	org := routing.Org{Sites: twoSites, Gateways: []routing.Gateway{
		gw("old", "HQ", sp("*", 1)), gw("b", "HQ", sp(wide, 1)), gw("c", "HQ", sp("*", 1)),
	}}
	if c := routing.Cover(org, "old", sp("*", 1)); c.Verdict != routing.Undecided {
		t.Errorf("got %+v, want undecided: unknown never counts as covered", c)
	}
}
