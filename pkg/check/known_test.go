package check_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/check"
)

var update = flag.Bool("update", false, "rewrite the counterexamples in testdata")

// knownBad are the procedures to the letter, with what they must violate.
var knownBad = map[string][]string{
	"folk-stop-delete":      {"S1", "S2a", "L1"},
	"verbatim-eleven-steps": {"S1", "S2a", "S3", "S4", "L1"},
	"verbatim-q285090":      {"S1", "S2b", "S2c", "S3", "S11", "S13", "L3", "L5"},
}

func TestKnownBadAreViolated(t *testing.T) {
	for name, want := range knownBad {
		if raced && name != "folk-stop-delete" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res, err := check.Run(t.Context(), known(t, name), check.Options{Bounds: briefest()})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d states", res.States)
			var b bytes.Buffer
			var got []string
			for _, f := range res.Properties {
				if f.Verdict != check.Violated {
					continue
				}
				got = append(got, f.ID)
				fmt.Fprintf(&b, "%s %s\n", f.ID, f.Note)
				for i, l := range f.Trace {
					fmt.Fprintf(&b, "%4d  %s", i+1, l.Text)
					if l.World != "" {
						fmt.Fprintf(&b, " [%s]", l.World)
					}
					b.WriteByte('\n')
				}
			}
			for _, id := range want {
				if !slices.Contains(got, id) {
					t.Errorf("violated are %v, want at least %v", got, want)
				}
			}
			golden(t, filepath.Join("testdata", name+".txt"), b.Bytes())
		})
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("counterexamples of %s (-want +got):\n%s", file, diff)
	}
}
