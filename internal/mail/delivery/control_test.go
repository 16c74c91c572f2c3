package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/mail/delivery"
	"example.org/ims/pkg/gateway"
)

func TestKick(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		h := w.host("10.0.0.1:25")
		h.down = true
		w.host("10.0.0.2:25").down = true
		w.route("10.0.0.1:25", "a.example")
		w.route("10.0.0.2:25", "b.example")
		s := w.scheduler()
		s.Add(w.entry("m1", "a.example", "u"))
		s.Add(w.entry("m2", "a.example", "v"))
		s.Add(w.entry("m3", "b.example", "u"))
		pass(time.Minute)
		_ = h.ask(func() error { h.down = false; return nil })
		if n := s.Kick(gateway.Selection{Dest: "A.example", Limit: 1}); n != 1 {
			t.Errorf("kicked %d, want 1", n)
		}
		synctest.Wait()
		if n := s.Kick(gateway.Selection{ID: "m2", OlderThan: 2 * time.Minute}); n != 0 {
			t.Errorf("kicked %d that are too young", n)
		}
		if n := s.Kick(gateway.Selection{ID: "m2"}); n != 1 {
			t.Errorf("kicked %d, want 1", n)
		}
		synctest.Wait()
		if d := cmp.Diff([]string{"1m0s u@a.example delivered 2.0.0", "1m0s v@a.example delivered 2.0.0"}, w.lines()[3:]); d != "" {
			t.Errorf("outcomes (-want +got):\n%s", d)
		}
		stop(t, s)
	})
}

func TestPauseResume(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.host("10.0.0.1:25")
		w.route("10.0.0.1:25", "a.example")
		s := w.scheduler()
		s.Pause()
		s.Add(w.entry("m1", "a.example", "u"))
		pass(100 * hour) // nothing is tried, nothing expires
		wantLines(t, w)
		s.Resume()
		synctest.Wait()
		wantLines(t, w, "100h0m0s u@a.example delivered 2.0.0")
		stop(t, s)
	})
}

func TestRemove(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		gate := make(chan struct{})
		h := w.host("10.0.0.1:25")
		h.srv.Backend = gated(h, gate)
		w.route("10.0.0.1:25", "a.example")
		s := w.scheduler(func(o *delivery.Options) { o.Limits.PerDest = 1 })
		s.Add(w.entry("m1", "a.example", "u"))
		synctest.Wait()
		s.Add(w.entry("m2", "a.example", "v"))
		synctest.Wait()
		if s.Remove("m1") {
			t.Error("removed an entry with an attempt under way")
		}
		if !s.Remove("m2") || s.Remove("m2") || s.Remove("nobody") {
			t.Error("remove does not remove once")
		}
		close(gate)
		synctest.Wait()
		wantLines(t, w, "0s u@a.example delivered 2.0.0")
		stop(t, s)
	})
}

func TestConfigureMovesQueuedEntries(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.host("10.0.0.1:25").down = true
		w.host("10.0.0.2:25")
		w.route("10.0.0.1:25", "a.example")
		w.route("10.0.0.2:25", "smart.example")
		s := w.scheduler()
		s.Add(w.entry("m1", "a.example", "u"))
		pass(2 * time.Minute)
		set := settings
		set.ForwardHost = "smart.example"
		set.Retry = []time.Duration{5 * time.Minute}
		if err := s.Configure(set); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		wantLines(t, w, "0s u@a.example deferred 4.4.1", "5m0s u@a.example delivered 2.0.0")
		if err := s.Configure(gateway.Settings{Retry: []time.Duration{hour, 0}}); err == nil {
			t.Error("a zero within a retry list was accepted")
		}
		stop(t, s)
	})
}

// Shorter time-outs act on what is queued (eleven-steps.7).
func TestConfigureShortensTimeouts(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.host("10.0.0.1:25").down = true
		w.route("10.0.0.1:25", "a.example")
		s := w.scheduler()
		s.Add(w.entry("m1", "a.example", "u"))
		pass(20 * time.Minute)
		set := settings
		set.Timeouts.Normal = 30 * time.Minute
		if err := s.Configure(set); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		wantLines(t, w, "0s u@a.example deferred 4.4.1", "15m0s u@a.example deferred 4.4.1", "30m0s u@a.example failed 5.4.7")
		if o := w.results[2].Outcomes[0]; !o.Expired || !strings.Contains(o.Reply, "connection refused") {
			t.Errorf("outcome %+v", o)
		}
		stop(t, s)
	})
}

// What the store could not take is told again, not done again.
func TestStoreFailureIsNotADuplicate(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		h := w.host("10.0.0.1:25")
		w.route("10.0.0.1:25", "a.example")
		w.broken = 2
		s := w.scheduler()
		s.Add(w.entry("m1", "a.example", "u"))
		synctest.Wait()
		if s.Remove("m1") {
			t.Error("removed an entry whose outcome is not stored")
		}
		pass(hour)
		wantLines(t, w, "2m0s u@a.example delivered 2.0.0")
		if len(h.received()) != 1 {
			t.Errorf("delivered %d times", len(h.received()))
		}
		stop(t, s)
	})
}

func TestStopLetsAttemptsFinish(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		gate := make(chan struct{})
		h := w.host("10.0.0.1:25")
		h.srv.Backend = gated(h, gate)
		w.route("10.0.0.1:25", "a.example")
		s := w.scheduler(func(o *delivery.Options) { o.Limits.PerDest = 1 })
		s.Add(w.entry("m1", "a.example", "u"))
		s.Add(w.entry("m2", "a.example", "v"))
		synctest.Wait()
		go func() { time.Sleep(time.Second); close(gate) }()
		stop(t, s)
		wantLines(t, w, "1s u@a.example delivered 2.0.0") // m2 was not begun
		s.Add(w.entry("m3", "a.example", "x"))
		stop(t, s)
	})
}

// A cut attempt leaves the entry as it was, unless the final dot was sent:
// then nobody knows, and that is told.
func TestStopCutsAttempts(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.host("10.0.0.2:25").raw = mute("220 hi", "250 ok", "250 ok", "250 ok", "354 go")
		w.route("10.0.0.2:25", "b.example")
		w.host("10.0.0.3:25").raw = mute("220 hi", "250 ok")
		w.route("10.0.0.3:25", "c.example")
		s := w.scheduler()
		s.Add(w.entry("m2", "b.example", "u"))
		s.Add(w.entry("m3", "c.example", "u"))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("stop: %v", err)
		}
		wantLines(t, w, "1s u@b.example deferred 4.4.2")
		if len(w.results) == 1 && !w.results[0].Outcomes[0].Unknown {
			t.Errorf("outcome %+v", w.results[0].Outcomes[0])
		}
	})
}

// mute is script without the closing: it hears everything out, for ever.
func mute(replies ...string) func(net.Conn) {
	return func(c net.Conn) {
		buf := make([]byte, 4096)
		for i, r := range replies {
			if i > 0 {
				if _, err := c.Read(buf); err != nil {
					return
				}
			}
			_, _ = fmt.Fprintf(c, "%s\r\n", r)
		}
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
		}
	}
}

// A next hop may close an idle connection whenever it likes; that costs no
// attempt.
func TestStaleConnectionCostsNoAttempt(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.host("10.0.0.1:25").raw = script("220 hi", "250 ok", "250 ok", "250 ok", "354 go", "250 taken")
		w.route("10.0.0.1:25", "a.example")
		s := w.scheduler()
		s.Add(w.entry("m1", "a.example", "u"))
		pass(time.Second)
		s.Add(w.entry("m2", "a.example", "v"))
		pass(time.Second)
		wantLines(t, w, "0s u@a.example delivered 2.0.0", "1s v@a.example delivered 2.0.0")
		stop(t, s)
	})
}

// 100,000 entries for 10,000 destinations that do not answer cost memory, no
// goroutines, and one dial a destination and pass.
func TestManyDeadDestinations(t *testing.T) {
	const dests, each = 10000, 10
	play(t, func(t *testing.T, w *world) {
		s := w.scheduler(func(o *delivery.Options) { o.Limits.Connections = 50 })
		base := runtime.NumGoroutine()
		s.Pause() // so that all are there before the first attempt
		for d := range dests {
			name := fmt.Sprintf("d%d.example", d)
			w.route("10.9.9.9:25", name)
			for i := range each {
				s.Add(w.entry(fmt.Sprintf("m%d-%d", d, i), name, "u"))
			}
		}
		s.Resume()
		pass(time.Minute)
		if n := len(w.lines()); n != dests*each || s.Len() != dests*each {
			t.Errorf("%d results, %d entries", n, s.Len())
		}
		if n := runtime.NumGoroutine(); n > base {
			t.Errorf("%d goroutines while everything waits, %d before", n, base)
		}
		if n := len(w.dialed()); n != dests {
			t.Errorf("%d dials in the first pass, want %d", n, dests)
		}
		pass(15 * time.Minute)
		if n := len(w.dialed()); n != 2*dests {
			t.Errorf("%d dials after the second pass, want %d", n, 2*dests)
		}
		stop(t, s)
	})
}

func TestStatus(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		gate := make(chan struct{})
		h := w.host("10.0.0.1:25")
		h.srv.Backend = gated(h, gate)
		w.route("10.0.0.1:25", "slow.example")
		w.route("10.0.0.2:25", "dead.example")
		s := w.scheduler(func(o *delivery.Options) { o.Limits.PerDest = 1 })
		for i := range 3 {
			s.Add(w.entry(fmt.Sprint("s", i), "slow.example", "u"))
			s.Add(w.entry(fmt.Sprint("d", i), "dead.example", "u"))
		}
		synctest.Wait()
		want := []delivery.Destination{
			{
				Host: "dead.example", Waiting: 3, Down: w.start.Add(hour / 4),
				Last: "connect to mx.dead.example 10.0.0.2:25: connection refused",
			},
			{Host: "slow.example", Ready: 2, Busy: 1, Connections: 1},
		}
		if d := cmp.Diff(want, s.Destinations()); d != "" {
			t.Errorf("destinations (-want +got):\n%s", d)
		}
		if e, next, ok := s.Entry("d1"); !ok || !next.Equal(w.start.Add(hour/4)) || e.ID != "d1" {
			t.Errorf("entry d1: next %v, %v", next, ok)
		}
		if _, _, ok := s.Entry("nobody"); ok {
			t.Error("an unknown entry was found")
		}
		close(gate)
		stop(t, s)
	})
}
