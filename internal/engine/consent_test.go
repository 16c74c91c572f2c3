package engine_test

import (
	"fmt"
	"slices"
	"testing"

	"example.org/ims/internal/engine"
	"example.org/ims/pkg/gateway"
)

// TestConsentCoversWhatWasNamed: consent for the address spaces that nobody else
// had is none for a space that came to be uncovered later.
func TestConsentCoversWhatWasNamed(t *testing.T) {
	inBubble(t, func(t *testing.T) bool {
		r := newRig(t, "q285090", brief())
		spaces := func(g gateway.Gateway, list ...gateway.Space) {
			t.Helper()
			if _, err := g.Apply(t.Context(), gateway.Change{Key: fmt.Sprint("operator/", list), Want: gateway.Want{Spaces: &list}}); err != nil {
				t.Fatal(err)
			}
		}
		all := gateway.Space{Type: "SMTP", Pattern: "*", Cost: 1}
		own := gateway.Space{Type: "SMTP", Pattern: "*@own.test", Cost: 1}
		late := gateway.Space{Type: "SMTP", Pattern: "*@late.test", Cost: 1}
		spaces(r.lab.West, own)
		spaces(r.lab.East, all)
		added := false
		r.watch = func(s engine.Status) {
			if s.State == "quiet" && !added {
				added = true
				spaces(r.lab.East, all, late)
			}
		}
		r.until(func(s engine.Status) bool { return operating(s) && s.State == "remove_spaces" }, func(_ *engine.Engine, s engine.Status) {
			c, err := r.lab.East.Config(t.Context())
			if err != nil || !slices.Contains(c.Spaces, late) {
				t.Errorf("a space was taken away that nobody was asked about: %v, %v", c.Spaces, err)
			}
			if s.Facts["run.granted.ndr_no_route"] != "false" {
				t.Errorf("the consent still counts: %v", s.Facts["run.granted.ndr_no_route"])
			}
		})
		return true
	})
}
