package engine_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
)

// blinded is a world in which facts cannot be read while blind says so.
type blinded struct {
	engine.World
	ids   []facts.ID
	blind func() bool
}

func (b blinded) Observe(ctx context.Context, look engine.Look) engine.Observation {
	obs := b.World.Observe(ctx, look)
	if !b.blind() {
		return obs
	}
	for _, id := range b.ids {
		obs.Facts.Put(facts.Fact{ID: id, Value: facts.Unknown, At: obs.At, Source: "test", Why: "the index is being rebuilt"})
	}
	return obs
}

// TestUnknownGuardKeepsTheSoak: a fact that cannot be read when the gateway is
// about to be removed is for a person, who is told which and why; it does not
// void the soak, which was quiet.
func TestUnknownGuardKeepsTheSoak(t *testing.T) {
	inBubble(t, func(t *testing.T) bool {
		r := newRig(t, "q285090", brief())
		var mended atomic.Bool
		r.around = func(w engine.World) engine.World {
			return blinded{w, []facts.ID{facts.GwSideCorrupt}, func() bool {
				return !mended.Load() && slices.ContainsFunc(r.journalled(), func(rec machine.Record) bool {
					return rec.Event.Kind == machine.Answered && rec.Detail.State == "confirm"
				})
			}}
		}
		r.until(operating, func(e *engine.Engine, s engine.Status) {
			if s.State != "remove" || s.Why != machine.Unsure.String() || len(s.Missing) != 1 {
				t.Errorf("in %s, why %s, missing %+v", s.State, s.Why, s.Missing)
			} else if m := s.Missing[0]; m.Verdict != "unknown" || !strings.Contains(m.Why, "cannot be observed: gw.side.corrupt: the index is being rebuilt") {
				t.Errorf("what is missing is %+v", m)
			}
			mended.Store(true)
			if err := e.Tell(t.Context(), engine.Command{Verb: engine.Continue, Actor: "ann"}); err != nil {
				t.Error(err)
			}
		})
		r.started = nil
		if h := r.fold(); h.State.Phase != machine.Closed {
			if _, err := r.life(t.Context()); err != nil {
				t.Error(err)
			}
		}
		h := r.fold()
		if way := path(h.Visits); r.book.Def.Outcome(h.State) != machine.Retired || strings.Count(way, "watch") != 1 {
			t.Errorf("run ends %s: %s", r.book.Def.Outcome(h.State), way)
		}
		return true
	})
}

// TestUnknownIsNoStall: a count that nobody can read for longer than a stall
// takes has not stood still. The soak earns nothing meanwhile, says why, and
// goes on where it was; one that cannot be read for good times out.
func TestUnknownIsNoStall(t *testing.T) {
	for _, tt := range []struct {
		name  string
		blind time.Duration
	}{{"for a while", 9 * time.Hour}, {"for good", 1000 * time.Hour}} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) bool {
				params := brief()
				params["watch"], params["stalled_after"], params["patience"], params["poll"] = "6h", "2h", "24h", "10m"
				r := newRig(t, "q285090", params)
				r.answer = exceptAt("confirm")
				var began atomic.Pointer[time.Time]
				since := func() time.Duration {
					if began.Load() == nil {
						return 0
					}
					return time.Since(*began.Load())
				}
				r.around = func(w engine.World) engine.World {
					blind := func() bool { return since() > 3*time.Hour && since() < 3*time.Hour+tt.blind }
					return blinded{w, []facts.ID{facts.GwQTotal, facts.LedgerPresent}, blind}
				}
				r.watch = func(s engine.Status) {
					if s.State == "watch" && !s.Ends.IsZero() && began.Load() == nil {
						now := time.Now()
						began.Store(&now)
					}
				}
				r.until(func(s engine.Status) bool { return operating(s) || s.Asked != nil }, func(_ *engine.Engine, s engine.Status) {
					if tt.blind < 24*time.Hour {
						if s.State != "confirm" || since() < 15*time.Hour || since() > 16*time.Hour {
							t.Errorf("after %s in %s, %s %s", since(), s.State, s.Phase, s.Why)
						}
						return
					}
					if s.State != "watch" || s.Why != machine.Timeout.String() {
						t.Errorf("after %s in %s, why %s", since(), s.State, s.Why)
					}
				})
				return true
			})
		})
	}
}
