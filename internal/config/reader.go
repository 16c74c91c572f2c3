package config

import (
	"fmt"
	"net/mail"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"example.org/ims/internal/strictyaml"
	"example.org/ims/internal/suggest"
)

// reader turns the document into a Config and collects mistakes.
type reader struct {
	file, dir string
	sys       system
	mistakes  strictyaml.Mistakes
	listeners []listener
}

// add notes a mistake. A value without a place is one that the decoder has
// refused, so what is wrong with it has been said.
func (r *reader) add(pos strictyaml.Pos, rule, format string, args ...any) {
	if pos.Line > 0 {
		r.mistakes.Add(pos, rule, format, args...)
	}
}

// need returns a value that must be there; what begins at pos lacks it else.
func (r *reader) need(t *text, pos strictyaml.Pos, what string) (text, bool) {
	if t == nil {
		r.add(pos, "missing", "%s is missing", what)
		return text{}, false
	}
	if t.Value == "" {
		r.add(t.Pos, "missing", "%s is empty", what)
	}
	return *t, t.Value != ""
}

func value(t *text, def string) string {
	if t == nil {
		return def
	}
	return t.Value
}

// path is a path of the file, made absolute.
func (r *reader) path(t *text, def string) string {
	p := value(t, def)
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(r.dir, p)
}

func (r *reader) duration(t *text, def time.Duration, what string) time.Duration {
	if t == nil || t.Value == "" {
		return def
	}
	d, err := strictyaml.ParseDuration(t.Value)
	switch {
	case err != nil:
		r.add(t.Pos, "type", "%s wants a duration such as 90s, 15m, .25h or 3d, this is %q", what, t.Value)
	case d < 0:
		r.add(t.Pos, "range", "%s cannot be negative", what)
	}
	return d
}

// number is a whole number within limits.
func (r *reader) number(t *text, def, low, high int64, what string) int64 {
	if t == nil || t.Value == "" {
		return def
	}
	n, err := strconv.ParseInt(t.Value, 10, 64)
	switch {
	case err != nil:
		r.add(t.Pos, "type", "%s wants a whole number, this is %q", what, t.Value)
	case n < low || n > high:
		r.add(t.Pos, "range", "%s is %d, want %d to %d", what, n, low, high)
	}
	return n
}

// one is one of several words.
func (r *reader) one(t *text, what string, words ...string) string {
	if t == nil || t.Value == "" {
		return words[0]
	}
	for _, w := range words {
		if w == t.Value {
			return w
		}
	}
	r.add(t.Pos, "word", "%s cannot be %q; %s", what, t.Value, hint(t.Value, words))
	return words[0]
}

func hint(word string, words []string) string {
	if near, ok := suggest.Nearest(word, words); ok {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "want " + strings.Join(words, ", ")
}

// known requires that a name is one of those that are defined elsewhere.
func (r *reader) known(t text, what string, names []string) {
	for _, n := range names {
		if n == t.Value {
			return
		}
	}
	if len(names) == 0 {
		r.add(t.Pos, "unknown", "there is no %s %q, nor any other", what, t.Value)
		return
	}
	r.add(t.Pos, "unknown", "there is no %s %q; %s", what, t.Value, hint(t.Value, names))
}

// fold is a domain in lower case without a final dot.
func fold(domain string) string { return strings.ToLower(strings.TrimSuffix(domain, ".")) }

// domain is a domain or host name (RFC 1123 2.1; underscores are let through).
func (r *reader) domain(t text, what string) string {
	d := fold(t.Value)
	if t.Value != "" && !isDomain(d) {
		r.add(t.Pos, "name", "%s %q is not a domain name", what, t.Value)
	}
	return d
}

func isDomain(d string) bool {
	if d == "" || len(d) > 253 {
		return false
	}
	for label := range strings.SplitSeq(d, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range label {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

func (r *reader) domains(list []text, what string) []string {
	var out []string
	for _, t := range list {
		out = append(out, r.domain(t, what))
	}
	return out
}

// name is a name that people choose: it stands in paths, keys and URLs.
func (r *reader) name(t text, what string) string {
	for _, c := range t.Value {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-_.", c) {
			r.add(t.Pos, "name", "%s %q: a name has letters, digits, -, _ and . only", what, t.Value)
			return t.Value
		}
	}
	if t.Value == "" || strings.Trim(t.Value, ".") == "" {
		r.add(t.Pos, "name", "%s %q is not a name", what, t.Value)
	}
	return t.Value
}

// mailbox is an address.
func (r *reader) mailbox(t text, what string) string {
	if a, err := mail.ParseAddress(t.Value); err != nil || a.Address != t.Value || a.Name != "" {
		r.add(t.Pos, "address", "%s %q is not an address such as user@example.org", what, t.Value)
	}
	return t.Value
}

// endpoint is host:port, where host is a name or an IP address.
func (r *reader) endpoint(t text, what string) string {
	host, port, ok := cutPort(t.Value)
	if _, err := netip.ParseAddr(host); err != nil && !isDomain(fold(host)) {
		ok = false
	}
	if n, err := strconv.ParseUint(port, 10, 16); !ok || err != nil || n == 0 {
		r.add(t.Pos, "address", "%s %q is not host:port", what, t.Value)
	}
	return t.Value
}

// ip is address:port, where the port may be left out if def is not 0.
func (r *reader) ip(t text, what string, def uint16) string {
	if a, err := netip.ParseAddr(t.Value); err == nil && def != 0 {
		return netip.AddrPortFrom(a, def).String()
	}
	ap, err := netip.ParseAddrPort(t.Value)
	if err != nil || ap.Port() == 0 {
		want := "address:port"
		if def != 0 {
			want = "an IP address, with or without :port"
		}
		r.add(t.Pos, "address", "%s %q is not %s", what, t.Value, want)
		return t.Value
	}
	return ap.String()
}

func cutPort(s string) (host, port string, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return "", "", false
	}
	host = s[:i]
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	}
	return host, s[i+1:], host != ""
}
