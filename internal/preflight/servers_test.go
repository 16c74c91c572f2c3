package preflight

import (
	"testing"

	"example.org/ims/internal/verdict"
	"example.org/ims/pkg/facts"
)

// TestAServerThatDoesNotAnswer: what a runbook changes it must be able to see on
// every server; what it leaves alone, it need not.
func TestAServerThatDoesNotAnswer(t *testing.T) {
	s := serving(nil)
	s.Servers = []Server{
		{Zone: "example.test", Name: "192.0.2.1:53", Holds: []string{"MX", "TXT"}, At: now},
		{Zone: "example.test", Name: "192.0.2.9:53", Holds: []string{"MX", "TXT"}, Err: "i/o timeout", At: now},
		{Zone: "2.0.192.in-addr.arpa", Name: "192.0.2.8:53", Holds: []string{"PTR"}, Err: "i/o timeout", At: now},
	}
	for name, want := range map[string]verdict.Whole{"q285090": verdict.NotKnown, "add-successor": verdict.NotKnown, "last-gateway": verdict.NotKnown} {
		r := report(t, Input{Snapshot: s, Book: book(t, name)})
		if c := find(t, r, "dns.example.test.192.0.2.9:53"); c.Verdict != Unknown || c.Reason != "i/o timeout" || c.Fix == "" {
			t.Errorf("%s: %+v", name, c)
		}
		if c := find(t, r, "dns.example.test.192.0.2.1:53"); c.Verdict != Pass {
			t.Errorf("%s: %+v", name, c)
		}
		if r.Verdict != want || len(wrong(r)) != 1 {
			t.Errorf("%s is %s: %q", name, r.Verdict, wrong(r))
		}
	}
	for _, c := range report(t, Input{Snapshot: s, Book: book(t, "eleven-steps")}).Checks {
		if c.Group == GroupDNS && c.Verdict != Pass && c.ID != "dns.example.test.192.0.2.9:53" {
			t.Errorf("a zone that the runbook leaves alone is judged: %+v", c)
		}
	}
}

// TestWhatCannotBeSeenIsUnknown: a fact that could not be observed, and that a
// guard on the way needs, is unknown although the run changes it, and said once.
func TestWhatCannotBeSeenIsUnknown(t *testing.T) {
	for name, change := range map[string]map[facts.ID]facts.Value{
		"unknown mx_agrees.until[0]": {facts.MxAgree: facts.Unknown},
		"unknown settle.until[0]":    {facts.RouteStale: facts.Unknown},
	} {
		r := report(t, Input{Snapshot: serving(change)})
		if got := wrong(r); len(got) != 1 || got[0] != name || r.Verdict != verdict.NotKnown {
			t.Errorf("%s: %q, want %s alone", r.Verdict, got, name)
		}
	}
	// Where the prediction ends before it, too.
	r := report(t, Input{Snapshot: serving(map[facts.ID]facts.Value{facts.MxAgree: facts.Unknown, facts.GwSideCorrupt: 1})})
	if c := find(t, r, "mx_agrees.until[0]"); c.Verdict != Unknown || len(c.Missing) != 1 || r.Verdict != verdict.Blocked {
		t.Errorf("%s: %+v", r.Verdict, c)
	}
}
