package check_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"example.org/ims/pkg/check"
)

// TestMemoryIsABound: what does not fit is inconclusive, and says which bound
// it hit; what fits is proved in exactly the memory that it was said to take.
// The last byte is taken by the search for what nobody sees, so without it every
// property is proved, and the runbook is not.
func TestMemoryIsABound(t *testing.T) {
	if raced {
		t.Skip("one goroutine, and several explorations")
	}
	b, o := shipped(t, "rescue"), check.Options{Bounds: briefest()}
	free, err := check.Run(t.Context(), b, o)
	if err != nil {
		t.Fatal(err)
	}
	if free.Bound != "" || free.Bytes < int64(free.States/len(free.Readings))*64 {
		t.Fatalf("without a bound: hit %q, %d bytes for %d states", free.Bound, free.Bytes, free.States)
	}
	for _, tt := range []struct {
		limit      int64
		bound      check.Bound
		properties check.Verdict
	}{
		{free.Bytes, "", check.Proved},
		{free.Bytes - 1, check.BoundMemory, check.Proved},
		{1, check.BoundMemory, check.Inconclusive},
		{0, "", check.Proved},
	} {
		o.Memory = check.NewMemory(tt.limit)
		res, err := check.Run(t.Context(), b, o)
		if err != nil {
			t.Fatal(err)
		}
		if res.Bound != tt.bound || res.Bytes > max(tt.limit, free.Bytes) {
			t.Errorf("%d bytes: bound hit: %q, %d bytes, want %q", tt.limit, res.Bound, res.Bytes, tt.bound)
		}
		if tt.bound == "" {
			if diff := cmp.Diff(free, res); diff != "" {
				t.Errorf("%d bytes make a difference (-unbounded +bounded):\n%s", tt.limit, diff)
			}
			continue
		}
		if res.Verdict != check.Inconclusive {
			t.Errorf("%d bytes: %s, want inconclusive", tt.limit, res.Verdict)
		}
		for _, p := range res.Properties {
			if p.ID != "S11" && (p.Verdict != tt.properties || p.Verdict != check.Proved && p.Note != "bound hit: memory") {
				t.Errorf("%d bytes: %s is %s (%s)", tt.limit, p.ID, p.Verdict, p.Note)
			}
		}
	}
}

// TestNeighboursTakeNoVerdict: of checks that fit into the memory alone but not
// together, each finds what it finds alone, however they meet.
func TestNeighboursTakeNoVerdict(t *testing.T) {
	const together = 3
	b, o := known(t, "folk-stop-delete"), check.Options{Bounds: briefest()}
	alone, err := check.Run(t.Context(), b, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Memory = check.NewMemory(alone.Bytes + alone.Bytes/4)
	var all sync.WaitGroup
	results := make([]*check.Result, together)
	for i := range together {
		all.Go(func() {
			var err error
			if results[i], err = check.Run(t.Context(), b, o); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i, res := range results {
		if diff := cmp.Diff(alone, res, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("check %d beside others (-alone +beside):\n%s", i, diff)
		}
	}
}
