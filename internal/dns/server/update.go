package server

import (
	"log/slog"

	"github.com/miekg/dns"

	"example.org/ims/pkg/zone"
)

// update performs a dynamic update and returns its code (RFC 2136 3). The
// right to update is checked before the prerequisites, as BIND does, so that
// an update with a false prerequisite tells whether it would be allowed. All
// or nothing is done; the zone file is written before the reply. The serial
// moves only if the zone changed.
func (s *Server) update(q *dns.Msg, g Grant) int {
	z := q.Question[0]
	switch {
	case z.Qtype != dns.TypeSOA || z.Qclass != dns.ClassINET:
		return dns.RcodeFormatError
	case zone.CanonicalName(z.Name) != s.cfg.Zone:
		return dns.RcodeNotAuth
	case s.cfg.Primary != nil || !g.Update:
		return dns.RcodeRefused
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	old := s.current.Load()
	if code := old.prerequisites(q.Answer); code != dns.RcodeSuccess {
		return code
	}
	if code := old.prescan(q.Ns); code != dns.RcodeSuccess {
		return code
	}
	next := old.clone()
	for _, rr := range q.Ns {
		next.change(rr)
		if !next.fits(rr) {
			return dns.RcodeServerFailure // so does BIND
		}
	}
	if s.cfg.CheckTargets && !next.targetsHaveAddresses(q.Ns) {
		s.cfg.Log.Warn("dns update refused: mail exchanger has no address records", slog.String("zone", s.cfg.Zone))
		return dns.RcodeRefused
	}
	if next.equal(old) && next.soa().Serial == old.soa().Serial {
		return dns.RcodeSuccess
	}
	if next.soa().Serial == old.soa().Serial {
		next.bump()
	}
	if s.cfg.File != "" {
		if err := next.save(s.cfg.File); err != nil {
			s.cfg.Log.Error("dns update not saved", slog.String("zone", s.cfg.Zone), slog.Any("err", err))
			return dns.RcodeServerFailure
		}
	}
	s.publish(next)
	s.wake()
	s.cfg.Log.Info("dns zone updated", slog.String("zone", s.cfg.Zone), slog.Any("serial", next.soa().Serial), slog.Any("key", g.Key))
	return dns.RcodeSuccess
}

// prerequisites checks the prerequisite section (RFC 2136 3.2).
func (d *data) prerequisites(rrs []dns.RR) int {
	type set struct {
		name string
		typ  uint16
	}
	values := map[set][]dns.RR{}
	for _, rr := range rrs {
		h := rr.Header()
		name := zone.CanonicalName(h.Name)
		switch {
		case h.Ttl != 0:
			return dns.RcodeFormatError
		case !zone.IsSubdomain(name, d.apex):
			return dns.RcodeNotZone
		case h.Class == dns.ClassINET && !meta(h.Rrtype) && h.Rdlength > 0:
			k := set{name, h.Rrtype}
			values[k] = append(values[k], rr)
		case h.Class != dns.ClassANY && h.Class != dns.ClassNONE || h.Rdlength != 0:
			return dns.RcodeFormatError
		default:
			if code := d.exists1(name, h.Rrtype, h.Class == dns.ClassANY); code != dns.RcodeSuccess {
				return code
			}
		}
	}
	for k, want := range values {
		if !sameSet(want, d.get(k.name, k.typ)) {
			return dns.RcodeNXRrset
		}
	}
	return dns.RcodeSuccess
}

// exists1 checks one prerequisite without value: that a name or an RRset is in
// use, or that it is not.
func (d *data) exists1(name string, typ uint16, want bool) int {
	missing, present := dns.RcodeNXRrset, dns.RcodeYXRrset
	have := len(d.get(name, typ)) > 0
	if typ == dns.TypeANY {
		missing, present = dns.RcodeNameError, dns.RcodeYXDomain
		have = d.names[name] != nil
	}
	switch {
	case want && !have:
		return missing
	case !want && have:
		return present
	}
	return dns.RcodeSuccess
}

// sameSet compares whole RRsets; TTLs do not count.
func sameSet(a, b []dns.RR) bool { return subset(a, b) && subset(b, a) }

func subset(a, b []dns.RR) bool {
	for _, x := range a {
		if !contains(b, x) {
			return false
		}
	}
	return true
}

func contains(set []dns.RR, rr dns.RR) bool {
	for _, x := range set {
		if dns.IsDuplicate(x, rr) {
			return true
		}
	}
	return false
}

// meta reports types that are questions or protocol, not data.
func meta(t uint16) bool {
	return t == dns.TypeNone || t == dns.TypeOPT || t >= 128 && t <= 255
}

// prescan checks the update section before anything is done (RFC 2136 3.4.1).
func (d *data) prescan(rrs []dns.RR) int {
	for _, rr := range rrs {
		h := rr.Header()
		if !zone.IsSubdomain(zone.CanonicalName(h.Name), d.apex) {
			return dns.RcodeNotZone
		}
		ok := false
		switch h.Class {
		case dns.ClassINET:
			ok = !meta(h.Rrtype) && h.Rdlength > 0
		case dns.ClassANY:
			ok = h.Ttl == 0 && h.Rdlength == 0 && (h.Rrtype == dns.TypeANY || !meta(h.Rrtype))
		case dns.ClassNONE:
			ok = h.Ttl == 0 && !meta(h.Rrtype) && h.Rdlength > 0
		}
		if !ok {
			return dns.RcodeFormatError
		}
	}
	return dns.RcodeSuccess
}
