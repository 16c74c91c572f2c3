package smtpd

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Trace is what a server writes on top of a message it takes (RFC 5321
// section 4.4).
type Trace struct {
	Peer Peer
	By   string // our host name
	ID   string
	For  string // the recipient if there is exactly one, else ""
	At   time.Time
}

// Bytes is the Received field, folded, with CRLF, in printable ASCII. It is to
// be put before the message's first byte.
func (t Trace) Bytes() []byte {
	with := "SMTP"
	if t.Peer.ESMTP {
		with = "ESMTP"
	}
	b := fmt.Appendf(nil, "Received: from %s (%s)\r\n\tby %s with %s id %s",
		atom(t.Peer.Helo), literal(t.Peer.Addr.Addr()), atom(t.By), with, atom(t.ID))
	if t.For != "" {
		b = fmt.Appendf(b, "\r\n\tfor <%s>", printable(t.For, 320))
	}
	return fmt.Appendf(b, ";\r\n\t%s\r\n", t.At.Format(time.RFC1123Z))
}

// literal is an address literal (RFC 5321 section 4.1.3).
func literal(a netip.Addr) string {
	a = a.Unmap()
	switch {
	case !a.IsValid():
		return "[unknown]"
	case a.Is6():
		return "[IPv6:" + a.WithZone("").String() + "]"
	}
	return "[" + a.String() + "]"
}

// atom makes foreign text safe where a domain or an atom stands.
func atom(s string) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || strings.ContainsRune(`()<>;,\"`, r) {
			return '?'
		}
		return r
	}, s)
	if s == "" {
		return "unknown"
	}
	return s[:min(len(s), 255)]
}
