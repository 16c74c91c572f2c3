package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"example.org/ims/internal/conformance"
)

// ims is a command of this program in a process of its own: the test's binary
// is the program when it is called ims.
func ims(ctx context.Context, t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Args = append([]string{"ims"}, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	return cmd
}

// demoResult is what the tests read of a demonstration's last line.
type demoResult struct {
	Schema  string
	Outcome string
	Ledger  struct{ Accepted, Unaccounted int }
	Resumes int
	Runners []int
	States  []struct {
		ID, Before, After string
		Source            []string
	}
	Traffic    map[string]int
	Stores     map[string]int
	Outward    map[string]int
	Prediction struct{ Equal bool }
	Lost       []string
	Caught     string
	Problems   []string
}

// TestDemo retires gateways of labs, some at a time: they mostly wait.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a minute: left out by -short")
	}
	cases := []struct {
		name  string
		args  []string
		exit  int
		want  func(demoResult) error
		whole bool // nothing may be missing afterwards
	}{
		{"q285090", nil, 0, retired, true},
		{"crash", []string{"--crash"}, 0, crashed, true},
		{"eleven-steps", []string{"--runbook", "eleven-steps"}, 0, elevenSteps, true},
		{"lose-one", []string{"--sabotage", "lose-one"}, 2, caught("ledger.unaccounted"), false},
		{"mx-back", []string{"--sabotage", "mx-back"}, 2, caught("mx.here"), false},
		{"route-back", []string{"--sabotage", "route-back"}, 2, caught("route.here"), false},
		{"refuse-550", []string{"--sabotage", "refuse-550"}, 2, caught("gw.reply = permanent"), false},
		{"folk", []string{"--runbook", "folk"}, 1, lost, false},
	}
	errs := make([]error, len(cases))
	free := make(chan struct{}, 4)
	var wg sync.WaitGroup
	for i, c := range cases {
		wg.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			errs[i] = demonstrate(t, c.name, c.args, c.exit, c.want, c.whole)
		})
	}
	wg.Wait()
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if errs[i] != nil {
				t.Error(errs[i])
			}
		})
	}
}

// demonstrate runs one demonstration and judges its result.
func demonstrate(t *testing.T, name string, args []string, exit int, want func(demoResult) error, whole bool) error {
	dir, err := os.MkdirTemp("", "demo-") // a socket's path must be short
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // what is left there is of no use
	ctx, cancel := context.WithTimeout(t.Context(), mostByHand)
	defer cancel()
	lab := filepath.Join(dir, "lab")
	cmd := ims(ctx, t, append([]string{"demo", "--yes", "--messages", "600", "--keep", "--dir", lab, "-o", "json"}, args...)...)
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	got := 0
	if err := cmd.Run(); err != nil {
		end, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			return err
		}
		got = end.ExitCode()
	}
	fail := func(err error) error { return fmt.Errorf("%w\n%s\n%s", err, tail(words.String(), 40), out.String()) }
	if got != exit {
		return fail(fmt.Errorf("exit %d, want %d", got, exit))
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var r demoResult
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &r); err != nil {
		return fail(err)
	}
	if r.Schema != "ims/demo/v1" || len(r.Problems) > 0 {
		return fail(fmt.Errorf("schema %q, problems %q", r.Schema, r.Problems))
	}
	if err := want(r); err != nil {
		return fail(err)
	}
	if err := allowed(t.Context(), lab, name, whole); err != nil {
		return fail(err)
	}
	return recount(t.Context(), lab, whole)
}

// allowed asks whether the abstract world of the proofs can follow the run. In
// that world nobody but the run changes what it retires, so it cannot where
// somebody did.
func allowed(ctx context.Context, lab, name string, whole bool) error {
	err := conformance.Journal(ctx, filepath.Join(lab, "state"), conformance.Around{Killed: name == "crash"})
	switch fact := map[string]string{"mx-back": "mx.here cannot become true", "route-back": "route.here cannot become true"}[name]; {
	case whole && err != nil:
		return fmt.Errorf("the model does not allow this run: %w", err)
	case fact != "" && (err == nil || !strings.Contains(err.Error(), fact)):
		return fmt.Errorf("the model follows what somebody else did: want %q, got: %w", fact, err)
	}
	return nil
}

// recount asks the independent count, if there is a Python.
func recount(ctx context.Context, lab string, whole bool) error {
	python, err := exec.LookPath("python3")
	if err != nil || !whole {
		return nil
	}
	out, err := exec.CommandContext(ctx, python, "../../internal/lab/audit/audit.py", lab).CombinedOutput()
	if err != nil {
		return fmt.Errorf("recount: %w\n%s", err, out)
	}
	return nil
}

func tail(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// retired is a run that ended as it was predicted, with mail wherever it
// matters.
func retired(r demoResult) error {
	if r.Outcome != "retired" || r.Ledger.Unaccounted != 0 || r.Ledger.Accepted == 0 || !r.Prediction.Equal || len(r.Lost) > 0 {
		return errors.New("it is not retired as predicted, with everything accounted for")
	}
	for _, s := range []string{"mta", "mts-out", "out", "in", "mts-in"} {
		if r.Stores[s] == 0 {
			return fmt.Errorf("store %s was always empty", s)
		}
	}
	for _, k := range []string{"mx_switch", "mode_change", "space_removal", "first_stop"} {
		if r.Outward[k] == 0 {
			return fmt.Errorf("no outbound mail at %s", k)
		}
	}
	for _, k := range []string{"deferred_then_delivered", "rejected", "expired", "split_recipients", "east_after_switch", "west_after_switch"} {
		if r.Traffic[k] == 0 {
			return fmt.Errorf("traffic: no %s", k)
		}
	}
	return shown(r, "Q285090.1", "Q285090.2", "Q285090.3", "Q285090.4", "Q285090.5")
}

// shown requires that every step of a procedure is among the states, and that
// a state that changed something says what.
func shown(r demoResult, steps ...string) error {
	seen := map[string]bool{}
	for _, s := range r.States {
		for _, step := range s.Source {
			seen[step] = true
		}
		if s.ID == "move_mx" && (!strings.Contains(s.Before, "east.") || !strings.Contains(s.After, "west.")) {
			return fmt.Errorf("move_mx went from %q to %q", s.Before, s.After)
		}
	}
	for _, s := range steps {
		if !seen[s] {
			return fmt.Errorf("step %s is not shown", s)
		}
	}
	return nil
}

func crashed(r demoResult) error {
	if r.Resumes < 1 || len(r.Runners) < 2 || r.Runners[0] == r.Runners[1] {
		return fmt.Errorf("%d resumes by the runners %v", r.Resumes, r.Runners)
	}
	return retired(r)
}

func elevenSteps(r demoResult) error {
	if r.Outcome != "retired" || r.Ledger.Unaccounted != 0 || !r.Prediction.Equal {
		return errors.New("it is not retired as predicted, with everything accounted for")
	}
	var steps []string
	for i := range 11 {
		steps = append(steps, fmt.Sprintf("eleven-steps.%d", i+1))
	}
	return shown(r, steps...)
}

func caught(by string) func(demoResult) error {
	return func(r demoResult) error {
		if r.Outcome == "retired" || !strings.Contains(r.Caught, by) {
			return fmt.Errorf("outcome %s, caught by %q, want %q", r.Outcome, r.Caught, by)
		}
		if stolen := by == "ledger.unaccounted"; stolen != (r.Ledger.Unaccounted > 0 && len(r.Lost) > 0) {
			return fmt.Errorf("%d unaccounted, named: %q", r.Ledger.Unaccounted, r.Lost)
		}
		return nil
	}
}

// lost is what the folk ways lead to: messages named by id and store.
func lost(r demoResult) error {
	for _, l := range r.Lost {
		if strings.HasPrefix(l, "message ") && strings.Contains(l, "deleted in mts-out") {
			return nil
		}
	}
	return fmt.Errorf("no message named that was lost in mts-out: %q", r.Lost)
}
