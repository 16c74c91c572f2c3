package service

import (
	"fmt"
	"testing"
	"time"

	"example.org/ims/pkg/gateway"
)

// TestCrashLosesNothing pulls the plug again and again while mail flows both
// ways, in every store. What was answered 250 arrives; what arrives twice was
// under way when the power went.
func TestCrashLosesNothing(t *testing.T) {
	play(t, func(c *Config) { c.Recipients = nil }, func(t *testing.T, w *world) {
		want := map[string]bool{}
		upFar, upMail := func() {}, func() {}
		for round := range 8 {
			switch round % 4 {
			case 0:
				upFar, upMail = w.down("far.example"), w.down("mail.corp.example")
			case 1:
				upMail()
			case 2:
				upFar()
			}
			for i := range 10 {
				out, in := fmt.Sprintf("o%d-%d@far.example", round, i), fmt.Sprintf("i%d-%d@corp.example", round, i)
				w.submit([]string{"hq", "branch"}[i%2], "ann@corp.example", out, "x"+out)
				if got := w.inbound("alpha", in); code(got) != "250" {
					t.Fatalf("inbound: %s", got)
				}
				want[out], want["x"+out], want[in] = true, true, true
				pass(time.Duration(i*round) * 40 * time.Millisecond) // so that the plug is pulled in every state
			}
			w.crash()
		}
		pass(20 * hour)
		got := w.far.rcpts()
		for r, n := range w.mail.rcpts() {
			got[r] += n
		}
		twice := 0
		for r := range want {
			if got[r] == 0 {
				t.Errorf("%s was accepted and never arrived", r)
			}
			if got[r] > 1 {
				twice++
			}
		}
		if twice > len(want)/4 {
			t.Errorf("%d of %d arrived twice", twice, len(want))
		}
	})
}

// TestCrashWithoutConnections dies with everything queued: nothing arrives
// twice.
func TestCrashWithoutConnections(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.run("alpha", gateway.Stopped)
		for i := range 5 {
			w.submit("hq", "ann@corp.example", fmt.Sprintf("r%d@far.example", i))
			w.crash() // the last commits are in the mta store, or not routed yet
		}
		pass(time.Minute)
		if got := w.stores("alpha"); got != "mts-out:5" {
			t.Errorf("stores %q", got)
		}
		w.run("alpha", gateway.Started)
		pass(time.Minute)
		for r, n := range w.far.rcpts() {
			if n != 1 {
				t.Errorf("%s arrived %d times", r, n)
			}
		}
		if n := len(w.far.letters()); n != 5 {
			t.Errorf("%d arrived, want 5", n)
		}
	})
}

// TestRetirement follows Q285090 to the end, with mail on the way.
func TestRetirement(t *testing.T) {
	play(t, func(c *Config) { c.Replication = 15 * time.Minute }, func(t *testing.T, w *world) {
		w.run("alpha", gateway.Stopped) // an earlier mistake: mail is stranded
		for i := range 5 {
			w.submit("branch", "ann@corp.example", fmt.Sprintf("r%d@far.example", i))
		}
		pass(hour)
		w.mode("alpha", gateway.OutboundOnly)
		w.run("alpha", gateway.Started)
		w.spaces("alpha")
		w.submit("branch", "ann@corp.example", "late@far.example") // by the old copy
		pass(hour)
		before, _ := w.gw("alpha").Census(t.Context())
		w.submit("branch", "ann@corp.example", "new@far.example")
		pass(3 * 24 * hour)
		after, _ := w.gw("alpha").Census(t.Context())
		if n, ok := after.Total(); n != 0 || !ok || after.Routed != before.Routed || before.Routed != 6 {
			t.Errorf("after days: total %d, routed %d → %d", n, before.Routed, after.Routed)
		}
		if op, err := w.absent("alpha", "gone", gateway.Removal{}); err != nil || !op.Done {
			t.Errorf("removal: %+v, %v", op, err)
		}
		if n := len(w.far.letters()); n != 7 {
			t.Errorf("%d messages arrived, want 7", n)
		}
	})
}
