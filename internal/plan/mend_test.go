package plan_test

import (
	"testing"

	"example.org/ims/internal/plan"
)

// TestUnreadSaysWhichEditHelps: where the configuration lacks what an effect is
// about, looking again helps nobody.
func TestUnreadSaysWhichEditHelps(t *testing.T) {
	in := plan.Input{Book: book(t, "q285090"), Facts: live(nil), Now: now, Before: before()}
	in.Before.Words = map[string]string{"hold_aged/east": "unknown: it has no name", "move_dependents/east": "unknown: the service does not answer"}
	in.Before.Mends = map[string]string{"hold_aged/east": "add drain: {name: NAME} to gateways.east of ims.yaml"}
	got := map[string]string{}
	for _, c := range failing(plan.Make(in)) {
		got[c.ID] = c.Fix
	}
	for id, want := range map[string]string{"hold_aged.before.east": in.Before.Mends["hold_aged/east"], "move_dependents.before.east": "ims facts east"} {
		if got[id] != want {
			t.Errorf("fix of %s is %q, want %q", id, got[id], want)
		}
	}
}
