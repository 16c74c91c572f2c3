package delivery

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	smtp "github.com/emersion/go-smtp"
)

// Status codes of this room (RFC 3463, RFC 7505, RFC 6531).
const (
	statusBadDomain  = "5.1.2"
	statusBadAddress = "5.1.3"
	statusNullMX     = "5.1.10"
	statusLocal      = "4.3.0"
	statusNoAnswer   = "4.4.1"
	statusBroken     = "4.4.2"
	statusDirectory  = "4.4.3"
	statusLoop       = "5.4.6"
	statusLoopHere   = "4.4.6"
	statusExpired    = "5.4.7"
	statusContent    = "5.6.0"
	statusEightBit   = "5.6.3"
	statusUTF8       = "5.6.7"
	statusProtocol   = "4.5.0"
)

// maxReply is how long a reply is kept.
const maxReply = 512

// Sanitize makes foreign text fit for a log line, a report and a terminal: one
// line, no control or formatting characters, valid UTF-8, at most 512 octets.
func Sanitize(s string) string {
	var b strings.Builder
	space := false
	for _, r := range s {
		if unicode.IsSpace(r) {
			space = b.Len() > 0
			continue
		}
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			r = '?'
		}
		n := utf8.RuneLen(r)
		if space {
			n++
		}
		if b.Len()+n > maxReply {
			break
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// answered makes an outcome of a reply: 5xx is for good, 4xx for now. Any
// other code is out of place here and for now.
func answered(e *smtp.SMTPError, remote string) Outcome {
	o := Outcome{Kind: Deferred, Remote: remote, Status: statusProtocol}
	class := e.Code / 100
	if class == 5 {
		o.Kind, o.Permanent = Failed, true
	}
	code := enhanced(e, class)
	if class == 4 || class == 5 {
		o.Status = cmp.Or(code, fmt.Sprintf("%d.0.0", class))
	}
	text := e.Message
	if e.EnhancedCode[0] == class { // go-smtp took it out of the text
		text = code + " " + text
	}
	o.Reply = Sanitize(fmt.Sprintf("%03d %s", e.Code, text))
	return o
}

// enhanced finds the RFC 3463 code of a reply, on any of its lines, if it
// agrees with the reply's class.
func enhanced(e *smtp.SMTPError, class int) string {
	if c := e.EnhancedCode; c[0] == class && c[1] >= 0 && c[2] >= 0 {
		return fmt.Sprintf("%d.%d.%d", c[0], c[1], c[2])
	}
	for line := range strings.Lines(e.Message) {
		var a, b, c int
		n, _ := fmt.Sscanf(line, "%d.%d.%d", &a, &b, &c)
		if n == 3 && a == class && b >= 0 && c >= 0 {
			return fmt.Sprintf("%d.%d.%d", a, b, c)
		}
	}
	return ""
}

// broken makes an outcome of a connection that gave no reply.
func broken(err error, doing, remote string) Outcome {
	return Outcome{
		Kind: Deferred, Remote: remote, Status: statusBroken,
		Reply: Sanitize(fmt.Sprintf("connection lost while %s: %v", doing, err)),
	}
}

// taken makes an outcome of the reply to the final dot.
func taken(text, remote string, dsn bool) Outcome {
	o := Outcome{Kind: Delivered, Remote: remote, Status: "2.0.0", DSN: dsn, Reply: Sanitize("250 " + text)}
	var a, b, c int
	if n, _ := fmt.Sscanf(text, "%d.%d.%d", &a, &b, &c); n == 3 && a == 2 && b >= 0 && c >= 0 {
		o.Status = fmt.Sprintf("2.%d.%d", b, c)
	}
	return o
}

// isReply finds the reply in an error.
func isReply(err error) (*smtp.SMTPError, bool) {
	var e *smtp.SMTPError
	ok := errors.As(err, &e)
	return e, ok
}

// shutting reports whether the next hop closes the connection after a reply.
func shutting(e *smtp.SMTPError) bool { return e.Code == 421 }

// tooMany reports whether a RCPT was refused because the transaction has too
// many recipients (RFC 5321 section 4.5.3.1.10: 552 means 452 there).
func tooMany(e *smtp.SMTPError) bool {
	switch e.Code {
	case 452:
		return e.EnhancedCode[0] != 4 || e.EnhancedCode[1] == 5
	case 552:
		return e.EnhancedCode[0] != 5 || (e.EnhancedCode[1] == 5 && e.EnhancedCode[2] == 3)
	}
	return false
}
