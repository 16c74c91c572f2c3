package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/journal"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// TestAQuestionSaysThatItsConditionHasGone: where it is shown, by the runner and
// by the journal alone, and as it was once the condition is back, which an answer
// to what was shown before does not cover. While it is gone, one approval is
// enough.
func TestAQuestionSaysThatItsConditionHasGone(t *testing.T) {
	const gone = "What this is about has gone: route.uncovered > 0 does not hold any more. Approve, and the run goes on. It was asked: Mail for"
	inBubble(t, func(t *testing.T) bool {
		r := newRig(t, "q285090", brief())
		n := 0
		west := func(pattern string) {
			t.Helper()
			n++
			list := []gateway.Space{{Type: "SMTP", Pattern: pattern, Cost: 1}}
			if _, err := r.lab.West.Apply(t.Context(), gateway.Change{Key: fmt.Sprint("operator/", n), Want: gateway.Want{Spaces: &list}}); err != nil {
				t.Fatal(err)
			}
		}
		west("*@own.test")
		r.answer = exceptAt("consent_no_route")
		r.until(asks("consent_no_route"), func(e *engine.Engine, s engine.Status) {
			if s.Moot != "" || strings.Contains(s.Asked.Comment, "gone") {
				t.Errorf("a question that is true says %q, %q", s.Moot, s.Asked.Comment)
			}
			west("*")
			time.Sleep(5 * time.Minute)
			s = settled(e)
			told := engine.New(engine.Options{Book: r.book, Run: journal.Run{ID: runID}}, r.journalled()).Status()
			for _, s := range []engine.Status{s, told} {
				if s.Moot != "route.uncovered > 0" || !strings.HasPrefix(s.Asked.Comment, gone) || s.Action.What != s.Asked.Comment {
					t.Errorf("the condition has gone: %q, %q, next %q", s.Moot, s.Asked.Comment, s.Action.What)
				}
			}
			west("*@own.test")
			time.Sleep(5 * time.Minute)
			if s = settled(e); s.Moot != "" || strings.Contains(s.Asked.Comment, "gone") {
				t.Errorf("the condition is back: %q, %q", s.Moot, s.Asked.Comment)
			}
			say := engine.Command{Verb: engine.Approve, State: "consent_no_route", Actor: "ann"}
			if err := e.Tell(t.Context(), say); !errors.Is(err, engine.ErrRefused) {
				t.Errorf("an answer to what was shown before: %v, want it refused", err)
			}
			west("*")
			time.Sleep(5 * time.Minute)
			if err := e.Tell(t.Context(), say); err != nil {
				t.Errorf("one approval is not enough: %v", err)
			}
			if s = settled(e); s.State == "consent_no_route" {
				t.Errorf("still asks: %+v", s.Asked)
			}
		})
		asked := 0
		for _, rec := range r.journalled() {
			if rec.Kind == machine.Asked && rec.Detail.State == "consent_no_route" {
				asked++
			}
		}
		if asked != 4 {
			t.Errorf("the question was put %d times, want 4: as its condition goes, and for an answer that comes late", asked)
		}
		return true
	})
}

// TestAnApprovalOfWhatHasGoneSaysSo: one that comes before the next look is
// refused, and says that the next is enough.
func TestAnApprovalOfWhatHasGoneSaysSo(t *testing.T) {
	inBubble(t, func(t *testing.T) bool {
		r := newRig(t, "q285090", brief())
		r.answer = exceptAt("consent_no_route")
		west := func(pattern string) {
			t.Helper()
			list := []gateway.Space{{Type: "SMTP", Pattern: pattern, Cost: 1}}
			if _, err := r.lab.West.Apply(t.Context(), gateway.Change{Key: "operator/" + pattern, Want: gateway.Want{Spaces: &list}}); err != nil {
				t.Fatal(err)
			}
		}
		west("*@own.test")
		r.until(asks("consent_no_route"), func(e *engine.Engine, _ engine.Status) {
			settled(e)
			west("*")
			say := engine.Command{Verb: engine.Approve, State: "consent_no_route", Actor: "ann"}
			if err := e.Tell(t.Context(), say); err == nil || !strings.Contains(err.Error(), "has gone since; approve again, and the run goes on") {
				t.Errorf("the first approval: %v", err)
			}
			if err := e.Tell(t.Context(), say); err != nil {
				t.Errorf("the second: %v", err)
			}
		})
		return true
	})
}
