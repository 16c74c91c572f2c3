package world_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/gateway/fault"
	"example.org/ims/pkg/machine"
)

// TestWhatDoesNotMoveIsNamed: who is asked about mail that does not move sees
// each message that is held, and the command that lets it go.
func TestWhatDoesNotMoveIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, w, held := aged(t, func(fault.Call) fault.Fault { return fault.Fault{} })
		ev := w.Evidence(t.Context(), engine.Look{Run: "r1"}, []string{"gw"}, machine.SubjectExpiring)
		text := strings.Join(ev.Lines, "\n")
		for id := range held {
			if want := "ims queue release east " + id + " --reason "; !strings.Contains(text, want) {
				t.Errorf("%q is not in\n%s", want, text)
			}
		}
	})
}
