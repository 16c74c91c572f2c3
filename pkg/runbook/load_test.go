package runbook_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/runbook"
)

func TestShippedRunbooksLoad(t *testing.T) {
	files, err := filepath.Glob("../../runbooks/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no runbooks found: %v", err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, mistakes := runbook.Load(f, data); len(mistakes) > 0 {
			t.Errorf("%v", mistakes)
		}
	}
}

func TestEveryMistakeAtOnce(t *testing.T) {
	for _, name := range []string{"wrong", "words", "hidden", "parms", "defaults"} {
		t.Run(name, func(t *testing.T) {
			source, err := os.ReadFile("testdata/" + name + ".yaml")
			if err != nil {
				t.Fatal(err)
			}
			_, mistakes := runbook.Load(name+".yaml", source)
			got := mistakes.Error() + "\n"
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile("testdata/"+name+".txt", []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile("testdata/" + name + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("mistakes (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzLoad(f *testing.F) {
	for _, file := range []string{"../../runbooks/q285090.yaml", "testdata/wrong.yaml"} {
		source, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes.TrimSpace(source))
	}
	f.Fuzz(func(_ *testing.T, source []byte) { runbook.Load("f.yaml", source) })
}
