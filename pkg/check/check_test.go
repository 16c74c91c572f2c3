package check_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/check"
	"example.org/ims/pkg/runbook"
	"example.org/ims/runbooks"
)

func shipped(t testing.TB, name string) *check.Runbook {
	t.Helper()
	src, err := fs.ReadFile(runbooks.FS, name+".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return load(t, name+".yaml", src)
}

func known(t testing.TB, name string) *check.Runbook {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("testdata", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return load(t, name+".yaml", src)
}

func load(t testing.TB, file string, src []byte) *check.Runbook {
	t.Helper()
	doc, mistakes := runbook.Load(file, src)
	if mistakes != nil {
		t.Fatal(mistakes)
	}
	book, mistakes := runbook.Bind(doc, runbook.Binding{Gateway: "east", Successor: "west", Domains: []string{"example.test"}})
	if mistakes != nil {
		t.Fatal(mistakes)
	}
	return &check.Runbook{Name: book.Def.Name, Def: book.Def, Guards: book.Guards}
}

func TestShippedAreProved(t *testing.T) {
	for _, name := range runbooks.Names() {
		if raced && name != "rescue" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res, err := check.Run(t.Context(), shipped(t, name), check.Options{Bounds: ci(), Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %s, %d states, %d moves, %v", name, res.Verdict, res.States, res.Edges, res.Elapsed)
			for _, p := range res.Properties {
				if p.Verdict == check.Proved {
					continue
				}
				t.Errorf("%s %s: %s, want proved (%s) %s", name, p.ID, p.Verdict, p.Reading, p.Note)
				for _, l := range p.Trace {
					t.Logf("    %s [%s]", l.Text, l.World)
				}
			}
			if raced { // the smaller bounds do not reach every state
				return
			}
			for _, gap := range res.Gaps {
				t.Errorf("%s: %s: the proof is about less than the runbook", name, gap)
			}
		})
	}
}

// TestUnreachedIsInconclusive: nothing is proved about a state that the model
// never enters, so the runbook as a whole is not proved.
func TestUnreachedIsInconclusive(t *testing.T) {
	b := load(t, "gap.yaml", []byte(strings.Replace(head, "NAME", "gap", 1)+`
start: look
states:
  look:
    because: a test
    assert: [{that: "gw.exists || !gw.exists", why: a test, fix: none}]
    then: {ok: done, fail: stop}
  stop: {because: a test, do: {action: queue.retry}, undo: {nothing: a test}, then: {ok: done}}
  done: {end: succeeded}
`))
	res, err := check.Run(t.Context(), b, check.Options{Bounds: briefest()})
	if err != nil {
		t.Fatal(err)
	}
	want := []check.Gap{
		{State: "look", Text: "guard look.assert is never seen to fail"},
		{State: "look", Text: `state look never ends in "fail"`},
		{State: "stop", Text: "state stop is never reached", Unreached: true},
	}
	if diff := cmp.Diff(want, res.Gaps); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	if res.Verdict != check.Inconclusive {
		t.Errorf("verdict = %s, want inconclusive", res.Verdict)
	}
}

// TestReadingsOfWhereARunBegins: a run that finds mode None is checked under
// both readings of it, although no state of the runbook sets it.
func TestReadingsOfWhereARunBegins(t *testing.T) {
	for name, want := range map[string]int{"rescue": 2, "eleven-steps": 2, "q285090": 1} {
		res, err := check.Run(t.Context(), shipped(t, name), check.Options{Bounds: briefest(), MaxStates: 1, Until: []string{"S1"}})
		if err != nil {
			t.Fatal(err)
		}
		if len(res.Readings) != want {
			t.Errorf("%s is checked under %q, want %d readings", name, res.Readings, want)
		}
	}
}
