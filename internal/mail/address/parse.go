package address

import (
	"fmt"
	"strings"
)

// Parse reads a whole mailbox without brackets: what [Mailbox.String] prints,
// but not the null reverse-path. utf8 says that SMTPUTF8 is in force.
//
// Errors wrap [ErrSyntax], [ErrTooLong] or [ErrUTF8].
func Parse(s string, utf8 bool) (Mailbox, error) {
	if strings.EqualFold(s, "postmaster") {
		return Postmaster(), nil
	}
	p := parser{s: s, utf8: utf8}
	m, err := p.mailbox()
	if err == nil && p.i < len(s) {
		err = p.unexpected("after the mailbox")
	}
	if err == nil && len(s)+2 > MaxPath {
		err = fmt.Errorf("%w: path of %d octets, at most %d", ErrTooLong, len(s)+2, MaxPath)
	}
	if err != nil {
		return Mailbox{}, fmt.Errorf("parse mailbox %q: %w", clip(s), err)
	}
	return m, nil
}

// ParseReverse reads a reverse-path at the start of s, which follows "MAIL
// FROM:". rest is what follows the closing bracket: empty, or a space and the
// parameters. <> gives the null mailbox. A source route is dropped (RFC 5321
// appendix C).
func ParseReverse(s string, utf8 bool) (m Mailbox, rest string, err error) {
	if r, ok := strings.CutPrefix(s, "<>"); ok {
		m, rest = Mailbox{}, r
		if rest != "" && rest[0] != ' ' {
			return m, "", fmt.Errorf("parse reverse-path %q: %w: no space after the path", clip(s), ErrSyntax)
		}
		return m, rest, nil
	}
	if m, rest, err = parsePath(s, utf8); err != nil {
		return Mailbox{}, "", fmt.Errorf("parse reverse-path %q: %w", clip(s), err)
	}
	return m, rest, nil
}

// ParseForward reads a forward-path at the start of s, which follows "RCPT
// TO:", as [ParseReverse] does. It takes <Postmaster> in any case, not <>.
func ParseForward(s string, utf8 bool) (m Mailbox, rest string, err error) {
	const postmaster = "<postmaster>"
	if len(s) >= len(postmaster) && strings.EqualFold(s[:len(postmaster)], postmaster) {
		m, rest = Postmaster(), s[len(postmaster):]
		if rest != "" && rest[0] != ' ' {
			return Mailbox{}, "", fmt.Errorf("parse forward-path %q: %w: no space after the path", clip(s), ErrSyntax)
		}
		return m, rest, nil
	}
	if m, rest, err = parsePath(s, utf8); err != nil {
		return Mailbox{}, "", fmt.Errorf("parse forward-path %q: %w", clip(s), err)
	}
	return m, rest, nil
}

// Requote reads a mailbox whose local part was decoded by somebody else who
// left it unquoted, as go-smtp's server does: everything before the last @ is
// the decoded local part. The result is what the client meant as long as the
// domain holds no @, which no domain does.
func Requote(s string, utf8 bool) (Mailbox, error) {
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return Mailbox{}, fmt.Errorf("parse mailbox %q: %w: no @", clip(s), ErrSyntax)
	}
	if isDotString(s[:i]) {
		return Parse(s, utf8)
	}
	return Parse(quote(s[:i])+s[i:], utf8)
}

func parsePath(s string, utf8 bool) (Mailbox, string, error) {
	p := parser{s: s, utf8: utf8}
	if !p.accept('<') {
		return Mailbox{}, "", p.unexpected("where < was wanted")
	}
	if err := p.sourceRoute(); err != nil {
		return Mailbox{}, "", err
	}
	m, err := p.mailbox()
	if err != nil {
		return Mailbox{}, "", err
	}
	if !p.accept('>') {
		return Mailbox{}, "", p.unexpected("where > was wanted")
	}
	if p.i > MaxPath {
		return Mailbox{}, "", fmt.Errorf("%w: path of %d octets, at most %d", ErrTooLong, p.i, MaxPath)
	}
	if p.i < len(s) && s[p.i] != ' ' {
		return Mailbox{}, "", p.unexpected("where a space was wanted")
	}
	return m, s[p.i:], nil
}

// parser walks over s; i is the next byte.
type parser struct {
	s    string
	i    int
	utf8 bool
}

func (p *parser) accept(c byte) bool {
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *parser) unexpected(where string) error {
	if p.i >= len(p.s) {
		return fmt.Errorf("%w: ends %s", ErrSyntax, where)
	}
	return fmt.Errorf("%w: %q at octet %d %s", ErrSyntax, p.s[p.i], p.i+1, where)
}

// sourceRoute drops "@one,@two:" in front of a mailbox.
func (p *parser) sourceRoute() error {
	if p.i >= len(p.s) || p.s[p.i] != '@' {
		return nil
	}
	for {
		if !p.accept('@') {
			return p.unexpected("in the source route")
		}
		if _, err := p.domain(); err != nil {
			return err
		}
		if p.accept(':') {
			return nil
		}
		if !p.accept(',') {
			return p.unexpected("in the source route")
		}
	}
}

func (p *parser) mailbox() (Mailbox, error) {
	local, err := p.local()
	if err != nil {
		return Mailbox{}, err
	}
	if !p.accept('@') {
		return Mailbox{}, p.unexpected("where @ was wanted")
	}
	domain, err := p.domain()
	if err != nil {
		return Mailbox{}, err
	}
	return Mailbox{Local: local, Domain: domain}, nil
}

func (p *parser) local() (string, error) {
	start := p.i
	var local string
	if p.accept('"') {
		var err error
		if local, err = p.quoted(); err != nil {
			return "", err
		}
	} else {
		for p.i < len(p.s) && (isAtext(p.s[p.i]) || p.s[p.i] == '.') {
			p.i++
		}
		local = p.s[start:p.i]
		if !isDotString(local) {
			return "", fmt.Errorf("%w: %q is no local part", ErrSyntax, clip(local))
		}
	}
	if n := p.i - start; n > MaxLocal {
		return "", fmt.Errorf("%w: local part of %d octets, at most %d", ErrTooLong, n, MaxLocal)
	}
	if err := checkLocal(local, p.utf8); err != nil {
		return "", err
	}
	return local, nil
}

// quoted reads up to the closing quote and decodes quoted pairs.
func (p *parser) quoted() (string, error) {
	var b strings.Builder
	for p.i < len(p.s) {
		c := p.s[p.i]
		p.i++
		switch {
		case c == '"':
			return b.String(), nil
		case c == '\\':
			if p.i >= len(p.s) || p.s[p.i] < ' ' || p.s[p.i] >= 0x7f {
				return "", p.unexpected("after a backslash")
			}
			c = p.s[p.i]
			p.i++
		case c < ' ' || c == 0x7f:
			p.i--
			return "", p.unexpected("in a quoted local part")
		}
		b.WriteByte(c)
	}
	return "", fmt.Errorf("%w: quoted local part is not closed", ErrSyntax)
}

// clip keeps error texts short.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
