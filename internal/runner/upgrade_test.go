package runner_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/runner"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// TestAnOldJournalFoldsAsItDid folds a run that an earlier program performed,
// record by record, and compares where it then stands with where it stood. A
// program that would read it differently must have another machine.CoreVersion,
// and reads it as the core that opened it or refuses it. UPDATE=1 performs the
// run of the present core anew, which is right only together with a new
// CoreVersion or a new procedure.
func TestAnOldJournalFoldsAsItDid(t *testing.T) {
	cores, err := filepath.Glob(filepath.Join("testdata", "core-*.want"))
	if err != nil || len(cores) < 2 {
		t.Fatalf("cores with a journal are %v, %v", cores, err)
	}
	for _, golden := range cores {
		core := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(golden), "core-"), ".want")
		t.Run(core, func(t *testing.T) { foldsAsItDid(t, core, os.Getenv("UPDATE") != "" && core == machine.CoreVersion) })
	}
}

func foldsAsItDid(t *testing.T, core string, update bool) {
	old, golden := filepath.Join("testdata", "core-"+core+".jsonl"), filepath.Join("testdata", "core-"+core+".want")
	if update {
		if err := os.WriteFile(old, perform(t), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	export, err := os.ReadFile(old)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(export, []byte("\n"))
	var got strings.Builder
	for n := 2; n < len(lines); n++ { // the header, and a record at least
		e, err := runner.ParseEvidence(bytes.Join(lines[:n], nil), time.Now())
		if err != nil {
			t.Fatalf("after line %d: %v", n, err)
		}
		s := e.Status
		fmt.Fprintf(&got, "%d %s %s undoing=%v changed=%v asked=%v resumes=%d %s\n", n-1, s.State, s.Phase, s.Undoing, s.Changed, s.Asked != nil, s.Resumes, s.Outcome)
	}
	if update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("where the run stands after each record (-then +now):\n%s", diff)
	}
	other := bytes.Replace(export, []byte(`"core":"`+core+`"`), []byte(`"core":"none"`), 1)
	if bytes.Equal(other, export) {
		t.Fatal("the export does not say which core performed it")
	}
	if _, err := runner.ParseEvidence(other, time.Now()); err == nil || !strings.Contains(err.Error(), "version none of the core") {
		t.Errorf("a journal of another core: %v", err)
	}
}

// TestAStoredRunbookIsNotLintedAnew: a run whose runbook would not be opened any
// more is read all the same, so that it can go on or be aborted.
func TestAStoredRunbookIsNotLintedAnew(t *testing.T) {
	export, err := os.ReadFile(filepath.Join("testdata", "core-"+machine.CoreVersion+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	deaf := bytes.Replace(export, []byte(`then: {granted: remove}`), []byte(`then: {granted: remove, rejected: remove}`), 1)
	if bytes.Equal(deaf, export) {
		t.Fatal("the runbook of the export has no such answer")
	}
	e, err := runner.ParseEvidence(deaf, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, mistakes := runbook.Load("q285090.yaml", e.Book.Doc.Source); len(mistakes) != 1 {
		t.Errorf("mistakes of the runbook now: %v, want one", mistakes)
	}
}

// perform is the export of a run that is resumed, rejected, and ends.
func perform(t *testing.T) []byte {
	t.Helper()
	dir, lab := shortDir(t), live(t)
	o := runner.Options{Dir: dir, Site: site{lab}, People: people()}
	c, end := serve(t, o)
	run, err := c.Open(t.Context(), retire(""))
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, c, run, func(s runner.Status) bool { return s.Asked != nil })
	end()
	c, _ = serve(t, o)
	waitFor(t, c, run, func(s runner.Status) bool { return s.Asked != nil })
	if err := c.Reject(t.Context(), run, runner.Answer{}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, c, run, func(s runner.Status) bool { return s.Phase == "operating" })
	if err := errors.Join(c.Pause(t.Context(), run, "freeze"), c.Unpause(t.Context(), run, ""), c.Resume(t.Context(), run, "")); err != nil {
		t.Fatal(err)
	}
	if _, err := approve(t.Context(), c, run); err != nil {
		t.Fatal(err)
	}
	e, err := runner.ReadEvidence(t.Context(), dir, run, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return e.Export
}
