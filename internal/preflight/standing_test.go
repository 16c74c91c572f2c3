package preflight

import (
	"strings"
	"testing"
	"time"

	"example.org/ims/pkg/facts"
)

// TestFixesAreByCause wants what a check says against it to help against what is
// the matter, when it is pasted.
func TestFixesAreByCause(t *testing.T) {
	up := func(change func(*Standing)) *Standing {
		n := &Standing{Name: "west", At: now, Exists: true, Running: true, Mode: "inbound-outbound", Stored: "inbound-outbound"}
		change(n)
		return n
	}
	no := map[facts.ID]facts.Value{facts.NextAccepts: 0, facts.NextCoversIn: 0}
	const reason = " --reason 'retire east'"
	for _, tt := range []struct {
		name   string
		change map[facts.ID]facts.Value
		with   func(*Snapshot)
		check  string
		want   string
	}{
		{"stopped", no, func(s *Snapshot) { s.Next = up(func(n *Standing) { n.Running = false }) }, "ready.assert[3]", "ims gateway start west" + reason},
		{"paused", no, func(s *Snapshot) { s.Next = up(func(n *Standing) { n.Paused = true }) }, "ready.assert[3]", "ims gateway resume west" + reason},
		{"only sends", no, func(s *Snapshot) {
			s.Next = up(func(n *Standing) { n.Mode, n.Stored = "outbound-only", "outbound-only" })
		}, "ready.assert[3]", "ims gateway set west --mode inbound-outbound --restart" + reason},
		{"only sends until it is restarted", no, func(s *Snapshot) { s.Next = up(func(n *Standing) { n.Mode = "outbound-only" }) }, "ready.assert[3]", "ims gateway restart west" + reason},
		{"sends nothing and holds mail", no, func(s *Snapshot) { s.Next = up(func(n *Standing) { n.Mode, n.Stored, n.Waiting = "none", "none", 9 }) }, "ready.assert[3]", "ims retire west --runbook rescue --dry-run"},
		{"its port is closed", no, func(s *Snapshot) { s.Next, s.Inbound.New.Closed = up(func(*Standing) {}), true }, "ready.assert[3]", "ims gateway restart west" + reason},
		{"covers nothing because it is paused", no, func(s *Snapshot) { s.Next = up(func(n *Standing) { n.Paused = true }) }, "consent_inbound.when[0]", "ims gateway resume west" + reason},
		{"does not know the domain", map[facts.ID]facts.Value{facts.NextCoversIn: 0}, func(s *Snapshot) {
			s.Next = up(func(*Standing) {})
			s.Inbound.List[0].New.Known = Answer{"permanent", "550 5.7.1 relaying denied"}
		}, "consent_inbound.when[0]", "add example.test to organization.domains"},
		{"a mode that strands", map[facts.ID]facts.Value{facts.GwMode: 3}, func(*Snapshot) {}, "ready.assert[1]", "ims gateway set east --mode inbound-outbound --restart" + reason},
		{"a mode that strands, with old mail", map[facts.ID]facts.Value{facts.GwMode: 1, facts.GwAged: 4}, func(*Snapshot) {}, "ready.assert[1]", "ims retire east --runbook rescue --dry-run"},
		{"a mode that strands, with who knows what", map[facts.ID]facts.Value{facts.GwMode: 1, facts.GwAged: facts.Unknown}, func(*Snapshot) {}, "ready.assert[1]", "ims retire east --runbook rescue --dry-run"},
		{"stopped, with old mail", map[facts.ID]facts.Value{facts.GwRunning: 0, facts.GwAged: 4}, func(*Snapshot) {}, "ready.assert[0]", "ims retire east --runbook rescue --dry-run"},
		{"too small", nil, func(s *Snapshot) { s.Inbound.New.Size = 10 }, "cover.in.example.test.size", "ims gateway set west --max-size 900 --restart" + reason},
		{"the gateway is paused", nil, func(s *Snapshot) {
			s.Own = &Standing{Name: "east", Exists: true, Running: true, Paused: true}
			s.Inbound.List[0].Old.Random = Answer{"temporary", "421 4.3.2"}
		}, "cover.in.example.test.stranger", "ims gateway resume east" + reason},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serving(tt.change)
			tt.with(s)
			if c := find(t, report(t, Input{Snapshot: s}), tt.check); c.Fix != tt.want || c.Verdict == Pass {
				t.Errorf("%s %s: fix\n%q, want\n%q", c.Verdict, c.Reason, c.Fix, tt.want)
			}
		})
	}
}

// TestRejectionOfTheProberSaysNothing: who lets us not in may let others in, and
// has refused no domain.
func TestRejectionOfTheProberSaysNothing(t *testing.T) {
	s := serving(nil)
	s.Inbound.New.Rejects = "521 5.3.2 east does not take mail from here"
	all := Answer{"permanent", s.Inbound.New.Rejects}
	s.Inbound.List[0].New = Answers{all, all}
	r := report(t, Input{Snapshot: s})
	for _, id := range []string{"cover.in.example.test.recipient", "cover.in.example.test.stranger"} {
		c := find(t, r, id)
		if c.Verdict != Unknown || !strings.Contains(c.Reason, "521 5.3.2") || strings.Contains(c.Fix, "organization.domains") {
			t.Errorf("%s: %s %q, fix %q", id, c.Verdict, c.Reason, c.Fix)
		}
	}
}

// TestNextStartOfTheSuccessor: what is stored takes effect when nobody looks.
func TestNextStartOfTheSuccessor(t *testing.T) {
	for _, tt := range []struct {
		mode, stored string
		want         Verdict // "" for no check
		says         string
	}{
		{"inbound-outbound", "inbound-outbound", "", ""},
		{"inbound-outbound", "none", Fail, "none is stored: from its next start it would take no inbound mail, and send nothing"},
		{"inbound-outbound", "inbound-only", Fail, "it would send nothing, and keep what is routed to it"},
		{"outbound-only", "inbound-outbound", Pass, "inbound-outbound from its next start"},
	} {
		s := serving(nil)
		s.Next = &Standing{Name: "west", At: now, Exists: true, Running: true, Mode: tt.mode, Stored: tt.stored}
		r := report(t, Input{Snapshot: s})
		var got Verdict
		says := ""
		for i := range r.Checks {
			if c := &r.Checks[i]; c.ID == "successor.mode" {
				got, says = c.Verdict, c.Reason
			}
		}
		if got != tt.want || !strings.Contains(says, tt.says) {
			t.Errorf("%s, stored %s: %q %q, want %q %q", tt.mode, tt.stored, got, says, tt.want, tt.says)
		}
		if c := report(t, Input{Snapshot: s, Made: now.Add(2 * time.Hour), MaxAge: time.Hour}); tt.want == Fail && c.Verdict == "blocked" {
			t.Error("what is too old still counts")
		}
	}
}
