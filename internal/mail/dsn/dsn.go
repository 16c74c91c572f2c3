// Package dsn writes delivery status notifications: multipart/report messages
// (RFC 6522) with a message/delivery-status part (RFC 3464), and decides
// whether one may be sent at all. It builds bytes and does nothing else: the
// caller spools them with the null reverse-path.
//
// Everything that comes from outside, a remote reply, an address, a subject, is
// made printable and is cut before it is printed, so that no reply can forge a
// field. A report is CRLF only, has no line above 998 bytes, and is 7-bit
// unless it returns a whole message that is not.
package dsn

import (
	"bytes"
	"regexp"
	"strings"
	"time"

	"example.org/ims/internal/mail"
)

// Action is what became of a recipient (RFC 3464 section 2.3.3).
type Action string

// Actions we report.
const (
	Failed  Action = "failed"
	Delayed Action = "delayed"
	Relayed Action = "relayed" // handed to a host that does not promise reports
)

// MaxReturn is the size in bytes up to which a message is returned whole;
// above it only its header is.
const MaxReturn = 256 << 10

// Recipient is one recipient of a Report.
type Recipient struct {
	Final       string // the address that was tried
	Original    string // ORCPT, decoded, "rfc822;x"; empty if none was given
	Action      Action
	Status      string // enhanced code as "5.4.7"; empty means that of Diagnostic
	Remote      string // host that gave the Diagnostic, empty if it is ours
	Diagnostic  string // SMTP reply, as it came; empty if there was none
	LastAttempt time.Time
	RetryUntil  time.Time // for Delayed
	Why         string    // in words, ASCII, one sentence
}

// Report is what Build writes. Host, ID, At, To and one Recipient are required.
type Report struct {
	ID         mail.ID // of the report, for its Message-ID
	Host       string  // who reports
	To         string  // the sender of the message it reports on
	At         time.Time
	Arrival    time.Time // when the message was accepted
	EnvID      string    // ENVID, decoded
	Advice     string    // what the sender can do, ASCII; may have several lines
	Recipients []Recipient
	// Original is the message, or at least its first MaxReturn+1 bytes.
	Original []byte
	// Full returns all of Original (RET=FULL) if it is at most MaxReturn bytes
	// and can be carried unchanged.
	Full bool
}

// ShouldReport says whether the sender may be told of action, and if not, why.
// notify is NOTIFY of the recipient (RFC 3461 section 4.1); class that of the
// message. A report on a report, or to the null sender, would loop.
func ShouldReport(from string, notify []string, class mail.Class, action Action) (ok bool, reason string) {
	has := func(word string) bool {
		for _, n := range notify {
			if strings.EqualFold(n, word) {
				return true
			}
		}
		return false
	}
	switch {
	case from == "":
		return false, "null sender"
	case class == mail.Report:
		return false, "report on a report"
	case has("NEVER"):
		return false, "NOTIFY=NEVER"
	case action == Failed && len(notify) > 0 && !has("FAILURE"):
		return false, "NOTIFY without FAILURE"
	case action == Delayed && len(notify) > 0 && !has("DELAY"):
		return false, "NOTIFY without DELAY"
	case action == Relayed && !has("SUCCESS"):
		return false, "NOTIFY without SUCCESS"
	}
	return true, ""
}

var (
	enhanced  = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}$`)
	replyHead = regexp.MustCompile(`^([245])\d\d[ -](?:([245]\.\d{1,3}\.\d{1,3})(?:\s|$))?`)
)

// Status is the enhanced code of an SMTP reply, X.0.0 if it has none, and
// that of the action if it is no reply.
func Status(reply string, a Action) string {
	fallback := map[Action]string{Delayed: "4.0.0", Relayed: "2.0.0"}[a]
	if fallback == "" {
		fallback = "5.0.0"
	}
	m := replyHead.FindStringSubmatch(strings.TrimSpace(reply) + " ")
	switch {
	case m == nil:
		return fallback
	case m[2] != "" && m[2][0] == m[1][0]:
		return m[2]
	}
	return m[1] + ".0.0"
}

func (r Recipient) status() string {
	if enhanced.MatchString(r.Status) {
		return r.Status
	}
	return Status(r.Diagnostic, r.Action)
}

// Build writes the report. It never fails: what cannot be carried is left out
// or returned as its header only. EightBit tells whether the result needs a
// next hop with 8BITMIME.
func Build(r Report) []byte {
	third := r.returned()
	boundary := r.boundary(third.body)
	var b bytes.Buffer
	r.header(&b, boundary, third.encoding == "8bit")
	open := func(fields ...string) {
		b.WriteString("\r\n--" + boundary + "\r\n" + strings.Join(fields, "\r\n") + "\r\n\r\n")
	}
	open("Content-Description: Notification", "Content-Type: text/plain; charset=us-ascii")
	r.words(&b)
	open("Content-Description: Delivery report", "Content-Type: message/delivery-status")
	r.fields(&b)
	open("Content-Description: "+third.description, "Content-Type: "+third.kind, "Content-Transfer-Encoding: "+third.encoding)
	b.Write(third.body)
	b.WriteString("\r\n--" + boundary + "--\r\n")
	return b.Bytes()
}

// EightBit reports whether msg has a byte above 127.
func EightBit(msg []byte) bool {
	for _, c := range msg {
		if c >= 0x80 {
			return true
		}
	}
	return false
}
