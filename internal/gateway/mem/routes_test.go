package mem_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.org/ims/internal/gateway/mem"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// TestStaleCopies: a site that has not heard of a removed address space goes on
// sending here, and the mail is not rerouted (Q285090).
func TestStaleCopies(t *testing.T) {
	o, east, west := org(nil)
	apply(t, east, gateway.Want{Spaces: &[]gateway.Space{}})
	from := func(site string) {
		o.Send(mem.Mail{From: "ann@org.example", Rcpts: []string{"joe@far.example"}, Site: site})
	}
	routed := func(g *mem.Gateway) uint64 {
		c, err := g.Census(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return c.Routed
	}
	stale := func() (n int) {
		tables, err := east.Tables(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, tb := range tables {
			if !tb.Current {
				n++
			}
		}
		return n
	}
	for _, tt := range []struct {
		wait       time.Duration
		east, west uint64
		stale      int
	}{
		{0, 2, 0, 2},
		{time.Minute, 3, 1, 1}, // HQ has recalculated, Branch has not heard
		{time.Hour, 3, 3, 0},
	} {
		o.Advance(tt.wait)
		from("HQ")
		from("Branch")
		if e, w, s := routed(east), routed(west), stale(); e != tt.east || w != tt.west || s != tt.stale {
			t.Errorf("after %v: east %d, west %d, stale %d, want %d, %d, %d", tt.wait, e, w, s, tt.east, tt.west, tt.stale)
		}
	}
	got, err := east.Route(t.Context(), "HQ", "joe@far.example", 4)
	if err != nil || got["west"] != 4 {
		t.Errorf("Route() = %v, %v, want west", got, err)
	}
	if _, err := east.Route(t.Context(), "Atlantis", "joe@far.example", 1); err == nil {
		t.Error("Route() from a site that does not exist succeeds")
	}
}

// TestRemovedWhileRouted: what a stale copy sends to a removed gateway stays
// with the MTA, and the census says so.
func TestRemovedWhileRouted(t *testing.T) {
	o, east, _ := org(nil)
	apply(t, east, gateway.Want{Absent: &gateway.Removal{}})
	send(o, "joe@far.example")
	o.Settle()
	if got := counts(t, east); got != [5]int64{1, 0, 0, 0, 0} {
		t.Errorf("the stores hold %v, want it stranded in mta", got)
	}
	balance(t, o, east)
}

func TestNoRoute(t *testing.T) {
	o := mem.New(mem.Options{Domains: []string{"org.example"}}, mem.Spec{Name: "east", Site: "HQ"})
	o.Send(mem.Mail{From: "ann@org.example", Rcpts: []string{"joe@far.example", "bob@org.example"}})
	o.Send(mem.Mail{Rcpts: []string{"joe@far.example"}})
	l := ledger.Compute(o.Log(), nil, "")
	if err := l.Balance(); err != nil {
		t.Error(err)
	}
	if l.Accepted != 3 || l.Returned != 1 || l.Absorbed != 1 || l.Delivered != 2 {
		t.Errorf("the MTA's ledger %+v, want a report, a local delivery and one absorbed", l)
	}
}

func TestEqualCostsShare(t *testing.T) {
	o := mem.New(mem.Options{}, mem.Spec{Name: "a", Site: "HQ", Spaces: star(1)}, mem.Spec{Name: "b", Site: "HQ", Spaces: star(1)})
	for range 10 {
		send(o, "joe@far.example")
	}
	for _, name := range []string{"a", "b"} {
		c, err := o.Gateway(name).Census(t.Context())
		if err != nil || c.Routed != 5 {
			t.Errorf("gateway %s got %d of 10 messages, %v", name, c.Routed, err)
		}
	}
	if g := o.Gateway("c"); g != nil {
		t.Errorf("Gateway(c) = %v", g)
	}
}

func TestLoseIsFound(t *testing.T) {
	o, east, _ := org(nil)
	id := send(o, "joe@far.example")
	send(o, "kim@far.example")
	if !east.Lose(id) || east.Lose("m999999") {
		t.Error("Lose does not say whether there was anything")
	}
	present, err := east.Present(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l := ledger.Compute(o.Log(), present, "east")
	if l.Unaccounted != 1 || len(l.UnaccountedPairs) != 1 || l.UnaccountedPairs[0].Message != id {
		t.Errorf("ledger %+v, want %s unaccounted", l, id)
	}
}

func TestResetStartsAnInstance(t *testing.T) {
	o, east, _ := org(nil)
	send(o, "joe@far.example")
	before, err := east.Census(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	east.Reset()
	after, err := east.Census(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if before.Instance == after.Instance || after.Routed != 0 || after.Stores[gateway.MTA].Messages != 1 {
		t.Errorf("census was %+v, is %+v", before, after)
	}
}

func TestRunInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, east, _ := org(nil)
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { o.Run(ctx, time.Second) })
		send(o, "joe@far.example")
		<-time.After(10 * time.Second)
		if got := counts(t, east); got != [5]int64{} || len(o.Taken()) != 1 {
			t.Errorf("the stores hold %v, taken %v", got, o.Taken())
		}
		stop()
		wg.Wait()
	})
}

// TestDeterminism: the same calls give the same log.
func TestDeterminism(t *testing.T) {
	run := func() (log []ledger.Event) {
		synctest.Test(t, func(t *testing.T) {
			o, east, _ := org(nil)
			o.OnHandover(func(h mem.Handover) mem.Answer {
				if h.Attempt < 3 && h.Dest == "slow.example" {
					return mem.Answer{Code: 450}
				}
				return mem.Answer{}
			})
			for range 20 {
				send(o, "a@far.example", "b@slow.example", "c@near.example")
				o.Advance(time.Minute)
				o.Tick()
			}
			apply(t, east, modeNow(gateway.OutboundOnly))
			o.Advance(time.Hour)
			o.Settle()
			log = o.Log()
		})
		return log
	}
	a, b := run(), run()
	if len(a) == 0 || len(a) != len(b) {
		t.Fatalf("logs of %d and %d lines", len(a), len(b))
	}
	for i := range a {
		if a[i].Message != b[i].Message || a[i].Kind != b[i].Kind || !a[i].At.Equal(b[i].At) {
			t.Fatalf("line %d: %+v and %+v", i, a[i], b[i])
		}
	}
}
