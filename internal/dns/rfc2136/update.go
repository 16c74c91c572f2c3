package rfc2136

import (
	"fmt"

	"github.com/miekg/dns"

	"example.org/ims/internal/dns/msg"
	"example.org/ims/pkg/zone"
)

// build makes a new update message of c. Its prerequisites hold the whole old
// RRset, and, where a new name appears, that it is no alias; a server ignores
// other data beside a CNAME and answers NOERROR. The old RRset is removed and
// the new one inserted, because some servers ignore an insertion that changes
// only the TTL. With soa, the zone's SOA is a prerequisite too.
func (w *Writer) build(c zone.Change, soa *zone.RRset) (*dns.Msg, error) {
	m := new(dns.Msg)
	m.SetUpdate(c.Zone)
	if soa != nil {
		rrs, err := msg.RRs(*soa)
		if err != nil {
			return nil, err
		}
		m.Used(rrs)
	}
	old, err := msg.RRs(c.Old)
	if err != nil {
		return nil, err
	}
	if c.Old.Empty() {
		m.RRsetNotUsed(stub(c.New.Name, c.New.Type))
		if c.New.Type != "CNAME" && c.New.Name != c.Zone {
			m.RRsetNotUsed(stub(c.New.Name, "CNAME"))
		}
	} else {
		m.Used(old)
	}
	return m, w.operations(m, c)
}

// probe makes an update with the operations of c whose prerequisite, that the
// zone has no SOA, is false: a server that would do it answers YXRRSET.
func (w *Writer) probe(c zone.Change) (*dns.Msg, error) {
	m := new(dns.Msg)
	m.SetUpdate(c.Zone)
	m.RRsetNotUsed(stub(c.Zone, "SOA"))
	return m, w.operations(m, c)
}

// operations adds what is to be done to m. Records are made anew for every
// section, because miekg/dns changes those it is given.
func (w *Writer) operations(m *dns.Msg, c zone.Change) error {
	rrs, err := msg.RRs(c.New)
	if err != nil {
		return err
	}
	if !c.Old.Empty() {
		m.RemoveRRset(stub(c.New.Name, c.New.Type))
	}
	m.Insert(rrs)
	if n := m.Len(); n > dns.MaxMsgSize-512 { // room for the signature
		return fmt.Errorf("update of %s %s is %d bytes, more than one message holds", c.New.Name, c.New.Type, n)
	}
	return nil
}

// stub stands for a name and a type without data.
func stub(name, typ string) []dns.RR {
	return []dns.RR{&dns.ANY{Hdr: dns.RR_Header{Name: name, Rrtype: dns.StringToType[typ], Class: dns.ClassINET}}}
}
