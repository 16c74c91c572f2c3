package world

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"example.org/ims/pkg/zone"
)

// SPF records (RFC 7208) as they stand among the TXT records of a name, in
// presentation form.
const (
	spfNone  = "v=spf1 -all"   // nobody sends for this name
	spfDrain = "v=spf1 a -all" // the addresses of the name itself send, and nobody else
)

// spfOf splits the TXT records of a name into its SPF records, as text, and the
// others, as they are.
func spfOf(r zone.RRset) (spf, others []string) {
	for _, d := range r.Data {
		if text := unquote(d); isSPF(text) {
			spf = append(spf, text)
		} else {
			others = append(others, d)
		}
	}
	return spf, others
}

// isSPF: the version is a word of its own (RFC 7208 4.5).
func isSPF(text string) bool {
	word, _, _ := strings.Cut(text, " ")
	return strings.EqualFold(word, "v=spf1")
}

// withSPF is r with one SPF record in place of those that it has.
func withSPF(r zone.RRset, text string) zone.RRset {
	_, others := spfOf(r)
	return zone.NewRRset(r.Name, "TXT", ttlOf(r), append(others, quote(text))...)
}

// permits reports whether the SPF record of a name lets a host send: a mechanism
// before "all" names the host or each of its addresses. What it includes is not
// looked into.
func permits(owner, spf, host string, addrs []netip.Addr) bool {
	left := slices.Clone(addrs)
	for _, term := range strings.Fields(spf)[1:] {
		term, plus := strings.ToLower(term), true
		if strings.ContainsRune("+-~?", rune(term[0])) {
			plus, term = term[0] == '+', term[1:]
		}
		name, arg, _ := strings.Cut(term, ":")
		switch {
		case name == "all":
			return plus
		case !plus:
		case name == "a" && zone.CanonicalName(cmp.Or(arg, owner)) == zone.CanonicalName(host):
			return true
		case name == "ip4", name == "ip6":
			left = slices.DeleteFunc(left, func(a netip.Addr) bool { return within(arg, a) })
		}
		if len(left) == 0 {
			return len(addrs) > 0
		}
	}
	return false
}

func within(arg string, a netip.Addr) bool {
	if p, err := netip.ParsePrefix(arg); err == nil {
		return p.Contains(a)
	}
	one, err := netip.ParseAddr(arg)
	return err == nil && one == a
}

// permitting is the SPF record of a name that lets a host send, too: its mechanism comes
// first, because the first that matches decides (RFC 7208 4.6.2).
func permitting(owner, spf, host string, addrs []netip.Addr) string {
	if permits(owner, spf, host, addrs) {
		return spf
	}
	words := strings.Fields(spf)
	return strings.Join(slices.Insert(words, 1, "a:"+strings.TrimSuffix(host, ".")), " ")
}

// unquote joins the character strings of a TXT record in presentation form
// (RFC 1035 5.1).
func unquote(data string) string {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && i+3 < len(data) && isDigit(data[i+1]) && isDigit(data[i+2]) && isDigit(data[i+3]):
			b.WriteByte((data[i+1]-'0')*100 + (data[i+2]-'0')*10 + data[i+3] - '0')
			i += 3
		case c == '\\' && i+1 < len(data):
			i++
			b.WriteByte(data[i])
		case c == ' ' && !quoted: // between two strings
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// quote is text as character strings of at most 255 octets each.
func quote(text string) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	var parts []string
	for len(text) > 255 {
		parts = append(parts, `"`+escape.Replace(text[:255])+`"`)
		text = text[255:]
	}
	return strings.Join(append(parts, `"`+escape.Replace(text)+`"`), " ")
}
