package check_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

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
