package engine_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/journal"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// broken is a world in which an effect ends as it is told, done or not.
type broken struct {
	engine.World
	state  string
	result engine.Result
}

func (b broken) Perform(ctx context.Context, e engine.Effect) engine.Result {
	if e.State == b.state {
		return b.result
	}
	return b.World.Perform(ctx, e)
}

func (b broken) Look(ctx context.Context, e engine.Effect) engine.Result {
	if e.State == b.state {
		return b.result
	}
	return b.World.Look(ctx, e)
}

// TestTheReasonIsKept: whoever is waited for is told why in the words of what
// led there, by the runner and by the journal alone.
func TestTheReasonIsKept(t *testing.T) {
	for _, tt := range []struct {
		name   string
		result engine.Result
		why    string // the result
		want   string
	}{
		{"refused", engine.Result{State: machine.Refused, Why: "address space SMTP:*@a.test would be given to nobody"}, "fail", "east: address space SMTP:*@a.test would be given to nobody"},
		{"in doubt", engine.Result{State: machine.InDoubt, Why: "the service does not answer"}, "unknown", "east: the service does not answer"},
		{"never done", engine.Result{State: machine.NotDone}, "unknown", "east: nobody can say whether it happened: the attempt ended not-done"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) bool {
				r := newRig(t, "q285090", brief())
				r.around = func(w engine.World) engine.World { return broken{w, "outbound_only", tt.result} }
				r.until(operating, func(_ *engine.Engine, s engine.Status) {
					c := s.Because()
					if s.State != "outbound_only" || s.Why != tt.why || c == nil || c.Words() != tt.want {
						t.Fatalf("in %s, why %s: %+v, want %s", s.State, s.Why, c, tt.want)
					}
				})
				records := r.journalled()
				told := engine.New(engine.Options{Book: r.book, Run: journal.Run{ID: runID}}, records).Status()
				if c := told.Because(); c == nil || c.Words() != tt.want || c.At.IsZero() {
					t.Errorf("the journal alone says %+v", c)
				}
				return true
			})
		})
	}
}

// TestAGuardThatLedThereSaysWhatHelps: with its fix, also once it holds.
func TestAGuardThatLedThereSaysWhatHelps(t *testing.T) {
	inBubble(t, func(t *testing.T) bool {
		r := newRig(t, "q285090", brief())
		stop := gateway.Stopped
		if _, err := r.lab.West.Apply(t.Context(), gateway.Change{Key: "stop", Actor: "bob", Reason: "test", Want: gateway.Want{Running: &stop}}); err != nil {
			t.Fatal(err)
		}
		r.until(operating, func(_ *engine.Engine, s engine.Status) {
			want := &engine.Cause{At: s.Cause.At, Why: "inbound mail needs somewhere to go before its MX is moved", Fix: "ims gateway show " + worldtest.West}
			if diff := cmp.Diff(want, s.Cause); diff != "" || s.State != "ready" {
				t.Errorf("in %s (-want +got):\n%s", s.State, diff)
			}
			if s.Because() != nil {
				t.Error("the same is said twice: by what is missing, and by what led there")
			}
		})
		return true
	})
}
