package preflight

import (
	"slices"
	"strings"
	"testing"

	"example.org/ims/internal/verdict"
	"example.org/ims/pkg/facts"
)

// TestARunBeginsWhereItsProofDoes: a runbook that is for other worlds is a
// blocker, by what does not fit; what the first state says itself is said once.
func TestARunBeginsWhereItsProofDoes(t *testing.T) {
	const none, both = 3, 0
	for _, tt := range []struct {
		name, book string
		running    facts.Value
		mode       facts.Value
		begins     Verdict // Pass: nothing is said of where the run begins
		whole      verdict.Whole
	}{
		{"it serves", "rescue", 1, both, Fail, verdict.Blocked},
		{"it is stopped", "rescue", 0, both, Pass, verdict.Ready},
		{"it is in None", "rescue", 1, none, Pass, verdict.Ready},
		{"nobody knows", "rescue", facts.Unknown, both, Unknown, verdict.NotKnown},
		{"it serves, and is to be retired", "q285090", 1, both, Pass, verdict.Ready},
		{"it is stopped, and is to be retired", "q285090", 0, both, Pass, verdict.Blocked},
		{"nobody knows, and it is to be retired", "q285090", facts.Unknown, both, Pass, verdict.NotKnown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serving(map[facts.ID]facts.Value{facts.GwRunning: tt.running, facts.GwMode: tt.mode})
			r, err := Make(Input{Snapshot: s, Book: book(t, tt.book), Made: now})
			if err != nil {
				t.Fatal(err)
			}
			got, i := Pass, slices.IndexFunc(r.Checks, func(c Check) bool { return strings.HasPrefix(c.ID, "begins[") })
			if i >= 0 {
				got = r.Checks[i].Verdict
				if c := r.Checks[i]; c.Fix == "" || !strings.Contains(c.Reason, "begins stopped") {
					t.Errorf("%+v", c)
				}
			}
			if got != tt.begins || r.Verdict != tt.whole {
				t.Errorf("where it begins is %s, want %s; the whole %s, want %s", got, tt.begins, r.Verdict, tt.whole)
			}
		})
	}
}
