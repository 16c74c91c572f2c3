package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/check"
)

// TestBreaksSaysNotNeededOnlyWhereItIsTrue: a state that something needs is not
// called needless because its place does not matter, or because guards repeat it.
func TestBreaksSaysNotNeededOnlyWhereItIsTrue(t *testing.T) {
	const (
		needless = "nothing breaks: not needed for any property that is checked"
		anyOrder = "nothing breaks: the order of the two does not matter for any property that is checked"
		keep     = "; the guards elsewhere that repeat it keep "
	)
	s1, l3 := check.Finding{ID: "S1"}, check.Finding{ID: "L3"}
	breaking := func(part check.Part, all ...check.Finding) check.Experiment {
		return check.Experiment{Part: part, Broken: all}
	}
	swapped := breaking(check.PartOrder)
	for name, tt := range map[string]struct {
		variants []check.Experiment
		want     []string
	}{
		"needed":     {[]check.Experiment{breaking(check.PartState, s1, l3), breaking(check.PartMeasure, s1, l3), swapped}, []string{"S1, L3 break", "S1, L3 break", anyOrder}},
		"repeated":   {[]check.Experiment{breaking(check.PartState), breaking(check.PartMeasure, s1), breaking(check.PartOrder, s1)}, []string{"nothing breaks" + keep + "S1", "S1 breaks", "S1 breaks"}},
		"and kept":   {[]check.Experiment{breaking(check.PartState, l3), breaking(check.PartMeasure, s1, l3)}, []string{"L3 breaks" + keep + "S1", "S1, L3 break"}},
		"needless":   {[]check.Experiment{breaking(check.PartState), breaking(check.PartMeasure), swapped}, []string{needless, needless, anyOrder}},
		"its undo":   {[]check.Experiment{breaking(check.PartState), breaking(check.PartMeasure), breaking(check.PartUndo, s1)}, []string{"nothing breaks", "nothing breaks", "S1 breaks"}},
		"not tried":  {[]check.Experiment{{Part: check.PartState, Cannot: "x"}, breaking(check.PartMeasure)}, []string{"cannot be tried: x", "nothing breaks"}},
		"last, swap": {[]check.Experiment{breaking(check.PartState), breaking(check.PartMeasure), {Part: check.PartOrder, Cannot: "y"}}, []string{needless, needless, "cannot be tried: y"}},
	} {
		need := &check.Need{Variants: tt.variants}
		var got []string
		for _, e := range need.Variants {
			got = append(got, breaks(need, e))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
