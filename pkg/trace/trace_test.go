package trace_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/runbook"
	"example.org/ims/pkg/trace"
	"example.org/ims/runbooks"
)

func bind(t *testing.T, file string, source []byte) *runbook.Book {
	t.Helper()
	doc, mistakes := runbook.Load(file, source)
	if err := mistakes.Err(); err != nil {
		t.Fatal(err)
	}
	book, mistakes := runbook.Bind(doc, runbook.Binding{Gateway: "east", Successor: "west", Domains: []string{"a.test", "b.test"}})
	if err := mistakes.Err(); err != nil {
		t.Fatal(err)
	}
	return book
}

func small(t *testing.T) *runbook.Book {
	t.Helper()
	source, err := os.ReadFile("testdata/small.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return bind(t, "small.yaml", source)
}

// head begins every file of traces for the small runbook.
const head = "apiVersion: ims/v1\nkind: Traces\nrunbook: small\nfacts: {gw.exists: 'true', gw.q.out: 3, mx.expired: 'false', mx.here: 'false'}\ntraces:\n"

// TestTraces performs every trace of the file; each must hold as it is.
func TestTraces(t *testing.T) {
	source, err := os.ReadFile("testdata/holds.yaml")
	if err != nil {
		t.Fatal(err)
	}
	book := small(t)
	doc, mistakes := trace.Load("holds.yaml", source, book)
	if err := mistakes.Err(); err != nil {
		t.Fatal(err)
	}
	for _, r := range trace.Run(doc, book) {
		if r.Differs != nil {
			t.Errorf("%s differs: %+v", r.Name, *r.Differs)
		}
	}
}

// TestDivergence wants the place of the first difference, and what is there.
func TestDivergence(t *testing.T) {
	tests := []struct {
		name, steps string
		want        trace.Divergence
	}{
		{"another state", "    steps:\n      - then: [ready,\n          done]\n", trace.Divergence{
			Step: 1, State: "change", What: "the run takes another way", Want: []string{"ready", "done"}, Have: []string{"ready", "ask"},
		}},
		{"fewer states", "    steps:\n      - then: [ready, ask]\n      - after: 1s\n        then: [operator (expired)]\n", trace.Divergence{
			Step: 2, State: "ask", What: "the run takes another way", Want: []string{"operator (expired)"},
		}},
		{"an end that is not written", "    from: done\n    steps:\n      - then: [done]\n", trace.Divergence{
			Step: 2, State: "done", What: "the run comes to another end", Want: []string{"stays open"}, Have: []string{"ends: succeeded"},
		}},
		{"an end that does not come", "    steps:\n      - then: [ready, ask]\n    ends: succeeded\n", trace.Divergence{
			Step: 2, State: "ask", What: "the run comes to another end", Want: []string{"ends: succeeded"}, Have: []string{"stays open"},
		}},
		{"nobody asks", "    from: drain\n    steps:\n      - then: [drain]\n      - answer: granted\n", trace.Divergence{
			Step: 2, State: "drain", What: "nobody is asked in drain, which is judging",
			Facts: []string{"mx.here: fail", "gw.q.out == 0: fail"},
		}},
		{"no such answer", "    steps:\n      - then: [ready, ask]\n      - answer: perhaps\n", trace.Divergence{
			Step: 2, State: "ask", What: `ask has no answer "perhaps"`,
		}},
		{"nothing to resume", "    steps:\n      - then: [ready, ask]\n      - happens: resume\n", trace.Divergence{
			Step: 2, State: "ask", What: "resume changes nothing in ask, which is asking",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			book := small(t)
			doc, mistakes := trace.Load("t.yaml", []byte(head+"  one:\n"+tt.steps), book)
			if err := mistakes.Err(); err != nil {
				t.Fatal(err)
			}
			got := trace.Run(doc, book)[0].Differs
			if got == nil {
				t.Fatal("the trace holds")
			}
			if got.Pos.File != "t.yaml" || got.Pos.Line < 6 {
				t.Errorf("place is %v, want one in the trace", got.Pos)
			}
			got.Pos = tt.want.Pos
			if tt.name == "another state" {
				tt.want.State = "ask"
			}
			if diff := cmp.Diff(tt.want, *got); diff != "" {
				t.Errorf("Run (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMistakes wants every mistake of a file, with its place.
func TestMistakes(t *testing.T) {
	source, err := os.ReadFile("testdata/mistakes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, mistakes := trace.Load("mistakes.yaml", source, small(t))
	var got strings.Builder
	for _, m := range mistakes {
		got.WriteString(m.Error() + " [" + m.Rule + "]\n")
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile("testdata/mistakes.want", []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/mistakes.want")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("Load (-want +got):\n%s", diff)
	}
}

// TestShippedTraces performs the traces of every shipped runbook, each of whose
// states one of them enters.
func TestShippedTraces(t *testing.T) {
	files, err := fs.Glob(runbooks.FS, "*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("shipped runbooks are %v: %v", files, err)
	}
	if traces, err := fs.Glob(runbooks.FS, "traces/*.yaml"); err != nil || len(traces) != len(files) {
		t.Errorf("there are %d files of traces for %d runbooks: %v", len(traces), len(files), err)
	}
	for _, name := range files {
		source, err := fs.ReadFile(runbooks.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		book, f := bind(t, name, source), "traces/"+name
		text, err := fs.ReadFile(runbooks.FS, f)
		if err != nil {
			t.Errorf("%s has no traces: %v", name, err)
			continue
		}
		doc, mistakes := trace.Load(f, text, book)
		if err := mistakes.Err(); err != nil {
			t.Error(err)
			continue
		}
		entered := map[string]bool{}
		for _, r := range trace.Run(doc, book) {
			for _, id := range r.Visited {
				entered[id] = true
			}
			if d := r.Differs; d != nil {
				t.Errorf("%s: %s: %s in %s:\n%s\n%s", d.Pos, r.Name, d.What, d.State, cmp.Diff(d.Want, d.Have), strings.Join(d.Facts, "\n"))
			}
		}
		for i := range book.Def.States {
			if id := book.Def.States[i].ID; !entered[id] {
				t.Errorf("%s: no trace enters %s", f, id)
			}
		}
	}
}
