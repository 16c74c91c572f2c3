package cli

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/ims/internal/plan"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/machine"
)

// TestByHandSaysWhoElseIsAtWork: first of all, and with the command that makes it
// leave the gateways alone, unless it does already.
func TestByHandSaysWhoElseIsAtWork(t *testing.T) {
	status := func(change func(*runner.Status)) *runner.Status {
		s := &runner.Status{}
		s.Run, s.State = "east-1", "drain"
		change(s)
		return s
	}
	paused := &machine.Pause{Actor: "ann", Reason: "freeze", Since: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	for _, tt := range []struct {
		name  string
		st    *runner.Status
		err   error
		ours  bool
		says  string
		pause bool
	}{
		{"a runner performs it", status(func(s *runner.Status) { s.Alive, s.PID = true, 4711 }), nil, true, "A RUNNER IS AT WORK, process 4711. Run east-1 is in its hands, in state drain. Two hands ", true},
		{"another plan", status(func(s *runner.Status) { s.Alive, s.PID = true, 4711 }), nil, false, "Run east-1, which performs another plan, is in its hands", true},
		{"nobody performs it", status(func(*runner.Status) {}), nil, true, "No runner is alive. Run east-1 is open, and the next runner goes on with it: ", true},
		{"one tries again", status(func(s *runner.Status) { s.Problem, s.Again = "the disk is full", paused.Since }), nil, true, "is not performed now (the disk is full), and goes on at ", true},
		{"one cannot", status(func(s *runner.Status) { s.Problem = "fenced" }), nil, true, "(fenced), and goes on once somebody mends it.", true},
		{"one does not answer", status(func(*runner.Status) {}), io.ErrUnexpectedEOF, true, "WHETHER A RUNNER IS AT WORK IS NOT KNOWN (unexpected EOF). Run east-1 is open. Two hands ", true},
		{"paused", status(func(s *runner.Status) { s.Alive, s.PID, s.Paused = true, 4711, paused }), nil, true, "Run east-1 is paused, by ann since ", false},
		{"paused, and nobody there", status(func(s *runner.Status) { s.Paused = paused }), nil, true, "No runner is alive; it does nothing in this run until ims continue east-1.", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pl := &plan.Plan{Gateway: "east", Next: "west", ID: plan.ID{Hash: "sha256:0123456789abcdef"}}
			d := &handData{Steps: handSteps(), Work: []atWork{working("east-1", tt.st, tt.err, tt.ours)}}
			head, _, _ := strings.Cut(handString(t, pl, d), "\n\n")
			flat := strings.ReplaceAll(head, "\n# ", " ")
			const command = "\nims pause east-1 --reason 'plan 0123456789ab, by hand'"
			if !strings.Contains(flat, tt.says) || strings.Contains(head, command) != tt.pause || (len(d.warnings(pl)) == 1) != tt.pause {
				t.Errorf("it says, and warns %q:\n%s\nwant %q, and the command: %v", d.warnings(pl), head, tt.says, tt.pause)
			}
		})
	}
}

// TestByHandWithoutAConfiguration: what is broken is no hindrance, and is not
// taken for nobody at work.
func TestByHandWithoutAConfiguration(t *testing.T) {
	pl := &plan.Plan{Gateway: "east"}
	dir := t.TempDir()
	s := testSession(io.Discard, io.Discard)
	s.config = filepath.Join(dir, "ims.yaml")
	d := &handData{Steps: handSteps()}
	if _, ok := d.look(t.Context(), s, pl); ok || d.NotKnown == "" || len(d.warnings(pl)) != 1 {
		t.Errorf("without a configuration: %+v", d)
	}
	if page := handString(t, pl, d); !strings.Contains(page, "# WHETHER A RUNNER IS AT WORK IS NOT KNOWN") || !strings.Contains(page, "\npgrep -a ims\n") {
		t.Errorf("it does not say so:\n%s", page)
	}
	text := `{apiVersion: ims/v1, kind: Config, organization: {domains: [example.test], mailhost: "127.0.0.1:9"}, gateways: {east: {hostname: east.example.test, listen: "127.0.0.1:2525"}}}`
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d = &handData{Steps: handSteps()}
	if _, ok := d.look(t.Context(), s, pl); ok || d.NotKnown != "" || len(d.Work) > 0 {
		t.Errorf("where nothing was ever run: %+v", d)
	}
	if page := handString(t, pl, d); !strings.Contains(page, "\n# No run is open on east, so no runner has it in hand.\n") {
		t.Errorf("it does not say so:\n%s", page)
	}
}

// TestByHandSaysWhyTheRunStopped: whoever takes over knows what it waits for.
func TestByHandSaysWhyTheRunStopped(t *testing.T) {
	st := runner.Status{}
	if st.Phase = machine.Judging.String(); operatorWords(&st) != "" {
		t.Errorf("a run that goes on waits for its operator: %s", operatorWords(&st))
	}
	const text = `{"phase": "operating", "why": "fail", "cause": {"target": "east", "why": "the disk is full", "fix": "make room"}}`
	if err := json.Unmarshal([]byte(text), &st); err != nil {
		t.Fatal(err)
	}
	d := &handData{Steps: handSteps(), Run: "east-1", State: "stop", Waits: operatorWords(&st)}
	if page := handString(t, &plan.Plan{}, d); !strings.Contains(page, "\n# It waits for its operator: fail: east: the disk is full; fix: make room\n") {
		t.Errorf("it does not say why:\n%s", page)
	}
}
