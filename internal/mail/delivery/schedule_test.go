package delivery_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/delivery"
	"example.org/ims/pkg/gateway"
)

// play runs a scenario in a bubble of faked time.
func play(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f(t, w)
		w.close()
		synctest.Wait()
	})
}

func wantLines(t *testing.T, w *world, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, w.lines()); d != "" {
		t.Errorf("outcomes (-want +got):\n%s", d)
	}
}

func TestDelivers(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		h := w.host("10.0.0.1:25")
		w.route("10.0.0.1:25", "a.example")
		s := w.scheduler()
		s.Add(w.entry("m1", "a.example", "u", "v"))
		synctest.Wait()
		wantLines(t, w, "0s u@a.example delivered 2.0.0", "0s v@a.example delivered 2.0.0")
		want := []message{{"sender@here.example", []string{"u@a.example", "v@a.example"}, "Subject: m1\r\n\r\n.dot m1\r\n"}}
		if d := cmp.Diff(want, h.received(), cmp.AllowUnexported(message{})); d != "" {
			t.Errorf("received (-want +got):\n%s", d)
		}
		if s.Len() != 0 || s.InFlight() != 0 {
			t.Errorf("left: %d, in flight %d", s.Len(), s.InFlight())
		}
		stop(t, s)
	})
}

func TestRetryTimesAndExpiry(t *testing.T) {
	tests := []struct {
		name     string
		retry    []time.Duration
		timeouts gateway.Timeouts
		class    mail.Class
		want     []time.Duration // the last one is when it fails
	}{
		{
			"Q146669 default list repeats its last value", settings.Retry,
			gateway.Timeouts{Normal: 12 * hour},
			mail.Normal,
			[]time.Duration{0, hour / 4, 3 * hour / 4, 7 * hour / 4, 23 * hour / 4, 39 * hour / 4, 12 * hour},
		},
		{
			"eleven-steps.6 and 7",
			[]time.Duration{hour / 4},
			gateway.Timeouts{Normal: hour},
			mail.Normal,
			[]time.Duration{0, hour / 4, hour / 2, 3 * hour / 4, hour},
		},
		{
			"urgent has its own time-out",
			[]time.Duration{hour},
			gateway.Timeouts{Urgent: hour / 2, Normal: 9 * hour},
			mail.Urgent,
			[]time.Duration{0, hour / 2},
		},
		{
			"a report has its own time-out",
			[]time.Duration{hour},
			gateway.Timeouts{Report: 2 * hour},
			mail.Report,
			[]time.Duration{0, hour, 2 * hour},
		},
		{"no retry list", nil, settings.Timeouts, mail.Normal, []time.Duration{0}},
		{"Q146669 a zero is no retry", []time.Duration{0}, settings.Timeouts, mail.Normal, []time.Duration{0}},
	}
	for _, tt := range tests {
		for _, how := range []string{"unreachable", "refused for now"} {
			t.Run(tt.name+"/"+how, func(t *testing.T) {
				play(t, func(t *testing.T, w *world) {
					h := w.host("10.0.0.1:25")
					h.down = how == "unreachable"
					h.rcpt = func(string) error { return refuse(450, 4, 2, 1, "later") }
					w.route("10.0.0.1:25", "a.example")
					s := w.scheduler(func(o *delivery.Options) {
						o.Settings = gateway.Settings{Retry: tt.retry, Timeouts: tt.timeouts}
					})
					e := w.entry("m1", "a.example", "u")
					e.Class = tt.class
					s.Add(e)
					pass(100 * hour)
					checkTimes(t, w, tt.want)
					stop(t, s)
				})
			})
		}
	}
}

func checkTimes(t *testing.T, w *world, want []time.Duration) {
	t.Helper()
	var got []time.Duration
	for i, r := range w.results {
		got = append(got, r.at)
		o, last := r.Outcomes[0], i == len(w.results)-1
		if wantKind := map[bool]delivery.Kind{false: delivery.Deferred, true: delivery.Failed}[last]; o.Kind != wantKind || o.Permanent {
			t.Errorf("outcome %d: %+v", i, o)
		}
		if !last && (r.Entry.Attempts != i+1 || !r.Entry.Next.Equal(w.start.Add(want[i+1])) && i < len(want)-2) {
			t.Errorf("entry after outcome %d: attempts %d, next %v", i, r.Entry.Attempts, r.Entry.Next)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("times (-want +got):\n%s", d)
	}
}

// An entry whose time-out passed while the service was stopped is tried once
// before it is given up.
func TestExpiredEntryIsTriedFirst(t *testing.T) {
	for _, up := range []bool{true, false} {
		play(t, func(t *testing.T, w *world) {
			w.host("10.0.0.1:25").down = !up
			w.route("10.0.0.1:25", "a.example")
			e := w.entry("m1", "a.example", "u")
			e.Accepted, e.Attempts = e.Accepted.Add(-100*hour), 7
			e.Tried, e.Next = e.Accepted.Add(98*hour), e.Accepted.Add(102*hour)
			s := w.scheduler()
			s.Add(e)
			synctest.Wait()
			if up {
				wantLines(t, w, "0s u@a.example delivered 2.0.0")
			} else {
				wantLines(t, w, "0s u@a.example failed 5.4.7")
			}
			stop(t, s)
		})
	}
}

func TestDestinationsHaveTheirOwnSchedules(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.host("10.0.0.1:25").down = true
		w.host("10.0.0.2:25")
		w.route("10.0.0.1:25", "dead.example")
		w.route("10.0.0.2:25", "good.example")
		s := w.scheduler()
		s.Add(w.entry("m1", "dead.example", "u"))
		pass(5 * time.Minute)
		s.Add(w.entry("m2", "good.example", "u"))
		s.Add(w.entry("m3", "dead.example", "v")) // waits: nobody answers there
		pass(15 * time.Minute)
		wantLines(t, w,
			"0s u@dead.example deferred 4.4.1",
			"5m0s u@good.example delivered 2.0.0",
			"15m0s u@dead.example deferred 4.4.1",
			"15m0s v@dead.example deferred 4.4.1")
		if len(w.dialed()) != 3 {
			t.Errorf("dials: %v, want one for each pass over a destination", w.dialed())
		}
		stop(t, s)
	})
}

func TestPermanentFailures(t *testing.T) {
	tests := []struct {
		name string
		set  func(w *world, h *host)
		want string
	}{
		{"5xx to RCPT", func(_ *world, h *host) {
			h.rcpt = func(string) error { return refuse(550, 5, 1, 1, "no such user") }
		}, "0s u@a.example failed 5.1.1"},
		{"5xx to MAIL", func(_ *world, h *host) {
			h.mail = func() error { return refuse(553, 5, 7, 1, "go away") }
		}, "0s u@a.example failed 5.7.1"},
		{"5xx to the message", func(_ *world, h *host) {
			h.data = func(string) error { return refuse(554, 5, 6, 0, "bad content") }
		}, "0s u@a.example failed 5.6.0"},
		{"no such domain", func(w *world, _ *host) {
			w.fail["a.example"] = fmt.Errorf("look: %w", delivery.ErrNoSuchDomain)
		}, "0s u@a.example failed 5.1.2"},
		{"RFC 7505 null MX", func(w *world, _ *host) {
			w.fail["a.example"] = delivery.ErrNullMX
		}, "0s u@a.example failed 5.1.10"},
		{"DNS is down", func(w *world, _ *host) {
			w.fail["a.example"] = errors.New("SERVFAIL")
		}, "0s u@a.example deferred 4.4.3"},
		{"RFC 5321 5.1 the best exchanger is this host", func(w *world, _ *host) {
			w.mx["a.example"] = []delivery.Target{{Host: "gw.example", Addr: "10.0.0.9:25", Pref: 1}, {Host: "mx", Addr: "10.0.0.1:25", Pref: 1}}
		}, "0s u@a.example failed 5.4.6"},
		{"bare LF in the message", func(w *world, _ *host) {
			w.bodies["m1"] = "Subject: x\r\n\r\na\n.\nb\r\n"
		}, "0s u@a.example failed 5.6.0"},
		{"disk error in the message", func(w *world, _ *host) {
			w.bodies["m1"] = "Subject: x\r\n\r\nhalf" + cutHere
		}, "0s u@a.example deferred 4.3.0"},
		{"message is gone", func(w *world, _ *host) { delete(w.bodies, "m1") }, "0s u@a.example deferred 4.3.0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			play(t, func(t *testing.T, w *world) {
				h := w.host("10.0.0.1:25")
				w.route("10.0.0.1:25", "a.example")
				s := w.scheduler(func(o *delivery.Options) {
					o.Self = func(t delivery.Target) bool { return t.Addr == "10.0.0.9:25" }
				})
				e := w.entry("m1", "a.example", "u")
				tt.set(w, h)
				s.Add(e)
				pass(time.Minute)
				wantLines(t, w, tt.want)
				if len(h.received()) != 0 {
					t.Errorf("received: %+v", h.received())
				}
				stop(t, s)
			})
		})
	}
}

func TestPerRecipientReplies(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		h := w.host("10.0.0.1:25")
		h.rcpt = func(a string) error {
			switch a {
			case "bad@a.example":
				return refuse(550, 5, 1, 1, "unknown\nreally\x1b[31m")
			case "slow@a.example":
				return refuse(450, 4, 2, 1, "greylisted")
			}
			return nil
		}
		w.route("10.0.0.1:25", "a.example")
		s := w.scheduler()
		s.Add(w.entry("m1", "a.example", "ok", "bad", "slow"))
		synctest.Wait()
		h.ask(func() error { h.rcpt = nil; return nil })
		pass(hour)
		wantLines(t, w,
			"0s ok@a.example delivered 2.0.0", "0s bad@a.example failed 5.1.1", "0s slow@a.example deferred 4.2.1",
			"15m0s slow@a.example delivered 2.0.0")
		if got, want := w.results[0].Outcomes[1].Reply, "550 unknown 5.1.1 really?[31m"; got != want {
			t.Errorf("reply %q, want %q", got, want)
		}
		stop(t, s)
	})
}
