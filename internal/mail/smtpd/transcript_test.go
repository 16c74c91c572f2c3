package smtpd

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/mail/address"
)

// hello opens a transaction with one recipient, in one write.
const hello = "EHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<d@e.example>\r\n"

const accepted = "250 | 250 2.0.0 | 250 2.0.0"

type step struct{ say, want string }

func mail(data string) message {
	return message{From: "<a@b.example>", To: []string{"<d@e.example>"}, Data: data}
}

// Where go-smtp does not let us give the answer the RFC wants, the name of the
// case says so.
var transcripts = []struct {
	name  string
	cfg   Config
	steps []step
	want  []message
	gone  bool
}{
	{name: "plain", steps: []step{
		{hello, accepted}, {"DATA\r\n", "354"}, {"a\r\n..b\r\n.c\r\n\r\n.\r\n", "250 2.0.0"}, {"QUIT\r\n", "221 2.0.0"},
	}, want: []message{mail("a\r\n.b\r\nc\r\n\r\n")}, gone: true},
	{name: "empty message", steps: []step{
		{hello + "DATA\r\n", accepted + " | 354"}, {".\r\n", "250 2.0.0"},
	}, want: []message{mail("")}},
	{name: "two messages in one session, pipelined", steps: []step{
		{hello + "DATA\r\n", accepted + " | 354"},
		{"1\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<x@y.example>\r\nRCPT TO:<z@y.example>\r\nDATA\r\n", "250 2.0.0 | 250 2.0.0 | 250 2.0.0 | 250 2.0.0 | 354"},
		{"2\r\n.\r\n", "250 2.0.0"},
	}, want: []message{mail("1\r\n"), {From: "<>", To: []string{"<x@y.example>", "<z@y.example>"}, Data: "2\r\n"}}},

	{name: "S1 legal end of data after a bare CR", steps: []step{
		{hello + "DATA\r\n", accepted + " | 354"}, {"a\r\r\n.\r\n", "554 5.6.0"}, {"NOOP\r\n", "250 2.0.0"},
	}},
	{name: "S3 quoted local part is stored with its quotes", steps: []step{
		{"EHLO c\r\nMAIL FROM:<a@b.example>\r\n", "250 | 250 2.0.0"},
		{"RCPT TO:<\"victim@evil.com> ORCPT=rfc822;x\"@local.dom>\r\nDATA\r\n", "250 2.0.0 | 354"},
		{"x\r\n.\r\n", "250 2.0.0"},
	}, want: []message{{From: "<a@b.example>", To: []string{`<"victim@evil.com> ORCPT=rfc822;x"@local.dom>`}, Data: "x\r\n"}}},
	{name: "S4 odd addresses", steps: []step{
		{"EHLO c\r\nMAIL FROM:<a@b.example>\r\n", "250 | 250 2.0.0"},
		{"RCPT TO:<a@b\x00c>\r\n", "500 5.5.2"},
		{"RCPT TO:<a@b\tc>\r\n", "500 5.5.2"},
		{"RCPT TO:<a@b@c>\r\n", "501 5.1.3"},
		{`RCPT TO:<"a\\"@d>` + "\r\n", "250 2.0.0"},
		{`RCPT TO:<"a\"@d>` + "\r\n", "501 5.5.2"},
		{"RCPT TO:< a@d >\r\n", "501 5.5.2"},
		{"RCPT TO:<a@d> junk\r\n", "500 5.5.4"},
		{"RCPT TO:<>\r\n", "501 5.5.2"},
		{"RCPT TO:<@r:u@d>\r\n", "250 2.0.0"},
		{"RCPT TO:<a@d.>\r\n", "501 5.1.3"},
		{"RCPT TO:<a@\xc3\xa9.example>\r\n", "500 5.5.2"},
		{"RCPT TO:u@d\r\n", "250 2.0.0"},
		{"DATA\r\n", "354"},
		{"x\r\n.\r\n", "250 2.0.0"},
	}, want: []message{{From: "<a@b.example>", To: []string{`<"a\\"@d>`, "<u@d>", "<u@d>"}, Data: "x\r\n"}}},
	{name: "S5 small verbs; exception: HELP is 502, not 214", steps: []step{
		{"EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<Postmaster>\r\n", accepted},
		{"VRFY x\r\n", "252 2.5.0"},
		{"HELP\r\n", "502 5.5.1"},
		{"EXPN x\r\n", "502 5.5.1"},
		{"NOOP junk\r\n", "250 2.0.0"},
		{"DATA\r\n", "354"},
		{"x\r\n.\r\n", "250 2.0.0"},
		{"RSET\r\n", "250 2.0.0"},
		{"QUIT\r\n", "221 2.0.0"},
	}, want: []message{{From: "<a@b.example>", To: []string{"<postmaster>"}, Data: "x\r\n"}}, gone: true},
	{name: "S6 exception: no STARTTLS, and the injected line is a command", steps: []step{
		{"EHLO c\r\n", "250"}, {"STARTTLS\r\nMAIL FROM:<e@x>\r\n", "502 5.5.1 | 250 2.0.0"},
	}},
	{name: "S7 BDAT without a newline gets one", steps: []step{
		{hello, accepted},
		{"BDAT 5000 LAST\r\n" + strings.Repeat("x", 5000), "250 2.0.0"},
		{"NOOP\r\n", "250 2.0.0"},
	}, want: []message{mail(strings.Repeat("x", 5000) + "\r\n")}},
	{name: "S7 BDAT over SIZE is consumed", cfg: Config{Limits: Limits{Size: 1000}}, steps: []step{
		{hello, accepted}, {"BDAT 1001 LAST\r\n" + strings.Repeat("NOOP\r\n", 166) + "12345", "552 5.3.4"}, {"NOOP\r\n", "250 2.0.0"},
	}},
	{name: "BDAT in chunks, one of them empty", steps: []step{
		{hello, accepted},
		{"BDAT 3\r\na\r\n", "250 2.0.0"},
		{"BDAT 0\r\n", "250 2.0.0"},
		{"BDAT 3\r\n.\r\n", "250 2.0.0"},
		{"BDAT 0 LAST\r\n", "250 2.0.0"},
		{"NOOP\r\n", "250 2.0.0"},
	}, want: []message{mail("a\r\n.\r\n")}},
	{name: "BDAT then RSET, then a message", steps: []step{
		{hello, accepted},
		{"BDAT 3\r\nabc", "250 2.0.0"},
		{"RSET\r\n", "250 2.0.0"},
		{hello + "DATA\r\n", accepted + " | 354"},
		{"x\r\n.\r\n", "250 2.0.0"},
	}, want: []message{mail("x\r\n")}},
	{name: "BDAT and what may stand between chunks", steps: []step{
		{hello, accepted},
		{"BDAT 1\r\na", "250 2.0.0"},
		{"NOOP\r\nMAIL FROM:<e@x>\r\nDATA\r\n\x01\r\n", "250 2.0.0 | 503 5.5.1 | 503 5.5.1 | 500 5.5.2"},
		{"BDAT 2 LAST\r\n\r\nNOOP\r\n", "250 2.0.0 | 250 2.0.0"},
	}, want: []message{mail("a\r\n")}},
	{name: "BDAT then QUIT", steps: []step{{hello, accepted}, {"BDAT 1\r\naQUIT\r\n", "250 2.0.0 | 221 2.0.0"}}, gone: true},
	{name: "BDAT then EHLO", steps: []step{{hello, accepted}, {"BDAT 1\r\naEHLO d\r\nBDAT 1 LAST\r\nbNOOP\r\n", "250 2.0.0 | 250 | 502 5.5.1 | 250 2.0.0"}}},
	{name: "BDAT without a recipient is consumed", steps: []step{
		{"EHLO c\r\n", "250"}, {"BDAT 6 LAST\r\nNOOP\r\n", "502 5.5.1"}, {"NOOP\r\n", "250 2.0.0"},
	}},
	{name: "BDAT that cannot be read ends the session", steps: []step{
		{hello, accepted}, {"BDAT 99999999999 LAST\r\nMAIL FROM:<e@x>\r\n", "501 5.5.4"},
	}, gone: true},
	{name: "BDAT with a bare LF", steps: []step{
		{hello, accepted}, {"BDAT 4 LAST\r\na\nb\n", "554 5.6.0"}, {"NOOP\r\n", "250 2.0.0"},
	}},
	{name: "S8 exception: AUTH is not offered, 523", steps: []step{
		{"EHLO c\r\n", "250"}, {"AUTH PLAIN AGEAYg==\r\n", "523"},
	}},
	{name: "S9 ETRN is unknown where it is not offered", steps: []step{
		{"EHLO c\r\n", "250"}, {"ETRN ours.example\r\n", "500 5.5.2"},
	}},
	{name: "S10 51 hops", steps: []step{
		{hello + "DATA\r\n", accepted + " | 354"},
		{strings.Repeat("Received: x\r\n", 51) + "\r\nb\r\n.\r\n", "554 5.4.6"},
		{"NOOP\r\n", "250 2.0.0"},
	}},
	{name: "S10 50 hops, more in the body", steps: []step{
		{hello + "DATA\r\n", accepted + " | 354"},
		{strings.Repeat("received : x\r\n", 50) + "\r\nReceived: b\r\n.\r\n", "250 2.0.0"},
	}, want: []message{mail(strings.Repeat("received : x\r\n", 50) + "\r\nReceived: b\r\n")}},
	{name: "S10 null sender, two recipients, a dot for a body", steps: []step{
		{"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<x@y>\r\nRCPT TO:<z@y>\r\nDATA\r\n", "250 | 250 2.0.0 | 250 2.0.0 | 250 2.0.0 | 354"},
		{"..\r\n.\r\n", "250 2.0.0"},
	}, want: []message{{From: "<>", To: []string{"<x@y>", "<z@y>"}, Data: ".\r\n"}}},
	{name: "S11 exception: SIZE above 32 bits is 501, not 552", steps: []step{
		{"EHLO c\r\nMAIL FROM:<a@b> SIZE=4294967296\r\n", "250 | 501 5.5.4"},
	}},
	{name: "S11 SIZE above the limit", cfg: Config{Limits: Limits{Size: 1000}}, steps: []step{
		{"EHLO c\r\nMAIL FROM:<a@b> SIZE=1001\r\n", "250 | 552 5.3.4"},
	}},
	{name: "S11 header line of 1 MiB", steps: []step{
		{hello + "DATA\r\n", accepted + " | 354"}, {"X: " + strings.Repeat("x", 1<<20) + "\r\n\r\n.\r\n", "552 5.3.4"}, {"NOOP\r\n", "250 2.0.0"},
	}},
	{name: "S11 body line of 5000 is kept", steps: []step{
		{hello + "DATA\r\n", accepted + " | 354"}, {"S: x\r\n\r\n" + strings.Repeat("y", 5000) + "\r\n.\r\n", "250 2.0.0"},
	}, want: []message{mail("S: x\r\n\r\n" + strings.Repeat("y", 5000) + "\r\n")}},
	{name: "body line above a configured limit", cfg: Config{Limits: Limits{Line: 2000}}, steps: []step{
		{hello + "DATA\r\n", accepted + " | 354"},
		{"S: x\r\n\r\n" + strings.Repeat("y", 2001) + "\r\n.\r\n", "554 5.6.0"},
		{hello + "DATA\r\n", accepted + " | 354"},
		{"S: x\r\n\r\n" + strings.Repeat("y", 2000) + "\r\n.\r\n", "250 2.0.0"},
	}, want: []message{mail("S: x\r\n\r\n" + strings.Repeat("y", 2000) + "\r\n")}},
	{name: "message above the limit", cfg: Config{Limits: Limits{Size: 10}}, steps: []step{
		{hello + "DATA\r\n", accepted + " | 354"}, {"123456789\r\n.\r\n", "552 5.3.4"}, {"NOOP\r\n", "250 2.0.0"},
	}},
	{name: "command lines", steps: []step{
		{"EHLO c\n", "500 5.5.2"},
		{"NOOP " + strings.Repeat("x", 2000) + "\r\nNOOP\r\n", "500 5.5.2 | 250 2.0.0"},
		{"NO\rOP\r\n", "500 5.5.2"},
		{"\r\n", "500 5.5.2"},
	}},
	{name: "too many faults", steps: []step{
		{strings.Repeat("\x01\r\n", 11), strings.Repeat("500 5.5.2 | ", 10) + "421 4.7.0"},
	}, gone: true},
	{name: "out of order; exception: 502, not 503", steps: []step{
		{"MAIL FROM:<a@b>\r\n", "502 5.5.1"}, {"EHLO c\r\nRCPT TO:<a@b>\r\nDATA\r\n", "250 | 502 5.5.1 | 502 5.5.1"},
	}},
	{name: "UTF-8 without the extension", steps: []step{
		{"EHLO c\r\nMAIL FROM:<\xc3\xa9@b>\r\n", "250 | 500 5.5.2"}, {"MAIL FROM:<a@b> SMTPUTF8\r\n", "504 5.5.4"},
	}},
	{name: "UTF-8 with it", cfg: Config{SMTPUTF8: true}, steps: []step{
		{"EHLO c\r\nMAIL FROM:<\xc3\xa9@b>\r\n", "250 | 553 5.6.7"},
		{"MAIL FROM:<\xc3\xa9@b> SMTPUTF8\r\nRCPT TO:<\xc3\xa9@b>\r\nDATA\r\n", "250 2.0.0 | 250 2.0.0 | 354"},
		{"x\r\n.\r\n", "250 2.0.0"},
	}, want: []message{{From: "<\xc3\xa9@b>", To: []string{"<\xc3\xa9@b>"}, Data: "x\r\n"}}},
	{name: "a second EHLO forgets the transaction", steps: []step{
		{hello + "EHLO d\r\nDATA\r\n", accepted + " | 250 | 502 5.5.1"},
	}},
}

func TestTranscripts(t *testing.T) {
	for _, tt := range transcripts {
		t.Run(tt.name, func(t *testing.T) {
			r := &recorder{}
			tt.cfg.Handler = r
			serve(t, tt.cfg, func(t *testing.T, _ *Server, ln *pipes) {
				c := ln.dial("192.0.2.1:1000")
				if got := codes(c.heard()); got != "220" {
					t.Fatalf("greeting %q", got)
				}
				for _, s := range tt.steps {
					if got := codes(c.say(s.say)); got != s.want {
						t.Errorf("%.70q answered %q, want %q", s.say, got, s.want)
					}
				}
				if c.gone() != tt.gone {
					t.Errorf("connection closed: %v, want %v", c.gone(), tt.gone)
				}
			})
			if d := cmp.Diff(tt.want, r.messages()); d != "" {
				t.Errorf("messages (-want +got):\n%s", d)
			}
		})
	}
}

// TestSmuggling sends every spelling that some server takes for the end of
// data; a second message must never come out, and no body with a bare CR or LF
// is kept.
func TestSmuggling(t *testing.T) {
	const second = "MAIL FROM:<smug@b.example>\r\nRCPT TO:<v@e.example>\r\nDATA\r\nSubject: smug\r\n\r\ny\r\n.\r\n"
	for _, seq := range []string{
		"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\r\n", "\n.\r", "\r\n.\r", "\r\n.\r\r\n",
		"\r\r\n.\r\r\n", "\r\n\x00.\r\n", "\r\n.\x00\r\n", "\r\n.\rX\r\n", "\r\n. \r\n", "\r\n..\r\n",
	} {
		r := &recorder{}
		serve(t, Config{Handler: r}, func(t *testing.T, _ *Server, ln *pipes) {
			c := ln.dial("192.0.2.1:1000")
			c.say(hello + "DATA\r\n")
			got := codes(c.say("Subject: outer\r\n\r\nx" + seq + second))
			clean := strings.ReplaceAll(seq, "\r\n", "")
			want := "250 2.0.0"
			if strings.ContainsAny(clean, "\r\n") {
				want = "554 5.6.0"
			}
			if got != want {
				t.Errorf("%q answered %q, want %q", seq, got, want)
			}
		})
		for _, m := range r.messages() {
			if m.From != "<a@b.example>" {
				t.Errorf("%q smuggled a message from %s", seq, m.From)
			}
		}
	}
}

func TestOptionsReachTheHandler(t *testing.T) {
	r := &recorder{rcpt: func(m address.Mailbox) *Reply {
		if m.Domain == "closed.example" {
			return Refuse(450, "4.3.2", "retiring\r\n250 ok")
		}
		return nil
	}}
	serve(t, Config{Handler: r}, func(t *testing.T, s *Server, ln *pipes) {
		c := ln.dial("192.0.2.1:1000")
		c.say("EHLO mx.client.example\r\n")
		c.say("MAIL FROM:<a@b.example> SIZE=100 BODY=8BITMIME RET=FULL ENVID=QQ+2B1\r\n")
		if got, want := c.heard()+c.say("RCPT TO:<x@closed.example>\r\n"), "450 4.3.2 retiring??250 ok\r\n"; got != want {
			t.Errorf("refusal %q, want %q", got, want)
		}
		c.say("RCPT TO:<d@e.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;o+2Bx@e.example\r\n")
		if p := s.Peers(); len(p) != 1 || p[0].Helo != "mx.client.example" || p[0].Addr.String() != "192.0.2.1:1000" {
			t.Errorf("Peers() = %+v", p)
		}
	})
	o := r.mopts[0]
	if o.Peer.Helo != "mx.client.example" || !o.Peer.ESMTP || o.Size != 100 || !o.EightBit || !o.Ret || !o.RetFull || o.EnvID != "QQ+1" {
		t.Errorf("MAIL options %+v", o)
	}
	want := []RcptOptions{{Notify: []string{"DELAY", "FAILURE"}, ORcpt: "rfc822;o+x@e.example"}}
	if d := cmp.Diff(want, r.ropts); d != "" {
		t.Errorf("RCPT options (-want +got):\n%s", d)
	}
}
