package engine_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/gateway/mem"
	"example.org/ims/internal/journal"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// guarded looks at the gateway after every undo: none of them may leave it
// where it cannot move what it has or gets.
type guarded struct {
	gateway.Gateway
	gateway.Queues
	gateway.Tracker
	gateway.Router
	gateway.ClientLog
	after func(gateway.Change)
}

func guard(g gateway.Gateway, after func(gateway.Change)) gateway.Gateway {
	return &guarded{g, g.(gateway.Queues), g.(gateway.Tracker), g.(gateway.Router), g.(gateway.ClientLog), after}
}

func (g *guarded) Apply(ctx context.Context, c gateway.Change) (gateway.Op, error) {
	op, err := g.Gateway.Apply(ctx, c)
	g.after(c)
	return op, err
}

// busy is a rig whose users write all the time, also to a destination that
// defers three times.
func busy(t *testing.T, name string) *rig {
	params := brief()
	params["stalled_after"], params["patience"] = "4h", "8h"
	r := newRig(t, name, params)
	r.lab.Org.OnHandover(func(h mem.Handover) mem.Answer {
		if h.Dest == "slow.test" && h.Attempt < 3 {
			return mem.Answer{Code: 450, Text: "later"}
		}
		return mem.Answer{}
	})
	r.lab.Wrap = func(g gateway.Gateway) gateway.Gateway {
		return guard(g, func(c gateway.Change) {
			if strings.HasSuffix(c.Key, "/undo") {
				r.safe(c.Key)
			}
		})
	}
	return r
}

// safe checks what must hold in every step of an abort.
func (r *rig) safe(when string) {
	r.t.Helper()
	ctx := context.Background()
	c, err := r.lab.East.Config(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	census, err := r.lab.East.Census(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	total, _ := census.Total()
	moves := c.Running && (c.Effective.Mode == gateway.InboundOutbound || c.Effective.Mode == gateway.OutboundOnly)
	if !moves && (len(c.Spaces)+len(c.Sites) > 0 || total > 0) {
		r.t.Errorf("after %s: running %v, mode %s, with %d spaces, %d sites and %d messages", when, c.Running, c.Effective.Mode, len(c.Spaces), len(c.Sites), total)
	}
	rr, err := r.lab.Zone.Read(ctx, worldtest.Domain, "MX")
	if err != nil {
		r.t.Fatal(err)
	}
	if rr.NamesHost(c.Hostname) && r.lab.East.Reply() != 250 {
		r.t.Errorf("after %s: the MX leads to a gateway that answers %d", when, r.lab.East.Reply())
	}
}

// write lets users write until ctx ends.
func (r *rig) write(ctx context.Context, wg *sync.WaitGroup) {
	wg.Go(func() {
		for i := 0; ; i++ {
			to := []string{"a@far.test", "b@near.test", "c@slow.test"}[i%3]
			r.lab.Org.Send(mem.Mail{From: "u@example.test", Rcpts: []string{to}})
			select {
			case <-ctx.Done():
				return
			case <-time.After(50 * time.Second):
			}
		}
	})
}

var abort = engine.Command{Verb: engine.Abort, Actor: "ann"}

// abortFrom aborts a run once it is in a state: while it waits there, before
// the state's effect, or when nobody knows whether the effect happened.
func abortFrom(t *testing.T, name, state string, doubt bool, crash func(r *rig)) {
	r := busy(t, name)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	before, err := r.lab.Picture(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	r.live(ctx, &wg)
	users, quit := context.WithCancel(ctx)
	r.write(users, &wg)
	r.enter(state, doubt, crash)
	outcome, err := r.life(ctx)
	for range 5 {
		if errors.Is(err, errCrashed) {
			if doubt && r.first == nil && crash == nil {
				t.Fatal("crashed twice")
			}
			outcome, err = r.life(ctx)
		}
	}
	if err != nil && !errors.Is(err, journal.ErrClosed) {
		t.Fatalf("abort from %s: %v", state, err)
	}
	if err == nil && outcome != machine.Aborted {
		t.Errorf("abort from %s ends %s", state, outcome)
	}
	r.aborted(ctx, quit, before, state)
	cancel()
	wg.Wait()
}

// enter arranges that the abort is told in a state.
func (r *rig) enter(state string, doubt bool, crash func(r *rig)) {
	here := func(s engine.Status) bool { return s.State == state && !s.Undoing }
	r.answer = func(s engine.Status) (engine.Command, bool) {
		if !here(s) {
			return yes(s)
		}
		if crash != nil {
			crash(r)
			crash = nil
		}
		return abort, true
	}
	r.wants = func(s engine.Status) bool { return asked(s) || here(s) }
	r.hold = here
	if doubt {
		r.wants, r.answer, r.hold = asked, yes, nil
		r.between = func(e engine.Effect) {
			if e.State == state {
				r.between, r.first = nil, &engine.Command{Verb: engine.Abort, Actor: "ann"}
				runtime.Goexit()
			}
		}
	}
}

// aborted checks the world after an abort.
func (r *rig) aborted(ctx context.Context, quit func(), before, state string) {
	r.t.Helper()
	after, err := r.lab.Picture(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		r.t.Errorf("abort from %s: the world (-before +after):\n%s", state, diff)
	}
	quit()
	for range 16 { // what is queued has the time it needs, four hours at most
		time.Sleep(15 * time.Minute)
		census, err := r.lab.East.Census(ctx)
		if err != nil {
			r.t.Fatal(err)
		}
		if n, ok := census.Total(); ok && n == 0 {
			return
		}
	}
	r.t.Errorf("abort from %s strands messages", state)
}

// TestAbortFromEveryState aborts both procedures in every state before the
// point of no return: the configuration is what it was, nothing is stranded,
// and no step on the way back leaves mail where it cannot move.
func TestAbortFromEveryState(t *testing.T) {
	for _, name := range books {
		t.Run(name, func(t *testing.T) {
			def := bind(t, name, nil).Def
			for _, st := range def.States {
				if st.ID == "remove" {
					break
				}
				for _, doubt := range []bool{false, true} {
					if skip(st, doubt) {
						continue
					}
					t.Run(fmt.Sprintf("%s,doubt=%v", st.ID, doubt), func(t *testing.T) {
						inBubble(t, func(t *testing.T) bool { abortFrom(t, name, st.ID, doubt, nil); return true })
					})
				}
			}
		})
	}
}

// skip leaves out what this run does not come to: states that are passed in no
// time, and help that is not needed.
func skip(st machine.StateDef, doubt bool) bool {
	switch {
	case st.Kind == machine.KindAssert, st.Approve != nil && st.Approve.When != machine.Here && st.ID != "flush_consent":
		return true
	case strings.HasSuffix(st.ID, "_help"), st.ID == "return_rest", st.ID == "refusing":
		return true
	case strings.HasSuffix(st.ID, "_aged") && st.ID != "hold_aged": // nothing here is that old
		return true
	}
	return doubt && st.Kind != machine.KindDo
}

// TestCrashWhileAborting ends the engine at every commit of an abort.
func TestCrashWhileAborting(t *testing.T) {
	for name, commits := range map[string]int{"q285090": 11, "eleven-steps": 15} {
		t.Run(name, func(t *testing.T) {
			atCommits(t, 0, commits-1, func(t *testing.T, n int, after bool) {
				inBubble(t, func(t *testing.T) bool {
					abortFrom(t, name, "watch", false, func(r *rig) {
						r.crashAt(r.committed()+2+n, after) // after that of the abort itself
					})
					return true
				})
			})
		})
	}
}
