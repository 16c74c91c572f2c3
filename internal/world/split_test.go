package world

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/engine"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// TestASplitDropsNothing: an address space that neither gateway would have is
// not taken away.
func TestASplitDropsNothing(t *testing.T) {
	w := &World{}
	w.want.split = []splitWish{{true, []string{"SMTP:*@a.test 1"}}, {false, []string{"smtp:* 1"}}}
	e := engine.Effect{Action: machine.RouteSpaces, Args: machine.Args{Spaces: []string{"smtp:* 1"}}}
	c := gateway.Config{Name: "east", Spaces: []gateway.Space{{Type: "SMTP", Pattern: "*"}, {Type: "SMTP", Pattern: "*@a.test"}}}
	if got := w.dropped(e, c); got != "" {
		t.Errorf("a split that keeps everything: %s", got)
	}
	c.Spaces = append(c.Spaces, gateway.Space{Type: "X400", Pattern: "c=us"})
	if got := w.dropped(e, c); !strings.Contains(got, "X400:c=us") {
		t.Errorf("a split that drops a space: %q", got)
	}
	e.Args = machine.Args{Empty: true}
	if got := w.dropped(e, c); got != "" {
		t.Errorf("a removal, which has its own guard: %s", got)
	}
}

// TestASplitKeepsScopes: a space that moves, and one that is split out of
// another, are seen by those who saw them before.
func TestASplitKeepsScopes(t *testing.T) {
	space := func(pattern string, cost int, scope gateway.Scope) gateway.Space {
		return gateway.Space{Type: "SMTP", Pattern: pattern, Cost: cost, Scope: scope}
	}
	now := []gateway.Space{space("*", 1, gateway.ScopeSite), space("*@a.test", 1, gateway.ScopeLocation), space("b.test", 1, gateway.ScopeOrganization)}
	for _, tt := range []struct {
		wanted string
		want   gateway.Space
	}{
		{"SMTP:* 5", space("*", 5, gateway.ScopeSite)},
		{"SMTP:*.org 2", space("*.org", 2, gateway.ScopeSite)},
		{"SMTP:*@A.test 2", space("*@A.test", 2, gateway.ScopeLocation)},
		{"SMTP:ann@a.test 2", space("ann@a.test", 2, gateway.ScopeLocation)},
		{"SMTP:b.test 3", space("b.test", 3, gateway.ScopeOrganization)},
		{"SMTP:x.b.test 3", space("x.b.test", 3, gateway.ScopeSite)},
		{"X400:c=us 3", gateway.Space{Type: "X400", Pattern: "c=us", Cost: 3}},
	} {
		e := engine.Effect{Action: machine.RouteSpaces, Args: machine.Args{Spaces: []string{tt.wanted}}}
		w, err := wanted(e, "", now)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]gateway.Space{tt.want}, *w.Spaces); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.wanted, diff)
		}
		if !made(e, gateway.Config{Spaces: *w.Spaces}) {
			t.Errorf("%s is not seen to be made", tt.wanted)
		}
	}
}
