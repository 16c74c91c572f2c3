package mem_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/gateway/mem"
	"example.org/ims/internal/mail/routing"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

func star(cost int) []gateway.Space {
	return []gateway.Space{{Type: "SMTP", Pattern: "*", Cost: cost}}
}

// org has a gateway east that is preferred, and west.
func org(change func(*mem.Spec)) (o *mem.Org, east, west *mem.Gateway) {
	e := mem.Spec{Name: "east", Site: "HQ", Spaces: star(1)}
	if change != nil {
		change(&e)
	}
	o = mem.New(mem.Options{
		Domains: []string{"org.example"}, Sites: []routing.Site{{Name: "HQ"}, {Name: "Branch"}},
		Delays: routing.Delays{Recalculation: time.Minute, Replication: time.Hour},
	}, e, mem.Spec{Name: "west", Site: "Branch", Spaces: star(10)})
	return o, o.Gateway("east"), o.Gateway("west")
}

func send(o *mem.Org, rcpts ...string) string {
	return o.Send(mem.Mail{From: "ann@org.example", Rcpts: rcpts})
}

// apply makes a change; its key is the want itself.
func apply(t *testing.T, g *mem.Gateway, w gateway.Want) {
	t.Helper()
	key := fmt.Sprintf("%s %s %+v", t.Name(), time.Now(), w)
	if _, err := g.Apply(t.Context(), gateway.Change{Key: key, Actor: "t", Reason: "t", Want: w}); err != nil {
		t.Fatal(err)
	}
}

func modeNow(m gateway.Mode) gateway.Want {
	return gateway.Want{Settings: &gateway.SettingsPatch{Mode: &m, Restart: true}}
}

// counts are the messages in each main store.
func counts(t *testing.T, g *mem.Gateway) [5]int64 {
	t.Helper()
	c, err := g.Census(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out [5]int64
	for s := gateway.MTA; s <= gateway.MTSIn; s++ {
		out[s] = c.Stores[s].Messages
	}
	return out
}

// balance computes g's ledger and requires that it balances.
func balance(t *testing.T, o *mem.Org, g *mem.Gateway) ledger.Ledger {
	t.Helper()
	present, err := g.Present(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conf, err := g.Config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l := ledger.Compute(o.Log(), present, conf.Name)
	if err := l.Balance(); err != nil {
		t.Error(err)
	}
	return l
}

func TestOneStepATick(t *testing.T) {
	o, east, _ := org(nil)
	send(o, "joe@far.example")
	if _, err := east.Arrive("192.0.2.1", mem.Mail{From: "joe@far.example", Rcpts: []string{"ann@org.example"}}); err != nil {
		t.Fatal(err)
	}
	want := [][5]int64{
		{1, 0, 0, 1, 0},
		{0, 1, 0, 0, 1},
		{0, 0, 1, 0, 0},
		{0, 0, 0, 0, 0},
	}
	for i, w := range want {
		if got := counts(t, east); got != w {
			t.Errorf("after %d ticks the stores hold %v, want %v", i, got, w)
		}
		if moved := o.Tick(); moved != (i < 3) {
			t.Errorf("tick %d moved: %v", i, moved)
		}
	}
	if l := balance(t, o, east); l.Accepted != 2 || l.Delivered != 2 {
		t.Errorf("ledger %+v", l)
	}
}

// TestModes is the mode matrix: what a full gateway does in each mode with mail
// in every store.
func TestModes(t *testing.T) {
	stop := gateway.Stopped
	for _, tt := range []struct {
		name  string
		want  gateway.Want
		after [5]int64 // mta, mts-out, out, in, mts-in
		reply int
	}{
		{"inbound-outbound", modeNow(gateway.InboundOutbound), [5]int64{}, 250},
		{"inbound-only", modeNow(gateway.InboundOnly), [5]int64{0, 2, 1, 0, 0}, 250},
		{"outbound-only", modeNow(gateway.OutboundOnly), [5]int64{}, 450},
		{"none", modeNow(gateway.None), [5]int64{0, 2, 0, 0, 0}, 450},
		{"stopped", gateway.Want{Running: &stop}, [5]int64{0, 2, 1, 1, 1}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, east, _ := org(nil)
			arrive := func() {
				t.Helper()
				if _, err := east.Arrive("192.0.2.1", mem.Mail{From: "joe@far.example", Rcpts: []string{"ann@org.example"}}); err != nil {
					t.Fatal(err)
				}
			}
			send(o, "joe@far.example")
			o.Tick()
			send(o, "joe@far.example")
			arrive()
			o.Tick()
			send(o, "joe@far.example")
			arrive()
			if got := counts(t, east); got != [5]int64{1, 1, 1, 1, 1} {
				t.Fatalf("the stores hold %v, want one each", got)
			}
			apply(t, east, tt.want)
			o.Settle()
			if got := counts(t, east); got != tt.after {
				t.Errorf("the stores hold %v, want %v", got, tt.after)
			}
			if got := east.Reply(); got != tt.reply {
				t.Errorf("Reply() = %d, want %d", got, tt.reply)
			}
			balance(t, o, east)
			apply(t, east, modeNow(gateway.InboundOutbound))
			start := gateway.Started
			apply(t, east, gateway.Want{Running: &start})
			o.Settle()
			if got := counts(t, east); got != [5]int64{} {
				t.Errorf("after the way back the stores hold %v", got)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		refuse   gateway.Refuse
		code     int
		sessions uint64
		deferred uint64
	}{{gateway.RefuseRcpt, 450, 1, 1}, {gateway.RefuseConnect, 421, 1, 0}, {gateway.RefuseClosed, 0, 0, 0}} {
		_, east, _ := org(func(s *mem.Spec) { s.Settings.Mode, s.Settings.Refuse = gateway.OutboundOnly, tt.refuse })
		_, err := east.Arrive("192.0.2.1", mem.Mail{From: "joe@far.example", Rcpts: []string{"ann@org.example"}})
		var r *mem.Refusal
		if !errors.As(err, &r) || r.Code != tt.code {
			t.Errorf("%s: Arrive() = %v, want %d", tt.refuse, err, tt.code)
		}
		clients, err := east.Clients(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var sum gateway.Client
		for _, c := range clients {
			sum.Sessions += c.Sessions
			sum.Deferred += c.Deferred
		}
		if sum.Sessions != tt.sessions || sum.Deferred != tt.deferred {
			t.Errorf("%s: clients %+v, want %d sessions, %d deferred", tt.refuse, clients, tt.sessions, tt.deferred)
		}
	}
	_, east, _ := org(nil)
	_, err := east.Arrive("192.0.2.9", mem.Mail{From: "spam@far.example", Rcpts: []string{"x@else.example", "y@else.example"}})
	clients, listErr := east.Clients(t.Context())
	if listErr != nil || len(clients) != 1 || clients[0].Rejected != 2 || !clients[0].LastValid.IsZero() {
		t.Errorf("after a relay attempt (%v): %+v, %v", err, clients, listErr)
	}
}

func TestExpiryNeedsTimeAndAnAttempt(t *testing.T) {
	o, east, _ := org(nil)
	o.OnHandover(func(h mem.Handover) mem.Answer {
		if h.Inbound {
			return mem.Answer{}
		}
		return mem.Answer{Code: 421, Text: "busy"}
	})
	id := send(o, "joe@far.example")
	o.Settle()
	if got := counts(t, east); got != [5]int64{0, 0, 1, 0, 0} {
		t.Fatalf("the stores hold %v, want it deferred in out", got)
	}
	short := gateway.Timeouts{Urgent: time.Hour, Normal: time.Hour, NonUrgent: time.Hour, Report: 48 * time.Hour}
	o.Advance(2 * time.Hour)
	apply(t, east, gateway.Want{Settings: &gateway.SettingsPatch{Timeouts: &short, Restart: true}})
	attempts := func() (n int) {
		for _, e := range o.Log() {
			if e.Message == id && e.Kind == ledger.Attempted {
				n++
			}
		}
		return n
	}
	before := attempts()
	o.Tick()
	if got := attempts(); got != before+1 {
		t.Errorf("%d attempts after the start, want one more than %d before the time-out counts", got, before)
	}
	o.Settle()
	l := balance(t, o, east)
	if l.Returned != 1 || l.Generated != 1 || l.Delivered != 1 || l.Present != 0 {
		t.Errorf("ledger %+v, want the message returned and its report delivered", l)
	}
	taken := o.Taken()
	if len(taken) != 1 || taken[0].Rcpt != "ann@org.example" || taken[0].From != "" {
		t.Errorf("taken %+v, want a report to the sender", taken)
	}
}

func TestRetrySchedule(t *testing.T) {
	for _, tt := range []struct {
		name  string
		retry []time.Duration
		want  []int // attempts seen after each quarter of an hour
	}{
		{"list, last repeats", []time.Duration{15 * time.Minute, 30 * time.Minute}, []int{1, 2, 2, 3, 3, 4}},
		{"none", []time.Duration{}, []int{1, 1, 1, 1, 1, 1}},
	} {
		o, _, _ := org(func(s *mem.Spec) { s.Settings.Retry = tt.retry })
		last := 0
		o.OnHandover(func(h mem.Handover) mem.Answer {
			last = h.Attempt
			return mem.Answer{Code: 450, Text: "later"}
		})
		send(o, "joe@far.example")
		var got []int
		for range tt.want {
			o.Settle()
			got = append(got, last)
			o.Advance(15 * time.Minute)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: attempts %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestRejection(t *testing.T) {
	o, east, _ := org(nil)
	o.OnHandover(func(h mem.Handover) mem.Answer {
		if h.Rcpt == "bad@far.example" || h.Rcpt == "gone@org.example" {
			return mem.Answer{Code: 550, Text: "no such user"}
		}
		return mem.Answer{}
	})
	send(o, "bad@far.example", "joe@far.example", "kim@near.example")
	if _, err := east.Arrive("192.0.2.1", mem.Mail{From: "joe@far.example", Rcpts: []string{"gone@org.example"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := east.Arrive("192.0.2.1", mem.Mail{Rcpts: []string{"gone@org.example"}}); err != nil {
		t.Fatal(err)
	}
	o.Settle()
	l := balance(t, o, east)
	got := [4]int{l.Accepted, l.Delivered, l.Returned, l.Absorbed}
	if want := [4]int{5, 4, 2, 1}; got != want {
		t.Errorf("accepted, delivered, returned, absorbed are %v, want %v: two reports, and none for the null sender", got, want)
	}
}

func TestDestinations(t *testing.T) {
	o, east, _ := org(func(s *mem.Spec) {
		s.Settings.ForwardHost = "smart.example"
		s.Settings.DomainHosts = map[string]string{"far.example": "relay.example"}
	})
	o.OnHandover(func(mem.Handover) mem.Answer { return mem.Answer{Code: 450} })
	send(o, "a@far.example", "b@sub.far.example", "c@near.example")
	o.Settle()
	items, err := east.List(t.Context(), gateway.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, i := range items {
		got[i.Dest] = i.Rcpts
	}
	want := map[string][]string{"relay.example": {"a@far.example", "b@sub.far.example"}, "smart.example": {"c@near.example"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("destinations (-want +got):\n%s", d)
	}
	c, err := east.Census(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := c.Stores[gateway.Out]
	if n.Messages != 1 || n.Recipients != 3 || n.Entered-n.Left != 1 {
		t.Errorf("out: %+v, want one message with three recipients", n)
	}
}
