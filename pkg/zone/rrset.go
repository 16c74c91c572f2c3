package zone

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// RRset is all records of one name and type. Values made by [NewRRset] are
// canonical: lower-case absolute name, upper-case type, rdata in presentation
// form, folded where the type allows, without duplicates and sorted. No Data
// means that no such record exists.
type RRset struct {
	Name string   `json:"name"`
	Type string   `json:"type"` // "MX"
	TTL  uint32   `json:"ttl"`  // seconds; of an absent RRset: how long the absence may be cached, or 0
	Data []string `json:"data"`
}

// NewRRset makes a canonical RRset. Host names in data are taken as absolute,
// with or without the final dot.
func NewRRset(name, typ string, ttl uint32, data ...string) RRset {
	return RRset{Name: name, Type: typ, TTL: ttl, Data: data}.Canonical()
}

// Canonical returns r in canonical form; r is not modified.
func (r RRset) Canonical() RRset {
	out := RRset{Name: CanonicalName(r.Name), Type: strings.ToUpper(strings.TrimSpace(r.Type)), TTL: r.TTL}
	for _, d := range r.Data {
		out.Data = append(out.Data, canonicalData(out.Type, d))
	}
	slices.Sort(out.Data)
	out.Data = slices.Compact(out.Data)
	return out
}

// Empty reports whether r says that no record exists.
func (r RRset) Empty() bool { return len(r.Data) == 0 }

// SameData reports whether r and o hold the same records of the same name and
// type, letter case of names and order aside. TTLs are not compared.
func (r RRset) SameData(o RRset) bool {
	a, b := r.Canonical(), o.Canonical()
	return a.Name == b.Name && a.Type == b.Type && slices.Equal(a.Data, b.Data)
}

// Equal reports whether r and o have the same data and, unless both are
// absent, the same TTL.
func (r RRset) Equal(o RRset) bool {
	return r.SameData(o) && (r.TTL == o.TTL || r.Empty())
}

// String is one line for people: "example.test. 300 MX 10 a. | 20 b.".
func (r RRset) String() string {
	if r.Empty() {
		return fmt.Sprintf("%s %s (none)", r.Name, r.Type)
	}
	return fmt.Sprintf("%s %d %s %s", r.Name, r.TTL, r.Type, strings.Join(r.Data, " | "))
}

// NamesHost reports whether a record of r points at host: a target of MX, NS,
// CNAME, DNAME, PTR or SRV, or, when host is an IP address, the data of A or
// AAAA.
func (r RRset) NamesHost(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return slices.ContainsFunc(r.Data, func(d string) bool {
			b, err := netip.ParseAddr(strings.TrimSpace(d))
			return err == nil && a.Unmap() == b.Unmap()
		})
	}
	i, ok := targetField[strings.ToUpper(r.Type)]
	if !ok {
		return false
	}
	host = CanonicalName(host)
	return slices.ContainsFunc(r.Data, func(d string) bool {
		f := strings.Fields(d)
		return i < len(f) && CanonicalName(f[i]) == host
	})
}

// targetField is the position of the host name in the rdata of a type.
var targetField = map[string]int{"MX": 1, "NS": 0, "CNAME": 0, "DNAME": 0, "PTR": 0, "SRV": 3}

// CanonicalName is name in lower case with a final dot (RFC 4034 6.2).
func CanonicalName(name string) string {
	name = asciiLower(strings.TrimSpace(name))
	if !strings.HasSuffix(name, ".") || escaped(name, len(name)-1) {
		name += "."
	}
	return name
}

// IsSubdomain reports whether name is zone or lies below it, at a label
// boundary.
func IsSubdomain(name, zone string) bool {
	name, zone = CanonicalName(name), CanonicalName(zone)
	if name == zone || zone == "." {
		return true
	}
	cut := len(name) - len(zone) - 1
	return cut > 0 && name[cut] == '.' && name[cut+1:] == zone && !escaped(name, cut)
}

// escaped reports whether the character at i is preceded by an odd number of
// backslashes.
func escaped(s string, i int) bool {
	n := 0
	for i--; i >= 0 && s[i] == '\\'; i-- {
		n++
	}
	return n%2 == 1
}

func asciiLower(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'A' && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}, s)
}

// canonicalData folds what a type allows to fold and leaves the rest alone:
// the text of a TXT record is data, its letter case counts.
func canonicalData(typ, s string) string {
	f := strings.Fields(s)
	switch typ {
	case "A", "AAAA":
		if a, err := netip.ParseAddr(strings.TrimSpace(s)); err == nil {
			return a.String()
		}
	case "MX", "NS", "CNAME", "DNAME", "PTR", "SRV":
		if i := targetField[typ]; i < len(f) {
			f[i] = CanonicalName(f[i])
		}
	case "SOA":
		for i := 0; i < 2 && i < len(f); i++ {
			f[i] = CanonicalName(f[i])
		}
	case "TLSA", "SMIMEA", "DS", "CDS":
		if len(f) > 3 {
			f = append(f[:3:3], asciiLower(strings.Join(f[3:], "")))
		}
	default:
		return strings.TrimSpace(s)
	}
	return strings.Join(f, " ")
}
