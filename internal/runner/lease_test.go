package runner_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"example.org/ims/internal/runner"
)

// TestPauseOutlivesTheRunner: a run that was paused, with a runner or without
// one, stays where it is until it is let go.
func TestPauseOutlivesTheRunner(t *testing.T) {
	dir, lab := shortDir(t), live(t)
	o := runner.Options{Dir: dir, Site: site{lab}, People: people()}
	c, end := serve(t, o)
	r := retire("")
	r.Params["quiet"] = "1h" // so that it is caught there
	run, err := c.Open(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Pause(t.Context(), run, ""); !errors.Is(err, runner.ErrRefused) {
		t.Errorf("pause without a reason: %v", err)
	}
	if err := c.Pause(t.Context(), run, "freeze"); err != nil {
		t.Fatal(err)
	}
	if err := runner.Pause(t.Context(), dir, run, true, "freeze"); err == nil {
		t.Error("the journal was lent while a runner is alive")
	}
	end()
	alone, err := runner.Read(t.Context(), dir, run)
	if err != nil || alone.Paused == nil || alone.Paused.Reason != "freeze" {
		t.Fatalf("from the journal: paused %+v, %v", alone.Paused, err)
	}
	if err := runner.Pause(t.Context(), dir, run, false, "go"); err != nil {
		t.Fatal(err)
	}
	if err := runner.Pause(t.Context(), dir, run, false, "go"); !errors.Is(err, runner.ErrRefused) {
		t.Errorf("a run that is not paused was let go: %v", err)
	}
	if err := runner.Pause(t.Context(), dir, run, true, "again"); err != nil {
		t.Fatal(err)
	}
	if err := runner.Note(t.Context(), dir, run, ""); !errors.Is(err, runner.ErrRefused) {
		t.Errorf("a note that says nothing: %v", err)
	}
	if err := runner.Note(t.Context(), dir, run, "2 entries held: legal"); err != nil {
		t.Fatal(err)
	}
	c, _ = serve(t, o)
	if m, err := c.Monitor(t.Context(), run, "me", 0); err != nil || !slices.ContainsFunc(m.Lines, func(l runner.Line) bool { return strings.Contains(l.Text, "2 entries held: legal") }) {
		t.Errorf("the note is not in the journal: %+v, %v", m.Lines, err)
	}
	paused := waitFor(t, c, run, func(s runner.Status) bool { return s.Alive })
	if paused.Paused == nil || paused.Paused.Reason != "again" {
		t.Errorf("with the next runner: paused %+v", paused.Paused)
	}
	if err := c.Unpause(t.Context(), run, ""); err != nil {
		t.Fatal(err)
	}
	waitFor(t, c, run, func(s runner.Status) bool { return s.Paused == nil && s.State == "quiet" || s.Asked != nil })
}

// TestBreakLease: a run whose lease was taken away stops, says why, and is taken
// up again once the resource is free.
func TestBreakLease(t *testing.T) {
	dir := shortDir(t)
	c, end := serve(t, runner.Options{Dir: dir, Site: site{live(t)}, People: people()})
	r := retire("")
	r.Params["quiet"] = "1h"
	run, err := c.Open(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.BreakLease(t.Context(), runner.Break{Resource: "gateway/east"}); !errors.Is(err, runner.ErrUsage) {
		t.Errorf("broken without a reason: %v", err)
	}
	if _, err := c.BreakLease(t.Context(), runner.Break{Resource: "gateway/north", Reason: "x"}); !errors.Is(err, runner.ErrUsage) {
		t.Errorf("a lease that nobody holds was broken: %v", err)
	}
	l, err := c.BreakLease(t.Context(), runner.Break{Resource: "gateway/east", Reason: "move it tonight"})
	if err != nil || l.Run != run || l.Since.IsZero() {
		t.Fatalf("broken: %+v, %v", l, err)
	}
	stopped := waitFor(t, c, run, func(s runner.Status) bool { return s.Problem != "" })
	if !strings.HasPrefix(stopped.Problem, "somebody took gateway/east away from it: move it tonight (") {
		t.Errorf("problem = %q", stopped.Problem)
	}
	if want := []string{"ims resume " + run}; !slices.Equal(stopped.Action.Commands, want) {
		t.Errorf("next: %q, want %q", stopped.Action.Commands, want)
	}
	if err := c.Resume(t.Context(), run, "it is free again"); err != nil {
		t.Fatal(err)
	}
	again := waitFor(t, c, run, func(s runner.Status) bool { return s.Alive })
	if again.Problem != "" || again.Resumes != 1 {
		t.Errorf("taken up: problem %q, %d resumes", again.Problem, again.Resumes)
	}
	end()
	all, err := runner.ReadLeases(t.Context(), dir)
	if err != nil || len(all) == 0 || all[0].Resource != "gateway/east" {
		t.Errorf("leases = %+v, %v", all, err)
	}
	if l, err := runner.BreakLease(t.Context(), dir, runner.Break{Resource: "gateway/east", Reason: "x"}); err != nil || l.Run != run {
		t.Errorf("broken without a runner: %+v, %v", l, err)
	}
}
