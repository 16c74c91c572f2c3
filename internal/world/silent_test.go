package world_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/gateway/fault"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// TestALookEndsAlthoughAGatewayHangs: whatever an adapter allows, an observation
// ends, and so does whatever is read before an effect and after it.
func TestALookEndsAlthoughAGatewayHangs(t *testing.T) {
	for name, look := range map[string]func(*testing.T, engine.World) (words string){
		"observe": func(t *testing.T, w engine.World) string {
			obs := w.Observe(t.Context(), engine.Look{Run: "r1"})
			for _, id := range []facts.ID{facts.GwExists, facts.GwQTotal, facts.LedgerUnaccounted, facts.RouteUncovered} {
				if f := obs.Facts[id]; f.Value != facts.Unknown || !strings.Contains(f.Why, "not answered by then") {
					t.Errorf("%s = %+v, want that it is unknown, and why", id, f)
				}
			}
			return obs.Facts[facts.GwMode].Why
		},
		"image": func(t *testing.T, w engine.World) string {
			_, _, err := w.Image(t.Context(), outbound())
			if err == nil {
				t.Error("Image of a gateway that hangs has no error")
			}
			return "ends after 2m0s"
		},
		"look": func(t *testing.T, w engine.World) string {
			if res := w.Look(t.Context(), outbound()); res.State != machine.InDoubt {
				t.Errorf("Look = %+v, want that nobody knows", res)
			}
			return "ends after 2m0s"
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := worldtest.Quick()
				l.Wrap = func(g gateway.Gateway) gateway.Gateway {
					return fault.Wrap(g, func(fault.Call) fault.Fault { return fault.Fault{Kind: fault.Hang} })
				}
				began := time.Now()
				words := look(t, l.World(bind(t, "q285090", nil)))
				if took := time.Since(began); took != 2*time.Minute || !strings.Contains(words, "ends after 2m0s") {
					t.Errorf("%s ends after %s and says %q, want two minutes", name, took, words)
				}
			})
		})
	}
}

func outbound() engine.Effect {
	return engine.Effect{
		Run: "r1", State: "outbound_only", Target: worldtest.East, Key: "r1/outbound_only/east", Action: machine.GatewayMode,
		Args: machine.Args{Mode: "outbound-only"}, Actor: "ann", Reason: "test",
	}
}
