package delivery_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/mail/delivery"
	"example.org/ims/pkg/gateway"
)

func TestConnectionIsReused(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		h := w.host("10.0.0.1:25")
		w.route("10.0.0.1:25", "a.example")
		s := w.scheduler(func(o *delivery.Options) { o.Limits = delivery.Limits{PerDest: 1, Messages: 10} })
		for i := range 25 {
			s.Add(w.entry(fmt.Sprintf("m%02d", i), "a.example", "u"))
		}
		synctest.Wait()
		open, all := h.connections()
		if len(h.received()) != 25 || all != 3 {
			t.Errorf("%d messages over %d connections, want 25 over 3", len(h.received()), all)
		}
		for i, m := range h.received() { // first in, first out
			if want := fmt.Sprintf("Subject: m%02d\r\n", i); !strings.HasPrefix(m.body, want) {
				t.Errorf("message %d is %q", i, m.body)
			}
		}
		if open != 1 {
			t.Errorf("%d connections open, want 1 idle", open)
		}
		pass(6 * time.Second)
		synctest.Wait()
		if open, _ := h.connections(); open != 0 {
			t.Errorf("idle connection still open")
		}
		stop(t, s)
	})
}

func TestConnectionAge(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		h := w.host("10.0.0.1:25")
		w.route("10.0.0.1:25", "a.example")
		s := w.scheduler()
		for i := range 101 { // every 4 s, so the connection never idles out
			s.Add(w.entry(fmt.Sprint("m", i), "a.example", "u"))
			pass(4 * time.Second)
		}
		if _, all := h.connections(); all != 2 {
			t.Errorf("%d connections in 404 s, want 2", all)
		}
		stop(t, s)
	})
}

func TestConcurrencyLimits(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		gate := make(chan struct{})
		var hosts []*host
		for d := range 4 {
			addr, name := fmt.Sprintf("10.0.0.%d:25", d), fmt.Sprintf("d%d.example", d)
			h := w.host(addr)
			h.srv.Backend = gated(h, gate)
			w.route(addr, name)
			hosts = append(hosts, h)
		}
		s := w.scheduler(func(o *delivery.Options) { o.Limits = delivery.Limits{Connections: 6, PerDest: 3} })
		for i := range 40 {
			s.Add(w.entry(fmt.Sprint("m", i), fmt.Sprintf("d%d.example", i%4), "u"))
		}
		synctest.Wait()
		if n := s.InFlight(); n != 6 {
			t.Errorf("in flight %d, want 6", n)
		}
		close(gate)
		pass(time.Second)
		total := 0
		for _, h := range hosts {
			total += len(h.received())
			if h.maxOpen > 3 {
				t.Errorf("%d connections to one destination", h.maxOpen)
			}
		}
		if total != 40 {
			t.Errorf("%d delivered, want 40", total)
		}
		stop(t, s)
	})
}

// What the settings say wins over the scheduler's own limit, also later.
func TestSettingsLimitSessions(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		gate := make(chan struct{})
		for d := range 4 {
			addr, name := fmt.Sprintf("10.0.0.%d:25", d), fmt.Sprintf("d%d.example", d)
			h := w.host(addr)
			h.srv.Backend = gated(h, gate)
			w.route(addr, name)
		}
		set := gateway.Settings{}
		s := w.scheduler(func(o *delivery.Options) {
			o.Limits.Connections, o.Settings.MaxOutbound = 6, 2
			set = o.Settings
		})
		for i := range 8 {
			s.Add(w.entry(fmt.Sprint("m", i), fmt.Sprintf("d%d.example", i%4), "u"))
		}
		synctest.Wait()
		if n := s.InFlight(); n != 2 {
			t.Errorf("in flight %d, want 2", n)
		}
		set.MaxOutbound = 3
		if err := s.Configure(set); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := s.InFlight(); n != 3 {
			t.Errorf("in flight %d, want 3", n)
		}
		close(gate)
		stop(t, s)
	})
}

// An idle connection gives its place to a destination that has none.
func TestIdleConnectionIsEvicted(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.host("10.0.0.1:25")
		w.host("10.0.0.2:25")
		w.route("10.0.0.1:25", "a.example")
		w.route("10.0.0.2:25", "b.example")
		s := w.scheduler(func(o *delivery.Options) { o.Limits = delivery.Limits{Connections: 1} })
		s.Add(w.entry("m1", "a.example", "u"))
		synctest.Wait()
		s.Add(w.entry("m2", "b.example", "u"))
		synctest.Wait()
		wantLines(t, w, "0s u@a.example delivered 2.0.0", "0s u@b.example delivered 2.0.0")
		stop(t, s)
	})
}

// A host that allows one connection gets one, and all the mail.
func TestConcurrencyFollowsTheHost(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		h := w.host("10.0.0.1:25")
		w.route("10.0.0.1:25", "a.example")
		s := w.scheduler(func(o *delivery.Options) {
			dial := o.Dial
			o.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
				w.mu.Lock()
				full := h.open >= 1
				w.mu.Unlock()
				if full {
					return nil, errors.New("too many connections")
				}
				return dial(ctx, addr)
			}
		})
		for i := range 30 {
			s.Add(w.entry(fmt.Sprint("m", i), "a.example", "u"))
		}
		pass(time.Minute)
		if len(h.received()) != 30 {
			t.Errorf("%d delivered in a minute, want 30", len(h.received()))
		}
		stop(t, s)
	})
}

func TestMXOrder(t *testing.T) {
	mx := []delivery.Target{
		{Host: "far", Addr: "10.0.0.3:25", Pref: 40},
		{Host: "near", Addr: "10.0.0.1:25", Pref: 10},
		{Host: "self", Addr: "10.0.0.9:25", Pref: 30},
		{Host: "mid", Addr: "10.0.0.2:25", Pref: 20},
	}
	tests := []struct {
		name string
		down []string
		want []string
		line string
	}{
		{"best first", nil, []string{"10.0.0.1:25"}, "0s u@a.example delivered 2.0.0"},
		{"then the next", []string{"10.0.0.1:25"}, []string{"10.0.0.1:25", "10.0.0.2:25"}, "0s u@a.example delivered 2.0.0"},
		{"never as far as this host (Q182406)", []string{"10.0.0.1:25", "10.0.0.2:25"}, []string{"10.0.0.1:25", "10.0.0.2:25"}, "0s u@a.example deferred 4.4.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			play(t, func(t *testing.T, w *world) {
				for _, m := range mx {
					w.host(m.Addr).down = slices.Contains(tt.down, m.Addr)
				}
				w.mx["a.example"] = mx
				s := w.scheduler(func(o *delivery.Options) {
					o.Self = func(t delivery.Target) bool { return t.Host == "self" }
				})
				s.Add(w.entry("m1", "a.example", "u"))
				synctest.Wait()
				wantLines(t, w, tt.line)
				if d := cmp.Diff(tt.want, w.dialed()); d != "" {
					t.Errorf("dials (-want +got):\n%s", d)
				}
				stop(t, s)
			})
		})
	}
}

// A host that connects and says nothing must not pin the mail (Q182821).
func TestSilentHostIsPassedOver(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.host("10.0.0.1:25").raw = func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
		w.host("10.0.0.2:25")
		w.mx["a.example"] = []delivery.Target{{Host: "mute", Addr: "10.0.0.1:25", Pref: 1}, {Host: "mx", Addr: "10.0.0.2:25", Pref: 2}}
		s := w.scheduler()
		s.Add(w.entry("m1", "a.example", "u"))
		pass(10 * time.Minute)
		wantLines(t, w, "5m0s u@a.example delivered 2.0.0")
		stop(t, s)
	})
}

func TestHosts(t *testing.T) {
	tests := []struct {
		name, forward, dest string
		want                string
	}{
		{"forward host", "smart.example", "x.example", "10.0.0.5:25"},
		{"forward host by address (S4)", "10.0.0.5", "x.example", "10.0.0.5:25"},
		{"forward host with a port", "[10.0.0.5]:2525", "x.example", "10.0.0.5:2525"},
		{"named forward host with a port", "smart.example:2525", "x.example", "10.0.0.5:2525"},
		{"own host of a domain", "smart.example", "pin.example", "10.0.0.6:25"},
		{"Q259531 subdomains included", "smart.example", "a.b.PIN.example", "10.0.0.6:25"},
		{"longest domain wins", "smart.example", "dns.pin.example", "10.0.0.7:25"},
		{"address literal", "", "[10.0.0.7]", "10.0.0.7:25"},
		{"not a label end", "smart.example", "notpin.example", "10.0.0.5:25"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			play(t, func(t *testing.T, w *world) {
				w.route("10.0.0.5:25", "smart.example")
				w.route("10.0.0.6:25", "other.example")
				w.route("10.0.0.7:25", "dns.pin.example")
				s := w.scheduler(func(o *delivery.Options) {
					o.Settings.ForwardHost = tt.forward
					o.Settings.DomainHosts = map[string]string{"Pin.Example": "other.example", "dns.pin.example": ""}
				})
				s.Add(w.entry("m1", tt.dest, "u"))
				synctest.Wait()
				if d := cmp.Diff([]string{tt.want}, w.dialed()); d != "" {
					t.Errorf("dials (-want +got):\n%s", d)
				}
				stop(t, s)
			})
		})
	}
}

// A forward host that is this host is a mistake to be mended, not a reason to
// return mail.
func TestForwardToSelfIsDeferred(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		s := w.scheduler(func(o *delivery.Options) {
			o.Settings.ForwardHost = "10.0.0.9"
			o.Self = func(t delivery.Target) bool { return t.Addr == "10.0.0.9:25" }
		})
		s.Add(w.entry("m1", "a.example", "u"))
		synctest.Wait()
		wantLines(t, w, "0s u@a.example deferred 4.4.6")
		stop(t, s)
	})
}

// script is a server that says fixed lines, one for each line it hears.
func script(replies ...string) func(net.Conn) {
	return func(c net.Conn) {
		defer func() { _ = c.Close() }()
		in := bufio.NewScanner(c)
		for i, r := range replies {
			if i > 0 && !in.Scan() {
				return
			}
			if _, err := fmt.Fprintf(c, "%s\r\n", r); err != nil {
				return
			}
		}
		data := strings.HasPrefix(replies[len(replies)-1], "354")
		for in.Scan() && data && in.Text() != "." { // hears the message out, answers nothing
		}
	}
}

func TestLostAfterFinalDotIsUnknown(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		h := w.host("10.0.0.1:25")
		h.raw = script("220 hi", "250 ok", "250 ok", "250 ok", "354 go")
		w.route("10.0.0.1:25", "a.example")
		s := w.scheduler()
		s.Add(w.entry("m1", "a.example", "u"))
		synctest.Wait()
		wantLines(t, w, "0s u@a.example deferred 4.4.2")
		if o := w.results[0].Outcomes[0]; !o.Unknown {
			t.Errorf("outcome is not marked unknown: %+v", o)
		}
		stop(t, s)
	})
}

func TestOddServers(t *testing.T) {
	tests := []struct {
		name    string
		replies []string
		want    string
	}{
		{"421 greeting", []string{"421 4.3.2 closing"}, "0s u@a.example deferred 4.3.2"},
		{"554 greeting is about the host", []string{"554 5.3.2 no service"}, "0s u@a.example deferred 4.3.2"},
		{"421 to MAIL", []string{"220 hi", "250 ok", "421 4.7.0 too much"}, "0s u@a.example deferred 4.7.0"},
		{"closes at RCPT", []string{"220 hi", "250 ok", "250 ok"}, "0s u@a.example deferred 4.4.2"},
		{"reply without sense", []string{"220 hi", "250 ok", "what"}, "0s u@a.example deferred 4.4.2"},
		{"class does not agree", []string{"220 hi", "250 ok", "550 4.2.1 hm"}, "0s u@a.example failed 5.0.0"},
		{"out of place", []string{"220 hi", "250 ok", "250 ok", "250 ok", "250 no data please"}, "0s u@a.example deferred 4.5.0"},
		{"endless reply", []string{"220 hi", "250-" + strings.Repeat("x\r\n250-", 60000)}, "0s u@a.example deferred 4.4.2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			play(t, func(t *testing.T, w *world) {
				w.host("10.0.0.1:25").raw = script(tt.replies...)
				w.route("10.0.0.1:25", "a.example")
				s := w.scheduler()
				s.Add(w.entry("m1", "a.example", "u"))
				synctest.Wait()
				wantLines(t, w, tt.want)
				stop(t, s)
			})
		})
	}
}

// A destination that swallows packets holds one place, not PerDest of them,
// and others go ahead.
func TestDeadDestinationHoldsOnePlace(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.host("10.0.0.1:25")
		w.route("10.0.0.1:25", "good.example")
		w.route("10.0.0.2:25", "dead.example")
		s := w.scheduler(func(o *delivery.Options) {
			dial := o.Dial
			o.Limits = delivery.Limits{Connections: 2}
			o.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
				if addr == "10.0.0.2:25" {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return dial(ctx, addr)
			}
		})
		for i := range 20 {
			s.Add(w.entry(fmt.Sprint("d", i), "dead.example", "u"))
		}
		synctest.Wait()
		s.Add(w.entry("g", "good.example", "u"))
		synctest.Wait()
		wantLines(t, w, "0s u@good.example delivered 2.0.0")
		if n := s.InFlight(); n != 1 {
			t.Errorf("%d attempts under way, want 1", n)
		}
		pass(30 * time.Second)
		if n := len(w.lines()); n != 21 {
			t.Errorf("%d outcomes after the dial timed out, want 21", n)
		}
		stop(t, s)
	})
}
