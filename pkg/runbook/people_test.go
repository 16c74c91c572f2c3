package runbook_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.org/ims/internal/strictyaml"
	"example.org/ims/pkg/runbook"
	"example.org/ims/runbooks"
)

// TestQuestionsThatNobodyCanAnswer: what a runbook alone says of who may answer.
func TestQuestionsThatNobodyCanAnswer(t *testing.T) {
	source, err := runbooks.FS.ReadFile("q285090.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const was = "      min: 1\n"
	if !strings.Contains(string(source), was) {
		t.Fatalf("the runbook has no %q", was)
	}
	for _, tt := range []struct {
		min     int
		from    string
		notSelf bool
		want    string // "" if it is right
	}{
		{1, "", true, ""},
		{5, "", true, ""}, // who may approve, a configuration says
		{2, "[ann, ben]", false, ""},
		{1, "[ann]", true, ""}, // whoever opens the run, it need not be ann
		{3, "[ann, ben]", false, "wants 3 answers, and from names 2"},
		{2, "[ann, ann]", false, "wants 2 answers, and from names 1"},
	} {
		text := fmt.Sprintf("      min: %d\n      not_self: %t\n", tt.min, tt.notSelf)
		if tt.from != "" {
			text += "      from: " + tt.from + "\n"
		}
		_, mistakes := runbook.Load("q285090.yaml", []byte(strings.Replace(string(source), was, text, 1)))
		if tt.want == "" {
			if len(mistakes) > 0 {
				t.Errorf("min %d of %s, not_self %t: %v", tt.min, tt.from, tt.notSelf, mistakes)
			}
			continue
		}
		i := slices.IndexFunc(mistakes, func(m strictyaml.Mistake) bool { return m.Rule == "people" && strings.Contains(m.Error(), tt.want) })
		if i < 0 || mistakes[i].Pos.Line == 0 {
			t.Errorf("min %d of %s, not_self %t: %v, want %q", tt.min, tt.from, tt.notSelf, mistakes, tt.want)
		}
	}
}
