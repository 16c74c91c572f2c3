package gatewaytest

import (
	"errors"
	"slices"
	"testing"

	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// ability is the gateway's ability T, or the test is skipped.
func ability[T any](t *testing.T, r *room) T {
	t.Helper()
	a, ok := r.gw.(T)
	if !ok {
		t.Skip("adapter does not have this ability")
	}
	return a
}

// stranded stops the service and lets n messages gather in mts-out.
func (r *room) stranded(t *testing.T, n int) {
	t.Helper()
	r.want(t, running(gateway.Stopped))
	for i := range n {
		r.Outbound(t)
		r.stored(t, gateway.MTSOut, int64(i+1))
	}
}

var mtsOut = gateway.MTSOut

func testList(t *testing.T, r *room) {
	q := ability[gateway.Queues](t, r)
	r.stranded(t, 3)
	list := func(sel gateway.Selection) []gateway.Item {
		t.Helper()
		items, err := q.List(t.Context(), sel)
		if err != nil {
			t.Fatalf("List(%+v) = %v", sel, err)
		}
		return items
	}
	all := list(gateway.Selection{Store: &mtsOut})
	if len(all) != 3 {
		t.Fatalf("List(mts-out) = %d entries, want 3", len(all))
	}
	if !slices.IsSortedFunc(all, func(a, b gateway.Item) int { return a.Accepted.Compare(b.Accepted) }) {
		t.Error("the list does not begin with the oldest")
	}
	for _, i := range all {
		if i.Entry == "" || i.Message == "" || i.Store != gateway.MTSOut || len(i.Rcpts) != 1 || i.Accepted.IsZero() {
			t.Errorf("item %+v lacks something", i)
		}
	}
	if got := list(gateway.Selection{Limit: 2}); len(got) != 2 || got[0].Entry != all[0].Entry {
		t.Errorf("List(limit 2) = %+v, want the two oldest", got)
	}
	if got := list(gateway.Selection{ID: all[1].Message}); len(got) != 1 || got[0].Entry != all[1].Entry {
		t.Errorf("List(message %s) = %+v", all[1].Message, got)
	}
	if got := list(gateway.Selection{ID: all[2].Entry}); len(got) != 1 || got[0].Entry != all[2].Entry {
		t.Errorf("List(entry %s) = %+v", all[2].Entry, got)
	}
	some := []string{all[0].Message, all[2].Entry, "nothing"}
	if got := list(gateway.Selection{IDs: some}); len(got) != 2 || got[0].Entry != all[0].Entry || got[1].Entry != all[2].Entry {
		t.Errorf("List(%q) = %+v, want the first and the last", some, got)
	}
	if got := list(gateway.Selection{Dest: "nobody.invalid"}); len(got) != 0 {
		t.Errorf("List(other destination) = %+v, want nothing", got)
	}
}

func testActions(t *testing.T, r *room) {
	q := ability[gateway.Queues](t, r)
	r.stranded(t, 2)
	act := func(v gateway.Verb, sel gateway.Selection, want int) {
		t.Helper()
		if n, err := q.Act(t.Context(), v, sel, "gatewaytest", "conformance"); err != nil || n != want {
			t.Fatalf("Act(%s) = %d, %v, want %d", v, n, err, want)
		}
	}
	refused := func(v gateway.Verb, sel gateway.Selection) {
		t.Helper()
		n, err := q.Act(t.Context(), v, sel, "gatewaytest", "conformance")
		if n != 0 || !errors.Is(err, gateway.ErrRefused) && !errors.Is(err, gateway.ErrConflict) {
			t.Fatalf("Act(%s, %+v) = %d, %v, want it refused", v, sel, n, err)
		}
		r.stays(t, gateway.MTSOut, 2)
	}
	refused(gateway.Delete, gateway.Selection{Store: &mtsOut, Expect: 3})
	refused("burn", gateway.Selection{})
	items, err := q.List(t.Context(), gateway.Selection{Store: &mtsOut})
	if err != nil {
		t.Fatal(err)
	}
	one := gateway.Selection{ID: items[0].Entry}
	act(gateway.Suspend, one, 1)
	r.stored(t, gateway.Hold, 1)
	r.stored(t, gateway.MTSOut, 1)
	act(gateway.Release, gateway.Selection{Held: "another reason"}, 0)
	for held, want := range map[string]int{"form": 1, "another reason": 0, "": 2} {
		if got, err := q.List(t.Context(), gateway.Selection{Held: held, NoReports: true, Limit: 2}); err != nil || len(got) != want {
			t.Errorf("List(held for %q) = %+v, %v, want %d", held, got, err, want)
		}
	}
	r.refused(t, r.change(absent(gateway.Removal{})), gateway.ErrRefused)
	held := gateway.Hold
	act(gateway.Release, gateway.Selection{Store: &held, Expect: 1}, 1)
	r.stored(t, gateway.MTSOut, 2)
	act(gateway.Delete, gateway.Selection{ID: items[0].Message}, 1)
	r.stored(t, gateway.MTSOut, 1)
	act(gateway.Return, gateway.Selection{ID: items[1].Message}, 1)
	r.stored(t, gateway.MTSOut, 0)
	r.want(t, running(gateway.Started))
	r.drained(t)
}

// follow reads the whole log in small bites.
func follow(t *testing.T, tr gateway.Tracker) []ledger.Event {
	t.Helper()
	var all []ledger.Event
	var after uint64
	for {
		got, err := tr.Track(t.Context(), after, 3)
		if err != nil {
			t.Fatalf("Track(%d, 3) = %v", after, err)
		}
		if len(got) == 0 {
			return all
		}
		if len(got) > 3 {
			t.Fatalf("Track(%d, 3) = %d lines", after, len(got))
		}
		for _, e := range got {
			if e.Seq <= after {
				t.Fatalf("line %d after line %d", e.Seq, after)
			}
			after = e.Seq
		}
		all = append(all, got...)
	}
}

func testTrack(t *testing.T, r *room) {
	tr := ability[gateway.Tracker](t, r)
	r.stranded(t, 1)
	items, err := tr.Present(t.Context())
	if err != nil || len(items) != 1 || items[0].Message == "" || items[0].Rcpt == "" {
		t.Fatalf("Present() = %+v, %v, want the one recipient of the one message", items, err)
	}
	name := r.config(t).Name
	has := func(kind ledger.Kind) bool {
		return slices.ContainsFunc(follow(t, tr), func(e ledger.Event) bool {
			return e.Gateway == name && e.Kind == kind && e.Message == items[0].Message && slices.Contains(e.Rcpts, items[0].Rcpt)
		})
	}
	if !has(ledger.Accepted) || has(ledger.Delivered) {
		t.Errorf("log before delivery: accepted %v, delivered %v", has(ledger.Accepted), has(ledger.Delivered))
	}
	r.want(t, running(gateway.Started))
	r.drained(t)
	if !has(ledger.Delivered) {
		t.Error("the log does not say that the message was delivered")
	}
	if items, err := tr.Present(t.Context()); err != nil || len(items) != 0 {
		t.Errorf("Present() = %+v, %v after the drain, want nothing", items, err)
	}
}

func testRoutes(t *testing.T, r *room) {
	rt := ability[gateway.Router](t, r)
	name := r.config(t).Name
	leads := func() bool {
		t.Helper()
		tables, err := rt.Tables(t.Context())
		if err != nil || len(tables) == 0 {
			t.Fatalf("Tables() = %+v, %v", tables, err)
		}
		return slices.ContainsFunc(tables, func(tb gateway.Table) bool {
			return slices.ContainsFunc(tb.Routes, func(l gateway.Route) bool { return l.Gateway == name })
		})
	}
	if !leads() {
		t.Error("no table leads to a gateway with an address space")
	}
	tables, err := rt.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	counts, err := rt.Route(t.Context(), tables[0].Site, "somebody@nowhere.invalid", 10)
	sum := 0
	for _, n := range counts {
		sum += n
	}
	if err != nil || sum != 10 {
		t.Errorf("Route(10 messages) = %v, %v, want each of them somewhere", counts, err)
	}
	r.want(t, spaces())
	r.want(t, sites())
	r.until(t, "the tables follow", func() bool { return !leads() })
}

func testClients(t *testing.T, r *room) {
	cl := ability[gateway.ClientLog](t, r)
	sum := func() (accepted, deferred uint64) {
		t.Helper()
		list, err := cl.Clients(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			if c.Host == "" || c.First.IsZero() || c.Last.Before(c.First) || c.LastValid.IsZero() {
				t.Errorf("client %+v lacks something", c)
			}
			accepted += c.Accepted
			deferred += c.Deferred
		}
		return accepted, deferred
	}
	r.inbound(t, true)
	r.until(t, "the client is noted", func() bool { a, d := sum(); return a == 1 && d == 0 })
	r.want(t, modeNow(gateway.OutboundOnly))
	r.inbound(t, false)
	r.until(t, "the client is noted", func() bool { a, d := sum(); return a == 1 && d == 1 })
}
