package readonly_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/gateway/mem"
	"example.org/ims/internal/gateway/readonly"
	"example.org/ims/pkg/gateway"
)

func TestReadOnly(t *testing.T) {
	o := mem.New(mem.Options{}, mem.Spec{Name: "east", Site: "HQ", Spaces: []gateway.Space{{Type: "SMTP", Pattern: "*", Cost: 1}}})
	o.Send(mem.Mail{From: "u@org.example", Rcpts: []string{"x@remote.example"}})
	east := o.Gateway("east")
	g := readonly.Wrap(east)
	if c := g.Caps(); !c.ReadOnly || c.Adapter != "mem" {
		t.Errorf("Caps() = %+v", c)
	}
	before, err := east.Config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stop := gateway.Stopped
	change := gateway.Change{Key: "k", Want: gateway.Want{Running: &stop}}
	if _, err := g.Apply(t.Context(), change); !errors.Is(err, gateway.ErrRefused) {
		t.Errorf("Apply() = %v, want ErrRefused", err)
	}
	sel := gateway.Selection{ID: "m000001"}
	if n, err := g.Act(t.Context(), gateway.Delete, sel, "anna", "why"); n != 0 || !errors.Is(err, gateway.ErrRefused) {
		t.Errorf("Act() = %d, %v, want ErrRefused", n, err)
	}
	want := []readonly.Write{{Change: &change}, {Action: &readonly.Action{Verb: gateway.Delete, Selection: sel, Actor: "anna", Reason: "why"}}}
	if d := cmp.Diff(want, g.Refused()); d != "" {
		t.Errorf("recorded (-want +got):\n%s", d)
	}
	after, err := g.Config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, after); d != "" {
		t.Errorf("configuration changed:\n%s", d)
	}
	if items, err := g.List(t.Context(), gateway.Selection{}); err != nil || len(items) != 1 {
		t.Errorf("List() = %v, %v, want the message", items, err)
	}
	if events, err := g.Track(t.Context(), 0, 10); err != nil || len(events) != 1 {
		t.Errorf("Track() = %v, %v, want its acceptance", events, err)
	}
}

// bare has no ability.
type bare struct{ gateway.Gateway }

func TestWithoutAbilities(t *testing.T) {
	g := readonly.Wrap(bare{})
	_, queues := g.List(t.Context(), gateway.Selection{})
	_, track := g.Track(t.Context(), 0, 1)
	_, present := g.Present(t.Context())
	_, tables := g.Tables(t.Context())
	_, route := g.Route(t.Context(), "HQ", "a@b", 1)
	_, clients := g.Clients(t.Context())
	for i, err := range []error{queues, track, present, tables, route, clients} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%d: %v, want ErrUnsupported", i, err)
		}
	}
}
