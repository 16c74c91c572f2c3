package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/check"
)

// TestBreaksSaysNotNeededOnlyWhereItIsTrue: a state that something needs is not
// called needless because its place does not matter.
func TestBreaksSaysNotNeededOnlyWhereItIsTrue(t *testing.T) {
	const (
		needless, repeated = "nothing breaks: not needed for any property that is checked", "nothing breaks, because guards elsewhere repeat it"
		anyOrder           = "nothing breaks: the order of the two does not matter for any property that is checked"
	)
	s1 := []check.Finding{{ID: "S1"}, {ID: "L1"}}
	for name, tt := range map[string]struct {
		without, bare, swapped check.Experiment
		want                   [3]string
	}{
		"needed":    {check.Experiment{Broken: s1}, check.Experiment{Broken: s1}, check.Experiment{}, [3]string{"S1, L1 break", "S1, L1 break", anyOrder}},
		"repeated":  {check.Experiment{}, check.Experiment{Broken: s1}, check.Experiment{Broken: s1}, [3]string{repeated, "S1, L1 break", "S1, L1 break"}},
		"needless":  {check.Experiment{}, check.Experiment{}, check.Experiment{}, [3]string{needless, needless, anyOrder}},
		"not tried": {check.Experiment{Cannot: "x"}, check.Experiment{}, check.Experiment{Cannot: "y"}, [3]string{"cannot be tried: x", "nothing breaks", "cannot be tried: y"}},
	} {
		tt.swapped.Order = true
		need := &check.Need{Variants: []check.Experiment{tt.without, tt.bare, tt.swapped}}
		var got [3]string
		for i := range got {
			got[i] = breaks(need, i)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
