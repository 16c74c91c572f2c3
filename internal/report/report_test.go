package report_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/ims/internal/access"
	"example.org/ims/internal/engine"
	"example.org/ims/internal/gateway/mem"
	"example.org/ims/internal/plan"
	"example.org/ims/internal/report"
	"example.org/ims/internal/runner"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/ledger"
	"example.org/ims/pkg/runbook"
)

// procedure is as small as a report needs it: an effect, a wait, a question.
const procedure = `apiVersion: ims/v1
kind: Runbook
metadata: {name: small, title: "A small <b>procedure</b>", origin: "a test"}
defaults:
  poll: 10ms
  then: {fail: operator, unknown: operator, guard: operator, timeout: operator, stall: operator, drift: operator, rejected: operator, expired: operator}
start: outbound_only
states:
  outbound_only:
    title: Outbound Only
    cite: [Q285090.2]
    do: {action: gateway.mode, with: {mode: outbound-only, refuse: rcpt, restart: true}}
    undo: {restore: true}
    then: {ok: drain}
  drain:
    title: Every store empties
    cite: [Q285090.2]
    wait:
      until:
        - {that: "gw.q.total == 0", why: "mail is queued", fix: "ims queue list ${gateway}"}
      for: 30ms
      timeout: 1h
      stall: {none: "a test"}
    then: {ok: confirm}
  confirm:
    title: Somebody says so
    cite: [Q285090.4]
    approve: {ask: "Done?", min: 1, expires: 1h, shows: [gw]}
    then: {granted: done}
  done:
    end: succeeded
`

type site struct{ lab *worldtest.Lab }

func (site) Runbook(string) (string, []byte, error) { return "small.yaml", []byte(procedure), nil }

func (site) Bind(context.Context, runner.Request) (runbook.Binding, []string, error) {
	return worldtest.Binding(nil), worldtest.Leases(), nil
}

// foreseen is what a run keeps of a plan, as far as a report shows it.
var foreseen = plan.Plan{
	Verdict: plan.Ready, Made: time.Date(2026, 6, 16, 10, 0, 0, 0, time.UTC), Ends: time.Date(2026, 6, 16, 11, 0, 0, 0, time.UTC),
	ID: plan.ID{Hash: "sha256:4711"}, Messages: plan.Messages{Queued: 8, Delivered: 7, Held: 1},
	States: []plan.Step{
		{ID: "outbound_only", Title: "Outbound Only"},
		{ID: "drain", Title: "Every store empties", Waits: &plan.Wait{Earliest: time.Date(2026, 6, 16, 10, 30, 0, 0, time.UTC)}},
		{ID: "elsewhere", Title: "Somewhere else"},
	},
}

func (s site) ReadPlan([]byte) (runner.Planned, error) {
	keep, err := json.Marshal(foreseen)
	return runner.Planned{
		Request: runner.Request{Gateway: worldtest.East}, File: "small.yaml", Source: []byte(procedure), Nonce: "once", Hash: foreseen.ID.Hash, Keep: keep,
	}, err
}

func (site) Holds(context.Context, []byte, *runbook.Book, string) error { return nil }

func (site) Epoch(context.Context, runbook.Binding) (uint64, error) { return 0, nil }

func (s site) World(_ context.Context, book *runbook.Book) (engine.World, error) {
	return s.lab.World(book), nil
}

// performed is the evidence of a run, with the tracking log after it.
func performed(t *testing.T) report.Input {
	t.Helper()
	return led(t, mem.Answer{}, func(c *runner.Client, s runner.Status) (bool, error) {
		if s.Asked == nil {
			return false, nil
		}
		err := c.Approve(t.Context(), s.Run, runner.Answer{Comment: "</script><script>alert(1)</script>"})
		if errors.Is(err, runner.ErrRefused) {
			err = nil
		}
		return false, err
	})
}

// errFar ends the watch of a run that is not led to its end.
var errFar = errors.New("far enough")

// led is the evidence of a run that is led until far says that it is far enough,
// or to its end. Hosts answer what they are given with answer.
func led(t *testing.T, answer mem.Answer, far func(*runner.Client, runner.Status) (bool, error)) report.Input {
	t.Helper()
	dir, err := os.MkdirTemp("", "ims")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	lab := worldtest.Quick()
	lab.Org.OnHandover(func(mem.Handover) mem.Answer { return answer })
	for i := range 8 {
		lab.Org.Send(mem.Mail{From: "u@example.test", Rcpts: []string{"a" + strconv.Itoa(i) + "@far.test", "=cmd|x@far.test", "c@far.test"}})
	}
	r, err := runner.Open(t.Context(), runner.Options{Dir: dir, Site: site{lab}, People: access.People{uint32(os.Getuid()): {Name: "ann", May: access.Approve}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { lab.Org.Run(ctx, 2*time.Millisecond) })
	wg.Go(func() {
		if err := r.Serve(ctx); err != nil {
			t.Error(err)
		}
	})
	c := r.Client()
	run, err := c.Open(t.Context(), runner.Request{Plan: json.RawMessage("{}")})
	if err != nil {
		t.Fatal(err)
	}
	err = c.Watch(t.Context(), run, func(s runner.Status) error {
		enough, err := far(c, s)
		if enough {
			return errFar
		}
		return err
	})
	cancel()
	wg.Wait()
	if err != nil && !errors.Is(err, errFar) {
		t.Fatal(err)
	}
	e, err := runner.ReadEvidence(t.Context(), dir, run, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	in := report.Input{Evidence: e, Events: lab.Org.Log(), Version: "test"}
	in.Taken = in.Events[len(in.Events)-1].Seq
	if in.Present, err = lab.East.Present(t.Context()); err != nil {
		t.Fatal(err)
	}
	return in
}

// TestOfAnOpenRun makes the report of a run that stands at a question, and of
// one that waits: whenever it is checked, it is what the journal leads to.
func TestOfAnOpenRun(t *testing.T) {
	for _, tt := range []struct {
		state  string
		answer mem.Answer
		far    func(runner.Status) bool
	}{
		{"confirm", mem.Answer{}, func(s runner.Status) bool { return s.Asked != nil }},
		{"drain", mem.Answer{Code: 450, Text: "later"}, func(s runner.Status) bool { return s.State == "drain" && !s.Seen.IsZero() }},
	} {
		t.Run(tt.state, func(t *testing.T) {
			in := led(t, tt.answer, func(_ *runner.Client, s runner.Status) (bool, error) { return tt.far(s), nil })
			s := in.Evidence.Status
			if s.State != tt.state || s.Ended() || s.Limit.IsZero() {
				t.Fatalf("the run is in %s, %s, until %s", s.State, s.Outcome, s.Limit)
			}
			r, err := report.Make(in)
			if err != nil {
				t.Fatal(err)
			}
			archive, err := report.Zip(r.Files)
			if err != nil {
				t.Fatal(err)
			}
			for name, data := range map[string][]byte{"page": r.HTML, "bundle": archive} {
				if v := verify(t, data); !v.OK() || v.Outcome != "" {
					t.Errorf("%s: %+v", name, v)
				}
			}
			in.Evidence.Status.Limit = s.Limit.Add(time.Hour)
			if r, err = report.Make(in); err != nil {
				t.Fatal(err)
			}
			if verify(t, r.HTML).OK() {
				t.Error("the time-out was changed, and nobody noticed")
			}
		})
	}
}

func verify(t *testing.T, data []byte) *report.Verdict {
	t.Helper()
	v, err := report.Verify(data, "test")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestReport(t *testing.T) {
	in := performed(t)
	r, err := report.Make(in)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := report.Zip(r.Files)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range r.Files {
		names = append(names, f.Name)
	}
	want := []string{"journal.jsonl", "tracking.jsonl", "ledger.csv", "present.json", "facts.json", "status.json", "plan.json", "compare.json", "manifest.json"}
	if !slices.Equal(names, want) {
		t.Errorf("the bundle has %q, want %q", names, want)
	}
	for name, data := range map[string][]byte{"page": r.HTML, "bundle": archive} {
		if v := verify(t, data); !v.OK() || v.Outcome != "succeeded" || len(v.Head) != 64 || len(v.Checks) < 5 {
			t.Errorf("%s: %+v", name, v)
		}
	}
	page := string(r.HTML)
	for _, want := range []string{
		`<b data-term="accepted">` + strconv.FormatInt(in.Evidence.Status.Ledger["accepted"], 10) + "</b>",
		`<b data-term="delivered">` + strconv.FormatInt(in.Evidence.Status.Ledger["delivered"], 10) + "</b>",
		`<b data-term="unaccounted">0</b>`, "Every message is accounted for.", "A small &lt;b&gt;procedure",
		"&lt;/script&gt;&lt;script&gt;alert", "<b>ann</b> approved", "aria-label=\"messages in each store over time\"",
		`<code id="plan">sha256:4711</code>`, "Of 8 queued messages it foresaw 7 delivered", "Not foreseen, and entered: confirm, done.", "not entered",
		`<table id="compare"><thead><tr><th>setting</th><th>east</th><th>west</th>`, "<td>transferred</td>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "<script>alert") || strings.Contains(page, "src=") || strings.Contains(page, "http://") || strings.Contains(page, "https://") {
		t.Error("the page has markup of strangers, or loads something")
	}
}

// TestVerifyFindsChanges changes each file, leaves each out, and adds one.
func TestVerifyFindsChanges(t *testing.T) {
	in := performed(t)
	r, err := report.Make(in)
	if err != nil {
		t.Fatal(err)
	}
	changed := func(files []report.File) *report.Verdict {
		archive, err := report.Zip(files)
		if err != nil {
			t.Fatal(err)
		}
		return verify(t, archive)
	}
	last := len(r.Files) - 1 // the manifest
	for i, f := range r.Files[:last] {
		files := append([]report.File(nil), r.Files...)
		files[i] = report.File{Name: f.Name, Data: bytes.Replace(f.Data, []byte("e"), []byte("f"), 1)}
		if bytes.Equal(files[i].Data, f.Data) {
			files[i].Data = append(files[i].Data, ' ')
		}
		if changed(files).OK() {
			t.Errorf("%s was changed, and nobody noticed", f.Name)
		}
		if changed(append(files[:i:i], files[i+1:]...)).OK() {
			t.Errorf("%s was left out, and nobody noticed", f.Name)
		}
	}
	if changed(append([]report.File{{Name: "more.txt", Data: []byte("x")}}, r.Files...)).OK() {
		t.Error("a file was added, and nobody noticed")
	}
	for _, edit := range [][2]string{{"Every message is accounted for", "Nearly every message is accounted for"}, {"<title>", "<title>x"}, {"found.textContent", "found.innerText"}} {
		page := bytes.Replace(r.HTML, []byte(edit[0]), []byte(edit[1]), 1)
		if verify(t, page).OK() {
			t.Errorf("%q was changed in the page, and nobody noticed", edit[0])
		}
	}
	if v, err := report.Verify(bytes.Replace(r.HTML, []byte("<title>"), []byte("<title>x"), 1), "another"); err != nil || !v.OK() || !strings.Contains(v.Checks[len(v.Checks)-1].Says, "not compared") {
		t.Errorf("a page of another version: %+v, %v", v, err)
	}
	if damaged := bytes.Replace(r.HTML, []byte(`id="bundle">UEsDB`), []byte(`id="bundle">UEsDC`), 1); bytes.Equal(damaged, r.HTML) || verify(t, damaged).OK() {
		t.Error("the bundle was damaged, and nobody noticed")
	}
	if _, err := report.Verify([]byte("<html></html>"), "test"); !errors.Is(err, report.ErrNoReport) {
		t.Errorf("any page: %v", err)
	}
}

// TestVerifyComputesAnew makes reports whose files fit each other, and whose
// content does not fit what happened.
func TestVerifyComputesAnew(t *testing.T) {
	in := performed(t)
	for _, tt := range []struct {
		name  string
		lie   func(*report.Input)
		check string
	}{
		{"a delivery that is not in the log", func(in *report.Input) {
			in.Events = slices.Clone(in.Events)
			in.Events = slices.DeleteFunc(in.Events, func(e ledger.Event) bool {
				return e.Kind == ledger.Delivered && e.Message == in.Events[0].Message
			})
		}, "law"},
		{"a message in a store that never entered", func(in *report.Input) {
			in.Present = append([]ledger.Item{{Message: "x", Rcpt: "y", Store: "out"}}, in.Present...)
		}, "law"},
		{"another outcome", func(in *report.Input) { in.Evidence.Status.Outcome = "retired" }, "status"},
		{"another account", func(in *report.Input) { in.Evidence.Status.Ledger = map[string]int64{"accepted": 1} }, "status"},
		{"another plan", func(in *report.Input) { in.Evidence.Plan = json.RawMessage(`{"verdict":"ready"}`) }, "plan"},
		{"another comparison", func(in *report.Input) { in.Evidence.Compared = json.RawMessage(`{"old":"east","new":"west"}`) }, "comparison"},
		{"no comparison", func(in *report.Input) { in.Evidence.Compared = nil }, "comparison"},
		{"no tracking log", func(in *report.Input) { in.Untracked = "nobody answers" }, "law"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lied := in
			tt.lie(&lied)
			r, err := report.Make(lied)
			if err != nil {
				t.Fatal(err)
			}
			v := verify(t, r.HTML)
			failed := ""
			for _, c := range v.Checks {
				if !c.OK {
					failed += c.What + " "
				}
			}
			if !strings.Contains(failed, tt.check) {
				t.Errorf("failed: %q, want %s", failed, tt.check)
			}
		})
	}
}

func TestLedgerCSV(t *testing.T) {
	in := performed(t)
	r, err := report.Make(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Files {
		if f.Name != "ledger.csv" {
			continue
		}
		rows, err := csv.NewReader(bytes.NewReader(f.Data)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		formula, pairs := 0, 0
		for _, e := range in.Events {
			if e.Gateway == worldtest.East && e.Kind == ledger.Accepted {
				pairs += len(e.Rcpts)
			}
		}
		for _, row := range rows[1:] {
			if row[5] != "delivered" || row[4] == "" || row[6] == "" {
				t.Errorf("row %q", row)
			}
			if row[1] == "'=cmd|x@far.test" {
				formula++
			}
		}
		if len(rows) != pairs+1 || formula == 0 {
			t.Errorf("%d rows of %d pairs, %d of them escaped", len(rows), pairs, formula)
		}
		return
	}
	t.Error("there is no ledger.csv")
}
