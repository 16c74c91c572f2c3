package engine_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/zone"
)

// TestPause holds a run in its soak, across a crash of the runner: it goes on
// observing, earns the time that was quiet, and moves only when it is let.
func TestPause(t *testing.T) {
	inBubble(t, func(t *testing.T) bool {
		r := newRig(t, "q285090", brief())
		soaking := func(s engine.Status) bool { return s.State == "watch" && !s.Ends.IsZero() && len(s.Missing) == 0 }
		r.until(soaking, func(e *engine.Engine, _ engine.Status) {
			if err := e.Tell(t.Context(), engine.Command{Verb: engine.Pause, Actor: "ann"}); !errors.Is(err, engine.ErrRefused) {
				t.Errorf("pause without a reason: %v", err)
			}
			if err := e.Tell(t.Context(), engine.Command{Verb: engine.Pause, Actor: "ann", Comment: "freeze"}); err != nil {
				t.Error(err)
			}
		})
		paused := time.Now()
		// Longer than the soak and its time-out, in another life of the runner.
		r.until(func(engine.Status) bool { return time.Since(paused) > 3*time.Hour }, func(e *engine.Engine, s engine.Status) {
			if s.State != "watch" || s.Paused == nil || s.Paused.Reason != "freeze" || s.Action.Verb != engine.Unpause {
				t.Errorf("after three hours of pause: state %s, paused %+v, next %+v", s.State, s.Paused, s.Action)
			}
			if time.Since(s.Seen) > time.Hour {
				t.Errorf("last observed %s ago", time.Since(s.Seen))
			}
			if err := e.Tell(t.Context(), engine.Command{Verb: engine.Continue, Actor: "ann"}); !errors.Is(err, engine.ErrRefused) {
				t.Errorf("resume of a paused run: %v", err)
			}
			if err := e.Tell(t.Context(), engine.Command{Verb: engine.Unpause, Actor: "bob"}); err != nil {
				t.Error(err)
			}
		})
		h := r.fold()
		if h.Paused != nil || h.State.Phase == machine.Operating {
			t.Errorf("after the pause: paused %+v, phase %s, %s", h.Paused, h.State.Phase, h.State.Why)
		}
		r.started = nil
		outcome, err := r.life(t.Context())
		if err != nil || outcome != machine.Retired {
			t.Errorf("run ends %s, %v", outcome, err)
		}
		return true
	})
}

// TestPauseThenAbort: what was paused can be undone without going on first.
func TestPauseThenAbort(t *testing.T) {
	inBubble(t, func(t *testing.T) bool {
		r := newRig(t, "q285090", brief())
		r.until(func(s engine.Status) bool { return s.State == "accepting" }, func(e *engine.Engine, _ engine.Status) {
			for _, c := range []engine.Command{
				{Verb: engine.Pause, Actor: "ann", Comment: "wait for the network team"},
				{Verb: engine.Abort, Actor: "ann", Comment: "off"},
			} {
				if err := e.Tell(t.Context(), c); err != nil {
					t.Errorf("%s: %v", c.Verb, err)
				}
			}
		})
		r.started = nil
		if h := r.fold(); h.State.Phase != machine.Closed {
			if _, err := r.life(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if h := r.fold(); r.book.Def.Outcome(h.State) != machine.Aborted || h.Paused != nil {
			t.Errorf("run ends %s, paused %+v", r.book.Def.Outcome(h.State), h.Paused)
		}
		return true
	})
}

// TestUnknownClockTimesOut: an authority that is gone for good must not hold the
// run up for ever.
func TestUnknownClockTimesOut(t *testing.T) {
	inBubble(t, func(t *testing.T) bool {
		r := newRig(t, "q285090", brief())
		r.watch = func(s engine.Status) {
			if s.State == "accepting" {
				r.lab.Zone.Down(r.lab.Zone.Primary(), true)
			}
		}
		r.until(operating, func(_ *engine.Engine, s engine.Status) {
			if s.State != "accepting" || s.Why != "timeout" {
				t.Errorf("in %s, why %s", s.State, s.Why)
			}
		})
		return true
	})
}

// TestPauseBeforeAnEffect: a run that is paused between a guard and its effect
// judges the guard anew before it acts, however long it was paused.
func TestPauseBeforeAnEffect(t *testing.T) {
	inBubble(t, func(t *testing.T) bool {
		r := newRig(t, "q285090", brief())
		var paused atomic.Bool
		r.hold = func(s engine.Status) bool { return s.State == "close" && !paused.Load() } // the guard of close has passed
		r.until(func(s engine.Status) bool { return s.State == "close" }, func(e *engine.Engine, _ engine.Status) {
			if err := e.Tell(t.Context(), engine.Command{Verb: engine.Pause, Actor: "ann", Comment: "freeze"}); err != nil {
				t.Error(err)
			}
			paused.Store(true)
		})
		r.lab.Zone.Set(zone.NewMX(worldtest.Domain, 300, zone.MX{Pref: 10, Host: "east." + worldtest.Domain})) // close must not come now
		r.until(func(s engine.Status) bool { return s.Paused != nil }, func(e *engine.Engine, _ engine.Status) {
			if err := e.Tell(t.Context(), engine.Command{Verb: engine.Unpause, Actor: "ann"}); err != nil {
				t.Error(err)
			}
		})
		r.until(operating, func(_ *engine.Engine, s engine.Status) {
			c, err := r.lab.East.Config(t.Context())
			if err != nil || c.Stored.Refuse == gateway.RefuseClosed {
				t.Errorf("in %s, the port is %s although the MX leads here, %v", s.State, c.Stored.Refuse, err)
			}
		})
		return true
	})
}

// TestNote: what an operator did beside the run is in its journal, paused or not.
func TestNote(t *testing.T) {
	inBubble(t, func(t *testing.T) bool {
		r := newRig(t, "q285090", brief())
		r.until(func(s engine.Status) bool { return s.State == "accepting" }, func(e *engine.Engine, _ engine.Status) {
			for _, c := range []engine.Command{
				{Verb: engine.Pause, Actor: "ann", Comment: "wait"},
				{Verb: engine.Note, Actor: "bob", Comment: "2 messages held: the host is gone"},
			} {
				if err := e.Tell(t.Context(), c); err != nil {
					t.Errorf("%s: %v", c.Verb, err)
				}
			}
			if err := e.Tell(t.Context(), engine.Command{Verb: engine.Note, Actor: "bob"}); !errors.Is(err, engine.ErrRefused) {
				t.Errorf("a note that says nothing: %v", err)
			}
		})
		found := false
		for _, rec := range r.journalled() {
			found = found || rec.Kind == machine.Noted && rec.Detail.Actor == "bob" && rec.Detail.State == "accepting"
		}
		if !found {
			t.Error("the journal does not have the note")
		}
		return true
	})
}
