package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNobodyReads wants a command whose output nobody reads to end in order, and
// to say nothing.
func TestNobodyReads(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	tmp := t.TempDir()
	var words strings.Builder
	cmd := ims(t.Context(), t, "demo", "--yes", "--messages", "1")
	cmd.Stdout, cmd.Stderr = w, &words
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	err = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != 130 || words.Len() > 0 {
		t.Errorf("ims demo into a closed pipe ends with %d (%v) and says %q, want 130 and nothing", code, err, &words)
	}
	if left, err := filepath.Glob(filepath.Join(tmp, "*")); err != nil || len(left) > 0 {
		t.Errorf("ims demo leaves %q behind, %v", left, err)
	}
}
