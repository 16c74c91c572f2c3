package zone

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MX is one mail exchanger.
type MX struct {
	Pref uint16 `json:"pref"` // lower is tried first (RFC 5321 5.1)
	Host string `json:"host"` // canonical; "." is the null MX (RFC 7505)
}

// MX returns the mail exchangers of r, by preference and then by name.
func (r RRset) MX() ([]MX, error) {
	if strings.ToUpper(r.Type) != "MX" {
		return nil, fmt.Errorf("read mail exchangers of %q: type is %s", r.Name, r.Type)
	}
	var out []MX
	for _, d := range r.Data {
		f := strings.Fields(d)
		if len(f) != 2 {
			return nil, fmt.Errorf("read mail exchanger %q: want preference and host", d)
		}
		p, err := strconv.ParseUint(f[0], 10, 16)
		if err != nil {
			return nil, fmt.Errorf("read mail exchanger %q: %w", d, err)
		}
		out = append(out, MX{uint16(p), CanonicalName(f[1])})
	}
	slices.SortFunc(out, func(a, b MX) int {
		return cmp.Or(cmp.Compare(a.Pref, b.Pref), cmp.Compare(a.Host, b.Host))
	})
	return out, nil
}

// NewMX makes an MX RRset.
func NewMX(domain string, ttl uint32, mx ...MX) RRset {
	data := make([]string, len(mx))
	for i, m := range mx {
		data[i] = fmt.Sprintf("%d %s", m.Pref, m.Host)
	}
	return NewRRset(domain, "MX", ttl, data...)
}

// PrimaryMX are the hosts of the lowest preference; nil if there is none or r
// cannot be read.
func (r RRset) PrimaryMX() []string {
	mx, err := r.MX()
	if err != nil {
		return nil
	}
	var out []string
	for _, m := range mx {
		if m.Pref == mx[0].Pref {
			out = append(out, m.Host)
		}
	}
	return out
}

// HasNullMX reports whether r says that the domain takes no mail.
func (r RRset) HasNullMX() bool {
	mx, err := r.MX()
	return err == nil && slices.ContainsFunc(mx, func(m MX) bool { return m.Host == "." })
}

// ReplaceHost returns r with every record that names old naming new instead,
// at the same preference; r itself is not modified. Records that become equal
// are merged.
func (r RRset) ReplaceHost(old, new string) RRset {
	i, ok := targetField[strings.ToUpper(r.Type)]
	out := r.Canonical()
	if !ok {
		return out
	}
	old, new = CanonicalName(old), CanonicalName(new)
	for k, d := range out.Data {
		f := strings.Fields(d)
		if i < len(f) && f[i] == old {
			f[i] = new
			out.Data[k] = strings.Join(f, " ")
		}
	}
	return out.Canonical()
}
