package server

import (
	"github.com/miekg/dns"

	"example.org/ims/pkg/zone"
)

// change applies one record of the update section to d (RFC 2136 3.4.2). What
// the protocol says to ignore silently is ignored silently: data beside an
// alias, an older SOA, the removal of the SOA or of the last name server.
func (d *data) change(rr dns.RR) {
	h := rr.Header()
	name := zone.CanonicalName(h.Name)
	switch h.Class {
	case dns.ClassINET:
		d.insert(name, rr)
	case dns.ClassANY:
		d.remove(name, h.Rrtype)
	case dns.ClassNONE:
		d.removeOne(name, rr)
	}
}

func (d *data) insert(name string, rr dns.RR) {
	alias := len(d.get(name, dns.TypeCNAME)) > 0
	switch x := rr.(type) {
	case *dns.SOA:
		if name == d.apex && int32(x.Serial-d.soa().Serial) > 0 {
			d.set(name, dns.TypeSOA, nil)
			d.add(rr)
		}
		return
	case *dns.CNAME:
		if !alias && d.names[name] != nil {
			return
		}
		d.set(name, dns.TypeCNAME, nil) // at most one
	default:
		if alias {
			return
		}
	}
	d.add(rr)
}

// remove deletes one RRset, or all of a name.
func (d *data) remove(name string, typ uint16) {
	types := []uint16{typ}
	if typ == dns.TypeANY {
		types = nil
		for t := range d.names[name] {
			types = append(types, t)
		}
	}
	for _, t := range types {
		if name != d.apex || t != dns.TypeSOA && t != dns.TypeNS {
			d.set(name, t, nil)
		}
	}
}

// removeOne deletes one record.
func (d *data) removeOne(name string, rr dns.RR) {
	typ := rr.Header().Rrtype
	gone := dns.Copy(rr)
	gone.Header().Class = dns.ClassINET
	var rest []dns.RR
	for _, have := range d.get(name, typ) {
		if !dns.IsDuplicate(have, gone) {
			rest = append(rest, have)
		}
	}
	if name == d.apex && (typ == dns.TypeSOA || typ == dns.TypeNS && len(rest) == 0) {
		return
	}
	d.set(name, typ, rest)
}

// targetsHaveAddresses checks the mail exchangers that an update adds, as far
// as they lie in the zone and not below a delegation.
func (d *data) targetsHaveAddresses(rrs []dns.RR) bool {
	for _, rr := range rrs {
		mx, ok := rr.(*dns.MX)
		if !ok || mx.Hdr.Class != dns.ClassINET {
			continue
		}
		host := zone.CanonicalName(mx.Mx)
		if host == "." || !zone.IsSubdomain(host, d.apex) || d.delegation(host, dns.TypeA) != "" {
			continue
		}
		types, _ := d.lookup(host)
		if len(types[dns.TypeA]) == 0 && len(types[dns.TypeAAAA]) == 0 {
			return false
		}
	}
	return true
}
