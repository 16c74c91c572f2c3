package monitor_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"example.org/ims/internal/runner"
	"example.org/ims/internal/tui/monitor"
	"example.org/ims/pkg/gateway"
)

func TestVerdicts(t *testing.T) {
	held := rows()[3]
	dead, slow := rows()[0], rows()[1]
	young, nowhere, null, unknown := dead, dead, dead, slow
	young.Most, young.Tried = 1, 1
	nowhere.Last = `look up old.example: look up host "old.example": no address: no such domain`
	null.Last = "look up old.example: domain accepts no mail (null MX)"
	unknown.Last = "450 4.1.8 no such domain as yours, come back later"
	tired := slow
	tired.Next, tired.Ends = in(50*time.Hour), in(20*time.Hour)
	many := slow
	many.Messages = 1500
	literal := dead
	literal.Dest = "[192.0.2.9]"
	twice := dead
	twice.Last = "connect to mx.deadhost.example 192.0.2.25:25: dial tcp 192.0.2.25:25: connect: connection refused"
	stopped, none, still := config(), config(), config()
	stopped.Running, still.Paused = false, true
	none.Effective.Mode = gateway.None
	waiting := gateway.Destination{Store: gateway.MTSOut, Messages: 3, Oldest: ago(time.Hour)}
	torn := gateway.Destination{Store: gateway.Corrupt, Messages: 2, Held: "no header"}
	for _, c := range []struct {
		name          string
		config        gateway.Config
		row           gateway.Destination
		want, command string
	}{
		{"greylisted", config(), slow, "slow: slowco.example (52): 451", "ims queue retry gw-old --store out --dest slowco.example --reason 'it should be taken now'"},
		{"more than a command takes", config(), many, "slow: slowco.example (1500): 451", "ims queue retry gw-old --store out --dest slowco.example --limit 1500 --reason 'it should be taken now'"},
		{"no host, often: it may come back", config(), dead, "blocked: deadhost.example (32): tried 47h more, next in 18m: connect", "ims queue retry gw-old --store out --dest deadhost.example --reason 'a host answers'"},
		{"an address said twice", config(), twice, "blocked: deadhost.example (32): tried 47h more, next in 18m: connect to mx.deadhost.example 192.0.2.25:25: connection refused", "ims queue retry gw-old --store out --dest deadhost.example --reason 'a host answers'"},
		{"an address", config(), literal, "blocked: [192.0.2.9] (32): tried 47h more", "ims queue retry gw-old --store out --dest '[192.0.2.9]' --reason 'a host answers'"},
		{"no such host", config(), nowhere, "never: deadhost.example (32): 31 attempts, nobody takes its mail: look up old.example", "ims queue return gw-old --store out --dest deadhost.example --expect 32 --reason 'nobody takes its mail'"},
		{"a null MX", config(), null, "never: deadhost.example (32): 31 attempts, nobody takes its mail", "ims queue return gw-old --store out --dest deadhost.example --expect 32 --reason 'nobody takes its mail'"},
		{"a host that says something like it", config(), unknown, "slow: slowco.example (52): 450", "ims queue retry gw-old --store out --dest slowco.example --reason 'it should be taken now'"},
		{"no host, once", config(), young, "blocked: deadhost.example (32): tried 47h more", "ims queue retry gw-old --store out --dest deadhost.example --reason 'a host answers'"},
		{"times out before", config(), tired, "never: slowco.example (52): it times out", "ims queue return gw-old --store out --dest slowco.example --expect 52 --reason 'it times out before its next attempt'"},
		{"held", config(), held, "blocked: legal.example (4): held by ann", "ims queue release gw-old --store hold --dest legal.example --expect 4 --reason 'it may be sent'"},
		{"unreadable", config(), torn, "never: all in corrupt (2): unreadable", "ims queue delete gw-old --store corrupt --expect 2 --reason 'it cannot be read'"},
		{"stopped", stopped, slow, "blocked: slowco.example (52): the service is stopped", "ims gateway start gw-old --reason 'mail waits in it'"},
		{"paused", still, slow, "blocked: slowco.example (52): the service is paused", "ims gateway resume gw-old --reason 'mail waits in it'"},
		{"mode none", none, waiting, "blocked: all in mts-out (3): mode", "ims gateway set gw-old --mode outbound-only --restart --reason 'mts-out holds mail'"},
	} {
		s := last()
		s.Config, s.Summary = c.config, &gateway.Summary{Rows: []gateway.Destination{c.row}, Worst: []gateway.Destination{c.row}, Found: 1}
		text, command, stalled := fold(options, s).Verdict()
		if !strings.HasPrefix(text, c.want) || stalled {
			t.Errorf("%s: %q, stalled %v, want %q", c.name, text, stalled, c.want)
		}
		if command != c.command {
			t.Errorf("%s: resolved by\n  %s, want\n  %s", c.name, command, c.command)
		}
	}
}

// TestStalledAndAsked: a question does not hide that nothing moves.
func TestStalledAndAsked(t *testing.T) {
	s := asking()
	s.Census.InFlight = 0
	s.Census.Stores[gateway.Hold] = gateway.Count{Known: gateway.Counted, Messages: 12, Bytes: 8000, Oldest: ago(time.Hour)}
	s.Summary = &gateway.Summary{Rows: rows()[3:4], Worst: rows()[3:4], Found: 1}
	s.Run.Stall = &runner.Stall{Since: ago(4 * time.Hour), Called: noon}
	m := fold(options, s)
	if got := screenText(m, 80, 24); !strings.Contains(got, "\nWAITING FOR AN ANSWER, STALLED ") {
		t.Errorf("the head does not say that it is stalled:\n%s", got)
	}
	if got := screenText(m, 40, 12); !strings.Contains(got, " hold 12\n") && !strings.Contains(got, "\nhold 12\n") {
		t.Errorf("a store and its count are on two lines:\n%s", got)
	}
}

// TestStalled: while a run is open its stall timer decides alone, until
// something leaves; elsewhere the longest pause between two attempts.
func TestStalled(t *testing.T) {
	still := func(s monitor.Snapshot, rest time.Duration) *monitor.Model {
		m := monitor.New(options)
		s.Summary = &gateway.Summary{Rows: rows()[:1], Worst: rows()[:1], Found: 1}
		s.Summary.Total.Next = in(17 * time.Minute)
		s.Census.InFlight = 0
		for d := time.Duration(0); d <= rest; d += rest / 20 {
			s.At = noon.Add(d)
			s.Seen = s.At
			m.Update(s)
		}
		return m
	}
	called, ended, alone, once := last(), last(), last(), last()
	called.Run.Stall = &runner.Stall{Since: ago(4 * time.Hour), Called: noon}
	ended.Run.Phase = "closed"
	alone.Run, once.Run = nil, nil
	once.Config.Effective.Retry = nil
	for _, c := range []struct {
		name string
		snap monitor.Snapshot
		rest time.Duration
		want string
	}{
		{"the run waits on", last(), 10 * time.Hour, ""},
		{"the run calls it so", called, 40 * time.Second, "STALLED for 4h, blocked: deadhost.example (32)"},
		{"the run has ended", ended, 59 * time.Minute, ""},
		{"no run, between two attempts", alone, 59 * time.Minute, ""},
		{"no run, longer than any pause", alone, 61 * time.Minute, "STALLED for 1h 1m, "},
		{"no run, no attempts", once, 11 * time.Second, "STALLED for 11s, "},
	} {
		text, _, stalled := still(c.snap, c.rest).Verdict()
		if stalled != (c.want != "") || !strings.HasPrefix(text, c.want) {
			t.Errorf("%s: %v, %q, want %q", c.name, stalled, text, c.want)
		}
	}
	if got := screenText(still(last(), 40*time.Second), 160, 48); !strings.Contains(got, "nothing was delivered for 40s; the next attempt is at 12:17:00") {
		t.Errorf("it does not say when the next attempt is:\n%s", got)
	}
	m := still(called, 40*time.Second)
	called.At, called.Summary = in(time.Minute), &gateway.Summary{Rows: rows()[:1], Worst: rows()[:1], Found: 1}
	called.Seen, called.Census = called.At, census(called.At, 95)
	m.Update(called)
	if _, _, stalled := m.Verdict(); stalled {
		t.Error("something left since, and it still counts as stalled")
	}
}

// TestEstimate: it is a time with a basis, or unknown with a reason, and never
// a time that is over.
func TestEstimate(t *testing.T) {
	line := func(m *monitor.Model) string {
		for l := range strings.SplitSeq(screenText(m, 160, 48), "\n") {
			if strings.HasPrefix(l, "empty ") {
				return l
			}
		}
		return ""
	}
	few := monitor.New(options)
	few.Update(last())
	grows := monitor.New(options)
	flat := monitor.New(options)
	for i := range 60 {
		s := last()
		s.At = in(time.Duration(i) * time.Second)
		s.Seen, s.Census, s.Summary = s.At, census(s.At, 96+int64(i)), &gateway.Summary{}
		grows.Update(s)
		s.Census = census(s.At, 96)
		flat.Update(s)
	}
	unseen := last()
	unseen.Seen = time.Time{}
	busy := monitor.New(options)
	for i := range 60 { // it shrinks a little, under much traffic
		s := last()
		s.At = in(time.Duration(i) * time.Second)
		s.Seen, s.Census, s.Summary = s.At, census(s.At, 200-int64(i)/10), &gateway.Summary{}
		s.Census.Stores[gateway.MTA].Entered += 5 * uint64(i)
		s.Census.Accepted += 2 * uint64(i)
		busy.Update(s)
	}
	for _, c := range []struct {
		name  string
		model *monitor.Model
		want  string
	}{
		{"shrinks", fold(options, last()), "about Jun 18 11:00 ("},
		{"seen once", few, "unknown, because watched for only 0s"},
		{"grows", grows, "unknown, because it grows, by 60.0 a minute"},
		{"shrinks under traffic", busy, "unknown, because mail comes in about as fast as it leaves, 420.0 a minute"},
		{"stands", flat, "unknown, because nothing was delivered for 59s"},
		{"never seen", fold(options, unseen), "unknown, because the gateway was not seen yet"},
		{"a store unknown", screens["unknown-store"](), "about"},
		{"empty", screens["ended"](), "now"},
	} {
		if got := line(c.model); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestInflow: where nothing may come in any more, what came before that does
// not count, and what comes after is called out.
func TestInflow(t *testing.T) {
	m := monitor.New(options)
	routed := uint64(5000)
	see := func(second int, open bool, more uint64) string {
		s := last()
		s.At = in(time.Duration(second) * time.Second)
		s.Seen, s.Census = s.At, census(s.At, 96)
		routed += more
		s.Census.Stores[gateway.MTA].Entered = routed
		s.Run.Facts["route.here"] = strconv.FormatBool(open)
		m.Update(s)
		for l := range strings.SplitSeq(screenText(m, 160, 48), "\n") {
			if _, row, ok := strings.Cut(l, "MTA queue for this gateway"); ok {
				return strings.Join(strings.Fields(row), " ")
			}
		}
		return ""
	}
	for i := range 20 {
		see(i, true, 2)
	}
	if got := see(20, true, 2); got != "0 120.0 0.0" {
		t.Errorf("open: %q", got)
	}
	for i := range 9 {
		see(21+i, false, 0)
	}
	if got := see(30, false, 0); got != "0 0.0 ok 0.0" {
		t.Errorf("closed: %q", got)
	}
	if got := see(31, false, 1); !strings.HasPrefix(got, "0 ! ") {
		t.Errorf("one came although nothing may: %q", got)
	}
}

// TestAnswersFromBefore: what name servers said before the run changed DNS is
// never shown as what they say.
func TestAnswersFromBefore(t *testing.T) {
	for _, size := range sizes {
		got := flat(screenText(screens["undone"](), size[0], size[1]))
		if strings.Contains(got, "of 2 say") || strings.Contains(got, "old MX") || strings.Contains(got, "old gone") {
			t.Errorf("%v: answers from before the undo are shown as present:\n%s", size, got)
		}
	}
	if got := screenText(screens["undone"](), 80, 24); !strings.Contains(got, "\nmx not asked since a change; at 11:58:47 example.org: 2/2 10 gw-new.example.org\n") {
		t.Errorf("they are not dated:\n%s", got)
	}
}
