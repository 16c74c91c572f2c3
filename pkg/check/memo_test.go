package check_test

import (
	"fmt"
	"strings"
	"testing"

	"example.org/ims/pkg/check"
	"example.org/ims/pkg/facts"
)

// TestAGuardMayReadEverything: a guard that reads more facts than its memory
// takes is judged all the same.
func TestAGuardMayReadEverything(t *testing.T) {
	var parts []string
	for id := range facts.RunGrantedNoRoute {
		switch id.Definition().Type {
		case facts.TypeBool:
			parts = append(parts, fmt.Sprintf("(%s || !%s)", id, id))
		case facts.TypeInt:
			parts = append(parts, fmt.Sprintf("(%s == 0 || %s > 0)", id, id))
		default:
		}
	}
	b := load(t, "wide.yaml", []byte(strings.Replace(head, "NAME", "wide", 1)+`
start: look
states:
  look:
    because: a test
    assert: [{that: "`+strings.Join(parts, " && ")+`", why: a test, fix: none}]
    then: {ok: done, fail: operator}
  done: {end: succeeded}
`))
	res, err := check.Run(t.Context(), b, check.Options{Bounds: briefest()})
	if err != nil {
		t.Fatal(err)
	}
	for _, gap := range res.Gaps {
		if strings.Contains(gap.Text, "to pass") || gap.Unreached {
			t.Errorf("of a guard on %d facts: %s", len(parts), gap)
		}
	}
}
