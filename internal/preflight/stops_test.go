package preflight

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/plan"
	"example.org/ims/internal/verdict"
	"example.org/ims/pkg/facts"
)

// TestWhatStopsARunIsNamedBesideAQuestion gives a state a question, and what a
// dry run says of the same state: only what a guard says already is left out.
func TestWhatStopsARunIsNamedBesideAQuestion(t *testing.T) {
	b := book(t, "q285090")
	st := &b.Def.States[b.Def.Find("consent_no_route")]
	for _, tt := range []struct {
		has  []Verdict
		said Verdict
		want bool
	}{
		{[]Verdict{Ask}, Unknown, true},
		{[]Verdict{Fail}, Unknown, true},
		{[]Verdict{Fail}, Ask, true},
		{[]Verdict{Ask}, Fail, true},
		{nil, Unknown, true},
		{nil, Fail, true},
		{[]Verdict{Unknown}, Unknown, false},
		{[]Verdict{Ask, Unknown}, Unknown, false},
		{[]Verdict{Pass, Fail}, Fail, false},
		{nil, Pass, false},
	} {
		r := &Report{Now: now}
		for _, v := range tt.has {
			r.add(Check{ID: "consent_no_route.when[0]", State: st.ID, Verdict: v})
		}
		n := len(r.Checks)
		r.stops(serving(nil), st, &way{plan: &plan.Plan{Checks: []plan.Check{{ID: st.ID, Verdict: tt.said, Why: "it says so", Missing: []string{"gw.mode"}}}}})
		if got := len(r.Checks) > n; got != tt.want {
			t.Errorf("beside %q, %s is named: %t, want %t", tt.has, tt.said, got, tt.want)
		} else if got && (r.Checks[n].Verdict != tt.said || r.Checks[n].Reason != "it says so" || len(r.Checks[n].Missing) != 1) {
			t.Errorf("beside %q: %+v", tt.has, r.Checks[n])
		}
	}
}

// TestAnyFailBeatsAnyUnknown counts every part of a report in which all four
// verdicts stand in different states.
func TestAnyFailBeatsAnyUnknown(t *testing.T) {
	s := serving(map[facts.ID]facts.Value{facts.RouteUncovered: 1, facts.NextCoversIn: facts.Unknown})
	s.Inbound.List[0].New = Answers{}
	r := report(t, Input{Snapshot: s})
	want := []string{
		"ask consent_no_route.when[0]", "unknown consent_inbound.when[0]",
		"unknown cover.in.example.test.recipient", "unknown cover.in.example.test.stranger",
	}
	if diff := cmp.Diff(want, wrong(r)); diff != "" || r.Verdict != verdict.Asks {
		t.Errorf("verdict %s (-want +got):\n%s", r.Verdict, diff)
	}
	if r.Counts.Unknown != 3 || r.Counts.Questions != 1 {
		t.Errorf("counts %s", r.Counts)
	}
	s.Dependents[0].Names = []Naming{{What: "site branch", Fix: "decide", Open: true}}
	if r = report(t, Input{Snapshot: s}); r.Verdict != verdict.Blocked || len(wrong(r)) != len(want)+1 {
		t.Errorf("verdict %s: %q", r.Verdict, wrong(r))
	}
}
