package gatewaytest

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/gateway"
)

func testBegin(t *testing.T, r *room) {
	if c := r.gw.Caps(); c.Adapter == "" || c.ReadOnly {
		t.Errorf("Caps() = %+v, want an adapter that writes", c)
	}
	c := r.config(t)
	if !c.Exists || !c.Running || c.Paused || c.Name == "" || c.Instance == "" || c.Generation == 0 || c.StartedAt.IsZero() {
		t.Errorf("Config() = %+v, want a gateway that runs", c)
	}
	if !c.Stored.Equal(c.Effective) || c.Stored.Mode != gateway.InboundOutbound || len(c.Spaces) == 0 {
		t.Errorf("Config() = %+v, want settings in effect, inbound-outbound, an address space", c)
	}
	c.Spaces[0].Pattern, c.Spaces[0].Cost = "changed by the reader", 99
	if r.config(t).Spaces[0].Cost == 99 {
		t.Error("a reader can change the configuration through what Config returned")
	}
	n, ok := r.census(t).Total()
	if !ok || n != 0 {
		t.Errorf("Census().Total() = %d, %v, want an empty gateway", n, ok)
	}
}

func testKey(t *testing.T, r *room) {
	c := r.change(size(1001))
	first := r.do(t, c)
	r.want(t, size(1002))
	if d := cmp.Diff(first, r.do(t, c)); d != "" {
		t.Errorf("the same key gives another operation (-first +again):\n%s", d)
	}
	if got := r.config(t).Stored.MaxSize; got != 1002 {
		t.Errorf("asking again under an old key made the largest size %d, want 1002 to stay", got)
	}
	op, err := r.gw.Op(t.Context(), c.Key)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(first, op); d != "" {
		t.Errorf("Op gives another operation than Apply (-apply +op):\n%s", d)
	}
	c.IfGeneration = 1 // stored when the first attempt was made
	if d := cmp.Diff(first, r.do(t, c)); d != "" {
		t.Errorf("a known key is compared with the generation (-first +again):\n%s", d)
	}
}

func testValue(t *testing.T, r *room) {
	op := r.want(t, size(2001))
	if op.Before == op.After || op.After == "" {
		t.Errorf("operation says %q before and %q after, want the values", op.Before, op.After)
	}
	r.unchanged(t, func() {
		again := r.want(t, size(2001))
		if again.Before != op.After || again.After != op.After {
			t.Errorf("asking for what is so says %q before and %q after, want %q", again.Before, again.After, op.After)
		}
	})
}

// testClear sets what a nil list or map means to say.
func testClear(t *testing.T, r *room) {
	retry, hosts := []time.Duration{time.Minute, time.Hour}, map[string]string{"a.example": "relay.example"}
	r.want(t, gateway.Want{Settings: &gateway.SettingsPatch{Retry: &retry, DomainHosts: &hosts}})
	if s := r.config(t).Stored; !slices.Equal(s.Retry, retry) || !maps.Equal(s.DomainHosts, hosts) {
		t.Errorf("stored retry list %v and hosts %v, want %v and %v", s.Retry, s.DomainHosts, retry, hosts)
	}
	retry, hosts = nil, nil
	r.want(t, gateway.Want{Settings: &gateway.SettingsPatch{Retry: &retry, DomainHosts: &hosts}})
	if s := r.config(t).Stored; len(s.Retry) != 0 || len(s.DomainHosts) != 0 {
		t.Errorf("stored retry list %v and hosts %v, want none", s.Retry, s.DomainHosts)
	}
	r.want(t, running(gateway.Restarted))
	if c := r.config(t); !c.Stored.Equal(c.Effective) {
		t.Errorf("after a restart: stored %+v, effective %+v", c.Stored, c.Effective)
	}
}

// testAdmission stores the lists of who may connect and relay, and of what is
// rerouted and sent on demand; then nobody and nothing.
func testAdmission(t *testing.T, r *room) {
	accept := []gateway.Admission{{Net: netip.MustParsePrefix("192.0.2.0/24"), Reject: true}, {Net: netip.MustParsePrefix("192.0.2.7/32")}}
	relay := []netip.Prefix{netip.MustParsePrefix("2001:db8::/32")}
	reroute := map[string]string{"a.example": gateway.Inbound, "#b.example": "relay.example:2525"}
	etrn := map[string]string{"c.example": "", "d.example": "relay.example"}
	begin := r.config(t).ChangedAt
	want := gateway.Want{Settings: &gateway.SettingsPatch{Accept: &accept, Relay: &relay, Reroute: &reroute, ETRN: &etrn}}
	r.want(t, want)
	c := r.config(t)
	if s := c.Stored; !slices.Equal(s.Accept, accept) || !slices.Equal(s.Relay, relay) || !maps.Equal(s.Reroute, reroute) || !maps.Equal(s.ETRN, etrn) {
		t.Errorf("stored %+v, want the lists", s)
	}
	if c.ChangedAt.Before(begin) {
		t.Errorf("the time of the last change went from %v to %v", begin, c.ChangedAt)
	}
	r.unchanged(t, func() { r.want(t, want) })
	accept, relay, reroute, etrn = nil, nil, nil, nil
	r.want(t, want)
	if s := r.config(t).Stored; len(s.Accept)+len(s.Relay)+len(s.Reroute)+len(s.ETRN) > 0 {
		t.Errorf("stored %+v, want no lists", s)
	}
	r.want(t, running(gateway.Restarted))
	if c := r.config(t); !c.Stored.Equal(c.Effective) {
		t.Errorf("after a restart: stored %+v, effective %+v", c.Stored, c.Effective)
	}
}

func testUnknownOp(t *testing.T, r *room) {
	if op, err := r.gw.Op(t.Context(), "gatewaytest/never"); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("Op(never) = %+v, %v, want ErrNotFound", op, err)
	}
}

// refused applies c and requires an error that wraps target, and no effect.
func (r *room) refused(t *testing.T, c gateway.Change, target error) {
	t.Helper()
	r.unchanged(t, func() {
		t.Helper()
		if op, err := r.gw.Apply(t.Context(), c); !errors.Is(err, target) {
			t.Errorf("Apply(%+v) = %+v, %v, want an error that wraps %q", c, op, err, target)
		}
	})
	if _, err := r.gw.Op(t.Context(), c.Key); c.Key != "" && !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("Op(%s) = %v after it was refused, want ErrNotFound", c.Key, err)
	}
}

func testEpoch(t *testing.T, r *room) {
	if !r.gw.Caps().StoresEpoch {
		t.Skip("adapter does not store epochs")
	}
	at := func(epoch uint64, n int64) gateway.Change {
		c := r.change(size(n))
		c.Epoch = epoch
		return c
	}
	r.do(t, at(7, 3001))
	r.refused(t, at(6, 3002), gateway.ErrStaleEpoch)
	r.do(t, at(7, 3003))
	r.do(t, at(0, 3004)) // an operator at the keyboard
	r.do(t, at(9, 3005))
	r.refused(t, at(8, 3006), gateway.ErrStaleEpoch)
	if got := r.config(t).Epoch; got != 9 {
		t.Errorf("epoch is %d, want 9", got)
	}
}

func testGeneration(t *testing.T, r *room) {
	begin := r.config(t).Generation
	c := r.change(size(4001))
	c.IfGeneration = begin
	r.do(t, c)
	now := r.config(t).Generation
	if now <= begin {
		t.Errorf("generation went from %d to %d, want it to grow", begin, now)
	}
	stale := r.change(size(4002))
	stale.IfGeneration = begin
	r.refused(t, stale, gateway.ErrConflict)
	stale.IfGeneration = now + 5
	r.refused(t, stale, gateway.ErrConflict)
	stale.IfGeneration = now
	r.do(t, stale)
}

func testMalformed(t *testing.T, r *room) {
	bad := gateway.Mode(9)
	two := mode(gateway.None)
	two.Spaces = &[]gateway.Space{}
	for _, w := range []gateway.Want{
		{},
		two, mode(bad), size(-1), running(99),
		spaces(gateway.Space{Type: "SMTP", Pattern: "*", Cost: 0}),
		spaces(gateway.Space{Type: "SMTP", Pattern: "*", Cost: 101}),
		sites(gateway.Site{Name: "", Cost: 1}),
		{Settings: &gateway.SettingsPatch{Reroute: &map[string]string{"": gateway.Inbound}}},
		{Settings: &gateway.SettingsPatch{Relay: &[]netip.Prefix{{}}}},
	} {
		r.refused(t, r.change(w), gateway.ErrRefused)
	}
}

func testContext(t *testing.T, r *room) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.gw.Config(ctx); !errors.Is(err, gateway.ErrUnreachable) {
		t.Errorf("Config with an ended context = %v, want ErrUnreachable", err)
	}
	if _, err := r.gw.Census(ctx); !errors.Is(err, gateway.ErrUnreachable) {
		t.Errorf("Census with an ended context = %v, want ErrUnreachable", err)
	}
	r.unchanged(t, func() {
		if _, err := r.gw.Apply(ctx, r.change(size(5001))); err == nil {
			t.Error("Apply with an ended context succeeds")
		}
	})
}

func testLists(t *testing.T, r *room) {
	begin := r.config(t)
	list := []gateway.Space{
		{Type: "SMTP", Pattern: "*@a.example", Cost: 3, Scope: gateway.ScopeSite},
		{Type: "SMTP", Pattern: "*", Cost: 100},
	}
	r.want(t, spaces(list...))
	c := r.config(t)
	if d := cmp.Diff(list, c.Spaces); d != "" {
		t.Errorf("address spaces (-want +got):\n%s", d)
	}
	if c.Generation <= begin.Generation {
		t.Errorf("generation went from %d to %d, want it to grow", begin.Generation, c.Generation)
	}
	r.unchanged(t, func() { r.want(t, spaces(list...)) })
	entries := []gateway.Site{{Name: "Elsewhere", Cost: 2, RoutingAddress: "gw.elsewhere.example"}}
	r.want(t, sites(entries...))
	if d := cmp.Diff(entries, r.config(t).Sites); d != "" {
		t.Errorf("connected sites (-want +got):\n%s", d)
	}
	r.want(t, spaces())
	r.want(t, sites())
	if c := r.config(t); len(c.Spaces) != 0 || len(c.Sites) != 0 {
		t.Errorf("after removing all: spaces %v, sites %v", c.Spaces, c.Sites)
	}
}
