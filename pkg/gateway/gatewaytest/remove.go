package gatewaytest

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/gateway"
)

func testCensus(t *testing.T, r *room) {
	check := func(c gateway.Census) {
		t.Helper()
		if c.At.IsZero() || c.Instance == "" {
			t.Errorf("census without time or instance: %+v", c)
		}
		for s, n := range c.Stores {
			switch {
			case n.Known == gateway.Unknown && n.Why == "":
				t.Errorf("store %s is unknown, and nobody says why", gateway.Store(s))
			case n.Known == gateway.EmptyByDesign && n.Messages != 0:
				t.Errorf("store %s is empty by design and holds %d messages", gateway.Store(s), n.Messages)
			}
		}
	}
	check(r.census(t))
	r.want(t, running(gateway.Stopped))
	check(r.census(t))
	if r.Blind == nil {
		t.Skip("harness cannot make a store impossible to count")
	}
	r.Blind(t, gateway.MTSOut)
	c := r.census(t)
	check(c)
	if _, ok := c.Total(); ok || c.Stores[gateway.MTSOut].Known != gateway.Unknown {
		t.Errorf("total is known although mts-out cannot be counted: %+v", c.Stores[gateway.MTSOut])
	}
	r.refused(t, r.change(absent(gateway.Removal{})), gateway.ErrRefused)
}

func testCounters(t *testing.T, r *room) {
	before := r.census(t)
	r.Outbound(t)
	r.inbound(t, true)
	r.drained(t)
	after := r.census(t)
	if before.Instance != after.Instance {
		t.Fatalf("instance changed from %q to %q by mere traffic", before.Instance, after.Instance)
	}
	if after.Accepted != before.Accepted+1 || after.Routed != before.Routed+1 {
		t.Errorf("accepted %d → %d, routed %d → %d, want one more of each",
			before.Accepted, after.Accepted, before.Routed, after.Routed)
	}
	for _, s := range []gateway.Store{gateway.MTSOut, gateway.Out, gateway.MTSIn} {
		b, a := before.Stores[s], after.Stores[s]
		if a.Entered <= b.Entered || a.Left <= b.Left {
			t.Errorf("store %s: entered %d → %d, left %d → %d, want more of each", s, b.Entered, a.Entered, b.Left, a.Left)
		}
	}
}

func testRemoval(t *testing.T, r *room) {
	r.Outbound(t)
	r.drained(t)
	r.want(t, running(gateway.Stopped))
	r.want(t, spaces())
	c := r.change(absent(gateway.Removal{}))
	op := r.do(t, c)
	if op.Before == op.After {
		t.Errorf("removal says %q before and after", op.Before)
	}
	conf := r.config(t)
	if conf.Exists || conf.Running || len(conf.Spaces) != 0 || len(conf.Leftovers) != 0 {
		t.Errorf("Config() of a removed gateway = %+v", conf)
	}
	if n, ok := r.census(t).Total(); !ok || n != 0 {
		t.Errorf("Census().Total() of a removed gateway = %d, %v", n, ok)
	}
	r.inbound(t, false)
	if d := cmp.Diff(op, r.do(t, c)); d != "" {
		t.Errorf("the same key gives another operation (-first +again):\n%s", d)
	}
	again, err := r.gw.Op(t.Context(), c.Key)
	if err != nil || !cmp.Equal(op, again) {
		t.Errorf("Op of the removal = %+v, %v, want %+v", again, err, op)
	}
	r.unchanged(t, func() { r.want(t, absent(gateway.Removal{})) })
	for _, w := range []gateway.Want{size(1), running(gateway.Started), spaces()} {
		r.refused(t, r.change(w), gateway.ErrRefused)
	}
}

func testRemovalRefused(t *testing.T, r *room) {
	r.want(t, running(gateway.Stopped))
	r.Outbound(t)
	r.stored(t, gateway.MTSOut, 1)
	c := r.change(absent(gateway.Removal{}))
	r.refused(t, c, gateway.ErrRefused)
	r.stays(t, gateway.MTSOut, 1)
	r.want(t, running(gateway.Started))
	r.drained(t)
	r.want(t, running(gateway.Stopped))
	r.do(t, c)
	if r.config(t).Exists {
		t.Error("the gateway exists after its removal; a refusal must not be remembered under the key")
	}
}

func testDiscard(t *testing.T, r *room) {
	r.want(t, running(gateway.Stopped))
	r.Outbound(t)
	r.stored(t, gateway.MTSOut, 1)
	r.want(t, absent(gateway.Removal{Discard: true}))
	if r.config(t).Exists {
		t.Error("the gateway exists after its removal")
	}
	if n, ok := r.census(t).Total(); !ok || n != 0 {
		t.Errorf("Census().Total() of a removed gateway = %d, %v", n, ok)
	}
}

func testReopen(t *testing.T, r *room) {
	if r.Reopen == nil {
		t.Skip("harness cannot reopen the gateway")
	}
	r.want(t, running(gateway.Stopped))
	r.Outbound(t)
	r.stored(t, gateway.MTSOut, 1)
	c := r.change(size(6001))
	c.Epoch = 5
	op := r.do(t, c)
	before := r.config(t)
	r.gw = r.Reopen(t)
	after := r.config(t)
	if !after.Stored.Equal(before.Stored) || !slices.Equal(after.Spaces, before.Spaces) || after.Running || after.Generation < before.Generation {
		t.Errorf("configuration was %+v, is %+v", before, after)
	}
	r.stored(t, gateway.MTSOut, 1)
	if d := cmp.Diff(op, r.do(t, c)); d != "" {
		t.Errorf("the key was forgotten (-first +again):\n%s", d)
	}
	if r.gw.Caps().StoresEpoch {
		stale := r.change(size(6002))
		stale.Epoch = 4
		r.refused(t, stale, gateway.ErrStaleEpoch)
	}
	r.want(t, running(gateway.Started))
	r.drained(t)
}
