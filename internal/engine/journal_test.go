package engine_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"example.org/ims/internal/journal"
	"example.org/ims/pkg/machine"
)

// A run lasts for weeks and observes twice a minute: what the journal says
// already is not said again.
func TestObservationsHoldOnlyWhatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "q285090", brief())
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		r.live(ctx, &wg)
		outcome, err := r.life(ctx)
		cancel()
		wg.Wait()
		if err != nil || outcome != machine.Retired {
			t.Fatalf("%s, %v", outcome, err)
		}
		j, err := journal.OpenReadOnly(t.Context(), r.dir)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = j.Close() }() // it was only read
		known, said, again := map[string]string{}, 0, map[string]int{}
		for _, rec := range r.records(t.Context(), j) {
			if rec.Kind != machine.Observed {
				continue
			}
			for k, v := range rec.Detail.Facts {
				said++
				if have, ok := known[k]; ok && have == v {
					again[k]++
				}
				known[k] = v
			}
		}
		if said == 0 || len(again) != 0 {
			t.Errorf("of %d values, said again: %v", said, again)
		}
	})
}
