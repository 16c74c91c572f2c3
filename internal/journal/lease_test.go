package journal_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/journal"
)

func held(t *testing.T, r *journal.Journal) map[string]string {
	t.Helper()
	ls, err := r.Leases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]string)
	for _, l := range ls {
		out[l.Resource] = l.Run
	}
	return out
}

func TestLeasesAreAllOrNothing(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	a, b := open(t, dir), open(t, dir)
	openRun(t, a, "r1", "gateway/ims1", "space/example.org")
	_, err := b.OpenRun(ctx, info("r2"), []string{"space/example.org", "gateway/ims1", "a/free"})
	got, ok := errors.AsType[*journal.HeldError](err)
	want := &journal.HeldError{Resource: "gateway/ims1", Run: "r1", Owner: "host/1", Since: start0}
	if !ok || !cmp.Equal(want, got) {
		t.Fatalf("OpenRun() = %v, want %v", err, want)
	}
	if _, err := b.Run(ctx, "r2"); !errors.Is(err, journal.ErrNoRun) {
		t.Errorf("the refused run is there: %v", err)
	}
	if d := cmp.Diff(map[string]string{"gateway/ims1": "r1", "space/example.org": "r1"}, held(t, b)); d != "" {
		t.Error(d)
	}
	if err := a.CloseRun(ctx, "r1", 1, "retired"); err != nil {
		t.Fatal(err)
	}
	openRun(t, b, "r2", "space/example.org", "gateway/ims1")
}

func TestResumeFencesTheOldEpoch(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	old, fresh := open(t, dir), open(t, dir)
	openRun(t, old, "r1", "gateway/ims1")
	run, err := fresh.Resume(ctx, "r1", "host/2")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := old.Append(ctx, "r1", 1, rec("late", `{}`)); !errors.Is(err, journal.ErrFenced) {
		t.Errorf("Append of the old epoch: %v, want ErrFenced", err)
	}
	if err := old.CloseRun(ctx, "r1", 1, "retired"); !errors.Is(err, journal.ErrFenced) {
		t.Errorf("CloseRun of the old epoch: %v, want ErrFenced", err)
	}
	if _, _, err := fresh.Append(ctx, "r1", run.Epoch, rec("mine", `{}`)); err != nil {
		t.Error(err)
	}
	ls, err := fresh.Leases(ctx)
	if err != nil || len(ls) != 1 || ls[0].Epoch != 2 || ls[0].Owner != "host/2" || !ls[0].Taken.Equal(start0) {
		t.Errorf("leases %+v, %v", ls, err)
	}
}

// A gateway remembers the greatest epoch it was told, over all runs: what a
// later run writes must not look like the writing of a runner long dead.
func TestEpochsGrowFromRunToRun(t *testing.T) {
	j, ctx := open(t, t.TempDir()), t.Context()
	r1 := openRun(t, j, "r1", "gateway/ims1")
	for range 3 {
		var err error
		if r1, err = j.Resume(ctx, "r1", "host/1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.CloseRun(ctx, "r1", r1.Epoch, "aborted"); err != nil {
		t.Fatal(err)
	}
	r2 := openRun(t, j, "r2", "gateway/ims1")
	if r2.Epoch <= r1.Epoch {
		t.Errorf("the run after has epoch %d, the one before had %d", r2.Epoch, r1.Epoch)
	}
	if _, _, err := j.Append(ctx, "r2", r2.Epoch, rec("mine", `{}`)); err != nil {
		t.Error(err)
	}
	if err := j.Verify(ctx); err != nil {
		t.Error(err)
	}
}

func TestBreakLease(t *testing.T) {
	j, ctx := open(t, t.TempDir()), t.Context()
	openRun(t, j, "r1", "gateway/ims1", "space/a")
	if _, err := j.BreakLease(ctx, "gateway/ims9", "typo"); !errors.Is(err, journal.ErrNoLease) {
		t.Errorf("BreakLease of nothing: %v, want ErrNoLease", err)
	}
	if _, err := j.BreakLease(ctx, "gateway/ims1", ""); err == nil {
		t.Error("BreakLease without a reason went through")
	}
	l, err := j.BreakLease(ctx, "gateway/ims1", "host is gone")
	if err != nil || l.Run != "r1" {
		t.Fatalf("BreakLease() = %+v, %v", l, err)
	}
	if _, _, err := j.Append(ctx, "r1", 1, rec("late", `{}`)); !errors.Is(err, journal.ErrFenced) {
		t.Errorf("the holder goes on: %v, want ErrFenced", err)
	}
	if err := j.Verify(ctx); err != nil {
		t.Error(err)
	}
	es, err := j.Records(ctx, "r1", 2)
	if err != nil || len(es) != 1 || string(es[0].Body) != `{"reason":"host is gone","resource":"gateway/ims1"}` {
		t.Errorf("records %v, %v", es, err)
	}
	r2 := openRun(t, j, "r2", "gateway/ims1")
	if _, err := j.Resume(ctx, "r1", "host/1"); !isHeldBy(err, "r2") {
		t.Errorf("Resume() = %v, want held by r2", err)
	}
	if err := j.CloseRun(ctx, "r2", r2.Epoch, "aborted"); err != nil {
		t.Fatal(err)
	}
	if run, err := j.Resume(ctx, "r1", "host/1"); err != nil || run.Epoch <= r2.Epoch {
		t.Errorf("Resume() = %+v, %v, want an epoch after %d, which the gateway has seen", run, err, r2.Epoch)
	}
	if d := cmp.Diff(map[string]string{"gateway/ims1": "r1", "space/a": "r1"}, held(t, j)); d != "" {
		t.Error(d)
	}
	if err := j.Verify(ctx); err != nil {
		t.Error(err)
	}
}

func isHeldBy(err error, run string) bool {
	h, ok := errors.AsType[*journal.HeldError](err)
	return ok && h.Run == run
}

func TestNonceIsUsedOnce(t *testing.T) {
	j, ctx := open(t, t.TempDir()), t.Context()
	openRun(t, j, "holder", "gateway/ims1")
	with := info("r1")
	with.Nonce = "plan-1"
	if _, err := j.OpenRun(ctx, with, []string{"gateway/ims1"}); !isHeldBy(err, "holder") {
		t.Fatalf("OpenRun() = %v, want held", err)
	}
	if _, err := j.OpenRun(ctx, with, nil); err != nil {
		t.Fatalf("a refused run used up the plan: %v", err)
	}
	with.ID = "r2"
	for name, err := range map[string]error{
		"UseNonce": j.UseNonce(ctx, "plan-1", "r3"),
		"OpenRun":  func() error { _, err := j.OpenRun(ctx, with, nil); return err }(),
	} {
		if used, ok := errors.AsType[*journal.NonceUsedError](err); !ok || used.UsedBy != "r1" {
			t.Errorf("%s = %v, want used by r1", name, err)
		}
	}
	if err := j.UseNonce(ctx, "plan-2", "r3"); err != nil {
		t.Error(err)
	}
}
