package engine_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	dns "example.org/ims/internal/dns/mem"
	"example.org/ims/internal/engine"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
	"example.org/ims/pkg/zone"
)

// TestAbortBetweenTargets aborts when the MX of one domain of two was moved:
// what was never touched needs no undo.
func TestAbortBetweenTargets(t *testing.T) {
	inBubble(t, func(t *testing.T) bool {
		const second = "branch." + worldtest.Domain
		r := newRig(t, "q285090", brief())
		b := worldtest.Binding(brief())
		b.Domains = append(b.Domains, second)
		book, mistakes := runbook.Bind(r.book.Doc, b)
		if mistakes != nil {
			t.Fatal(mistakes)
		}
		r.book = book
		mx := zone.NewMX(second, 300, zone.MX{Pref: 5, Host: "east." + worldtest.Domain})
		r.lab.Zone.Set(mx)
		r.lab.Zone.Inject(func(c zone.Change) dns.Fault {
			if c.New.Name == mx.Name {
				return dns.Cut
			}
			return dns.None
		})
		before, err := r.lab.Picture(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		told := false
		r.hold = func(s engine.Status) bool { return !s.Undoing && len(r.lab.Zone.Applied()) == 1 } // the abort comes before the second intent
		r.wants = func(engine.Status) bool { return !told && len(r.lab.Zone.Applied()) == 1 }
		r.answer = func(engine.Status) (engine.Command, bool) { told = true; return abort, true }
		outcome, err := r.life(t.Context())
		if err != nil || outcome != machine.Aborted {
			t.Fatalf("run ends %s, %v", outcome, err)
		}
		after, err := r.lab.Picture(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("world (-before +after):\n%s", diff)
		}
		if n := len(r.lab.Zone.Applied()); n != 2 {
			t.Errorf("%d changes of the zone, want one and its undo", n)
		}
		return true
	})
}
