package smtpd

import (
	"context"
	"strings"
	"testing"
)

var _ Dequeuer = (*recording)(nil)

// Dequeue implements Dequeuer.
func (s *recording) Dequeue(_ context.Context, node string, below bool) (int, *Reply) {
	switch {
	case node == "theirs.example":
		return 0, Refuse(459, "5.7.1", "node not allowed")
	case node == "empty.example":
		return 0, nil
	case below:
		return 5, nil
	}
	return 2, nil
}

func TestETRN(t *testing.T) {
	serve(t, Config{Handler: &recorder{}, ETRN: true}, func(t *testing.T, _ *Server, ln *pipes) {
		c := ln.dial("192.0.2.1:1000")
		c.heard()
		for _, s := range []step{
			{"ETRN ours.example\r\n", "503 5.5.1 ETRN comes after EHLO, and outside a transaction\r\n"},
			{"HELO c\r\nETRN ours.example\r\n", "250 2.0.0 Hello c\r\n503 5.5.1 ETRN comes after EHLO, and outside a transaction\r\n"},
			{"EHLO c\r\n", ""},
			{"etrn ours.example\r\n", "253 2.0.0 OK, 2 pending messages for node ours.example started\r\n"},
			{"ETRN @ours.example\r\n", "253 2.0.0 OK, 5 pending messages for node ours.example started\r\n"},
			{"ETRN empty.example\r\n", "251 2.0.0 OK, no messages waiting for node empty.example\r\n"},
			{"ETRN theirs.example\r\n", "459 4.0.0 node not allowed\r\n"},
			{"ETRN\r\nETRN #queue\r\nETRN a b\r\n", strings.Repeat("501 5.5.4 want ETRN and a domain\r\n", 3)},
			{
				"MAIL FROM:<a@b.example>\r\nETRN ours.example\r\nRSET\r\nETRN ours.example\r\nQUIT\r\n",
				"250 2.0.0 Roger, accepting mail from <a@b.example>\r\n503 5.5.1 ETRN comes after EHLO, and outside a transaction\r\n" +
					"250 2.0.0 Session reset\r\n253 2.0.0 OK, 2 pending messages for node ours.example started\r\n221 2.0.0 Bye\r\n",
			},
		} {
			got := c.say(s.say)
			if s.want == "" {
				if !strings.HasPrefix(got, "250-Hello c\r\n250-ETRN\r\n250-") || strings.Count(got, "ETRN") != 1 {
					t.Errorf("EHLO answered %q, want ETRN among the extensions", got)
				}
				continue
			}
			if got != s.want {
				t.Errorf("%q answered %q, want %q", s.say, got, s.want)
			}
		}
	})
}
