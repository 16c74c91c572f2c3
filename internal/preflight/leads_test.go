package preflight

import (
	"strings"
	"testing"
)

// TestDomainsThatTheRunLeaves: a run is not begun that leaves mail to a gateway
// that goes.
func TestDomainsThatTheRunLeaves(t *testing.T) {
	taken := Answers{Known: Answer{"accept", "250"}, Random: Answer{"permanent", "550 5.1.1 no such user"}}
	for _, tt := range []struct {
		name, book string
		d          Domain
		want       Verdict // "": there is no check
		words      string
	}{
		{"a domain of the run", "q285090", Domain{Name: "example.test", From: []string{"configuration", "mx"}, Leads: []string{"5 mx1.test (leads to east: 192.0.2.1)"}, Otherwise: true}, Pass, "it comes by 5 mx1.test (leads to east: 192.0.2.1)"},
		{"of nobody's MX", "q285090", Domain{Name: "log.test", From: []string{"log"}}, "", ""},
		{"another domain", "q285090", Domain{Name: "sub.test", From: []string{"mx"}, Leads: []string{"10 east.example.test"}}, Fail, "the run moves the MX of example.test only"},
		{"without an MX", "q285090", Domain{Name: "sub.test", From: []string{"address"}, Leads: []string{"sub.test itself"}}, Fail, "it comes by sub.test itself"},
		{"another domain, and its host name goes", "replace", Domain{Name: "sub.test", From: []string{"mx"}, Leads: []string{"10 east.example.test"}}, Pass, "it comes by 10 east.example.test"},
		{"another name, and its host name goes", "replace", Domain{Name: "example.test", From: []string{"mx"}, Leads: []string{"5 mx1.test"}, Otherwise: true}, Fail, "the run changes the addresses of east.example.test only"},
		{"its own name, and the host name goes", "replace", Domain{Name: "sub.test", From: []string{"address"}, Leads: []string{"sub.test itself"}}, Fail, "the run changes the addresses"},
		{"another domain, and it stays", "add-successor", Domain{Name: "sub.test", From: []string{"mx"}, Leads: []string{"10 east.example.test"}}, "", ""},
		{"another domain, and it is the last", "last-gateway", Domain{Name: "sub.test", From: []string{"mx"}, Leads: []string{"10 east.example.test"}}, Fail, "the run moves the MX of example.test only"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serving(nil)
			tt.d.Old, tt.d.New = taken, taken
			s.Inbound.List = []Domain{tt.d}
			var got []Check
			for _, c := range report(t, Input{Snapshot: s, Book: book(t, tt.book)}).Checks {
				if c.ID == "cover.in."+tt.d.Name+".moved" {
					got = append(got, c)
				}
			}
			switch {
			case tt.want == "" && len(got) > 0:
				t.Errorf("there is a check: %+v", got)
			case tt.want == "":
			case len(got) != 1 || got[0].Verdict != tt.want || !strings.Contains(got[0].Reason, tt.words) || (tt.want == Fail) != (got[0].Fix != ""):
				t.Errorf("%+v, want %s with %q", got, tt.want, tt.words)
			}
		})
	}
}

// TestANameIsNoDomainWhileTheGatewayIsSilent: a name that only has the gateway's
// address is a domain if the gateway takes mail for it, which nobody knows then.
func TestANameIsNoDomainWhileTheGatewayIsSilent(t *testing.T) {
	for from, want := range map[string]Verdict{"address": Unknown, "mx": Fail} {
		s := serving(nil)
		s.Inbound.Old.Err = "probe east:25: it did not answer within 10s"
		s.Inbound.List = []Domain{{Name: "sub.test", From: []string{from}, Leads: []string{"sub.test itself"}}}
		c := find(t, report(t, Input{Snapshot: s, Book: book(t, "q285090")}), "cover.in.sub.test.moved")
		if c.Verdict != want || strings.Contains(c.Reason, s.Inbound.Old.Err) != (want == Unknown) || c.Fix == "" {
			t.Errorf("from %s: %+v, want %s", from, c, want)
		}
	}
}

// TestTheSuccessorsName passes what was found of it on, and takes silence for no
// answer.
func TestTheSuccessorsName(t *testing.T) {
	for _, tt := range []struct {
		found Named
		want  Verdict
		words string
	}{
		{Named{Verdict: Pass, Why: "it leads there"}, Pass, "it leads there"},
		{Named{Verdict: Fail, Why: "it has no address", Fix: "publish one"}, Fail, "it has no address publish one"},
		{Named{Verdict: Unknown, Why: "no answer", Fix: "look"}, Unknown, "no answer look"},
		{Named{}, Unknown, "another version of this program saved these facts"},
	} {
		s := serving(nil)
		s.Inbound.Named = tt.found
		c := find(t, report(t, Input{Snapshot: s}), "cover.in.name")
		if c.Verdict != tt.want || !strings.Contains(c.Reason+" "+c.Fix, tt.words) {
			t.Errorf("%+v: %+v", tt.found, c)
		}
	}
}

// TestNamesWithoutMail: the names that lead here and take no mail are told, not
// all of many, and those of another zone are not.
func TestNamesWithoutMail(t *testing.T) {
	in := Inbound{Bare: []string{"a.z.test", "b.z.test", "c.z.test", "d.z.test", "e.z.test", "f.z.test", "g.z.test", "x.otherz.test"}}
	for apex, want := range map[string]string{"z.test": "a.z.test, b.z.test, c.z.test, d.z.test, e.z.test, and 2 more", "otherz.test.": "x.otherz.test", "example.test": ""} {
		if got := in.bare(apex); got != want {
			t.Errorf("of %s: %q, want %q", apex, got, want)
		}
	}
	for _, tt := range []struct {
		known, random Answer
		want          bool
	}{
		{Answer{"permanent", "550 5.7.1 relaying is prohibited"}, Answer{"permanent", "550 5.7.1 relaying is prohibited"}, true},
		{Answer{"temporary", "450 4.3.2 no"}, Answer{"temporary", "450 4.3.2 no"}, true},
		{Answer{"closed", "connection refused"}, Answer{"closed", "connection refused"}, true},
		{Answer{"accept", "250"}, Answer{"permanent", "550 5.7.1 no"}, false},
		{Answer{"permanent", "550 5.1.1 no such user"}, Answer{"permanent", "550 5.1.1 no such user"}, false},
		{Answer{}, Answer{}, false},
	} {
		if got := (Answers{tt.known, tt.random}).None(); got != tt.want {
			t.Errorf("%v, %v: takes no mail %v, want %v", tt.known, tt.random, got, tt.want)
		}
	}
}
