package service

import (
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/smtpd"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// act applies a verb that must touch n entries.
func (w *world) act(gw string, v gateway.Verb, sel gateway.Selection, n int) {
	w.t.Helper()
	got, err := w.gw(gw).Act(w.t.Context(), v, sel, "tester", "because")
	if err != nil || got != n {
		w.t.Fatalf("Act(%s, %+v) = %d, %v, want %d", v, sel, got, err, n)
	}
}

func TestVerbsOnARunningGateway(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		up := w.down("far.example")
		for _, r := range []string{"a", "b", "c", "d"} {
			w.submit("hq", "ann@corp.example", r+"@far.example")
			pass(time.Second)
		}
		items, err := w.gw("alpha").List(t.Context(), gateway.Selection{Dest: "far.example"})
		if err != nil || len(items) != 4 {
			t.Fatalf("List() = %+v, %v", items, err)
		}
		if i := items[0]; i.Attempts != 1 || i.Last == "" || !i.Next.After(i.Accepted) || i.Expires.Sub(i.Accepted) != 48*hour {
			t.Errorf("item %+v", i)
		}
		w.act("alpha", gateway.Suspend, gateway.Selection{ID: items[0].Entry}, 1)
		w.act("alpha", gateway.Return, gateway.Selection{ID: items[1].Entry}, 1)
		pass(time.Second)
		w.act("alpha", gateway.Delete, gateway.Selection{ID: items[2].Entry}, 1)
		up()
		if n, err := w.gw("alpha").Act(t.Context(), gateway.Retry, gateway.Selection{Expect: 2}, "tester", "x"); err == nil || n != 0 {
			t.Errorf("Act with another number than expected = %d, %v", n, err)
		}
		w.act("alpha", gateway.Retry, gateway.Selection{Expect: 1}, 1)
		pass(time.Second)
		if got := keys(w.far.rcpts()); !cmp.Equal(got, []string{"d@far.example"}) {
			t.Errorf("after a retry far took %v", got)
		}
		if got := w.told(); got != "told hold:1" {
			t.Errorf("after a return: %q", got)
		}
		pass(100 * hour) // held mail does not expire
		w.act("alpha", gateway.Release, gateway.Selection{}, 1)
		pass(time.Second)
		if got := keys(w.far.rcpts()); !cmp.Equal(got, []string{"a@far.example", "d@far.example"}) {
			t.Errorf("after a release far took %v", got)
		}
		want := map[string]ledger.Kind{"hold: because": ledger.Operated, "because": ledger.Deleted, "retry: because": ledger.Operated, "release: because": ledger.Operated}
		got := map[string]ledger.Kind{}
		events, err := w.gw("alpha").Track(t.Context(), 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		returned := false
		for _, e := range events {
			if e.Actor == "tester" && e.Kind != ledger.Failed {
				got[e.Reason] = e.Kind
			}
			returned = returned || e.Actor == "tester" && e.Kind == ledger.Failed && e.Report != ""
		}
		if d := cmp.Diff(want, got); d != "" || !returned {
			t.Errorf("log: returned %v (-want +got):\n%s", returned, d)
		}
	})
}

// TestVerbWaitsForTheAttempt acts on an entry whose host is slow to answer: the
// outcome comes first, so nothing is both delivered and returned.
func TestVerbWaitsForTheAttempt(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		answer := make(chan struct{})
		w.far.say(func(string) *smtpd.Reply { <-answer; return nil })
		w.submit("hq", "ann@corp.example", "joe@far.example")
		pass(time.Second)
		go func() {
			<-time.After(time.Second)
			close(answer)
		}()
		w.act("alpha", gateway.Return, gateway.Selection{}, 0)
		pass(time.Second)
		if got := w.fate("alpha", w.far); got != "delivered" || len(w.mail.letters()) != 0 {
			t.Errorf("%q, reports %d", got, len(w.mail.letters()))
		}
	})
}

func TestActionsAreRefused(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		if _, err := w.gw("alpha").Act(t.Context(), gateway.Delete, gateway.Selection{}, "", "x"); !errors.Is(err, gateway.ErrRefused) {
			t.Errorf("an action without an actor: %v", err)
		}
	})
}

// TestSettingsCountAtStart, TestApplyLive: the two ways of an organization.
func TestSettingsCountAtStart(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		out := gateway.OutboundOnly
		w.set("alpha", gateway.SettingsPatch{Mode: &out})
		c := w.conf("alpha")
		if c.Stored.Mode != gateway.OutboundOnly || c.Effective.Mode != gateway.InboundOutbound || code(w.inbound("alpha", "bob@corp.example")) != "250" {
			t.Errorf("stored %s, effective %s", c.Stored.Mode, c.Effective.Mode)
		}
		w.reopen()
		if c := w.conf("alpha"); c.Effective.Mode != gateway.OutboundOnly {
			t.Errorf("after the process restarted: effective %s", c.Effective.Mode)
		}
	})
}

func TestApplyLive(t *testing.T) {
	play(t, func(c *Config) { c.Gateways[0].ApplyLive = true }, func(t *testing.T, w *world) {
		started := w.conf("alpha").StartedAt
		closed, none, in := gateway.RefuseClosed, gateway.None, gateway.InboundOnly
		w.set("alpha", gateway.SettingsPatch{Mode: &none, Refuse: &closed})
		w.submit("hq", "ann@corp.example", "joe@far.example")
		pass(time.Minute)
		if got := w.stores("alpha") + " " + w.inbound("alpha", "bob@corp.example"); got != "mts-out:1 closed" {
			t.Errorf("in mode None: %q", got)
		}
		w.set("alpha", gateway.SettingsPatch{Mode: &in})
		if got := code(w.inbound("alpha", "bob@corp.example")); got != "250" {
			t.Errorf("Inbound Only: %s", got)
		}
		out := gateway.OutboundOnly
		w.set("alpha", gateway.SettingsPatch{Mode: &out})
		pass(time.Minute)
		if got := w.fate("alpha", w.far); got != "delivered" || !w.conf("alpha").StartedAt.Equal(started) {
			t.Errorf("Outbound Only: %q, started %v", got, w.conf("alpha").StartedAt)
		}
	})
}

// TestFileAndSpool: what Apply changed wins over the file, the rest follows it.
func TestFileAndSpool(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		out := gateway.OutboundOnly
		w.set("alpha", gateway.SettingsPatch{Mode: &out})
		w.spaces("beta")
		before := w.conf("alpha")
		w.end()
		w.cfg.Gateways[0].Settings.Mode = gateway.None
		w.cfg.Gateways[0].Settings.ForwardHost = "away.example"
		w.cfg.Gateways[1].Spaces = []gateway.Space{smtpSpace("*", 5)}
		w.open()
		a, b := w.conf("alpha"), w.conf("beta")
		if a.Stored.Mode != gateway.OutboundOnly || a.Stored.ForwardHost != "away.example" || a.Generation <= before.Generation || len(b.Spaces) != 0 {
			t.Errorf("alpha %+v, generation was %d; beta %+v", a.Stored, before.Generation, b.Spaces)
		}
		w.submit("hq", "ann@corp.example", "joe@far.example")
		pass(time.Minute)
		if got := w.fate("alpha", w.away); got != "delivered" {
			t.Errorf("forward host of the file: %q", got)
		}
		w.end()
		w.cfg.Gateways = w.cfg.Gateways[1:]
		w.open()
		if c := w.conf("alpha"); !c.Exists || !c.Running {
			t.Errorf("a gateway that the file forgot: %+v", c)
		}
	})
}

func TestRetryListIsChecked(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		for _, list := range [][]time.Duration{{101 * hour}, {hour, 0}} {
			_, err := w.gw("alpha").Apply(t.Context(), gateway.Change{Key: "r", Want: gateway.Want{Settings: &gateway.SettingsPatch{Retry: &list}}})
			if !errors.Is(err, gateway.ErrRefused) {
				t.Errorf("retry list %v: %v", list, err)
			}
		}
		w.set("alpha", gateway.SettingsPatch{Retry: &[]time.Duration{}, Restart: true})
		w.down("far.example")
		w.submit("hq", "ann@corp.example", "joe@far.example")
		pass(time.Minute)
		if got := w.told(); got != "told" { // no retries: the first failure is the last (Q146669)
			t.Errorf("without retries: %q", got)
		}
	})
}

// TestPauseOutlivesTheProcess, and so does being stopped.
func TestRunStateOutlivesTheProcess(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.run("alpha", gateway.PausedState)
		w.run("beta", gateway.Stopped)
		w.crash()
		if a, b := w.conf("alpha"), w.conf("beta"); !a.Running || !a.Paused || b.Running {
			t.Errorf("alpha running %v paused %v, beta running %v", a.Running, a.Paused, b.Running)
		}
		if got := code(w.inbound("alpha", "bob@corp.example")); got != "421 4.3.2" {
			t.Errorf("paused: %s", got)
		}
	})
}

// TestInterruptedRestart: the process dies after a change was stored and before
// it was done. The next process starts with it, and says that it is done.
func TestInterruptedRestart(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		g := w.gw("alpha")
		out := gateway.OutboundOnly
		want := storable(gateway.Want{Settings: &gateway.SettingsPatch{Mode: &out, Restart: true}})
		r := g.record()
		r.Patch, r.Generation = mergePatch(r.Patch, *want.Settings), r.Generation+1
		if err := g.begin(r, operation{Op: gateway.Op{Key: "cut", Before: "b"}, Want: want, Instance: g.o.instance}); err != nil {
			t.Fatal(err)
		}
		if err := g.stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.crash()
		op, err := w.gw("alpha").Op(t.Context(), "cut")
		if c := w.conf("alpha"); err != nil || !op.Done || !c.Running || c.Effective.Mode != gateway.OutboundOnly {
			t.Errorf("operation %+v, %v; running %v, effective %s", op, err, c.Running, c.Effective.Mode)
		}
		started := w.conf("alpha").StartedAt
		again, err := w.gw("alpha").Apply(t.Context(), gateway.Change{Key: "cut", Want: want})
		if err != nil || !cmp.Equal(op, again) || !w.conf("alpha").StartedAt.Equal(started) {
			t.Errorf("the same key again: %+v, %v, want %+v", again, err, op)
		}
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var other gateway.Want
		if err := json.Unmarshal(b, &other); err != nil {
			t.Fatal(err)
		}
		other.Settings.Restart = false
		if _, err := w.gw("alpha").Apply(t.Context(), gateway.Change{Key: "cut", Want: other}); !errors.Is(err, gateway.ErrRefused) {
			t.Errorf("the same key for another change: %v", err)
		}
	})
}

// TestStartFails: somebody else has the port. The change is not done, and the
// same key may try again.
func TestStartFails(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.run("alpha", gateway.Stopped)
		other, err := w.net.listen(t.Context(), "alpha:25")
		if err != nil {
			t.Fatal(err)
		}
		started := gateway.Started
		c := gateway.Change{Key: "s", Want: gateway.Want{Running: &started}}
		op, err := w.gw("alpha").Apply(t.Context(), c)
		if err == nil || op.Done || op.Failed == "" || w.conf("alpha").Running {
			t.Errorf("Apply() = %+v, %v", op, err)
		}
		_ = other.Close()
		if op, err = w.gw("alpha").Apply(t.Context(), c); err != nil || !op.Done || !w.conf("alpha").Running {
			t.Errorf("Apply() again = %+v, %v", op, err)
		}
	})
}

// TestRestartIsNotRepeated: the service restarted for a key, and the note that
// it did was lost.
func TestRestartIsNotRepeated(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		g := w.gw("alpha")
		restarted := gateway.Restarted
		want := gateway.Want{Running: &restarted}
		for i, tt := range []struct {
			starts  uint64
			repeats bool
		}{{g.started() - 1, false}, {g.started(), true}} {
			key := string(rune('a' + i))
			if err := g.begin(g.record(), operation{Op: gateway.Op{Key: key}, Want: want, Instance: g.o.instance, Starts: tt.starts}); err != nil {
				t.Fatal(err)
			}
			before := w.conf("alpha").StartedAt
			pass(time.Second)
			op, err := g.Apply(t.Context(), gateway.Change{Key: key, Want: want})
			if err != nil || !op.Done || w.conf("alpha").StartedAt.After(before) != tt.repeats {
				t.Errorf("begun at start %d: %+v, %v, started %v, was %v", tt.starts, op, err, w.conf("alpha").StartedAt, before)
			}
		}
	})
}

// TestFlowPassesOver an entry that somebody else takes away in the middle of a
// batch; the rest of the batch goes on.
func TestFlowPassesOver(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.run("alpha", gateway.Stopped)
		for range 3 {
			w.submit("hq", "ann@corp.example", "joe@far.example")
		}
		pass(time.Minute)
		g, raced := w.gw("alpha"), false
		err := w.o.each("alpha", gateway.MTSOut, new(sync.RWMutex), func(tx *spool.Tx, e mail.Entry, now time.Time) ([]mail.Entry, error) {
			if !raced {
				raced = true
				w.act("alpha", gateway.Suspend, gateway.Selection{ID: string(e.ID)}, 1)
			}
			return nil, shelve(tx, e, "test", now)
		})
		if got := w.stores(g.name); err != nil || got != "bad:2 hold:1" {
			t.Errorf("each = %v, stores %q", err, got)
		}
	})
}
