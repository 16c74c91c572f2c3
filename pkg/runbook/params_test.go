package runbook_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/strictyaml"
	"example.org/ims/pkg/runbook"
	"example.org/ims/runbooks"
)

// TestMistakesInParamsAreWhereTheyWereGiven: the runbook is right, and nothing
// in it is blamed.
func TestMistakesInParamsAreWhereTheyWereGiven(t *testing.T) {
	source, err := runbooks.FS.ReadFile("q285090.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, mistakes := runbook.Load("q285090.yaml", source)
	if mistakes != nil {
		t.Fatal(mistakes)
	}
	_, mistakes = runbook.Bind(doc, runbook.Binding{
		Gateway: "east", Successor: "west", Params: map[string]string{"quiet": "soon", "quite": "2h"},
		Places: map[string]strictyaml.Pos{"quiet": {File: "ims.yaml", Line: 7, Col: 20}, "quite": {File: "--param quite=2h"}},
	})
	want := `--param quite=2h: runbook q285090 has no parameter "quite"; did you mean "quiet"?
ims.yaml:7:20: parameter "quiet" is "soon", want a duration such as 90s, 15m, 48h or 3d`
	if diff := cmp.Diff(want, mistakes.Error()); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s", diff)
	}
}
