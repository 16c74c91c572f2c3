package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// deaf is a runbook that goes on to the removal although its question was
// rejected or nobody answered it; the question before is always asked. Lint
// refuses it, so it is made by hand.
func deaf(t *testing.T) *runbook.Book {
	t.Helper()
	params := brief()
	params["decide_within"] = "2h"
	book := bindAnew(t, "q285090", params)
	def := book.Def
	before := *def.States[def.Find("settings_decision")].Approve
	before.When = machine.Here
	def.States[def.Find("settings_decision")].Approve = &before
	then := &def.States[def.Find("confirm")].Then
	then[machine.Rejected] = machine.Target(def.Find("remove"))
	then[machine.Expired] = then[machine.Rejected]
	return book
}

// TestANoVoidsWhatWasDecided: a removal that a runbook leads to after a no is not
// done, whatever else people agreed to.
func TestANoVoidsWhatWasDecided(t *testing.T) {
	for _, tt := range []struct {
		name string
		say  func(t *testing.T, e *engine.Engine)
		why  string
	}{
		{"rejected", func(t *testing.T, e *engine.Engine) {
			if err := e.Tell(t.Context(), engine.Command{Verb: engine.Reject, State: "confirm", Actor: "bob", Comment: "no"}); err != nil {
				t.Fatal(err)
			}
		}, "bob said no to confirm"},
		{"expired", func(*testing.T, *engine.Engine) { time.Sleep(121 * time.Minute) }, "nobody answered confirm in time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) bool {
				r := rigFor(t, deaf(t))
				r.answer = exceptAt("confirm")
				r.until(asks("confirm"), func(e *engine.Engine, _ engine.Status) {
					tt.say(t, e)
					s := settled(e)
					if s.State != "watch" {
						t.Errorf("after the no the run is in %s, %s, want it sent back to watch", s.State, s.Phase)
					}
					if i := slices.IndexFunc(s.Visits, func(v machine.Visit) bool { return v.State == "remove" }); i < 0 {
						t.Error("the run did not come to the removal")
					}
					if c, err := r.lab.East.Config(t.Context()); err != nil {
						t.Errorf("the gateway is gone: %+v, %v", c, err)
					}
				})
				var why []string
				for _, rec := range r.journalled() {
					if rec.Event.Kind == machine.Judged && rec.Detail.State == "remove" {
						why = append(why, rec.Detail.Why)
					}
				}
				if len(why) != 1 || !strings.HasPrefix(why[0], tt.why) {
					t.Errorf("the removal is refused because %q, want %q", why, tt.why)
				}
				return true
			})
		})
	}
}
