package monitor_test

import (
	"fmt"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/runner"
	"example.org/ims/internal/tui/monitor"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
	"example.org/ims/pkg/machine"
)

// noon is when the pictures are taken.
var noon = time.Date(2026, 6, 16, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return noon.Add(-d) }
func in(d time.Duration) time.Time  { return noon.Add(d) }

// census holds n messages in out and a few elsewhere; counters say how it came
// to that.
func census(at time.Time, out int64) gateway.Census {
	c := gateway.Census{At: at, Instance: "one", InFlight: 1, Accepted: 4100}
	for s := range c.Stores {
		c.Stores[s].Known = gateway.Counted
		c.Stores[s].Entered, c.Stores[s].Left = 5000, 5000
	}
	c.Stores[gateway.Out] = gateway.Count{
		Known: gateway.Counted, Messages: out, Recipients: out + 7, Bytes: out * 21_000, Oldest: ago(30 * time.Hour), Entered: 5000, Left: uint64(5000 - out),
	}
	c.Stores[gateway.MTSIn] = gateway.Count{
		Known: gateway.Counted, Messages: 3, Recipients: 3, Bytes: 5200, Oldest: ago(4 * time.Minute), Entered: 900, Left: 897,
	}
	return c
}

func rows() []gateway.Destination {
	return []gateway.Destination{
		{
			Store: gateway.Out, Dest: "deadhost.example", Messages: 32, Recipients: 40, Bytes: 400_000, Ages: [6]int64{0, 0, 0, 4, 22, 6},
			Oldest: ago(100 * time.Hour), Next: in(18 * time.Minute), Latest: in(40 * time.Minute), Expires: in(9 * time.Hour), Ends: in(47 * time.Hour),
			Tried: 32, Most: 31, Last: "connect to mx.deadhost.example 192.0.2.25:25: i/o timeout", LastAt: ago(42 * time.Minute), Expiring: 6,
		},
		{
			Store: gateway.Out, Dest: "slowco.example", Messages: 52, Recipients: 52, Bytes: 900_000, Ages: [6]int64{0, 0, 9, 31, 12, 0},
			Oldest: ago(50 * time.Hour), Next: in(4 * time.Minute), Latest: in(55 * time.Minute), Expires: in(41 * time.Hour), Ends: in(70 * time.Hour),
			Tried: 50, Most: 9, Last: "451 4.7.1 greylisted, come back later", LastAt: ago(11 * time.Minute),
		},
		{
			Store: gateway.Out, Dest: "fast.example", Messages: 12, Recipients: 15, Bytes: 33_000, Ages: [6]int64{12},
			Oldest: ago(40 * time.Second), Expires: in(71 * time.Hour), Ends: in(72 * time.Hour),
		},
		{
			Store: gateway.Hold, Dest: "legal.example", Messages: 4, Recipients: 4, Bytes: 8_000, Ages: [6]int64{0, 0, 0, 0, 4, 0},
			Oldest: ago(60 * time.Hour), Held: "by ann: legal hold",
		},
		{
			Store: gateway.MTSIn, Dest: "example.org", Messages: 3, Recipients: 3, Bytes: 5_200, Ages: [6]int64{3},
			Oldest: ago(4 * time.Minute), Next: in(time.Minute), Expires: in(71 * time.Hour), Ends: in(71 * time.Hour), Tried: 2, Most: 1,
			Last: "450 4.2.1 mailbox busy", LastAt: ago(time.Minute),
		},
	}
}

func summary() *gateway.Summary {
	s := &gateway.Summary{At: noon, Rows: rows(), Found: 5}
	for _, r := range s.Rows {
		s.Total.Messages += r.Messages
		s.Total.Expiring += r.Expiring
	}
	s.Total.Latest, s.Total.Ends, s.Total.Next = in(55*time.Minute), in(72*time.Hour), in(time.Minute)
	s.Worst = s.Rows[:2:2]
	return s
}

// run is a retirement in its drain.
func run() *runner.Monitor {
	var r runner.Monitor
	r.Run, r.Runbook, r.Gateway, r.Next = "gw-old-1", "q285090", "gw-old", "gw-new"
	r.State, r.Title, r.Index, r.States, r.Phase = "drain", "Every store empties by delivery", 5, 8, "judging"
	r.Opened, r.Outcome, r.Alive = ago(76*time.Hour), "open", true
	r.Ends, r.Limit, r.Expires = in(40*time.Minute), in(30*time.Hour), ago(26*time.Hour)
	r.Missing = []engine.Missing{{That: "gw.q.total == 0", Verdict: "fail", Why: "mail that is queued here is never rerouted", Fix: "ims queue list gw-old"}}
	r.Action = engine.Action{Verb: engine.Approve, State: "confirm", What: "Is everything accounted for?", Commands: []string{"ims approve gw-old-1 confirm"}, At: in(7 * 24 * time.Hour)}
	r.Seen = noon
	r.Facts = map[string]string{"route.here": "false", "route.stale": "false", "gw.accepts": "false", "mx.here": "false", "gw.q.total": "103"}
	r.Ledger = map[string]int64{"accepted": 4203, "generated": 61, "delivered": 4098, "returned": 58, "absorbed": 5, "present": 103}
	r.Notes = []string{"old MX of example.org may be cached until 2026-06-15T10:00:00Z"}
	titles := []string{
		"The gateway is fit to be retired", "Point the MX records at the successor", "Set the transfer mode to Outbound Only, and restart",
		"Remove the address spaces", r.Title, "Everything is accounted for", "Remove the Internet Mail Service from the computer", "",
	}
	for i, id := range []string{"ready", "move_mx", "outbound_only", "remove_spaces", "drain", "confirm", "remove", "done"} {
		r.Steps = append(r.Steps, runner.Step{Number: i + 1, State: id, Title: titles[i], Kind: "do", Source: []string{"Q285090.2"}})
		if i < 5 {
			v := machine.Visit{State: id, Entered: r.Opened.Add(time.Duration(i) * 18 * time.Hour), Left: r.Opened.Add(time.Duration(i+1) * 18 * time.Hour)}
			r.Visits = append(r.Visits, runner.Visit{Visit: v, Title: titles[i], Source: []string{"Q285090.2"}})
		}
	}
	r.Visits[4].Left = time.Time{}
	r.Conditions = []runner.Condition{
		{That: "gw.q.total == 0", Verdict: "fail", Why: "mail that is queued here is never rerouted", Fix: "ims queue list gw-old", Facts: map[string]string{"gw.q.total": "103"}},
		{That: "gw.running", Verdict: "pass", Why: "a stopped service delivers nothing", Facts: map[string]string{"gw.running": "true"}},
		{That: "gw.side.hold == 0", Verdict: "unknown", Why: "held mail leaves only by hand", Facts: map[string]string{"gw.side.hold": ""}},
	}
	for i, answer := range []string{"10 gw-new.example.org.", "10 gw-new.example.org."} {
		r.Authorities = append(r.Authorities, runner.Authority{Domain: "example.org", Server: fmt.Sprintf("ns%d.example.org. 192.0.2.%d", i+1, i+1), Answer: answer, TTL: 300, At: ago(20 * time.Second)})
	}
	r.Undo = runner.Undo{Possible: true, Undone: []string{"remove_spaces: Remove the address spaces", "move_mx: Point the MX records at the successor"}, Remains: []string{"drain: deliveries are final"}}
	r.Viewers = []string{"ann", "bob"}
	r.Lines = []runner.Line{
		{Seq: 201, At: ago(23 * time.Hour), Kind: "outcome", State: "remove_spaces", Text: "gw-old: SMTP:* cost 1 -> no address space"},
		{Seq: 202, At: ago(22 * time.Hour), Kind: "observed", Text: "gw.q.total = 311"},
		{Seq: 210, At: ago(3 * time.Hour), Kind: "answered", State: "late_decision", Actor: "ann", Text: "ann: answered accept_loss in late_decision (printer is scrapped)"},
		{Seq: 222, At: ago(time.Hour), Kind: "resumed", Text: "resumed by runner 4711 on control1"},
	}
	return &r
}

func config() gateway.Config {
	s := gateway.Settings{Mode: gateway.OutboundOnly, Retry: []time.Duration{15 * time.Minute, time.Hour}}
	return gateway.Config{
		Name: "gw-old", Exists: true, Running: true, Instance: "one", Stored: s, Effective: s, Listen: "192.0.2.10:25", Hostname: "gw-old.example.org", StartedAt: ago(22 * time.Hour),
	}
}

func clients() []gateway.Client {
	return []gateway.Client{
		{Host: "10.2.3.4", Helo: "scan3.example.org", Sessions: 31, Deferred: 12, Last: ago(time.Minute), LastValid: ago(time.Minute)},
		{Host: "203.0.113.9", Helo: "mail.partner.example", Sessions: 3, Accepted: 2, Deferred: 1, Last: ago(50 * time.Minute), LastValid: ago(50 * time.Minute)},
	}
}

// last is the newest snapshot.
func last() monitor.Snapshot {
	return monitor.Snapshot{
		At: noon, Gateway: "gw-old", Run: run(), Config: config(), Census: census(noon, 96), Seen: noon, Summary: summary(), Clients: clients(),
	}
}

// fold makes a model of two minutes of a drain, then of a last snapshot.
func fold(o monitor.Options, s monitor.Snapshot) *monitor.Model {
	m := monitor.New(o)
	m.Update(monitor.Size{W: 80, H: 24})
	for i := range 60 {
		at := ago(time.Duration(120-2*i) * time.Second)
		before := s
		before.At, before.Seen, before.Census = at, at, census(at, 156-int64(i)-int64(i%3))
		if s.Seen.IsZero() {
			before.Seen = time.Time{}
		}
		m.Update(before)
	}
	m.Update(s)
	m.Update(monitor.Tick{Now: noon})
	return m
}

// keys presses keys.
func keys(m *monitor.Model, names ...string) {
	for _, k := range names {
		m.Update(monitor.Key{Name: k})
	}
}

// hostile is what strangers write: control characters, a forged line, a text
// that runs backwards, a double width, a byte that is no letter.
const hostile = "Subject: \x1b[2J\x1b]0;owned\x07 pay\u202egnp.exe 見積 \xff\r\nForged: yes"

func letters() monitor.Letters {
	l := monitor.Letters{Of: monitor.Place{Store: gateway.Out, Dest: "deadhost.example"}}
	for i, from := range []string{"ann@example.org", "", "\x1b[31mred@example.org"} {
		l.Items = append(l.Items, gateway.Item{
			Entry: fmt.Sprintf("e%d", i), Message: fmt.Sprintf("m%d", i), Store: gateway.Out, From: from, Rcpts: []string{"someone@deadhost.example", "other@deadhost.example"},
			Dest: "deadhost.example", Size: 5120 << i, Class: "normal", Accepted: ago(30 * time.Hour), Since: ago(30 * time.Hour), Next: in(18 * time.Minute),
			Expires: in(9 * time.Hour), Attempts: 31 - i, Last: "connect to mx.deadhost.example 192.0.2.25:25: i/o timeout",
		})
	}
	return l
}

func letter() monitor.Letter {
	it := letters().Items[0]
	return monitor.Letter{Entry: it.Entry, Letter: gateway.Letter{
		Item:   it,
		Header: []string{"Received: from hub1 (10.0.0.7)", "From: \"Ann\x00\" <ann@example.org>", hostile, "Date: Mon, 15 Jun 2026 06:00:00 +0000"},
		Events: []ledger.Event{
			{Seq: 1, At: ago(30 * time.Hour), Kind: ledger.Accepted, Store: "mta", Peer: "10.0.0.7"},
			{Seq: 9, At: ago(42 * time.Minute), Kind: ledger.Attempted, Store: "out", Reason: "i/o timeout \x1b[1mhello"},
		},
	}}
}

// asking is a run that has put a question.
func asking() monitor.Snapshot {
	s := last()
	r := s.Run
	r.State, r.Title, r.Phase, r.Missing, r.Ends, r.Limit, r.Index = "confirm", "Everything is accounted for", "asking", nil, time.Time{}, time.Time{}, 6
	r.Asked = &machine.Detail{Comment: "Is everything accounted for?", Evidence: []string{"ledger.unaccounted = 0", "ledger.absorbed = 5"}, Head: "3d5c95df917c7082", Digest: "abc"}
	r.Choices = []runner.Choice{{Name: "remove", Title: "Remove the gateway"}, {Name: "wait", Title: "Wait for another week"}}
	r.Action = engine.Action{Verb: engine.Approve, State: "confirm", What: "Is everything accounted for?", Commands: []string{"ims approve gw-old-1 confirm --choice remove", "ims approve gw-old-1 confirm --choice wait"}, At: noon}
	r.Conditions = nil
	return s
}

// failed is a run whose effect was refused, for a reason that takes more than a
// line, and that nothing else on the screen says.
func failed() monitor.Snapshot {
	s := stopped()
	r := s.Run
	r.State, r.Title, r.Why, r.Missing = "next_spaces", "Split the address spaces", "fail", nil
	r.Cause = &engine.Cause{At: noon, Target: "gw-new", Why: "address space SMTP:*@fast.test would be taken from gw-new and given to nobody: name it in here_spaces or next_spaces"}
	r.Action.State = r.State
	return s
}

// proving is a question with more evidence than fits, and with a question that
// takes two lines.
func proving() monitor.Snapshot {
	s := asking()
	r := s.Run
	r.Asked.Comment = "Is everything accounted for, so that the gateway may be removed from its computer? Nothing brings it back."
	r.Asked.Evidence = nil
	for _, fact := range []string{"gw.q.mta", "gw.q.mtsout", "gw.q.out", "gw.q.in", "gw.q.mtsin", "gw.side.hold", "gw.side.bad", "gw.side.corrupt", "mx.here", "route.here", "ledger.unaccounted"} {
		r.Asked.Evidence = append(r.Asked.Evidence, fact+" = 0", "pass: "+fact+" == 0: it was looked at by two observers who agree, and not since changed")
	}
	r.Choices = []runner.Choice{{Name: "accept_loss", Title: "Accept that late mail is lost"}, {Name: "wait", Title: "Wait for another week"}, {Name: "redirect", Title: "Redirect late clients"}}
	r.Action.Commands = []string{
		"ims approve gw-old-1 confirm --choice accept_loss", "ims approve gw-old-1 confirm --choice wait", "ims approve gw-old-1 confirm --choice redirect",
	}
	return s
}

// paused is a run that somebody paused.
func paused() monitor.Snapshot {
	s := last()
	s.Run.Paused = &machine.Pause{Actor: "bob", Reason: "the provider works on the line", Since: ago(25 * time.Minute)}
	s.Run.Action = engine.Action{Verb: engine.Unpause, State: "drain", What: "bob paused the run", Commands: []string{"ims continue gw-old-1"}, At: noon}
	return s
}

// stopped is a run that waits for an operator.
func stopped() monitor.Snapshot {
	s := last()
	s.Run.Phase, s.Run.Why = "operating", "drift"
	s.Run.Missing[0].Fix = "ims gateway start gw-old"
	s.Run.Action = engine.Action{Verb: engine.Continue, State: "drain", What: "decide how to go on: resume, or abort", Commands: []string{"ims resume gw-old-1"}, At: noon}
	return s
}
