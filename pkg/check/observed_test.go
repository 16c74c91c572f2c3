package check_test

import (
	"strings"
	"testing"

	"example.org/ims/pkg/check"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// TestFromObservedFacts checks runbooks from one world, told as facts: what it
// has decides, and nothing else.
func TestFromObservedFacts(t *testing.T) {
	v := briefest().Starts(machine.BeginsServing)[0].World.Facts(model.Params{})
	v[facts.MxHere], v[facts.MxWanted], v[facts.MxPrimaryWanted], v[facts.MxExpired] = 0, 1, 1, 1
	for _, tt := range []struct {
		name    string
		change  func()
		verdict check.Verdict
		assumed string
	}{
		{"no MX leads here", func() {}, check.Proved, "the form of refusing"},
		{"whether an MX leads here is not known", func() { v[facts.MxHere] = facts.Unknown }, check.Violated, "mx.here is not known"},
	} {
		tt.change()
		b := known(t, "folk-stop-delete")
		o := check.Options{Bounds: briefest(), Until: []string{"S2a"}}
		if err := o.From(&v, b); err != nil {
			t.Fatal(err)
		}
		res, err := check.Run(t.Context(), b, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range res.Properties {
			if p.ID == "S2a" && p.Verdict != tt.verdict {
				t.Errorf("%s: S2a is %s, want %s", tt.name, p.Verdict, tt.verdict)
			}
		}
		if !strings.Contains(strings.Join(res.Assumptions, "\n"), tt.assumed) {
			t.Errorf("%s: it does not say that it assumed %q: %q", tt.name, tt.assumed, res.Assumptions)
		}
	}
	v = facts.UnknownVector()
	if err := (&check.Options{Bounds: briefest()}).From(&v, known(t, "folk-stop-delete")); err == nil {
		t.Error("a check begins although nothing is known")
	}
}
