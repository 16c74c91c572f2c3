package preflight

import (
	"strings"
	"testing"
	"time"

	"example.org/ims/internal/verdict"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/runbook"
)

func TestInboundCover(t *testing.T) {
	yes, no, later, closed := Answer{"accept", "250"}, Answer{"permanent", "550 5.1.1 no such user"}, Answer{"temporary", "450 later"}, Answer{"closed", "connection refused"}
	says := func(words string) Answer { return Answer{"permanent", words} }
	const rcpt, stranger, size, tls = "cover.in.example.test.recipient", "cover.in.example.test.stranger", "cover.in.example.test.size", "cover.in.tls"
	tests := []struct {
		name   string
		change func(in *Inbound, d *Domain)
		id     string
		want   Verdict
		text   string
	}{
		{"refused", func(_ *Inbound, d *Domain) { d.New.Known = no }, rcpt, Fail, `west answers "550 5.1.1 no such user" to a@example.test`},
		{"unknown to both", func(_ *Inbound, d *Domain) { d.Old.Known, d.New.Known = no, no }, rcpt, Pass, "both know the domain"},
		{"unknown to the gateway alone", func(_ *Inbound, d *Domain) { d.Old.Known, d.New.Known = no, says("550 5.7.1 relaying denied") }, rcpt, Unknown, "nothing about the other recipients"},
		{"a domain that the gateway does not take", func(_ *Inbound, d *Domain) { d.Old.Known, d.New.Known = says("550 5.1.2 no such domain"), no }, rcpt, Pass, "nothing to cover"},
		{"a domain without mail", func(_ *Inbound, d *Domain) { d.Old.Known, d.New.Known = says("556 nobody takes mail here"), no }, rcpt, Pass, "nothing to cover"},
		{"policy", func(_ *Inbound, d *Domain) {
			d.Old.Known, d.New.Known = says("550 5.7.1 your address is on a list"), no
		}, rcpt, Unknown, "does not say that the recipient does not exist"},
		{"policy without an enhanced code", func(_ *Inbound, d *Domain) { d.Old.Known, d.New.Known = says("550 blocked"), no }, rcpt, Unknown, "does not say that the recipient does not exist"},
		{"shut", func(_ *Inbound, d *Domain) { d.Old.Known, d.New.Known = says("554 5.3.2 no mail today"), no }, rcpt, Unknown, "does not say that the recipient does not exist"},
		{"a mailbox is full", func(_ *Inbound, d *Domain) { d.Old.Known, d.New.Known = says("552 5.2.2 quota exceeded"), no }, rcpt, Unknown, "does not say that the recipient does not exist"},
		{"the sender is refused", func(_ *Inbound, d *Domain) { d.Old.Known, d.New.Known = says("550 5.1.8 no such sender"), no }, rcpt, Unknown, "does not say that the recipient does not exist"},
		{"553 without an enhanced code", func(_ *Inbound, d *Domain) { d.Old.Known, d.New.Known = says("553 mailbox name not allowed"), no }, rcpt, Pass, "both know the domain"},
		{"a table for outgoing mail", func(_ *Inbound, d *Domain) { d.Outward, d.Old, d.New = true, Answers{}, Answers{} }, rcpt, Pass, "there is nothing to cover"},
		{"for now", func(_ *Inbound, d *Domain) { d.New.Known = later }, rcpt, Unknown, "says nothing about later"},
		{"closed", func(in *Inbound, d *Domain) { in.New.Closed, d.New = true, Answers{closed, closed} }, rcpt, Fail, "connection refused"},
		{"silent", func(in *Inbound, d *Domain) { in.New.Err, d.New = "no answer within 10s", Answers{} }, rcpt, Unknown, "no answer within 10s"},
		{"both refuse strangers", func(*Inbound, *Domain) {}, stranger, Pass, "both answer permanent"},
		{"takes strangers", func(_ *Inbound, d *Domain) { d.New.Random = yes }, stranger, Fail, "report to forged senders"},
		{"no longer takes all", func(_ *Inbound, d *Domain) { d.Old.Random = yes }, stranger, Fail, "mail that was taken would be refused"},
		{"gray", func(_ *Inbound, d *Domain) { d.New.Random = later }, stranger, Unknown, "only for now"},
		{"gray at both", func(_ *Inbound, d *Domain) { d.Old.Random, d.New.Random = later, later }, stranger, Unknown, "only for now"},
		{"nobody is taken there", func(_ *Inbound, d *Domain) { d.New = Answers{says("550 5.7.1 no"), says("550 5.7.1 no")} }, stranger, Unknown, "not because there is no such recipient"},
		{"nobody is taken here", func(_ *Inbound, d *Domain) { d.Old = Answers{says("550 5.7.1 no"), says("550 5.7.1 no")} }, stranger, Unknown, "not because there is no such recipient"},
		{"nobody is taken here, and all there", func(_ *Inbound, d *Domain) {
			d.Old, d.New.Random = Answers{says("550 5.7.1 no"), says("550 5.7.1 no")}, yes
		}, stranger, Unknown, "not because there is no such recipient"},
		{"the gateway is silent", func(in *Inbound, d *Domain) { in.Old.Err, d.Old = "no route", Answers{} }, stranger, Unknown, "no route"},
		{"nobody is there", func(in *Inbound, d *Domain) { in.New.Closed, d.New = true, Answers{closed, closed} }, stranger, Unknown, "connection refused"},
		{"nobody is here", func(in *Inbound, d *Domain) { in.Old.Closed, d.Old = true, Answers{closed, closed} }, stranger, Unknown, "connection refused"},
		{"large enough", func(*Inbound, *Domain) {}, size, Pass, "takes 1000 bytes"},
		{"too small", func(_ *Inbound, d *Domain) { d.Largest = 1001 }, size, Fail, "takes at most 1000 bytes"},
		{"any size", func(in *Inbound, d *Domain) { in.New.Size, d.Largest = 0, 1<<40 }, size, Pass, "any size"},
		{"size not declared", func(in *Inbound, _ *Domain) { in.New.SizeKnown = false }, size, Unknown, "declares no SIZE"},
		{"no message seen", func(in *Inbound, d *Domain) { in.New.SizeKnown, d.Messages = false, 0 }, size, Pass, "has no message"},
		{"no log", func(in *Inbound, _ *Domain) { in.Log = "cannot tell" }, size, Unknown, "cannot tell"},
		{"certificate", func(*Inbound, *Domain) {}, tls, Pass, "valid until"},
		{"other name", func(in *Inbound, _ *Domain) { in.New.TLS.Covers, in.New.TLS.Why = false, "for mx.test" }, tls, Fail, "for mx.test"},
		{"expires during the run", func(in *Inbound, _ *Domain) { in.New.TLS.NotAfter = now.Add(10 * 24 * time.Hour) }, tls, Fail, "before the run can end"},
		{"outlives the run", func(in *Inbound, _ *Domain) { in.New.TLS.NotAfter = now.Add(16 * 24 * time.Hour) }, tls, Pass, "valid until"},
		{"outlives the shortest run", func(in *Inbound, _ *Domain) { in.New.TLS.NotAfter = now.Add(11 * 24 * time.Hour) }, tls, Unknown, "if one wait takes as long as it may"},
		{"not valid yet", func(in *Inbound, _ *Domain) { in.New.TLS.NotBefore = now.Add(time.Hour) }, tls, Fail, "not valid before"},
		{"nobody is here to offer it", func(in *Inbound, _ *Domain) {
			in.Old.Closed, in.Old.TLS, in.New.TLS = true, Certificate{}, Certificate{}
		}, tls, Unknown, "it refuses connections"},
		{"broken", func(in *Inbound, _ *Domain) { in.New.TLS.Failed = "the handshake fails" }, tls, Fail, "the handshake fails"},
		{"lost", func(in *Inbound, _ *Domain) { in.New.TLS = Certificate{} }, tls, Fail, "cannot follow"},
		{"never was", func(in *Inbound, _ *Domain) { in.Old.TLS, in.New.TLS = Certificate{}, Certificate{} }, tls, Pass, "neither east nor west"},
		{"not seen", func(in *Inbound, _ *Domain) { in.New.TLS = Certificate{Err: "reset"} }, tls, Unknown, "reset"},
		{"nobody knows what was", func(in *Inbound, _ *Domain) { in.Old.TLS, in.New.TLS = Certificate{Err: "reset"}, Certificate{} }, tls, Unknown, "reset"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serving(nil)
			tt.change(&s.Inbound, &s.Inbound.List[0])
			c := find(t, report(t, Input{Snapshot: s}), tt.id)
			if c.Verdict != tt.want || !strings.Contains(c.Reason, tt.text) || (c.Fix == "") != (tt.want == Pass) {
				t.Errorf("%+v, want %s: %s", c, tt.want, tt.text)
			}
		})
	}
}

// TestAReroutedDomainIsCovered wants the successor to take mail for a domain of the
// reroute table, and the command that makes it.
func TestAReroutedDomainIsCovered(t *testing.T) {
	s := serving(nil)
	d := s.Inbound.List[0]
	d.Name, d.From, d.Rcpt, d.Fix = "alias.test", []string{"reroute"}, "postmaster@alias.test", "ims compare east west"
	d.New.Known = Answer{"permanent", "550 5.7.1 relaying is prohibited"}
	s.Inbound.List = append(s.Inbound.List, d)
	c := find(t, report(t, Input{Snapshot: s}), "cover.in.alias.test.recipient")
	if c.Verdict != Fail || c.Fix != d.Fix || !strings.Contains(c.That, "known from reroute") {
		t.Errorf("%+v", c)
	}
}

// TestOldTablesProveNothing wants a domain of outgoing mail unknown, once what was
// observed is too old.
func TestOldTablesProveNothing(t *testing.T) {
	s := serving(nil)
	s.Inbound.List = append(s.Inbound.List, Domain{Name: "slow.test", From: []string{"domain-hosts"}, Outward: true})
	r := report(t, Input{Snapshot: s, Offline: true, Made: now.Add(2 * time.Hour), MaxAge: time.Hour})
	if c := find(t, r, "cover.in.slow.test.recipient"); c.Verdict != Unknown || r.Counts.OK > 0 {
		t.Errorf("%s: %+v", r.Counts, c)
	}
}

// TestASpaceOfAnotherTypeIsUnknown wants it named as an address space, with what
// helps, and never passed.
func TestASpaceOfAnotherTypeIsUnknown(t *testing.T) {
	s := serving(map[facts.ID]facts.Value{facts.RouteUncovered: 1})
	s.Outbound.Parts = append(s.Outbound.Parts, Part{Name: "X400:c=us", Verdict: "undecided", Why: "routing of type X400 is not simulated", Fix: "ims route add west"})
	r := report(t, Input{Snapshot: s})
	c := find(t, r, "cover.out.X400:c=us")
	if c.Verdict != Unknown || !strings.Contains(c.Fix, "waive this") || strings.Contains(c.That, "connected site") || r.Verdict != verdict.Asks {
		t.Errorf("%s: %+v", r.Verdict, c)
	}
}

func TestWithoutASuccessorInboundIsLost(t *testing.T) {
	s := serving(nil)
	s.Successor = ""
	alone := func(name string) *runbook.Book {
		b := *book(t, name)
		b.Bound.Successor = ""
		return &b
	}
	c := find(t, report(t, Input{Snapshot: s, Book: alone("q285090")}), "cover.in.successor")
	if c.Verdict != Fail || !strings.Contains(c.Fix, "--to SUCCESSOR") {
		t.Errorf("%+v", c)
	}
	for _, name := range []string{"last-gateway", "rescue"} {
		c = find(t, report(t, Input{Snapshot: s, Book: alone(name)}), "cover.in.successor")
		if c.Verdict != Pass || c.Fix != "" {
			t.Errorf("of %s: %+v", name, c)
		}
	}
}

func TestWhatIsNotListedIsUnknown(t *testing.T) {
	s := serving(nil)
	s.Inbound.MX, s.Inbound.Log = []Zone{{Name: "example.test", Err: "the transfer is refused"}}, "the log is gone"
	s.Outbound.Err = "gateway west does not answer"
	r := report(t, Input{Snapshot: s})
	for _, id := range []string{"cover.in.mx.example.test", "cover.in.log", "cover.out"} {
		if c := find(t, r, id); c.Verdict != Unknown || c.Reason == "" || c.Fix == "" {
			t.Errorf("%+v", c)
		}
	}
	if r.Verdict != verdict.NotKnown {
		t.Errorf("verdict = %s", r.Verdict)
	}
}
