package dsn

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// boundary is a line that body does not hold. The text parts cannot hold it:
// no line of theirs begins with two hyphens and an equals sign.
func (r Report) boundary(body []byte) string {
	for n := 0; ; n++ {
		s := fmt.Sprintf("=_%s_%d", plain(string(r.ID), 40), n)
		if !bytes.Contains(body, []byte("--"+s)) {
			return s
		}
	}
}

func (r Report) header(b *bytes.Buffer, boundary string, eightBit bool) {
	host := plain(r.Host, 255)
	to := "<" + plain(r.To, 320) + ">"
	if EightBit([]byte(r.To)) {
		to = "undisclosed-recipients:;" // the envelope knows; a 7-bit header cannot say it
	}
	encoding := "7bit"
	if eightBit {
		encoding = "8bit"
	}
	for _, f := range [][2]string{
		{"Date", date(r.At)},
		{"From", "Mail Delivery System <MAILER-DAEMON@" + host + ">"},
		{"To", to},
		{"Subject", r.subject()},
		{"Message-ID", "<" + plain(string(r.ID), 40) + "@" + host + ">"},
		{"Auto-Submitted", "auto-replied"},
		{"MIME-Version", "1.0"},
		{"Content-Type", "multipart/report; report-type=delivery-status;\r\n\tboundary=\"" + boundary + "\""},
		{"Content-Transfer-Encoding", encoding},
	} {
		b.WriteString(f[0] + ": " + f[1] + "\r\n")
	}
	b.WriteString("\r\nThis is a delivery report in MIME format (RFC 3464).\r\n")
}

// action is the gravest of the recipients' actions.
func (r Report) action() Action {
	gravest := Relayed
	for _, one := range r.Recipients {
		if one.Action == Failed {
			return Failed
		}
		if one.Action == Delayed {
			gravest = Delayed
		}
	}
	return gravest
}

func (r Report) subject() string {
	word := map[Action]string{Failed: "Undeliverable", Delayed: "Delayed", Relayed: "Relayed"}[r.action()]
	if s := originalSubject(r.Original); s != "" {
		return word + ": " + s
	}
	return word + ": your message"
}

// words is the part for people.
func (r Report) words(b *bytes.Buffer) {
	line := func(format string, a ...any) { fmt.Fprintf(b, format+"\r\n", a...) }
	line("This is %s, a mail gateway.", plain(r.Host, 255))
	line("")
	line("%s", map[Action]string{
		Failed:  "Your message could not be delivered to one or more recipients.",
		Delayed: "Your message has not been delivered yet. You need not send it again.",
		Relayed: "Your message was handed on to a host that sends no reports itself.",
	}[r.action()])
	if s := originalSubject(r.Original); s != "" {
		line("")
		line("    Subject:  %s", s)
	}
	if !r.Arrival.IsZero() {
		line("    Accepted: %s", date(r.Arrival))
	}
	for _, one := range r.Recipients {
		line("")
		line("<%s>: %s (%s)", plain(one.Final, 320), one.Action, one.status())
		wrap(b, "    ", one.Why)
		if one.Diagnostic != "" {
			from := "this gateway"
			if one.Remote != "" {
				from = plain(one.Remote, 255)
			}
			wrap(b, "    ", from+" said: "+one.Diagnostic)
		}
		if !one.LastAttempt.IsZero() {
			line("    Last attempt: %s", date(one.LastAttempt))
		}
		if !one.RetryUntil.IsZero() {
			line("    It will be tried until: %s", date(one.RetryUntil))
		}
	}
	if r.Advice == "" {
		return
	}
	line("")
	line("What you can do:")
	for l := range strings.Lines(r.Advice) {
		wrap(b, "    ", l)
	}
}

// fields is the part for programs (RFC 3464 sections 2.2 and 2.3).
func (r Report) fields(b *bytes.Buffer) {
	field := func(name, value string) { b.WriteString(name + ": " + value + "\r\n") }
	moment := func(name string, t time.Time) {
		if !t.IsZero() {
			field(name, date(t))
		}
	}
	if r.EnvID != "" {
		field("Original-Envelope-Id", plain(r.EnvID, 200))
	}
	field("Reporting-MTA", "dns; "+plain(r.Host, 255))
	moment("Arrival-Date", r.Arrival)
	for _, one := range r.Recipients {
		b.WriteString("\r\n")
		if kind, addr, ok := strings.Cut(one.Original, ";"); ok {
			field("Original-Recipient", plain(kind, 40)+"; "+ascii(strings.TrimSpace(addr)))
		}
		field("Final-Recipient", recipient(one.Final))
		field("Action", string(one.Action))
		field("Status", one.status())
		if one.Remote != "" {
			field("Remote-MTA", "dns; "+plain(one.Remote, 255))
		}
		if one.Diagnostic != "" {
			kind := "x-ims; " // not what another server said
			if replyHead.MatchString(one.Diagnostic + " ") {
				kind = "smtp; "
			}
			fold(b, "Diagnostic-Code", kind+plain(one.Diagnostic, 500))
		}
		moment("Last-Attempt-Date", one.LastAttempt)
		moment("Will-Retry-Until", one.RetryUntil)
	}
}

// recipient is a typed address; RFC 6533 section 3 wants utf-8 where rfc822
// cannot say it.
func recipient(addr string) string {
	if EightBit([]byte(addr)) {
		return "utf-8; " + ascii(addr)
	}
	return "rfc822; " + ascii(addr)
}
