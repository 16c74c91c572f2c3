package delivery_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	smtp "github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/delivery"
)

func TestManyRecipients(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		h := w.host("10.0.0.1:25")
		taken := 0
		h.mail = func() error { taken = 0; return nil }
		h.rcpt = func(string) error {
			if taken == 60 {
				return refuse(452, 4, 5, 3, "too many recipients")
			}
			taken++
			return nil
		}
		w.route("10.0.0.1:25", "a.example")
		s := w.scheduler()
		e := w.entry("m1", "a.example")
		for i := range 250 {
			e.Rcpts = append(e.Rcpts, mail.Rcpt{Addr: fmt.Sprintf("u%d@a.example", i)})
		}
		s.Add(e)
		synctest.Wait()
		var sizes []int
		for _, m := range h.received() {
			sizes = append(sizes, len(m.rcpts))
		}
		if d := cmp.Diff([]int{60, 60, 60, 60, 10}, sizes); d != "" {
			t.Errorf("recipients a transaction (-want +got):\n%s", d)
		}
		if len(w.lines()) != 250 || s.Len() != 0 {
			t.Errorf("%d outcomes, %d left", len(w.lines()), s.Len())
		}
		stop(t, s)
	})
}

func TestAddressesOnTheWire(t *testing.T) {
	tests := []struct{ addr, want string }{
		{`"victim@evil.example> ORCPT=rfc822;x"@a.example`, "0s %s delivered 2.0.0"},
		{`victim@evil.example> ORCPT=rfc822;x@a.example`, "0s %s failed 5.1.3"},
		{"a b@a.example", "0s %s failed 5.1.3"},
		{"nul\x00@a.example", "0s %s failed 5.1.3"},
		{"grün@a.example", "0s %s failed 5.6.7"},
	}
	for _, tt := range tests {
		t.Run(tt.addr, func(t *testing.T) {
			play(t, func(t *testing.T, w *world) {
				h := w.host("10.0.0.1:25")
				w.route("10.0.0.1:25", "a.example")
				s := w.scheduler()
				e := w.entry("m1", "a.example")
				e.Rcpts = []mail.Rcpt{{Addr: tt.addr, Notify: []string{"failure"}, ORcpt: "rfc822;u+x@a.example"}}
				s.Add(e)
				synctest.Wait()
				wantLines(t, w, fmt.Sprintf(tt.want, tt.addr))
				for _, m := range h.received() {
					if !strings.HasSuffix(m.rcpts[0], "@a.example") {
						t.Errorf("recipient on the wire: %q", m.rcpts[0])
					}
				}
				stop(t, s)
			})
		})
	}
}

type lmtpSession struct{ session }

func (s *lmtpSession) LMTPData(_ io.Reader, status smtp.StatusCollector) error {
	status.SetStatus("full@a.example", refuse(452, 4, 2, 2, "mailbox full"))
	status.SetStatus("gone@a.example", refuse(550, 5, 1, 1, "no such user"))
	status.SetStatus("ok@a.example", nil)
	return nil
}

func TestLMTP(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		h := w.host("10.0.0.1:24")
		h.srv.LMTP = true
		h.srv.Backend = smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &lmtpSession{session{h: h}}, nil })
		s := w.scheduler(func(o *delivery.Options) { o.LMTP = true; o.Settings.ForwardHost = "10.0.0.1:24" })
		s.Add(w.entry("m1", "a.example", "ok", "gone", "full"))
		synctest.Wait()
		wantLines(t, w, "0s ok@a.example delivered 2.0.0", "0s gone@a.example failed 5.1.1", "0s full@a.example deferred 4.2.2")
		stop(t, s)
	})
}

func TestEightBitNeeds8BITMIME(t *testing.T) {
	for body, want := range map[string]string{
		"Subject: x\r\n\r\ngr\xfcn\r\n": "0s u@a.example failed 5.6.3",
		"Subject: x\r\n\r\ngreen\r\n":   "0s u@a.example delivered 2.0.0",
	} {
		play(t, func(t *testing.T, w *world) {
			w.host("10.0.0.1:25").raw = script("220 hi", "250 ok", "250 ok", "250 ok", "354 go\r\n250 taken")
			w.route("10.0.0.1:25", "a.example")
			s := w.scheduler()
			e := w.entry("m1", "a.example", "u")
			e.EightBit = true
			w.bodies["m1"] = body
			s.Add(e)
			synctest.Wait()
			wantLines(t, w, want)
			stop(t, s)
		})
	}
}

// What the next hop hears: RSET after a transaction that was given up, none
// after one that was answered, QUIT at the end.
func TestCommands(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		replies := []string{
			"220 hi", "250 ok", "250 sender", "550 5.1.1 unknown", "250 reset", "250 ok",
			"250 sender", "250 rcpt", "354 go", "", "", "", "250 taken", "250 sender", "250 rcpt", "354 go", "", "", "", "250 taken", "221 bye",
		}
		var heard []string
		w.host("10.0.0.1:25").raw = func(c net.Conn) {
			defer func() { _ = c.Close() }()
			in := bufio.NewScanner(c)
			for i, r := range replies {
				if i > 0 && in.Scan() {
					heard = append(heard, in.Text())
				}
				if r != "" {
					_, _ = fmt.Fprintf(c, "%s\r\n", r)
				}
			}
		}
		w.route("10.0.0.1:25", "a.example")
		s := w.scheduler(func(o *delivery.Options) { o.Limits.PerDest = 1 })
		for _, u := range []string{"bad", "u", "v"} {
			s.Add(w.entry(u, "a.example", u))
			synctest.Wait()
		}
		stop(t, s)
		want := []string{
			"EHLO gw.example", "MAIL FROM:<sender@here.example>", "RCPT TO:<bad@a.example>",
			"RSET", "EHLO gw.example", "MAIL FROM:<sender@here.example>", "RCPT TO:<u@a.example>", "DATA",
			"Subject: u", "", "..dot u", ".", "MAIL FROM:<sender@here.example>", "RCPT TO:<v@a.example>", "DATA",
			"Subject: v", "", "..dot v", ".", "QUIT",
		}
		if d := cmp.Diff(want, heard); d != "" {
			t.Errorf("heard (-want +got):\n%s", d)
		}
	})
}
