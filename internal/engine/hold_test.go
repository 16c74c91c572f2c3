package engine_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/journal"
	"example.org/ims/pkg/machine"
)

// TestSoakEndsOnlyOnALook: a soak that was over when the runner died does not
// end on what nobody could observe since.
func TestSoakEndsOnlyOnALook(t *testing.T) {
	params := soak("3h") // each look is a heartbeat, too
	left := inBubble(t, func(t *testing.T) int {
		r, n := newRig(t, "q285090", params), 0
		r.until(asks("confirm"), func(*engine.Engine, engine.Status) { n = r.committed() })
		return n
	})
	for n := left; n > left-10; n-- { // one of the commits before is the look with which the soak is over
		if inBubble(t, func(t *testing.T) bool { return soakOver(t, params, n) }) {
			return
		}
	}
	t.Error("no crash left a soak that was over")
}

// soakOver lets the runner die after a commit; if the soak was over then, the
// next runner, which cannot observe, must not leave it. It reports whether the
// soak was over.
func soakOver(t *testing.T, params map[string]string, commit int) bool {
	r := newRig(t, "q285090", params)
	r.crashAt(commit, true)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	r.live(ctx, &wg)
	_, err := r.life(ctx)
	cancel()
	wg.Wait()
	if !errors.Is(err, errCrashed) {
		return false // this time, the run had fewer commits
	}
	h := r.fold()
	if r.book.Def.States[h.State.Cur].ID != "watch" || !h.State.Armed(machine.HoldTimer) || h.Earned < 3*time.Hour {
		return false
	}
	r.wants = func(engine.Status) bool { return false }
	r.lab.Zone.Down(r.lab.Zone.Primary(), true)
	died := time.Now()
	r.until(func(s engine.Status) bool { return s.State != "watch" || time.Since(died) > time.Hour }, func(_ *engine.Engine, s engine.Status) {
		if s.State != "watch" {
			t.Errorf("an hour without an answer leads to %s", s.State)
		}
	})
	return true
}

// fold folds the journal as it is.
func (r *rig) fold() *machine.History {
	r.t.Helper()
	j, err := journal.Open(context.Background(), r.dir, journal.Options{})
	if err != nil {
		r.t.Fatal(err)
	}
	defer j.Close()
	h := machine.NewHistory(r.book.Def)
	for _, rec := range r.records(context.Background(), j.Reader) {
		h.Add(rec)
	}
	return h
}
