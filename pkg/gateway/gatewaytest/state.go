package gatewaytest

import (
	"testing"

	"example.org/ims/pkg/gateway"
)

// inbound requires that the gateway takes, or does not take, inbound mail.
func (r *room) inbound(t *testing.T, takes bool) {
	t.Helper()
	if err := r.Inbound(t); (err == nil) != takes {
		t.Fatalf("inbound message: %v, want it taken: %v", err, takes)
	}
}

func testStoredEffective(t *testing.T, r *room) {
	r.want(t, mode(gateway.OutboundOnly))
	c := r.config(t)
	if c.Stored.Mode != gateway.OutboundOnly {
		t.Errorf("stored mode is %s, want it stored at once", c.Stored.Mode)
	}
	if !c.ApplyLive {
		if c.Effective.Mode != gateway.InboundOutbound {
			t.Errorf("effective mode is %s, want the old one until the service starts", c.Effective.Mode)
		}
		r.inbound(t, true)
	}
	r.want(t, running(gateway.Restarted))
	if got := r.config(t).Effective.Mode; got != gateway.OutboundOnly {
		t.Errorf("effective mode after a restart is %s", got)
	}
	r.inbound(t, false)
}

func testPatchRestart(t *testing.T, r *room) {
	begin := r.config(t)
	r.after(t, begin.StartedAt)
	r.want(t, modeNow(gateway.OutboundOnly))
	c := r.config(t)
	if !c.Running || c.Stored.Mode != gateway.OutboundOnly || c.Effective.Mode != gateway.OutboundOnly {
		t.Errorf("after a patch with restart: running %v, stored %s, effective %s", c.Running, c.Stored.Mode, c.Effective.Mode)
	}
	if !c.ApplyLive && !c.StartedAt.After(begin.StartedAt) {
		t.Error("the service did not restart")
	}
	r.unchanged(t, func() { r.want(t, modeNow(gateway.OutboundOnly)) })
	r.want(t, running(gateway.Stopped))
	r.want(t, modeNow(gateway.InboundOutbound))
	if r.config(t).Running {
		t.Error("a patch with restart started a stopped service")
	}
	r.want(t, running(gateway.Started))
	if got := r.config(t).Effective.Mode; got != gateway.InboundOutbound {
		t.Errorf("effective mode after the start is %s", got)
	}
}

func testRestartOnce(t *testing.T, r *room) {
	begin := r.config(t).StartedAt
	r.after(t, begin)
	c := r.change(running(gateway.Restarted))
	r.do(t, c)
	first := r.config(t).StartedAt
	if !first.After(begin) {
		t.Fatalf("started at %v, was %v: the service did not restart", first, begin)
	}
	r.after(t, first)
	r.do(t, c)
	if again := r.config(t).StartedAt; !again.Equal(first) {
		t.Errorf("the same key restarted the service twice, at %v and %v", first, again)
	}
	r.want(t, running(gateway.Restarted))
	if next := r.config(t).StartedAt; !next.After(first) {
		t.Error("another key did not restart the service")
	}
}

func testStartStop(t *testing.T, r *room) {
	r.want(t, running(gateway.Stopped))
	if c := r.config(t); c.Running || !c.Exists {
		t.Errorf("after stop: running %v, exists %v", c.Running, c.Exists)
	}
	r.inbound(t, false)
	r.unchanged(t, func() { r.want(t, running(gateway.Stopped)) })
	r.refused(t, r.change(running(gateway.PausedState)), gateway.ErrRefused)
	r.want(t, running(gateway.Started))
	r.unchanged(t, func() { r.want(t, running(gateway.Started)) })
	r.inbound(t, true)
	r.want(t, running(gateway.Stopped))
	r.want(t, running(gateway.Restarted))
	if !r.config(t).Running {
		t.Error("restarting a stopped service leaves it stopped")
	}
}

func testPause(t *testing.T, r *room) {
	r.want(t, running(gateway.PausedState))
	if c := r.config(t); !c.Running || !c.Paused {
		t.Errorf("after pause: running %v, paused %v", c.Running, c.Paused)
	}
	r.inbound(t, false)
	r.Outbound(t)
	r.drained(t)
	r.want(t, running(gateway.Started))
	if c := r.config(t); !c.Running || c.Paused {
		t.Errorf("after resuming: running %v, paused %v", c.Running, c.Paused)
	}
	r.inbound(t, true)
	r.want(t, running(gateway.PausedState))
	r.want(t, running(gateway.Stopped))
	if c := r.config(t); c.Running || c.Paused {
		t.Errorf("after stopping a paused service: running %v, paused %v", c.Running, c.Paused)
	}
}

func testStopped(t *testing.T, r *room) {
	r.want(t, running(gateway.Stopped))
	r.Outbound(t) // routed here all the same (Q285090)
	r.stored(t, gateway.MTSOut, 1)
	r.stays(t, gateway.MTSOut, 1)
	c := r.census(t)
	if !c.AtRest || c.InFlight != 0 || c.Sessions != 0 {
		t.Errorf("census of a stopped gateway: at rest %v, in flight %d, sessions %d", c.AtRest, c.InFlight, c.Sessions)
	}
	if n := c.Stores[gateway.MTSOut]; n.Known != gateway.Counted || n.Why == "" || n.Recipients != 1 || n.Oldest.IsZero() {
		t.Errorf("count of mts-out: %+v, want it counted from the spool at rest, and said so", n)
	}
	r.want(t, running(gateway.Started))
	if r.census(t).AtRest {
		t.Error("census of a running gateway is at rest")
	}
	r.drained(t)
}

func testNone(t *testing.T, r *room) {
	r.want(t, modeNow(gateway.None))
	r.Outbound(t)
	r.stored(t, gateway.MTSOut, 1)
	r.stays(t, gateway.MTSOut, 1)
	r.inbound(t, false)
	r.want(t, modeNow(gateway.InboundOutbound))
	r.drained(t)
}

func testInboundOnly(t *testing.T, r *room) {
	r.want(t, modeNow(gateway.InboundOnly))
	r.Outbound(t)
	r.stored(t, gateway.MTSOut, 1)
	r.inbound(t, true)
	r.stored(t, gateway.In, 0)
	r.stored(t, gateway.MTSIn, 0)
	r.stays(t, gateway.MTSOut, 1)
	r.want(t, modeNow(gateway.OutboundOnly))
	r.drained(t)
}

func testOutboundOnly(t *testing.T, r *room) {
	r.want(t, modeNow(gateway.OutboundOnly))
	before := r.census(t).Accepted
	r.inbound(t, false)
	if got := r.census(t).Accepted; got != before {
		t.Errorf("accepted went from %d to %d although nothing was accepted", before, got)
	}
	r.Outbound(t)
	r.drained(t)
}

// testSessions: a client beyond the limit is sent away for now, and comes in
// once somebody has gone; what is beyond it outwards waits.
func testSessions(t *testing.T, r *room) {
	in, out := 2, 1
	r.want(t, gateway.Want{Settings: &gateway.SettingsPatch{MaxInbound: &in, MaxOutbound: &out, Restart: true}})
	if s := r.config(t).Effective; s.MaxInbound != in || s.MaxOutbound != out {
		t.Errorf("limits are %d in and %d out, want %d and %d", s.MaxInbound, s.MaxOutbound, in, out)
	}
	for range 3 {
		r.Outbound(t)
	}
	r.drained(t)
	negative := -1
	r.refused(t, r.change(gateway.Want{Settings: &gateway.SettingsPatch{MaxInbound: &negative}}), gateway.ErrRefused)
	if r.Connect == nil {
		t.Skip("nobody can connect here")
	}
	var hangUp func()
	for i := range in {
		leave, err := r.Connect(t)
		if err != nil {
			t.Fatalf("session %d: %v", i, err)
		}
		hangUp = leave
		defer leave()
	}
	if leave, err := r.Connect(t); err == nil {
		leave()
		t.Errorf("session %d is let in", in+1)
	}
	if err := r.Inbound(t); err == nil {
		t.Error("mail is taken in a session beyond the limit")
	}
	r.until(t, "both sessions are counted", func() bool { return r.census(t).Sessions == int64(in) })
	hangUp()
	r.until(t, "one has gone", func() bool { return r.census(t).Sessions == int64(in-1) })
	r.inbound(t, true)
}
