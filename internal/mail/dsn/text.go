package dsn

import (
	"bytes"
	"fmt"
	"mime/quotedprintable"
	"strings"
	"time"
)

// maxHeader is how much of a header is returned.
const maxHeader = 64 << 10

// attachment is the third part: the message or its header.
type attachment struct {
	kind, encoding, description string
	body                        []byte
}

// returned chooses what of the message goes back. A message that cannot stand
// in a MIME body as it is goes back as its header, encoded: message/rfc822
// allows no encoding (RFC 2046 section 5.2.1).
func (r Report) returned() attachment {
	if r.Full && len(r.Original) <= MaxReturn && carries(r.Original) {
		a := attachment{kind: "message/rfc822", encoding: "7bit", description: "Undelivered message", body: r.Original}
		if EightBit(r.Original) {
			a.encoding = "8bit"
		}
		return a
	}
	a := attachment{kind: "text/rfc822-headers", encoding: "7bit", description: "Header of the message", body: headerOf(r.Original)}
	if !carries(a.body) || EightBit(a.body) {
		a.encoding = "quoted-printable" // RFC 6522 section 4
		var b bytes.Buffer
		w := quotedprintable.NewWriter(&b)
		_, _ = w.Write(a.body) // a bytes.Buffer takes everything
		_ = w.Close()          // as above
		a.body = b.Bytes()
	}
	return a
}

// carries reports whether b can be a 7bit or 8bit body: lines of at most 998
// bytes ended by CRLF, and no NUL (RFC 2045 section 2.8).
func carries(b []byte) bool {
	for line := range bytes.Lines(b) {
		text, ok := bytes.CutSuffix(line, []byte("\r\n"))
		if !ok && len(line) > 0 && line[len(line)-1] == '\n' {
			return false
		}
		if len(text) > 998 || bytes.ContainsAny(text, "\r\x00") {
			return false
		}
	}
	return true
}

// headerOf is the header of msg without the empty line, cut at a line end.
func headerOf(msg []byte) []byte {
	h := msg
	if bytes.HasPrefix(msg, []byte("\r\n")) {
		return nil
	}
	if i := bytes.Index(msg, []byte("\r\n\r\n")); i >= 0 {
		h = msg[:i+2]
	}
	if len(h) > maxHeader {
		h = h[:maxHeader]
		h = h[:bytes.LastIndexByte(h, '\n')+1]
	}
	return h
}

// originalSubject is the subject of msg if it can be repeated as it is: a cut
// encoded word would be none.
func originalSubject(msg []byte) string {
	lines := strings.Split(string(headerOf(msg)), "\r\n")
	for i, l := range lines {
		name, value, ok := strings.Cut(l, ":")
		if !ok || !strings.EqualFold(name, "Subject") {
			continue
		}
		for _, more := range lines[i+1:] {
			if more == "" || more[0] != ' ' && more[0] != '\t' {
				break
			}
			value += " " + strings.TrimSpace(more)
		}
		value = strings.TrimSpace(value)
		if len(value) > 200 || plain(value, 200) != value {
			return ""
		}
		return value
	}
	return ""
}

// plain flattens s to one line of printable ASCII of at most limit bytes.
func plain(s string, limit int) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\r' || r == '\n' || r == '\t' || r == ' ' }), " ")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	return s[:min(len(s), limit)]
}

// ascii is an address in ASCII, what is not written as \x{HEX} (RFC 6533
// section 3, utf-8-addr-xtext).
func ascii(addr string) string {
	var b strings.Builder
	for _, r := range addr {
		if r < ' ' || r > '~' {
			fmt.Fprintf(&b, `\x{%02X}`, r)
			continue
		}
		b.WriteRune(r)
	}
	s := b.String()
	return s[:min(len(s), 900)]
}

// fold writes a field whose value is one line of words, broken between words
// after at most 76 bytes where it can.
func fold(b *bytes.Buffer, name, value string) {
	line := name + ":"
	for word := range strings.FieldsSeq(value) {
		if len(line)+1+len(word) > 76 && line != name+":" {
			b.WriteString(line + "\r\n")
			line = ""
		}
		line += " " + word
	}
	b.WriteString(line + "\r\n")
}

// wrap writes text in lines of about 72 bytes behind indent.
func wrap(b *bytes.Buffer, indent, text string) {
	line := ""
	for _, word := range strings.Fields(plain(text, 1000)) {
		if line != "" && len(indent)+len(line)+1+len(word) > 72 {
			b.WriteString(indent + line + "\r\n")
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word[:min(len(word), 900)]
	}
	if line != "" {
		b.WriteString(indent + line + "\r\n")
	}
}

// date is the form of RFC 5322.
func date(t time.Time) string { return t.Format("Mon, 02 Jan 2006 15:04:05 -0700") }
