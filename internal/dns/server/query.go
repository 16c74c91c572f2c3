package server

import (
	"strings"
	"time"

	"github.com/miekg/dns"

	"example.org/ims/pkg/zone"
)

// aliasLimit bounds a chain of CNAMEs inside the zone.
const aliasLimit = 16

// view is the version to answer from: none, or an expired one of a secondary
// (RFC 1035 3.3.13), is nil.
func (s *Server) view() *data {
	d := s.current.Load()
	if d == nil || s.cfg.Primary == nil {
		return d
	}
	age := time.Duration(time.Now().UnixNano() - s.fresh.Load())
	if age > time.Duration(d.soa().Expire)*time.Second {
		return nil
	}
	return d
}

// query answers a question from the zone (RFC 1034 4.3.2).
func (s *Server) query(q dns.Question, r *dns.Msg) {
	name := zone.CanonicalName(q.Name)
	if !zone.IsSubdomain(name, s.cfg.Zone) {
		r.Rcode = dns.RcodeRefused
		return
	}
	d := s.view()
	if d == nil {
		r.Rcode = dns.RcodeServerFailure
		return
	}
	r.Authoritative = true
	for range aliasLimit {
		if cut := d.delegation(name, q.Qtype); cut != "" {
			r.Authoritative = len(r.Answer) > 0
			r.Ns = append(r.Ns, d.get(cut, dns.TypeNS)...)
			break
		}
		types, found := d.lookup(name)
		if !found {
			r.Rcode = dns.RcodeNameError
		}
		got := answer(types, q.Qtype)
		r.Answer = append(r.Answer, got...)
		if len(got) > 0 {
			break
		}
		alias, ok := first(types[dns.TypeCNAME])
		if !ok {
			r.Ns = append(r.Ns, d.negative())
			break
		}
		r.Answer = append(r.Answer, alias)
		name = zone.CanonicalName(alias.Target)
		if !zone.IsSubdomain(name, d.apex) {
			break
		}
	}
	d.additional(r)
}

// answer picks the records of one type, or of any.
func answer(types map[uint16][]dns.RR, t uint16) []dns.RR {
	if t != dns.TypeANY {
		return types[t]
	}
	var out []dns.RR
	for _, rrs := range types {
		out = append(out, rrs...)
	}
	return out
}

func first(rrs []dns.RR) (*dns.CNAME, bool) {
	if len(rrs) == 0 {
		return nil, false
	}
	c, ok := rrs[0].(*dns.CNAME)
	return c, ok
}

// lookup finds the records of a name, or those of the wildcard that covers it
// under this name (RFC 4592).
func (d *data) lookup(name string) (types map[uint16][]dns.RR, found bool) {
	if d.exists(name) {
		return d.names[name], true
	}
	for enc := parent(name); zone.IsSubdomain(enc, d.apex); enc = parent(enc) {
		if !d.exists(enc) {
			continue
		}
		wild, ok := d.names["*."+enc]
		if !ok {
			return nil, false
		}
		types = map[uint16][]dns.RR{}
		for t, rrs := range wild {
			for _, rr := range rrs {
				rr = dns.Copy(rr)
				rr.Header().Name = name
				types[t] = append(types[t], rr)
			}
		}
		return types, true
	}
	return nil, false
}

// parent cuts the first label off.
func parent(name string) string {
	if i, end := dns.NextLabel(name, 0); !end {
		return name[i:]
	}
	return "."
}

// delegation is the owner of the zone cut at or above name, "" if there is
// none. The DS of a cut belongs to this side of it.
func (d *data) delegation(name string, typ uint16) string {
	cut := ""
	for n := name; n != d.apex && n != "."; n = parent(n) {
		if len(d.get(n, dns.TypeNS)) > 0 && (n != name || typ != dns.TypeDS) {
			cut = n
		}
	}
	return cut
}

// negative is the SOA with the TTL of a negative answer (RFC 2308 3).
func (d *data) negative() dns.RR {
	s := *d.soa()
	s.Hdr.Ttl = min(s.Hdr.Ttl, s.Minttl)
	return &s
}

// additional adds the addresses of the hosts that r names.
func (d *data) additional(r *dns.Msg) {
	seen := map[string]bool{}
	for _, rr := range append(r.Answer[:len(r.Answer):len(r.Answer)], r.Ns...) {
		var host string
		switch x := rr.(type) {
		case *dns.MX:
			host = x.Mx
		case *dns.NS:
			host = x.Ns
		case *dns.SRV:
			host = x.Target
		}
		host = strings.ToLower(host)
		if host == "" || seen[host] {
			continue
		}
		seen[host] = true
		r.Extra = append(r.Extra, d.get(host, dns.TypeA)...)
		r.Extra = append(r.Extra, d.get(host, dns.TypeAAAA)...)
	}
}
