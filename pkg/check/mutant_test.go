package check_test

import (
	"slices"
	"testing"

	"example.org/ims/pkg/check"
	"example.org/ims/pkg/model"
)

// brief bounds are enough to kill a mutant.
func brief() model.Bounds {
	b := model.CIBounds()
	b.Attempts, b.Plain = 1, true
	return b
}

// ci are the bounds of every commit.
func ci() model.Bounds {
	if raced {
		return briefest()
	}
	return model.CIBounds()
}

// briefest leaves out reports and what cannot be converted.
func briefest() model.Bounds {
	b := brief()
	b.Reports, b.Bad = 0, false
	return b
}

func violated(t *testing.T, b *check.Runbook, bounds model.Bounds, until ...string) []string {
	t.Helper()
	res, err := check.Run(t.Context(), b, check.Options{Bounds: bounds, Until: until})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, f := range res.Properties {
		if f.Verdict == check.Violated {
			ids = append(ids, f.ID)
		}
	}
	t.Logf("%s: %d states, violated %v", b.Name, res.States, ids)
	return ids
}

type edit func(*check.Runbook, string) (*check.Runbook, error)

// mutants are the shipped runbooks without a measure: without the state that
// takes it, and without the guards elsewhere that repeat it.
var mutants = []struct {
	measure, book, state string
	edits                []edit
	want                 []string
}{
	{"consent", "q285090", "consent_no_route", []edit{check.WithoutCopies, check.Without}, []string{"S3"}},
	{"consent", "eleven-steps", "consent_no_route", []edit{check.WithoutCopies, check.Without}, []string{"S3"}},
	{"old-MX wait", "q285090", "accepting", []edit{check.WithoutCopies, check.Without}, []string{"S2b"}},
	{"old-MX wait", "eleven-steps", "accepting", []edit{check.WithoutCopies, check.Without}, []string{"S2b"}},
	{"routing settle", "q285090", "settle", []edit{check.WithoutCopies, check.Without}, []string{"S1", "L1"}},
	{"routing settle", "eleven-steps", "settle", []edit{check.Without}, []string{"L1"}},
	{"mts-out drain", "eleven-steps", "drain_mts", []edit{check.WithoutCopies, check.Without}, []string{"L1"}},
	{"flush consent", "eleven-steps", "flush_consent", []edit{check.WithoutCopies, check.Without}, []string{"S4"}},
	{"final guard", "q285090", "remove", []edit{check.WithoutCopies, check.WithoutGuard}, []string{"S1", "S6"}},
	{"final guard", "eleven-steps", "remove", []edit{check.WithoutCopies, check.WithoutGuard}, []string{"S1", "S6"}},
	{"undo of mode", "q285090", "outbound_only", []edit{check.WithoutUndo}, []string{"S10"}},
	{"undo of mode", "eleven-steps", "outbound_only", []edit{check.WithoutUndo}, []string{"S10"}},
	{"undo of stop", "eleven-steps", "stop", []edit{check.WithoutUndo}, []string{"S10"}},
}

func TestMutantsAreKilled(t *testing.T) {
	for _, tt := range mutants {
		t.Run(tt.book+"/"+tt.measure, func(t *testing.T) {
			t.Parallel()
			b := shipped(t, tt.book)
			for _, e := range tt.edits {
				var err error
				if b, err = e(b, tt.state); err != nil {
					t.Fatal(err)
				}
			}
			got := violated(t, b, briefest(), tt.want...)
			for _, id := range tt.want {
				if !slices.Contains(got, id) {
					t.Errorf("without %s: %v is violated, want at least %v", tt.measure, got, tt.want)
				}
			}
		})
	}
}
