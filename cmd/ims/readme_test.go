package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestReadme runs the commands of README.md as they stand there, in an empty
// folder: what make would do is only read, since this is a part of it.
func TestReadme(t *testing.T) {
	const root = "../.."
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]string{"demo": "build/ims demo --yes", "test": "go test -race"}
	dir := t.TempDir()
	for line := range strings.Lines(string(text)) {
		line, ok := strings.CutPrefix(strings.TrimSpace(line), "$ ")
		if !ok {
			continue
		}
		command, _, _ := strings.Cut(line, " #")
		argv := strings.Fields(command)
		t.Run(strings.TrimSpace(command), func(t *testing.T) {
			if argv[0] == "make" {
				out, err := exec.CommandContext(t.Context(), "make", "-n", "-C", root, argv[1]).CombinedOutput()
				if want, ok := made[argv[1]]; err != nil || !ok || !strings.Contains(string(out), want) {
					t.Errorf("make %s does not do %q (%v):\n%s", argv[1], want, err, out)
				}
				delete(made, argv[1])
				return
			}
			if argv[0] != "build/ims" {
				t.Fatalf("%q is neither make nor the program that it builds", command)
			}
			follow(t, dir, argv[1:])
		})
	}
	for target := range made {
		t.Errorf("make %s is not in README.md", target)
	}
	if ci, err := os.ReadFile(filepath.Join(root, ".ci", "run")); err != nil || !strings.HasSuffix(string(ci), "\nmake test\n") {
		t.Errorf("CI does not run what README.md says: %v\n%s", err, ci)
	}
}

// follow runs a command to its end; one that goes on until it is told to end is
// told so once it has said something.
func follow(t *testing.T, dir string, argv []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := ims(ctx, t, argv...)
	cmd.Dir = dir
	said := &firstLine{seen: make(chan struct{})}
	var words strings.Builder
	cmd.Stdout, cmd.Stderr = said, &words
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if argv[0] == "lab" {
		select {
		case <-said.seen:
		case <-ctx.Done():
		}
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Error(err)
		}
	}
	if err := cmd.Wait(); err != nil || !said.any {
		t.Errorf("ims %s: %v\n%s", strings.Join(argv, " "), err, &words)
	}
}
