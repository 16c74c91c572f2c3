package engine_test

import (
	"testing"
	"time"

	"example.org/ims/internal/conformance"
)

// TestModelFollowsRuns: the abstract world of the proofs can follow what was
// journalled of runs in the small organization, with mail, a crash and an abort.
func TestModelFollowsRuns(t *testing.T) {
	for _, name := range books {
		for _, tt := range []struct {
			name string
			live func(r *rig)
		}{
			{"undisturbed", func(r *rig) { finish(r.t, r) }},
			{"crash", func(r *rig) { r.crashAt(20, true); finish(r.t, r) }},
			{"abort", func(r *rig) {
				if err := r.judgeAbort(); err != nil {
					r.t.Error(err)
				}
			}},
		} {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				inBubble(t, func(t *testing.T) bool {
					r := newRig(t, name, brief())
					<-time.After(time.Minute) // until the second name server has the zone
					tt.live(r)
					records := r.journalled()
					if err := conformance.Accept(r.book.Def, records, conformance.Around{}); err != nil {
						t.Errorf("%d records: %v", len(records), err)
					}
					return true
				})
			})
		}
	}
}
