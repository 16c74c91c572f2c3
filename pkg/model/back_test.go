package model_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// TestDryRunComesBack checks that undoing every effect, the newest first, leads
// the dry run's world back to the facts of its start.
func TestDryRunComesBack(t *testing.T) {
	for _, b := range machine.AllBegins() {
		for _, start := range model.CIBounds().Starts(b) {
			v := start.World.Facts(model.Params{})
			s, _ := model.Seed(&v)
			begin := s.Facts()
			var was []model.State
			undoable := effects[:len(effects)-4] // nor can a stop and a restart in one be told apart
			for _, e := range undoable {
				was = append(was, s)
				s = s.Do(e.action, e.args)
			}
			for i := len(undoable) - 1; i >= 0; i-- {
				s = s.Undo(undoable[i].action, undoable[i].args, was[i])
			}
			after := s.Facts()
			for _, id := range facts.All() {
				if diff := cmp.Diff(id.Format(begin[id]), id.Format(after[id])); diff != "" {
					t.Errorf("%s: %s (-before +after):\n%s", start.Words, id, diff)
				}
			}
		}
	}
}
