package runner_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"example.org/ims/internal/journal"
	"example.org/ims/internal/runner"
)

// TestSpawnWaitsForTheOneThatEnds: a runner that closed its socket still holds
// the lock until its journal is closed; the next one begins then, not before.
func TestSpawnWaitsForTheOneThatEnds(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if err := runner.Spawn(t.Context(), dir, []string{"/bin/false"}); err == nil {
		t.Fatal("a runner that ends at once is taken for one that answers")
	}
	lock, err := journal.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	mark := filepath.Join(dir, "begun")
	done := make(chan error, 1)
	go func() { done <- runner.Spawn(ctx, dir, []string{"/usr/bin/touch", mark}) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Spawn beside one that is ending = %v, want it to wait", err)
	}
	if found, err := filepath.Glob(mark); len(found) > 0 || err != nil {
		t.Errorf("a second runner was started beside one that is ending: %q, %v", found, err)
	}
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	if err := runner.Spawn(t.Context(), dir, []string{"/usr/bin/touch", mark}); err == nil {
		t.Error("what is no runner is taken for one that answers")
	}
	if found, err := filepath.Glob(mark); len(found) != 1 || err != nil {
		t.Errorf("no runner was started after it: %q, %v", found, err)
	}
}
