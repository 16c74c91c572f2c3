package engine_test

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/pkg/gateway"
)

// TestDecisionsAreBoundToTheVerdictsShown: a verdict that turns between the
// question and its answer puts the question anew, although every config fact
// is as it was.
func TestDecisionsAreBoundToTheVerdictsShown(t *testing.T) {
	inBubble(t, func(t *testing.T) bool {
		r := newRig(t, "q285090", brief())
		r.answer = exceptAt("confirm")
		r.until(asks("confirm"), func(e *engine.Engine, s engine.Status) {
			corrupt := func(verdict string) bool {
				return slices.ContainsFunc(settled(e).Asked.Evidence, func(l string) bool {
					return strings.HasPrefix(l, verdict+": ") && strings.Contains(l, "gw.side.corrupt == 0")
				})
			}
			if !corrupt("pass") {
				t.Errorf("the question shows no verdict of what must hold before the removal: %q", s.Asked.Evidence)
			}
			r.lab.East.Blind(gateway.Corrupt, "the index is damaged")
			say := engine.Command{Verb: engine.Approve, State: "confirm", Actor: "ann"}
			if err := e.Tell(t.Context(), say); !errors.Is(err, engine.ErrRefused) || !strings.Contains(err.Error(), "changed") {
				t.Errorf("an answer to a verdict that has turned: %v", err)
			}
			now := settled(e)
			if now.Asked == nil || now.Asked.Digest == s.Asked.Digest || !corrupt("unknown") {
				t.Errorf("the question was not put anew: %+v", now.Asked)
			}
			r.lab.East.Blind(gateway.Corrupt, "")
			if err := e.Tell(t.Context(), say); !errors.Is(err, engine.ErrRefused) {
				t.Errorf("an answer after it turned back: %v", err)
			}
			if again := settled(e); again.Asked == nil || again.Asked.Digest != s.Asked.Digest {
				t.Errorf("the same world has another digest: %+v", again.Asked)
			}
			if err := e.Tell(t.Context(), say); err != nil {
				t.Errorf("an answer to what is shown: %v", err)
			}
		})
		return true
	})
}

// TestDecisionsGrowOld: what cannot be undone is not done on a decision that is
// older than its question may be.
func TestDecisionsGrowOld(t *testing.T) {
	inBubble(t, func(t *testing.T) bool {
		params := brief()
		params["decide_within"] = "2h"
		r := newRig(t, "q285090", params)
		var reached atomic.Pointer[time.Time]
		r.hold = func(s engine.Status) bool { // somebody pauses the run just then
			if s.State != "remove" {
				return false
			}
			now := time.Now()
			reached.CompareAndSwap(nil, &now)
			return time.Since(*reached.Load()) < 3*time.Hour
		}
		gone := func(s engine.Status) bool { // a status of before may still be on its way at that instant
			at := reached.Load()
			return at != nil && time.Since(*at) > time.Hour && s.State != "remove"
		}
		r.until(gone, func(_ *engine.Engine, s engine.Status) {
			if s.State != "watch" {
				t.Errorf("after a decision of 3h ago the run goes to %s, want back to watch", s.State)
			}
		})
		return true
	})
}
