package journal_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/journal"
)

func TestRoundTrip(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	j := open(t, dir)
	run := openRun(t, j, "r1", "space/b", "gateway/ims1", "space/b")
	if run.Seq != 1 || run.Epoch != 1 {
		t.Errorf("OpenRun() = %+v, want epoch 1, record 1", run)
	}
	seq, head, err := j.Append(ctx, "r1", 1, rec("observed", ` { "b": [1.50, 1e3], "a": "\u00e9" }`), rec("intent", `null`))
	if err != nil || seq != 3 {
		t.Fatalf("Append() = %d, %v, want 3", seq, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t, dir)
	if run, err = j.Resume(ctx, "r1", "host/2", rec("leased", `{}`)); err != nil || run.Epoch != 2 || run.Seq != 5 {
		t.Fatalf("Resume() = %+v, %v, want epoch 2, record 5", run, err)
	}
	if err := j.CloseRun(ctx, "r1", 2, "retired", rec("closed", `{}`)); err != nil {
		t.Fatal(err)
	}
	es, err := j.Records(ctx, "r1", 0)
	if err != nil {
		t.Fatal(err)
	}
	type short struct {
		Seq, Epoch int64
		Kind, Body string
	}
	var got []short
	for _, e := range es {
		got = append(got, short{e.Seq, e.Epoch, e.Kind, string(e.Body)})
	}
	want := []short{
		{1, 1, "opened", `{"n":1}`},
		{2, 1, "observed", `{"a":"é","b":[1.5,1000]}`},
		{3, 1, "intent", `null`},
		{4, 2, journal.KindResumed, `{"owner":"host/2"}`},
		{5, 2, "leased", `{}`},
		{6, 2, "closed", `{}`},
		{7, 2, journal.KindClosed, `{"outcome":"retired"}`},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if es[2].Hash != head || es[3].Prev != head || !es[0].At.Equal(start0) {
		t.Errorf("record 3 has hash %s, record 4 prev %s, want %s; at %v", es[2].Hash, es[3].Prev, head, es[0].At)
	}
	checkSummary(t, j)
}

// checkSummary compares the run of TestRoundTrip with what it was opened with.
func checkSummary(t *testing.T, j *journal.Journal) {
	t.Helper()
	s, err := j.Run(t.Context(), "r1")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(info("r1"), s.RunInfo); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"gateway/ims1", "space/b"}, s.Leases); d != "" {
		t.Error(d)
	}
	if s.Outcome != "retired" || s.Closed.IsZero() || s.Performer != "host/2" || s.Seq != 7 {
		t.Errorf("summary %+v", s)
	}
	if ls, err := j.Leases(t.Context()); err != nil || len(ls) != 0 {
		t.Errorf("a closed run holds %v, %v", ls, err)
	}
	if err := j.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRuns(t *testing.T) {
	j, ctx := open(t, t.TempDir()), t.Context()
	openRun(t, j, "r1", "gateway/ims1")
	if err := j.CloseRun(ctx, "r1", 1, "aborted"); err != nil {
		t.Fatal(err)
	}
	openRun(t, j, "r2", "gateway/ims1")
	other := info("r3")
	other.Gateway, other.Opened = "ims2", start0.Add(-time.Hour)
	if _, err := j.OpenRun(ctx, other, nil); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		filter journal.RunFilter
		want   []string
	}{
		{"all, oldest first", journal.RunFilter{}, []string{"r3", "r1", "r2"}},
		{"open", journal.RunFilter{OpenOnly: true}, []string{"r3", "r2"}},
		{"of a gateway", journal.RunFilter{Gateway: "ims1"}, []string{"r1", "r2"}},
		{"both", journal.RunFilter{Gateway: "ims1", OpenOnly: true}, []string{"r2"}},
		{"none", journal.RunFilter{Gateway: "ims9"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			runs, err := j.Runs(ctx, tt.filter)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range runs {
				got = append(got, r.ID)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	j, ctx := open(t, t.TempDir()), t.Context()
	openRun(t, j, "r1")
	done := openRun(t, j, "done")
	if err := j.CloseRun(ctx, "done", done.Epoch, "retired"); err != nil {
		t.Fatal(err)
	}
	add := func(id string, epoch int64, recs ...journal.Record) func() error {
		return func() error { _, _, err := j.Append(ctx, id, epoch, recs...); return err }
	}
	ok := rec("x", `{}`)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	tests := []struct {
		name string
		do   func() error
		want error // nil is any error
	}{
		{"no such run", add("r9", 1, ok), journal.ErrNoRun},
		{"closed run", add("done", 1, ok), journal.ErrClosed},
		{"epoch of the future", add("r1", 2, ok), journal.ErrFenced},
		{"no records", add("r1", 1), nil},
		{"own kind", add("r1", 1, ok, rec(journal.KindClosed, `{}`)), nil},
		{"no kind", add("r1", 1, ok, rec("", `{}`)), nil},
		{"no time", add("r1", 1, ok, journal.Record{Kind: "x"}), nil},
		{"body is not JSON", add("r1", 1, ok, rec("x", `{`)), nil},
		{"resume a closed run", func() error { _, err := j.Resume(ctx, "done", "o"); return err }, journal.ErrClosed},
		{"resume no run", func() error { _, err := j.Resume(ctx, "r9", "o"); return err }, journal.ErrNoRun},
		{"open twice", func() error { _, err := j.OpenRun(ctx, info("r1"), nil); return err }, journal.ErrRunExists},
		{"close an old epoch", func() error { return j.CloseRun(ctx, "r1", 0, "retired") }, journal.ErrFenced},
		{"read no run", func() error { _, err := j.Records(ctx, "r9", 0); return err }, journal.ErrNoRun},
		{"ctx has ended", func() error { _, _, err := j.Append(ended, "r1", 1, ok); return err }, context.Canceled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.do(); err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
	if seq, _, err := j.Head(ctx, "r1"); err != nil || seq != 1 {
		t.Errorf("a refused commit left something: record %d, %v", seq, err)
	}
	if err := j.Verify(ctx); err != nil {
		t.Error(err)
	}
}

func TestRecordsFrom(t *testing.T) {
	j, ctx := open(t, t.TempDir()), t.Context()
	openRun(t, j, "r1")
	if _, _, err := j.Append(ctx, "r1", 1, rec("b", `2`), rec("c", `3`)); err != nil {
		t.Fatal(err)
	}
	for from, want := range map[int64]int{-1: 3, 0: 3, 1: 3, 2: 2, 3: 1, 4: 0, 9: 0} {
		if es, err := j.Records(ctx, "r1", from); err != nil || len(es) != want {
			t.Errorf("Records(%d) = %d records, %v, want %d", from, len(es), err, want)
		}
	}
}

func TestCommitHooks(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	var calls []int
	j, err := journal.Open(ctx, dir, journal.Options{
		BeforeCommit: func(n int) { calls = append(calls, n) },
		AfterCommit:  func(n int) { calls = append(calls, -n) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	openRun(t, j, "r1")
	if _, _, err := j.Append(ctx, "r1", 7, rec("x", `{}`)); err == nil {
		t.Error("fenced append went through")
	}
	if err := j.UseNonce(ctx, "n", "r1"); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]int{1, -1, 2, -2}, calls); d != "" {
		t.Errorf("hooks: %s", d)
	}
}

// TestWhoMayReadTheFolderMayReadTheJournal, and nobody else.
func TestWhoMayReadTheFolderMayReadTheJournal(t *testing.T) {
	for folder, want := range map[os.FileMode]os.FileMode{0o700: 0o600, 0o750: 0o640, 0o755: 0o640} {
		t.Run(folder.String(), func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Chmod(dir, folder); err != nil {
				t.Fatal(err)
			}
			openRun(t, open(t, dir), "r1")
			files, err := filepath.Glob(filepath.Join(dir, "*"))
			if err != nil || len(files) != 3 { // the file, and what SQLite keeps beside it
				t.Fatal(files, err)
			}
			for _, f := range files {
				if st, err := os.Stat(f); err != nil || st.Mode().Perm() != want {
					t.Errorf("%s has mode %v, %v, want %v", f, st.Mode(), err, want)
				}
			}
		})
	}
}

func TestConcurrentOpensCreateOneJournal(t *testing.T) {
	dir := t.TempDir()
	errs := make(chan error)
	for range 4 {
		go func() {
			j, err := journal.Open(t.Context(), dir, journal.Options{})
			if err == nil {
				err = j.Close()
			}
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	// SQLite's own files stay if one closes while another opens: whoever is alone takes them away.
	j, err := journal.Open(t.Context(), dir, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 1 || names[0].Name() != journal.FileName {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

func BenchmarkAppend(b *testing.B) {
	j, err := journal.Open(b.Context(), b.TempDir(), journal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	if _, err := j.OpenRun(b.Context(), info("r1"), []string{"gateway/ims1"}); err != nil {
		b.Fatal(err)
	}
	body, err := json.Marshal(map[string]string{"state": "drain", "detail": string(make([]byte, 60))})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := j.Append(b.Context(), "r1", 1, rec("intent", string(body))); err != nil {
			b.Fatal(err)
		}
	}
}
