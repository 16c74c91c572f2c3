package address

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// domain reads a domain or an address literal and returns its canonical form.
func (p *parser) domain() (string, error) {
	if p.i < len(p.s) && p.s[p.i] == '[' {
		return p.literal()
	}
	start := p.i
	for p.i < len(p.s) && isDomainByte(p.s[p.i]) {
		p.i++
	}
	d := p.s[start:p.i]
	if err := checkDomain(d, p.utf8); err != nil {
		return "", err
	}
	return lowerASCII(d), nil
}

func isDomainByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c >= 0x80
}

// checkDomain checks length, labels and characters. The underscore is taken
// although RFC 5321 has none: host names with it send mail every day, and it
// can do no harm in a command.
func checkDomain(d string, allowUTF8 bool) error {
	if len(d) > MaxDomain {
		return fmt.Errorf("%w: domain of %d octets, at most %d", ErrTooLong, len(d), MaxDomain)
	}
	for label := range strings.SplitSeq(d, ".") {
		switch {
		case label == "":
			return fmt.Errorf("%w: empty label in domain %q", ErrSyntax, clip(d))
		case len(label) > 63 && isASCII(label):
			return fmt.Errorf("%w: label of %d octets, at most 63", ErrTooLong, len(label))
		case label[0] == '-' || label[len(label)-1] == '-':
			return fmt.Errorf("%w: label %q begins or ends with a hyphen", ErrSyntax, clip(label))
		}
	}
	if isASCII(d) {
		return nil
	}
	if !allowUTF8 {
		return ErrUTF8
	}
	if !utf8.ValidString(d) {
		return fmt.Errorf("%w: domain is not UTF-8", ErrSyntax)
	}
	for _, r := range d {
		if r >= utf8.RuneSelf && !isLabelRune(r) {
			return fmt.Errorf("%w: %U in a domain", ErrSyntax, r)
		}
	}
	return nil
}

// isLabelRune takes letters, marks and digits. Full-width forms are refused:
// a resolver would fold them to ASCII and so to another domain. So are the
// joiners, the overrides of direction and the ideographic full stops.
func isLabelRune(r rune) bool {
	if r >= 0xff00 && r <= 0xffef {
		return false
	}
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd)
}

// checkLocal refuses characters that deceive or break lines.
func checkLocal(local string, allowUTF8 bool) error {
	if isASCII(local) {
		return nil
	}
	if !allowUTF8 {
		return ErrUTF8
	}
	if !utf8.ValidString(local) {
		return fmt.Errorf("%w: local part is not UTF-8", ErrSyntax)
	}
	for _, r := range local {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) || r == '\ufeff' {
			return fmt.Errorf("%w: %U in a local part", ErrSyntax, r)
		}
	}
	return nil
}

// literal reads "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321 section 4.1.3).
// No other tag is registered.
func (p *parser) literal() (string, error) {
	text, _, ok := strings.Cut(p.s[p.i+1:], "]")
	if !ok {
		return "", fmt.Errorf("%w: address literal is not closed", ErrSyntax)
	}
	const tag = "ipv6:"
	is6 := len(text) >= len(tag) && strings.EqualFold(text[:len(tag)], tag)
	bare := text
	if is6 {
		bare = text[len(tag):]
	}
	ip, err := netip.ParseAddr(bare)
	if err != nil || ip.Zone() != "" || ip.Is4() == is6 {
		return "", fmt.Errorf("%w: address literal %q", ErrSyntax, clip(text))
	}
	p.i += len(text) + 2
	if is6 {
		return "[IPv6:" + ip.String() + "]", nil
	}
	return "[" + ip.String() + "]", nil
}

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
