// Package address parses and prints SMTP mailboxes and paths (RFC 5321
// section 4.1.2, RFC 6531 section 3.3 when UTF-8 is allowed).
//
// It exists because an address is a piece of the next hop's command line. A
// library that strips the quotes of a local part turns
//
//	"victim@evil.example> ORCPT=rfc822;x"@local.example
//
// into a recipient at evil.example for whoever prints it again. Here a
// [Mailbox] holds the decoded local part, and [Mailbox.String] quotes it again
// whenever it is not a dot-atom, so a printed mailbox always parses back to
// the same one and never contains CR, LF, NUL or an unquoted '>'.
//
// The package refuses what it does not understand: control characters,
// unquoted spaces, two unquoted @, a trailing dot, over-long parts, address
// literals other than IPv4 and IPv6. It knows nothing of routing, of aliases
// or of who is local, and converts no domain between its U-label and A-label
// forms: two domains are the same when they are equal after lower-casing ASCII.
package address

import (
	"errors"
	"strings"
)

// Limits of RFC 5321 section 4.5.3.1, in octets. A path counts its brackets
// and its source route.
const (
	MaxLocal  = 64
	MaxDomain = 255
	MaxPath   = 256
)

// Errors a caller branches on: what an SMTP server says differs (RFC 3463).
var (
	ErrSyntax  = errors.New("malformed address")                             // 501 5.1.3, 5.1.7
	ErrTooLong = errors.New("address too long")                              // 501 5.1.3
	ErrUTF8    = errors.New("address needs SMTPUTF8, which is not in force") // 553 5.6.7
)

// Mailbox is a parsed mailbox in canonical form; equal mailboxes are ==. The
// zero value is the null reverse-path. Only the postmaster has a Local and no
// Domain.
type Mailbox struct {
	Local  string // decoded: without quotes and backslashes, case as given
	Domain string // ASCII lower-case, or "[192.0.2.1]", or "[IPv6:2001:db8::1]"
}

// Postmaster is the forward-path <Postmaster>, which needs no domain (RFC 5321
// section 4.1.1.3).
func Postmaster() Mailbox { return Mailbox{Local: "postmaster"} }

// IsNull reports whether m is the null reverse-path.
func (m Mailbox) IsNull() bool { return m == Mailbox{} }

// IsPostmaster reports whether m is the postmaster, with or without a domain.
func (m Mailbox) IsPostmaster() bool { return strings.EqualFold(m.Local, "postmaster") }

// ASCII reports whether m can be given to a server without SMTPUTF8.
func (m Mailbox) ASCII() bool { return isASCII(m.Local) && isASCII(m.Domain) }

// String is the mailbox as it is written in a command, without brackets: ""
// for the null reverse-path, "postmaster" for the postmaster. The local part
// is quoted unless it is a dot-atom.
func (m Mailbox) String() string {
	switch {
	case m.IsNull():
		return ""
	case m.Domain == "":
		return m.Local
	case isDotString(m.Local):
		return m.Local + "@" + m.Domain
	}
	return quote(m.Local) + "@" + m.Domain
}

// Path is the mailbox in brackets, as it follows MAIL FROM: and RCPT TO:.
func (m Mailbox) Path() string { return "<" + m.String() + ">" }

func quote(local string) string {
	var b strings.Builder
	b.Grow(len(local) + 4)
	b.WriteByte('"')
	for i := 0; i < len(local); i++ {
		if local[i] == '"' || local[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(local[i])
	}
	b.WriteByte('"')
	return b.String()
}

// isDotString reports whether local needs no quotes (RFC 5321 Dot-string).
func isDotString(local string) bool {
	if local == "" {
		return false
	}
	for atom := range strings.SplitSeq(local, ".") {
		if atom == "" {
			return false
		}
		for i := 0; i < len(atom); i++ {
			if !isAtext(atom[i]) {
				return false
			}
		}
	}
	return true
}

// isAtext takes every byte from 0x80 up too; what those may spell is checked
// when they are parsed.
func isAtext(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c >= 0x80:
		return true
	}
	return strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
