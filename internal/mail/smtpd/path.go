package smtpd

import (
	"errors"
	"strings"

	"example.org/ims/internal/mail/address"
)

// pathOf reads the path of a MAIL or RCPT command from the line as the client
// sent it. engine is what go-smtp made of the same path; when the two
// disagree about the local part nobody knows what was meant.
func pathOf(line, engine string, parse func(string, bool) (address.Mailbox, string, error), utf8 bool) (address.Mailbox, error) {
	_, path, _ := strings.Cut(line, ":")
	path = strings.TrimLeft(path, " ")
	if path != "" && path[0] != '<' { // common, though RFC 5321 wants brackets
		bare, params, _ := strings.Cut(path, " ")
		path = "<" + bare + "> " + params
	}
	m, _, err := parse(path, utf8)
	if err != nil {
		return address.Mailbox{}, err
	}
	local, ok := strings.CutPrefix(engine, m.Local)
	if !ok || local != "" && local[0] != '@' {
		return address.Mailbox{}, errors.New("ambiguous path")
	}
	return m, nil
}

// badPath is the refusal of a path, with the enhanced code for it.
func badPath(enhanced string, err error) *Reply {
	if errors.Is(err, address.ErrUTF8) {
		return Refuse(553, "5.6.7", err.Error())
	}
	return Refuse(501, enhanced, err.Error())
}

// forEngine is line as go-smtp can take it: it wants a domain behind
// <Postmaster>, which RFC 5321 section 4.5.1 does not.
func forEngine(line, host string) string {
	const short, address = "<postmaster>", "<postmaster@"
	if verb(line) != "RCPT" {
		return line
	}
	to, path, _ := strings.Cut(line, ":")
	path = strings.TrimLeft(path, " ")
	if len(path) < len(short) || !strings.EqualFold(path[:len(short)], short) {
		return line
	}
	return to + ":" + address + host + ">" + path[len(short):]
}
