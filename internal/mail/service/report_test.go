package service

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/smtpd"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

func TestTimeoutsByClass(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.set("alpha", gateway.SettingsPatch{
			Timeouts: &gateway.Timeouts{Urgent: 2 * hour, Normal: 5 * hour, NonUrgent: 9 * hour, Report: 20 * hour}, Restart: true,
		})
		w.down("far.example")
		ids := map[string]string{}
		for name, header := range map[string]string{"urgent": "Priority: urgent", "normal": "Subject: x", "late": "X-Priority: 5 (Lowest)"} {
			ids[name] = w.submitText("hq", "ann@corp.example", header+"\r\n\r\nx\r\n", "joe@far.example")
		}
		begin := time.Now()
		want := map[string]time.Duration{"urgent": 2 * hour, "normal": 5 * hour, "late": 9 * hour}
		got := map[string]time.Duration{}
		pass(24 * hour)
		events, err := w.gw("alpha").Track(t.Context(), 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			for name, id := range ids {
				if e.Kind == ledger.Failed && e.Message == id && strings.HasPrefix(e.Reason, "expired: ") && e.Report != "" {
					got[name] = e.At.Sub(begin).Round(time.Minute)
				}
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("expiry by class (-want +got):\n%s", d)
		}
		if n := len(w.mail.letters()); n != 3 {
			t.Errorf("mail host took %d reports, want 3", n)
		}
	})
}

// TestExpiryNeedsAnAttempt stops a gateway for longer than the time-out: what
// waits is tried once before it is given up.
func TestExpiryNeedsAnAttempt(t *testing.T) {
	for _, up := range []bool{true, false} {
		t.Run(fmt.Sprint("reachable ", up), func(t *testing.T) {
			play(t, nil, func(t *testing.T, w *world) {
				revive := w.down("far.example")
				w.submit("hq", "ann@corp.example", "joe@far.example")
				pass(time.Minute)
				w.run("alpha", gateway.Stopped)
				pass(1000 * hour)
				if up {
					revive()
				}
				w.run("alpha", gateway.Started)
				pass(time.Minute)
				want := "told"
				if up {
					want = ""
				}
				if got := w.told(); got != want || up != (len(w.far.letters()) == 1) {
					t.Errorf("%q, delivered %d, want %q", got, len(w.far.letters()), want)
				}
			})
		})
	}
}

// TestShorterTimeoutsReachQueuedMail is what the eleven steps rely on.
func TestShorterTimeoutsReachQueuedMail(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.down("far.example")
		w.submit("hq", "ann@corp.example", "joe@far.example")
		pass(3 * hour)
		none := gateway.None
		w.set("alpha", gateway.SettingsPatch{
			Mode: &none, Retry: &[]time.Duration{15 * time.Minute},
			Timeouts: &gateway.Timeouts{Urgent: hour, Normal: hour, NonUrgent: hour, Report: 48 * hour},
		})
		pass(hour)
		if got := w.told(); got != "out:1" {
			t.Errorf("before the service started with them: %q", got)
		}
		w.run("alpha", gateway.Restarted)
		pass(time.Minute)
		if got := w.told(); got != "told" {
			t.Errorf("after the start: %q", got)
		}
	})
}

// TestReportsEnd lets every kind of report fail: nothing is reported on it.
func TestReportsEnd(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.far.say(say550)
		w.mail.say(say550)
		out := w.submit("hq", "ann@corp.example", "joe@far.example") // fails; so does its report, at the mail host
		w.submit("hq", "", "joe@far.example")                        // null sender
		w.submit("hq", "ann@corp.example", "joe@far.example NOTIFY=NEVER")
		in := w.inbound("alpha", "bob@corp.example") // fails; so does its report, at far
		pass(100 * hour)
		if w.stores("alpha") != "" || len(w.far.letters())+len(w.mail.letters()) != 0 {
			t.Errorf("stores %q, letters %d, %d", w.stores("alpha"), len(w.far.letters()), len(w.mail.letters()))
		}
		_, in, _ = strings.Cut(in, "queued as ")
		for id, want := range map[string]string{out: "alpha failed joe@far.example", in: "alpha failed bob@corp.example"} {
			if got := w.ends(id); got[len(got)-1] != want {
				t.Errorf("message %s: %q, want %q last", id, got, want)
			}
		}
		events, err := w.gw("alpha").Track(t.Context(), 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		var generated, absorbed int
		for _, e := range events {
			switch e.Kind {
			case ledger.Generated:
				generated++
			case ledger.Absorbed:
				absorbed++
				if e.Reason == "" {
					t.Errorf("absorbed without a reason: %+v", e)
				}
			}
		}
		if generated != 2 || absorbed != 4 {
			t.Errorf("%d reports, %d absorbed, want 2 and 4", generated, absorbed)
		}
	})
}

// TestReportToTheInternet goes out by the gateway that made it, without any
// address space (Q266205), and counts as returned when it was taken.
func TestReportToTheInternet(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.spaces("alpha")
		w.spaces("beta")
		w.mail.say(say550)
		w.inbound("alpha", "bob@corp.example")
		pass(time.Minute)
		l := w.far.letters()
		if len(l) != 1 || l[0].from != "" || !strings.Contains(l[0].data, "Reporting-MTA: dns; alpha.corp.example") {
			t.Fatalf("far took %+v, want alpha's report", l)
		}
		events, err := w.gw("alpha").Track(t.Context(), 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if led := ledger.Compute(events, nil, "alpha"); led.Returned != 1 || led.Delivered != 1 || led.Accepted != 1 || led.Generated != 1 {
			t.Errorf("ledger %+v, want one returned by one delivered report", led)
		}
	})
}

// TestSuccessReport is asked for by NOTIFY=SUCCESS and made when the next hop
// does not do DSN; ours does, so it is handed on instead.
func TestSuccessReportIsHandedOn(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.submit("hq", "ann@corp.example", "joe@far.example NOTIFY=SUCCESS ORCPT=rfc822;joe@far.example")
		pass(time.Minute)
		if len(w.far.letters()) != 1 || len(w.mail.letters()) != 0 {
			t.Errorf("far %d, reports %d", len(w.far.letters()), len(w.mail.letters()))
		}
	})
}

func TestLocalFailure(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.mail.say(func(a string) (r *smtpd.Reply) {
			if a == "nobody@corp.example" {
				return say550(a)
			}
			return nil
		})
		w.submit("hq", "ann@corp.example", "nobody@corp.example", "bob@corp.example")
		pass(time.Minute)
		if d := cmp.Diff(map[string]int{"bob@corp.example": 1, "ann@corp.example": 1}, w.mail.rcpts()); d != "" {
			t.Errorf("mail host (-want +got):\n%s", d)
		}
	})
}

func TestMailHostDown(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		up := w.down("mail.corp.example")
		w.submit("hq", "ann@corp.example", "bob@corp.example")
		if got := w.inbound("alpha", "bob@corp.example"); !strings.HasPrefix(got, "250 ") {
			t.Errorf("inbound: %s", got)
		}
		pass(10 * hour)
		if got := w.stores("alpha"); got != "mts-in:1" {
			t.Errorf("stores %q", got)
		}
		if n := w.o.Counts()[gateway.MTSIn].Messages; n != 1 {
			t.Errorf("the MTA holds %d, want 1", n)
		}
		up()
		pass(5 * hour)
		if got := w.mail.rcpts(); got["bob@corp.example"] != 2 {
			t.Errorf("mail host took %v", got)
		}
	})
}

func TestSizeLimit(t *testing.T) {
	big := "Subject: big\r\n\r\n" + strings.Repeat("0123456789abcdef0123456789abcdef\r\n", 200) // 6.8 kB
	play(t, nil, func(t *testing.T, w *world) {
		limit := int64(4000)
		w.set("alpha", gateway.SettingsPatch{MaxSize: &limit, Restart: true})
		if got := last(w.send("alpha:25", "zoe@far.example", big, "bob@corp.example")); code(got) != "552 5.3.4" {
			t.Errorf("inbound: %s", got)
		}
		w.submitText("hq", "ann@corp.example", big, "joe@far.example")
		pass(time.Minute)
		if got := w.told(); got != "told" || len(w.far.letters()) != 0 {
			t.Errorf("outbound: %q, delivered %d", got, len(w.far.letters()))
		}
	})
}

func TestClassOf(t *testing.T) {
	for head, want := range map[string]mail.Class{
		"": mail.Normal, "Priority: urgent\r\n": mail.Urgent, "priority : Non-Urgent\r\n": mail.NonUrgent,
		"Importance: high\r\nPriority: normal\r\n": mail.Normal, "X-Priority: 1 (Highest)\r\nImportance: low\r\n": mail.NonUrgent,
		"X-Priority: 2\r\n": mail.Urgent, "Subject: x\r\n\r\nPriority: urgent\r\n": mail.Normal, "Priority: soon\r\nX-Priority: 5\r\n": mail.NonUrgent,
	} {
		if got := classOf([]byte(head)); got != want {
			t.Errorf("classOf(%q) = %v, want %v", head, got, want)
		}
	}
}
