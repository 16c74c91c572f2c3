package cli

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/output"
)

// hostile is text from strangers: a terminal's escape, a forged annotation, a
// closed element, and characters that XML does not have.
const hostile = "bad\x1b[2J\n::error::forged\u2028<&>]]>\x00%0A"

func hostileFindings() findingSet {
	return findingSet{version: "1", at: time.Date(2026, 11, 22, 8, 0, 0, 0, time.FixedZone("", 3600)), compared: true, all: []finding{
		{suite: "preflight east", id: "a", title: hostile, kind: output.Blocked, text: hostile, fix: hostile, steps: []step{{hostile, place{file: "my runbooks/a:b.yaml", line: 3, col: 7}}}, place: place{file: "./my runbooks/a:b.yaml"}},
		{suite: "preflight east", id: "b", title: "known", kind: output.Unknown, text: "still", known: true},
		{suite: "preflight east", id: "c", title: "waived", kind: output.Blocked, text: "still", waived: hostile},
		{suite: "preflight east", id: "d", title: "good", kind: output.Done},
	}}
}

func TestFindingsFromStrangersStayInTheirPlace(t *testing.T) {
	set := hostileFindings()
	for _, f := range []output.Format{output.JUnit, output.SARIF, output.GitHub} {
		b, err := set.render(f)
		if err != nil {
			t.Fatal(err)
		}
		if i := strings.IndexAny(string(b), "\x1b\x00\u2028"); i >= 0 {
			t.Errorf("%s lets a control character through: %q", f, b[i:min(i+20, len(b))])
		}
	}
	b, err := set.render(output.GitHub)
	if err != nil || strings.Contains(string(b), "file=") {
		t.Errorf("a file that is not there is annotated: %v\n%s", err, b)
	}
	t.Chdir(t.TempDir())
	if err := os.MkdirAll("my runbooks", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("my runbooks/a:b.yaml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b, err = set.render(output.GitHub)
	if err != nil {
		t.Fatal(err)
	}
	var levels []string
	for line := range strings.Lines(string(b)) {
		level, _, _ := strings.Cut(line, " ")
		levels = append(levels, level)
	}
	if diff := cmp.Diff([]string{"::error", "::notice", "::notice"}, levels); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
	if !strings.Contains(string(b), "file=my runbooks/a%3Ab.yaml,line=1,") || strings.Contains(string(b), "file=,") {
		t.Errorf("places are wrong:\n%s", b)
	}
}

func TestFindingsThatDoNotCount(t *testing.T) {
	set := hostileFindings()
	b, err := set.junit()
	if err != nil {
		t.Fatal(err)
	}
	var doc junitSuites
	if err := xml.Unmarshal(b, &doc); err != nil || len(doc.Suites) != 1 {
		t.Fatalf("%v\n%s", err, b)
	}
	s := doc.Suites[0]
	if s.Tests != 4 || s.Failures != 1 || s.Errors != 0 || s.Skipped != 2 || s.Timestamp != "2026-11-22T07:00:00" {
		t.Errorf("suite = %+v", s)
	}
	if b, err = set.sarif(); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Runs []struct {
			Results []struct {
				RuleID        string
				BaselineState string
				Suppressions  []struct{ Kind, Status string }
				Locations     []struct {
					PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
				}
			}
		}
	}
	if err := json.Unmarshal(b, &log); err != nil || len(log.Runs) != 1 || len(log.Runs[0].Results) != 3 {
		t.Fatalf("%v\n%s", err, b)
	}
	r := log.Runs[0].Results
	if r[0].BaselineState != "new" || r[1].BaselineState != "unchanged" || len(r[2].Suppressions) != 1 || len(r[0].Suppressions) != 0 {
		t.Errorf("results = %+v", r)
	}
	if got := r[0].Locations[0].PhysicalLocation.ArtifactLocation.URI; got != "my%20runbooks/a:b.yaml" {
		t.Errorf("uri = %q", got)
	}
	if len(r[1].Locations) != 0 {
		t.Errorf("a finding without a place has %+v", r[1].Locations)
	}
}

func TestCellsOfMarkdown(t *testing.T) {
	for in, want := range map[string]string{
		"a|b": `a\|b`, "<script>": "&lt;script>", "*x* _y_ `z`": "\\*x\\* \\_y\\_ \\`z\\`", "[a](b)": `\[a](b)`, "a\nb": `a\\nb`,
	} {
		if got := cellText(in); got != want {
			t.Errorf("cellText(%q) = %q, want %q", in, got, want)
		}
	}
	if got := cellCode("a|`b`"); got != "`a\\|'b'`" {
		t.Errorf("cellCode = %q", got)
	}
}

// TestPlacesAreSeenFromHere: an annotation is for a file of the folder in which
// the program runs.
func TestPlacesAreSeenFromHere(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		filepath.Join(here, "runbooks", "a.yaml"): "runbooks/a.yaml",
		"./a.yaml":               "a.yaml",
		"../a.yaml":              "../a.yaml",
		"/somewhere/else/a.yaml": "/somewhere/else/a.yaml",
	} {
		if got := (place{file: file}).path(); got != want {
			t.Errorf("%s is shown as %s, want %s", file, got, want)
		}
	}
}
