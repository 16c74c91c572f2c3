package guard

import (
	"strings"
	"testing"

	"example.org/ims/pkg/facts"
)

// TestCountsAreZeroOrNot: what a proof cannot tell apart is no guard, in
// whatever form it is written, and its place is that of the fact.
func TestCountsAreZeroOrNot(t *testing.T) {
	c, err := NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	for expr, columns := range map[string][]int{
		"gw.q.total == 0": nil, "gw.q.total != 0": nil, "gw.q.total > 0": nil, "gw.q.total <= 0": nil,
		"gw.q.total >= 1": nil, "gw.q.total < 1": nil, "0 == gw.q.total": nil, "0 < gw.q.total": nil, "1 <= gw.q.total": nil,
		"gw.q.mta + gw.q.in + gw.q.out == 0": nil,
		"gw.expiring <= run.may_expire":      nil, "gw.expiring > run.may_expire": nil, "run.may_expire >= gw.expiring": nil,
		"gw.oldest == 0 || !(gw.q.in > 0)": nil,

		"gw.q.total == 0 || gw.q.total > 40":   {20},
		"gw.q.total == 9":                      {1},
		"gw.q.total >= 0":                      {1},
		"gw.q.total <= 1":                      {1},
		"20 > ledger.unaccounted":              {6},
		"gw.running && gw.q.in < 2":            {15},
		"gw.expiring <= run.may_expire * 3":    {1, 16},
		"gw.expiring + 1 <= run.may_expire":    {1, 20},
		"gw.expiring < run.may_expire":         {1, 15},
		"gw.q.total <= route.sites":            {1, 15},
		"gw.q.total in [0, 9]":                 {1},
		"(gw.running ? gw.q.in : 0) == 0":      {15},
		"-gw.q.total == 0":                     {2},
		"gw.q.mta - gw.q.in == 0":              {1, 12},
		"gw.q.mta + gw.q.in > 3":               {1, 12},
		"gw.oldest < 3600 && gw.q.total == 0":  {1},
		"gw.q.in + gw.q.out == run.may_expire": {1, 11, 23},
	} {
		_, errs := c.Compile("g", expr)
		var at []int
		for _, e := range errs {
			if !strings.Contains(e.Message, "can only be compared with 0") {
				t.Errorf("Compile(%q): %v", expr, e)
			}
			at = append(at, e.Column)
		}
		if len(at) != len(columns) {
			t.Errorf("Compile(%q) finds fault at %v, want %v", expr, at, columns)
			continue
		}
		for i := range at {
			if at[i] != columns[i] {
				t.Errorf("Compile(%q) finds fault at %v, want %v", expr, at, columns)
				break
			}
		}
	}
}

// TestEveryNumberIsACount: a new fact that is a number is checked, too.
func TestEveryNumberIsACount(t *testing.T) {
	c, err := NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, id := range facts.All() {
		if typ := id.Definition().Type; typ != facts.TypeInt && typ != facts.TypeDuration {
			continue
		}
		n++
		if _, errs := c.Compile("g", id.String()+" < 7"); len(errs) != 1 {
			t.Errorf("%s < 7: %v, want one mistake", id, errs)
		}
	}
	if n < 20 {
		t.Errorf("%d facts are numbers, want those of the schema", n)
	}
}
