package service

import (
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/gateway"
)

func TestWaysToRefuse(t *testing.T) {
	for _, tt := range []struct {
		refuse gateway.Refuse
		want   string
	}{
		{gateway.RefuseRcpt, "450 4.3.2"},
		{gateway.RefuseConnect, "421 4.3.2"},
		{gateway.RefuseClosed, "closed"},
	} {
		t.Run(tt.refuse.String(), func(t *testing.T) {
			play(t, nil, func(t *testing.T, w *world) {
				out := gateway.OutboundOnly
				w.set("alpha", gateway.SettingsPatch{Mode: &out, Refuse: &tt.refuse, Restart: true})
				got := w.inbound("alpha", "bob@corp.example")
				if got != tt.want && code(got+" -") != tt.want {
					t.Errorf("a refusing gateway says %q, want %q", got, tt.want)
				}
			})
		})
	}
}

// TestClientLog says who still comes, over refusals and restarts.
func TestClientLog(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.inbound("alpha", "bob@corp.example")
		w.inbound("alpha", "nobody@corp.example")
		accepted := time.Now()
		pass(hour)
		w.mode("alpha", gateway.OutboundOnly)
		w.inbound("alpha", "nobody@corp.example")
		want := gateway.Client{
			Host: "198.51.100.7", Helo: "client.example", LastFrom: "zoe@far.example",
			Sessions: 3, Accepted: 1, Rejected: 1, First: accepted, Last: time.Now(), LastValid: accepted,
		}
		check := func(when string) {
			t.Helper()
			got, err := w.gw("alpha").Clients(t.Context())
			if d := cmp.Diff([]gateway.Client{want}, got); err != nil || d != "" {
				t.Errorf("%s: %v (-want +got):\n%s", when, err, d)
			}
		}
		check("an unknown recipient while refusing")
		pass(hour)
		w.inbound("alpha", "bob@corp.example")
		want.Sessions, want.Deferred, want.Last, want.LastValid = 4, 1, time.Now(), time.Now()
		check("a valid recipient while refusing")
		pass(2 * clientSave)
		w.crash()
		check("after a crash")
	})
}

// TestOpenSessionsFinish restarts a gateway as Outbound Only while a client is
// in the middle of a message: that one is taken, the next is refused.
func TestOpenSessionsFinish(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		c, err := w.net.dial(t.Context(), "198.51.100.8:999", "alpha:25")
		if err != nil {
			t.Fatal(err)
		}
		said := make(chan string, 16)
		go func() {
			buf := make([]byte, 4096)
			for {
				n, err := c.Read(buf)
				if err != nil {
					close(said)
					return
				}
				said <- string(buf[:n])
			}
		}()
		say(t, c, "EHLO x\r\n", "MAIL FROM:<zoe@far.example>\r\n", "RCPT TO:<bob@corp.example>\r\n", "DATA\r\n", "Subject: x\r\n")
		if n, _ := w.gw("alpha").Census(t.Context()); n.Sessions != 1 {
			t.Errorf("%d sessions, want 1", n.Sessions)
		}
		restarted := make(chan struct{})
		go func() {
			defer close(restarted)
			w.mode("alpha", gateway.OutboundOnly)
		}()
		synctest.Wait()
		say(t, c, "\r\nbody\r\n.\r\n")
		<-restarted
		var all strings.Builder
		for s := range said {
			all.WriteString(s)
		}
		if !strings.Contains(all.String(), "queued as") {
			t.Errorf("session over the restart: %q", all.String())
		}
		pass(time.Minute)
		if got := w.mail.rcpts(); got["bob@corp.example"] != 1 {
			t.Errorf("mail host took %v", got)
		}
	})
}

func say(t *testing.T, c net.Conn, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if _, err := c.Write([]byte(l)); err != nil {
			t.Fatalf("say %q: %v", l, err)
		}
		synctest.Wait()
	}
}

func TestFullDisk(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.fs.SetFree(1 << 20)
		for _, addr := range []string{"alpha:25", "submit.hq:25"} {
			if got := last(w.send(addr, "zoe@far.example", text, "bob@corp.example")); code(got) != "452 4.3.1" {
				t.Errorf("%s with a full disk: %s", addr, got)
			}
		}
		w.fs.SetFree(1 << 40)
		if got := w.inbound("alpha", "bob@corp.example"); code(got) != "250" {
			t.Errorf("with space again: %s", got)
		}
		pass(time.Minute)
	})
}

func TestLoops(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		looping := strings.Repeat("Received: from a by b; now\r\n", 51) + text
		if got := last(w.send("alpha:25", "zoe@far.example", looping, "bob@corp.example")); code(got) != "554 5.4.6" {
			t.Errorf("a looping message: %s", got)
		}
		w.net.mx["mine.example"] = w.net.mx["far.example"]
		mx := w.net.mx["mine.example"]
		mx.Host = "alpha.corp.example"
		w.net.mx["mine.example"] = mx
		id := w.submit("hq", "ann@corp.example", "joe@mine.example")
		pass(time.Minute)
		if got := w.ends(id); len(got) != 2 || got[1] != "alpha failed joe@mine.example" {
			t.Errorf("mail whose exchanger is this gateway itself: %q", got)
		}
	})
}

func TestPostmaster(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		for _, r := range []string{"postmaster", "Postmaster@corp.example"} {
			if got := w.inbound("alpha", r); code(got) != "250" {
				t.Errorf("%s: %s", r, got)
			}
		}
		pass(time.Minute)
		if d := cmp.Diff([]string{"Postmaster@corp.example", "postmaster@corp.example"}, keys(w.mail.rcpts())); d != "" {
			t.Errorf("mail host (-want +got):\n%s", d)
		}
	})
}

// TestFaults: what sabotage does, and that it is noticed.
func TestFaults(t *testing.T) {
	play(t, func(c *Config) { c.Gateways[0].Faults = []Fault{Refuse550} }, func(t *testing.T, w *world) {
		g := w.gw("alpha")
		if err := g.SetFault(LoseOne, true); err != nil {
			t.Fatal(err)
		}
		if err := g.SetFault("explode", true); err == nil {
			t.Error("an unknown fault was set")
		}
		w.submit("hq", "ann@corp.example", "joe@far.example")
		pass(time.Second)
		w.submit("hq", "ann@corp.example", "sue@far.example")
		pass(time.Second)
		if got := keys(w.far.rcpts()); !cmp.Equal(got, []string{"sue@far.example"}) {
			t.Errorf("far took %v, want only what came after the lost one", got)
		}
		w.lost = 1
		if got := w.inbound("alpha", "bob@corp.example"); code(got) != "250" {
			t.Errorf("accepting: %s", got)
		}
		w.mode("alpha", gateway.OutboundOnly)
		if got := w.inbound("alpha", "bob@corp.example"); code(got) != "550 5.3.2" {
			t.Errorf("refusing with the fault: %s", got)
		}
	})
}
