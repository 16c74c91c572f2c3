package engine_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/gateway/fault"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// hang makes every gateway hang from the moment at which the run comes to a
// state; the function that it returns says since when.
func (r *rig) hang(state string) (since func() time.Time) {
	var mu sync.Mutex
	var at time.Time
	r.lab.Wrap = func(g gateway.Gateway) gateway.Gateway {
		return fault.Wrap(g, func(fault.Call) fault.Fault {
			mu.Lock()
			defer mu.Unlock()
			if at.IsZero() {
				return fault.Fault{}
			}
			return fault.Fault{Kind: fault.Hang}
		})
	}
	r.watch = func(s engine.Status) {
		mu.Lock()
		defer mu.Unlock()
		if s.State == state && at.IsZero() {
			at = time.Now()
		}
	}
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return at
	}
}

// aLook is what an observation of a gateway that hangs takes at most.
const aLook = 2 * time.Minute

// TestARunsOwnTimeFiresAlthoughItsGatewayHangs: a person is asked after the time
// that the runbook says, and a look later at the latest.
func TestARunsOwnTimeFiresAlthoughItsGatewayHangs(t *testing.T) {
	inBubble(t, func(t *testing.T) int {
		r := newRig(t, "q285090", brief())
		since := r.hang("accepting")
		var limit, asked time.Time
		r.until(func(s engine.Status) bool {
			if s.State == "accepting" && s.Phase == machine.Judging.String() && limit.IsZero() {
				limit = s.Limit
			}
			asked = time.Now()
			return s.Phase == machine.Operating.String()
		}, func(_ *engine.Engine, s engine.Status) {
			if s.State != "accepting" || s.Why != machine.Timeout.String() || limit.IsZero() || asked.After(limit.Add(aLook)) {
				t.Errorf("silent since %s, to be raised at %s, raised at %s: %s, %s", since(), limit, asked, s.State, s.Why)
			}
		})
		return 0
	})
}

// TestAnAbortIsHeardWhileTheGatewayHangs: whoever aborts does not wait for the
// look, and learns that the undo waits for the gateway.
func TestAnAbortIsHeardWhileTheGatewayHangs(t *testing.T) {
	inBubble(t, func(t *testing.T) int {
		r := newRig(t, "q285090", brief())
		r.hang("drain")
		r.until(func(s engine.Status) bool { return s.State == "drain" && s.Phase == machine.Judging.String() }, func(e *engine.Engine, _ engine.Status) {
			time.Sleep(time.Minute / 2) // into a look
			began := time.Now()
			if err := e.Tell(t.Context(), engine.Command{Verb: engine.Abort, Actor: "ann"}); err != nil || time.Since(began) > time.Second {
				t.Errorf("abort: %v after %s, want that it is heard within a second", err, time.Since(began))
			}
			statuses, end := e.Subscribe()
			defer end()
			for s := range statuses {
				if s.Phase == machine.Closed.String() {
					t.Errorf("the run ended %s", s.Outcome)
					return
				}
				if s.Undoing && s.Phase == machine.Operating.String() {
					if s.Cause == nil || !strings.Contains(s.Cause.Why, context.DeadlineExceeded.Error()) && !strings.Contains(s.Cause.Why, "not answered by then") {
						t.Errorf("the undo waits because of %+v, want that the gateway does not answer", s.Cause)
					}
					return
				}
			}
		})
		return 0
	})
}
