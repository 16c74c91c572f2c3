package world_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// TestScopesOverASplit splits the space of a gateway that only its site sees,
// and undoes it: at no time does anybody else see it.
func TestScopesOverASplit(t *testing.T) {
	l := worldtest.Quick()
	spaces := func(g gateway.Gateway) []gateway.Space {
		c, err := g.Config(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return c.Spaces
	}
	site := []gateway.Space{{Type: "SMTP", Pattern: "*", Cost: 1, Scope: gateway.ScopeSite}}
	for g, list := range map[gateway.Gateway][]gateway.Space{l.East: site, l.West: {}} {
		if _, err := g.Apply(t.Context(), gateway.Change{Key: "before", Want: gateway.Want{Spaces: &list}}); err != nil {
			t.Fatal(err)
		}
	}
	params := map[string]string{"next_spaces": "SMTP:*.org 1, SMTP:* 20", "here_spaces": "SMTP:* 10"}
	w := l.World(bind(t, "add-successor", params))
	next := engine.Effect{
		Run: "r1", State: "next_spaces", Target: worldtest.West, Key: "r1/next_spaces/west", Action: machine.RouteSpaces, Actor: "ann", Reason: "test",
		Args: machine.Args{OnSuccessor: true, Spaces: []string{"SMTP:*.org 1", "SMTP:* 20"}},
	}
	here := engine.Effect{
		Run: "r1", State: "here_spaces", Target: worldtest.East, Key: "r1/here_spaces/east", Action: machine.RouteSpaces, Actor: "ann", Reason: "test",
		Args: machine.Args{Spaces: []string{"SMTP:* 10"}},
	}
	done := func(e engine.Effect) {
		t.Helper()
		if res := w.Perform(t.Context(), e); res.State != machine.Done {
			t.Fatalf("Perform = %+v", res)
		}
	}
	for _, e := range []*engine.Effect{&next, &here} {
		var err error
		if e.Image, _, err = w.Image(t.Context(), *e); err != nil {
			t.Fatal(err)
		}
		done(*e)
		done(*e)
	}
	want := [][]gateway.Space{
		{{Type: "SMTP", Pattern: "*", Cost: 10, Scope: gateway.ScopeSite}},
		{{Type: "SMTP", Pattern: "*.org", Cost: 1, Scope: gateway.ScopeSite}, {Type: "SMTP", Pattern: "*", Cost: 20, Scope: gateway.ScopeSite}},
	}
	if diff := cmp.Diff(want, [][]gateway.Space{spaces(l.East), spaces(l.West)}); diff != "" {
		t.Errorf("split (-want +got):\n%s", diff)
	}
	if v, why := value(w.Observe(t.Context(), engine.Look{}), facts.NextSplit); v != 1 {
		t.Errorf("next.split = %v (%s)", v, why)
	}
	for _, e := range []engine.Effect{here, next} {
		e.Undo, e.Undoes, e.Key = true, e.Key, e.Key+"/undo"
		done(e)
	}
	if diff := cmp.Diff([][]gateway.Space{site, {}}, [][]gateway.Space{spaces(l.East), spaces(l.West)}); diff != "" {
		t.Errorf("undone (-want +got):\n%s", diff)
	}
}
