package server

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"example.org/ims/pkg/zone"
)

// data is one version of a zone. Published versions are never modified; an
// update works on a clone. The records in it are shared and never modified
// either.
type data struct {
	apex  string
	names map[string]map[uint16][]dns.RR
}

func newData(apex string) *data {
	return &data{apex: apex, names: map[string]map[uint16][]dns.RR{}}
}

// clone copies the tables, not the records.
func (d *data) clone() *data {
	c := newData(d.apex)
	for n, types := range d.names {
		c.names[n] = maps.Clone(types)
	}
	return c
}

func (d *data) get(name string, typ uint16) []dns.RR { return d.names[name][typ] }

// set replaces an RRset; an empty one removes it.
func (d *data) set(name string, typ uint16, rrs []dns.RR) {
	switch {
	case len(rrs) > 0 && d.names[name] == nil:
		d.names[name] = map[uint16][]dns.RR{typ: rrs}
	case len(rrs) > 0:
		d.names[name][typ] = rrs
	default:
		delete(d.names[name], typ)
		if len(d.names[name]) == 0 {
			delete(d.names, name)
		}
	}
}

// add puts a record into its RRset, whose TTL becomes that of the record.
func (d *data) add(rr dns.RR) {
	rr = dns.Copy(rr)
	h := rr.Header()
	h.Name, h.Class = zone.CanonicalName(h.Name), dns.ClassINET
	var set []dns.RR
	known := false
	for _, have := range d.get(h.Name, h.Rrtype) {
		known = known || dns.IsDuplicate(have, rr)
		if have.Header().Ttl != h.Ttl {
			have = dns.Copy(have)
			have.Header().Ttl = h.Ttl
		}
		set = append(set, have)
	}
	if !known {
		set = append(set, rr)
	}
	d.set(h.Name, h.Rrtype, set)
}

// Bounds of a zone text, and of an RRset, the latter as BIND has it with
// max-records-per-type.
const (
	maxRecords = 100000
	maxPerSet  = 100
)

// fits reports whether the RRset of rr is within the bound.
func (d *data) fits(rr dns.RR) bool {
	h := rr.Header()
	return len(d.get(zone.CanonicalName(h.Name), h.Rrtype)) <= maxPerSet
}

// exists reports whether a name has records, or names below it have.
func (d *data) exists(name string) bool {
	if d.names[name] != nil {
		return true
	}
	for n := range d.names {
		if zone.IsSubdomain(n, name) {
			return true
		}
	}
	return false
}

// soa is the zone's SOA; a valid zone has one.
func (d *data) soa() *dns.SOA {
	for _, rr := range d.get(d.apex, dns.TypeSOA) {
		if s, ok := rr.(*dns.SOA); ok {
			return s
		}
	}
	return nil
}

// bump gives the zone the next serial (RFC 1982); zero is skipped, because it
// has a meaning of its own in some implementations.
func (d *data) bump() {
	s, ok := dns.Copy(d.soa()).(*dns.SOA)
	if !ok {
		return
	}
	if s.Serial++; s.Serial == 0 {
		s.Serial = 1
	}
	d.set(d.apex, dns.TypeSOA, []dns.RR{s})
}

// all are the records of the zone, the SOA first, the rest in a fixed order.
func (d *data) all() []dns.RR {
	out := slices.Clone(d.get(d.apex, dns.TypeSOA))
	for _, n := range slices.Sorted(maps.Keys(d.names)) {
		for _, t := range slices.Sorted(maps.Keys(d.names[n])) {
			if t == dns.TypeSOA {
				continue
			}
			set := slices.Clone(d.names[n][t])
			slices.SortFunc(set, func(a, b dns.RR) int { return strings.Compare(a.String(), b.String()) })
			out = append(out, set...)
		}
	}
	return out
}

// equal compares all but the serial.
func (d *data) equal(o *data) bool {
	text := func(x *data) string {
		var b strings.Builder
		for _, rr := range x.all() {
			if s, ok := rr.(*dns.SOA); ok {
				c := *s
				c.Serial = 0
				rr = &c
			}
			fmt.Fprintln(&b, rr)
		}
		return b.String()
	}
	return text(d) == text(o)
}

// write writes the zone as RFC 1035 text.
func (d *data) write(w io.Writer) error {
	for _, rr := range d.all() {
		if _, err := fmt.Fprintln(w, rr); err != nil {
			return err
		}
	}
	return nil
}

// parse reads RFC 1035 zone text; $INCLUDE is refused.
func parse(apex, text string) (*data, error) {
	zp := dns.NewZoneParser(strings.NewReader(text), apex, "")
	zp.SetDefaultTTL(3600)
	zp.SetIncludeAllowed(false)
	var rrs []dns.RR
	for rr, ok := zp.Next(); ok; rr, ok = zp.Next() {
		if rrs = append(rrs, rr); len(rrs) > maxRecords {
			return nil, fmt.Errorf("parse zone %q: more than %d records", apex, maxRecords)
		}
	}
	if err := zp.Err(); err != nil {
		return nil, fmt.Errorf("parse zone %q: %w", apex, err)
	}
	return build(apex, rrs)
}

// build makes a zone of records and checks it: one SOA, name servers, nothing
// outside, no data beside an alias.
func build(apex string, rrs []dns.RR) (*data, error) {
	d := newData(apex)
	for _, rr := range rrs {
		h := rr.Header()
		switch {
		case h.Class != dns.ClassINET:
			return nil, fmt.Errorf("build zone %q: class of %s is not IN", apex, h.Name)
		case !zone.IsSubdomain(h.Name, apex):
			return nil, fmt.Errorf("build zone %q: %s lies outside", apex, h.Name)
		case !whole(rr):
			return nil, fmt.Errorf("build zone %q: %s %s without data", apex, h.Name, dns.TypeToString[h.Rrtype])
		}
		d.add(rr)
		if !d.fits(rr) {
			return nil, fmt.Errorf("build zone %q: more than %d %s records at %s", apex, maxPerSet, dns.TypeToString[h.Rrtype], h.Name)
		}
	}
	if len(d.get(apex, dns.TypeSOA)) != 1 {
		return nil, fmt.Errorf("build zone %q: %d SOA records, want one", apex, len(d.get(apex, dns.TypeSOA)))
	}
	if len(d.get(apex, dns.TypeNS)) == 0 {
		return nil, fmt.Errorf("build zone %q: no NS records", apex)
	}
	for n, types := range d.names {
		if len(types) > 1 && len(types[dns.TypeCNAME]) > 0 || len(types[dns.TypeCNAME]) > 1 {
			return nil, fmt.Errorf("build zone %q: %s has data beside an alias", apex, n)
		}
		if n != apex && len(types[dns.TypeSOA]) > 0 {
			return nil, fmt.Errorf("build zone %q: SOA at %s", apex, n)
		}
	}
	return d, nil
}

// whole reports whether rr has all its data. The zone parser takes a record
// without data, as it appears in updates, for one with empty fields; some of
// those do not survive the wire, the others cannot be read as text again.
func whole(rr dns.RR) bool {
	buf := make([]byte, dns.Len(rr)+1)
	n, err := dns.PackRR(rr, buf, 0, nil, false)
	if err != nil {
		return false
	}
	wire, _, err := dns.UnpackRR(buf[:n], 0)
	if err != nil || wire.Header().Rdlength == 0 {
		return false
	}
	text, err := dns.NewRR(rr.String())
	return err == nil && text != nil && dns.IsDuplicate(rr, text)
}
