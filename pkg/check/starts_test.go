package check_test

import (
	"testing"

	"example.org/ims/pkg/check"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
	"example.org/ims/pkg/runbook"
)

// book is a runbook that begins in some worlds and does nothing.
func book(t *testing.T, begins machine.Begins) *runbook.Book {
	t.Helper()
	source := []byte("apiVersion: ims/v1\nkind: Runbook\nmetadata: {name: idle, title: a test, origin: a test}\nbegins: " + string(begins) +
		"\nstart: done\nstates:\n  done: {end: succeeded}\n")
	doc, mistakes := runbook.Load("idle.yaml", source)
	if mistakes != nil {
		t.Fatal(mistakes)
	}
	b, mistakes := runbook.Bind(doc, runbook.Binding{Gateway: "east", Successor: "west"})
	if mistakes != nil {
		t.Fatal(mistakes)
	}
	return b
}

// TestEveryStartFits: a run is opened in every world that a proof begins in, and
// not in one that only another proof begins in.
func TestEveryStartFits(t *testing.T) {
	vector := func(w *model.World) (v facts.Vector) {
		for _, id := range facts.All() {
			v[id] = w.Fact(id, model.Params{})
		}
		return v
	}
	other := map[machine.Begins]machine.Begins{
		machine.BeginsServing: machine.BeginsStopped, machine.BeginsAlone: machine.BeginsStopped,
		machine.BeginsJoining: machine.BeginsStopped, machine.BeginsStopped: machine.BeginsServing,
	}
	for _, begins := range machine.AllBegins() {
		b := book(t, begins)
		for _, s := range model.CIBounds().Starts(begins) {
			v := vector(&s.World)
			if unfit := b.Unfit(&v); len(unfit) > 0 {
				t.Errorf("%s does not fit %q: %s is %s", begins, s.Words, unfit[0].Guard.Expr, unfit[0].Verdict)
			}
			v[facts.GwRunning], v[facts.GwMode] = facts.Unknown, facts.Unknown
			if unfit := b.Unfit(&v); len(unfit) == 0 || unfit[0].Verdict != machine.Unknown {
				t.Errorf("%s: what cannot be seen fits: %v", begins, unfit)
			}
		}
		for _, s := range model.CIBounds().Starts(other[begins]) {
			v := vector(&s.World)
			if unfit := b.Unfit(&v); len(unfit) == 0 || unfit[0].Verdict != machine.Fails {
				t.Errorf("%s fits %q: %v", begins, s.Words, unfit)
			}
		}
	}
}

// TestAResultSaysWhereItBegins: the starts stand beside the verdict.
func TestAResultSaysWhereItBegins(t *testing.T) {
	b := book(t, machine.BeginsAlone)
	res, err := check.Run(t.Context(), &check.Runbook{Name: "idle", Def: b.Def, Guards: b.Guards}, check.Options{Bounds: briefest()})
	if err != nil {
		t.Fatal(err)
	}
	if res.Begins != "alone" || len(res.Starts) != 2 || res.Starts[0] != "the only gateway" {
		t.Errorf("begins %s, %q", res.Begins, res.Starts)
	}
}
