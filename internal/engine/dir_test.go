package engine_test

import (
	"os"
	"testing"
)

// journalDir is a folder in memory where there is one: these crashes end a
// goroutine, not the machine, so what counts is the order of commits, and
// thousands of them need no disk.
func journalDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "ims-journal-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}
