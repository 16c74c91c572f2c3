package smtpd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pass lets d go by, in the bubble's time, and waits for what follows.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestIdleClient(t *testing.T) {
	r := &recorder{}
	serve(t, Config{Handler: r}, func(t *testing.T, _ *Server, ln *pipes) {
		c := ln.dial("192.0.2.1:1000")
		c.say("EHLO c\r\nNO")
		pass(5*time.Minute - time.Second)
		if got := c.heard(); got != "" || c.gone() {
			t.Errorf("before the time-out: %q, gone %v", got, c.gone())
		}
		c.say("O") // one more byte buys no more time
		pass(time.Second)
		if got := codes(c.heard()); got != "421 4.4.2" || !c.gone() {
			t.Errorf("after the time-out: %q, gone %v", got, c.gone())
		}
	})
	if r.open != 1 || r.closed != 1 {
		t.Errorf("sessions opened %d, closed %d, want 1 and 1", r.open, r.closed)
	}
}

// TestSilenceInBody is S2: what follows a body that timed out is no command.
func TestSilenceInBody(t *testing.T) {
	for _, body := range []string{"DATA\r\nx", "BDAT 10 LAST\r\nx", "DATA\r\na\r\n.\r\r\n.\r"} {
		r := &recorder{}
		serve(t, Config{Handler: r}, func(t *testing.T, _ *Server, ln *pipes) {
			c := ln.dial("192.0.2.1:1000")
			c.say(hello)
			c.say(body)
			pass(3 * time.Minute)
			if got := codes(c.heard()); got != "421 4.4.2" {
				t.Errorf("%q: after the time-out %q, want 421 4.4.2", body, got)
			}
			if got := c.say("MAIL FROM:<e@x>\r\n"); got != "" || !c.gone() {
				t.Errorf("%q: next command answered %q, gone %v", body, got, c.gone())
			}
		})
		if n := len(r.messages()); n != 0 {
			t.Errorf("%q: %d messages were accepted", body, n)
		}
	}
}

func TestDisconnectInBody(t *testing.T) {
	for _, body := range []string{"DATA\r\nx\r\n.\r", "BDAT 10 LAST\r\nx\r\n", "BDAT 3\r\nx\r\n", "BDAT 3\r\nx\r\nBDAT 1 LAST\r\n"} {
		r := &recorder{}
		serve(t, Config{Handler: r}, func(t *testing.T, s *Server, ln *pipes) {
			c := ln.dial("192.0.2.1:1000")
			c.say(hello)
			c.say(body)
			if err := c.conn.Close(); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if n := s.Sessions(); n != 0 {
				t.Errorf("%q: %d sessions after the client left", body, n)
			}
		})
		if n := len(r.messages()); n != 0 {
			t.Errorf("%q: %d messages were accepted", body, n)
		}
		if r.closed != 1 {
			t.Errorf("%q: session closed %d times", body, r.closed)
		}
	}
}

func TestSlowBody(t *testing.T) {
	tests := []struct {
		name  string
		every time.Duration
		bytes int // each time
		times int
		want  string
	}{
		{"active for longer than one block time-out", time.Minute, 6000, 10, "250 2.0.0"},
		{"one byte a second", time.Second, 1, 600, "421 4.4.2"},
		{"fast, then drips", 170 * time.Second, 10, 10, "421 4.4.2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &recorder{}
			serve(t, Config{Handler: r}, func(t *testing.T, _ *Server, ln *pipes) {
				c := ln.dial("192.0.2.1:1000")
				c.say(hello + "DATA\r\n")
				c.heard()
				var got string
				for range tt.times {
					pass(tt.every)
					got += c.say(strings.Repeat("x", tt.bytes))
				}
				got += c.say("\r\n.\r\n")
				if codes(got) != tt.want || c.gone() != (tt.want[0] == '4') {
					t.Errorf("got %q, gone %v, want %s", got, c.gone(), tt.want)
				}
			})
		})
	}
}

func TestConnectionCaps(t *testing.T) {
	r := &recorder{}
	serve(t, Config{Handler: r, MaxConns: 5, MaxPerHost: 2}, func(t *testing.T, s *Server, ln *pipes) {
		var open []*client
		try := func(from, want string) {
			t.Helper()
			c := ln.dial(from)
			if got := codes(c.heard()); got != want {
				t.Errorf("from %s: %q, want %q", from, got, want)
			}
			open = append(open, c)
		}
		try("192.0.2.1:1", "220")
		try("192.0.2.1:2", "220")
		try("192.0.2.1:3", "421 4.7.0")
		try("[2001:db8::1]:1", "220")
		try("[2001:db8::2]:1", "220")
		try("[2001:db8::3]:1", "421 4.7.0")
		try("192.0.2.2:1", "220")
		try("192.0.2.3:1", "421 4.3.2")
		if got := s.Sessions(); got != 5 {
			t.Errorf("Sessions() = %d, want 5", got)
		}
		open[0].say("QUIT\r\n")
		try("192.0.2.1:4", "220")
	})
}

func TestRefusedConnect(t *testing.T) {
	r := &recorder{connect: Refuse(421, "4.3.2", "gw.example is being retired, use mx2.example")}
	serve(t, Config{Handler: r}, func(t *testing.T, s *Server, ln *pipes) {
		c := ln.dial("192.0.2.1:1")
		if got, want := c.heard(), "421 4.3.2 gw.example is being retired, use mx2.example\r\n"; got != want || !c.gone() {
			t.Errorf("greeting %q, gone %v, want %q", got, c.gone(), want)
		}
		if n := s.Sessions(); n != 0 {
			t.Errorf("Sessions() = %d, want 0", n)
		}
	})
}

func TestReply421ClosesTheConnection(t *testing.T) {
	r := &recorder{mail: Refuse(421, "4.3.0", "spool is sick")}
	serve(t, Config{Handler: r}, func(t *testing.T, _ *Server, ln *pipes) {
		c := ln.dial("192.0.2.1:1")
		if got := codes(c.say("EHLO c\r\nMAIL FROM:<a@b>\r\nNOOP\r\n")); got != "220 | 250 | 421 4.3.0" || !c.gone() {
			t.Errorf("got %q, gone %v", got, c.gone())
		}
	})
}

func TestHandlerRefusesData(t *testing.T) {
	r := &recorder{data: func(*Body) *Reply { return Refuse(452, "4.3.1", "spool is full") }}
	serve(t, Config{Handler: r}, func(t *testing.T, _ *Server, ln *pipes) {
		c := ln.dial("192.0.2.1:1")
		c.say(hello + "DATA\r\n")
		if got := codes(c.say("NOOP\r\n.\r\nNOOP\r\n")); got != "452 4.3.1 | 250 2.0.0" {
			t.Errorf("got %q, want the refusal and one NOOP", got)
		}
		r.data = func(*Body) *Reply { return nil }
		c.say(hello + "DATA\r\n")
		if got := codes(c.say("x\r\n.\r\n")); got != "451 4.3.0" {
			t.Errorf("a message that was not read: %q, want 451 4.3.0", got)
		}
	})
}

// TestShutdown: idle sessions end at once, an open transaction is finished,
// and nobody new comes in.
func TestShutdown(t *testing.T) {
	r := &recorder{}
	serve(t, Config{Handler: r}, func(t *testing.T, s *Server, ln *pipes) {
		r.commit = make(chan struct{}) // of this bubble
		idle, busy, writing := ln.dial("192.0.2.1:1"), ln.dial("192.0.2.1:2"), ln.dial("192.0.2.1:3")
		idle.say("EHLO c\r\n")
		busy.say(hello)
		writing.say(hello + "DATA\r\n")
		writing.say("x\r\n.\r\n")
		idle.heard()
		done := make(chan error, 1)
		go func() { done <- s.Shutdown(t.Context()) }()
		synctest.Wait()
		if got := codes(idle.heard()); got != "421 4.3.2" || !idle.gone() {
			t.Errorf("idle session: %q, gone %v", got, idle.gone())
		}
		late := ln.dial("192.0.2.1:4")
		if got := late.heard(); got != "" || !late.gone() {
			t.Errorf("late client: %q, gone %v", got, late.gone())
		}
		close(r.commit)
		synctest.Wait()
		if got := codes(writing.heard()); got != "250 2.0.0 | 421 4.3.2" {
			t.Errorf("writing session: %q", got)
		}
		if got := codes(busy.say("DATA\r\n")); got != "354" {
			t.Errorf("open transaction: DATA %q", got)
		}
		if got := codes(busy.say("y\r\n.\r\n")); got != "250 2.0.0 | 421 4.3.2" {
			t.Errorf("open transaction: %q", got)
		}
		if err := <-done; err != nil {
			t.Errorf("Shutdown = %v", err)
		}
	})
	if d := cmp.Diff([]message{mail("x\r\n"), mail("y\r\n")}, r.messages()); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
}

func TestShutdownHasALimit(t *testing.T) {
	r := &recorder{}
	serve(t, Config{Handler: r}, func(t *testing.T, s *Server, ln *pipes) {
		c := ln.dial("192.0.2.1:1")
		c.say(hello + "DATA\r\n")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown = %v, want deadline exceeded", err)
		}
		synctest.Wait()
		if !c.gone() {
			t.Error("the connection is still open")
		}
	})
}

// TestResetDuringChunks: a transfer that was aborted leaves nothing behind for
// the next one, in this session or beside it.
func TestResetDuringChunks(t *testing.T) {
	r := &recorder{}
	serve(t, Config{Handler: r}, func(t *testing.T, _ *Server, ln *pipes) {
		for i := range 50 {
			c := ln.dial(fmt.Sprintf("192.0.2.1:%d", i+1))
			got := codes(c.say(hello + "BDAT 3\r\nabcRSET\r\n" + hello[len("EHLO client.example\r\n"):] + "BDAT 3 LAST\r\nabcQUIT\r\n"))
			want := "220 | " + accepted + " | 250 2.0.0 | 250 2.0.0 | 250 2.0.0 | 250 2.0.0 | 250 2.0.0 | 221 2.0.0"
			if got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
	})
	if n := len(r.messages()); n != 50 {
		t.Errorf("%d messages, want 50", n)
	}
}
