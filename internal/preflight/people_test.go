package preflight

import (
	"strings"
	"testing"

	"example.org/ims/internal/verdict"
	"example.org/ims/pkg/runbook"
	"example.org/ims/runbooks"
)

// asking is q285090 with another question before the removal.
func asking(t *testing.T, terms string) *runbook.Book {
	t.Helper()
	src, err := runbooks.FS.ReadFile("q285090.yaml")
	if err != nil {
		t.Fatal(err)
	}
	head, tail, ok := strings.Cut(string(src), "\n  confirm:\n")
	if !ok || !strings.Contains(tail, "      min: 1\n") {
		t.Fatal("the runbook does not ask in confirm")
	}
	doc, mistakes := runbook.Load("q285090.yaml", []byte(head+"\n  confirm:\n"+strings.Replace(tail, "      min: 1\n", terms, 1)))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	b, mistakes := runbook.Bind(doc, runbook.Binding{Gateway: "east", Successor: "west", Domains: []string{"example.test"}})
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	return b
}

func TestQuestionsThatTooFewMayAnswer(t *testing.T) {
	anna, ben, op := Person{"anna", "approve"}, Person{"ben", "approve"}, Person{"op", "operate"}
	for _, tt := range []struct {
		name, terms, opener string
		people              []Person
		reason, fix         string // "" if enough may answer
	}{
		{"one is enough", "      min: 1\n", "anna", []Person{anna}, "", ""},
		{"nobody may approve", "      min: 1\n", "op", []Person{op}, "nobody may answer", "in ims.yaml, add to people: NAME1: {user: USER, may: approve}"},
		{"two are wanted", "      min: 2\n", "op", []Person{anna, op}, "only anna may answer", "in ims.yaml, add to people: NAME1: {user: USER, may: approve}"},
		{
			"nobody knows them", "      min: 2\n      from: [ghost, op]\n", "anna",
			[]Person{anna, op},
			"nobody may answer; ghost is not among people; op may only operate",
			"in ims.yaml, add to people: ghost: {user: USER, may: approve}; let people.op have may: approve",
		},
		{"the opener alone", "      min: 1\n      not_self: true\n", "anna", []Person{anna, op}, "nobody may answer; anna opens the run", "in ims.yaml, add to people: NAME1: {user: USER, may: approve}"},
		{
			"the opener is one of two", "      min: 2\n      from: [anna, ben]\n      not_self: true\n", "ben",
			[]Person{anna, ben},
			"only anna may answer; ben opens the run",
			"let somebody else open the run, or name more people in from of the question",
		},
		{"somebody else opens", "      min: 2\n      from: [anna, ben]\n      not_self: true\n", "op", []Person{anna, ben, op}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serving(nil)
			s.People, s.Opener = tt.people, tt.opener
			r := report(t, Input{Snapshot: s, Book: asking(t, tt.terms)})
			if tt.reason == "" {
				if c := find(t, r, "people"); c.Verdict != Pass || r.Verdict != verdict.Ready {
					t.Errorf("%s: %+v", r.Verdict, c)
				}
				return
			}
			if c := find(t, r, "people.confirm"); c.Verdict != Fail || c.Reason != tt.reason || c.Fix != tt.fix || r.Verdict != verdict.Blocked {
				t.Errorf("%s: %s, fix %s; want %s, fix %s", r.Verdict, c.Reason, c.Fix, tt.reason, tt.fix)
			}
		})
	}
	s := serving(nil)
	s.People = nil
	if c := find(t, report(t, Input{Snapshot: s}), "people"); c.Verdict != Unknown || c.Fix == "" {
		t.Errorf("facts that do not say who may approve: %+v", c)
	}
}

// TestWhatAnotherRunHoldsBlocks: an open run of the gateway itself holds the
// same, and is a blocker already.
func TestWhatAnotherRunHoldsBlocks(t *testing.T) {
	s := serving(nil)
	s.Held = []Held{{"gateway/west", "south-1"}, {"gateway/east", "east-2"}}
	s.Runs = []string{"east-2"}
	r := report(t, Input{Snapshot: s})
	c := find(t, r, "lease.gateway/west")
	if c.Verdict != Fail || !strings.Contains(c.Reason, "run south-1 holds gateway/west") || !strings.Contains(c.Fix, "ims status south-1") || strings.Contains(c.Fix, "abort") {
		t.Errorf("%+v", c)
	}
	if got := wrong(r); len(got) != 2 || r.Verdict != verdict.Blocked {
		t.Errorf("%s: %q, want the open run and what another one holds", r.Verdict, got)
	}
}
