package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// lab is a running lab without senders, and wires through which a dry run
// reaches it.
type quietLab struct {
	dir, config string
	wires       *wires
}

// startLab starts a lab and returns when it says that it is up.
func startLab(t *testing.T) *quietLab {
	t.Helper()
	dir, err := os.MkdirTemp("", "dry-") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // what is left there is of no use
	ctx, cancel := context.WithCancel(t.Context())
	cmd := ims(ctx, t, "lab", "run", "--idle", "--dir", filepath.Join(dir, "lab"))
	up := make(chan struct{})
	words := &marker{mark: "until Ctrl-C", seen: up}
	cmd.Stdout, cmd.Stderr = words, words
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	select {
	case <-up:
	case err := <-done:
		t.Fatalf("the lab ends: %v\n%s", err, words.String())
	case <-time.After(patience):
		t.Fatalf("the lab does not come up:\n%s", words.String())
	}
	l := &quietLab{dir: filepath.Join(dir, "lab"), wires: newWires(t, dir)}
	l.config = l.throughWires(t)
	return l
}

// throughWires is the lab's configuration with a wire in front of every
// address and socket.
func (l *quietLab) throughWires(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(l.dir, "ims.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	changed := regexp.MustCompile(`127(?:\.\d+){3}:\d+`).ReplaceAllStringFunc(string(text), func(addr string) string {
		return l.wires.network(t, addr)
	})
	socket := l.wires.socket(t, filepath.Join(l.dir, "state", "run", "gateway.sock"))
	changed = strings.Replace(changed, "organization:\n", "organization:\n  socket: "+socket+"\n", 1)
	changed = strings.Replace(changed, "state_dir: state", "state_dir: "+filepath.Join(l.dir, "state"), 1)
	path := filepath.Join(filepath.Dir(l.dir), "ims.yaml")
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// plan runs a dry run and returns its exit code and its object.
func (l *quietLab) plan(t *testing.T) (int, dryPlan) {
	t.Helper()
	cmd := ims(t.Context(), t, "--config", l.config, "retire", "east", "--dry-run", "-o", "json")
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	code := 0
	if err := cmd.Run(); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			t.Fatal(err)
		}
		code = exit.ExitCode()
	}
	var p dryPlan
	if err := json.Unmarshal(out.Bytes(), &p); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out.String(), words.String())
	}
	return code, p
}

type dryPlan struct {
	Schema  string
	Verdict string
	Checks  []struct{ ID, Verdict, Why, Fix, Provenance string }
	States  []struct {
		ID      string
		Changes []struct{ Target string }
		Waits   any
		Undo    *struct{ Kind string }
	}
	Messages *struct{ Queued int }
	Notes    []string
	Plan     struct{ Hash string }
}

// files are the hashes of everything a dry run could write to: state, zone and
// configuration. What the lab's own processes keep of connections, which the
// probes make, is theirs: the spool with the client log, and logs.
func (l *quietLab) files(t *testing.T) map[string]string {
	t.Helper()
	sums := map[string]string{}
	err := filepath.WalkDir(l.dir, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(l.dir, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && rel == filepath.Join("state", "mail"):
			return fs.SkipDir
		case d.Type().IsRegular() && filepath.Ext(path) != ".log":
			data, err := os.ReadFile(path)
			sums[rel] = fmt.Sprintf("%x", sha256.Sum256(data))
			return err
		}
		return nil
	})
	if err != nil || len(sums) == 0 {
		t.Fatalf("hash %s: %v", l.dir, err)
	}
	return sums
}

// TestDryRunWritesNothing makes a dry run of a lab through wires that record
// every byte, and compares the files before and after.
func TestDryRunWritesNothing(t *testing.T) {
	l := startLab(t)
	before := l.files(t)
	code, p := l.plan(t)
	if code != 0 || p.Verdict != "ready" || p.Schema != "ims/plan/v1" || p.Messages == nil || !strings.HasPrefix(p.Plan.Hash, "sha256:") {
		t.Errorf("dry run exits %d with %+v", code, p)
	}
	ids := make([]string, len(p.States))
	for i, s := range p.States {
		ids[i] = s.ID
	}
	for _, want := range []string{"move_mx", "outbound_only", "remove_spaces", "remove"} {
		if i := slices.Index(ids, want); i < 0 || len(p.States[i].Changes) == 0 || p.States[i].Undo == nil {
			t.Errorf("the plan does not say what %s changes and how it is undone: %+v", want, p.States)
		}
	}
	if after := l.files(t); !maps.Equal(before, after) {
		t.Errorf("a dry run changed files: before %v, after %v", before, after)
	}
	if wrong := l.wires.writes(); len(wrong) > 0 {
		t.Errorf("a dry run sent what could change something:\n%s", strings.Join(wrong, "\n"))
	}
	if seen := l.wires.kinds(); !seen["smtp"] || !seen["dns"] || !seen["control"] {
		t.Errorf("the wires saw only %v: they prove nothing", seen)
	}
	again, q := l.plan(t)
	if again != 0 || q.Plan.Hash != p.Plan.Hash {
		t.Errorf("a second dry run of the same world has plan %s, exit %d, want %s", q.Plan.Hash, again, p.Plan.Hash)
	}
}

// TestDryRunNamesTheMissingCover takes an address space away from the
// successor.
func TestDryRunNamesTheMissingCover(t *testing.T) {
	l := startLab(t)
	out, err := ims(t.Context(), t, "--config", filepath.Join(l.dir, "ims.yaml"), "route", "remove", "west", "--pattern", "*", "--reason", "test").CombinedOutput()
	if err != nil {
		t.Fatalf("route remove: %v\n%s", err, out)
	}
	code, p := l.plan(t)
	if code != 2 || p.Verdict != "asks" {
		t.Errorf("dry run exits %d, %s, want 2, asks", code, p.Verdict)
	}
	if !slices.ContainsFunc(p.Notes, func(n string) bool { return strings.Contains(n, "SMTP:*") }) {
		t.Errorf("the plan does not name the address space: %q", p.Notes)
	}
	for _, c := range p.Checks {
		if c.ID == "consent_no_route.when[0]" {
			if c.Verdict != "ask" || c.Provenance != "live" || c.Fix == "" {
				t.Errorf("check = %+v", c)
			}
			return
		}
	}
	t.Errorf("no check of cover among %+v", p.Checks)
}
