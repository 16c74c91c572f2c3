package server

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/miekg/dns"

	"example.org/ims/internal/dns/tsig"
	"example.org/ims/pkg/zone"
)

// perMessage is how many records one message of a transfer holds.
const perMessage = 100

// transfer sends the zone (RFC 5936); true if the answer was sent. IXFR is
// answered with the whole zone (RFC 1995 4), and over UDP with the SOA alone.
func (s *Server) transfer(w dns.ResponseWriter, q, r *dns.Msg) bool {
	d := s.view()
	switch {
	case zone.CanonicalName(q.Question[0].Name) != s.cfg.Zone:
		r.Rcode = dns.RcodeNotAuth
		return false
	case !s.grant(q).Transfer:
		r.Rcode = dns.RcodeRefused
		return false
	case d == nil:
		r.Rcode = dns.RcodeServerFailure
		return false
	case w.RemoteAddr().Network() == "udp":
		if q.Question[0].Qtype == dns.TypeAXFR {
			r.Rcode = dns.RcodeFormatError
		} else {
			r.Authoritative, r.Answer = true, []dns.RR{d.soa()}
		}
		return false
	}
	rrs := append(d.all(), d.soa())
	for len(rrs) > 0 {
		n := min(perMessage, len(rrs))
		part := new(dns.Msg)
		part.SetReply(q)
		part.Authoritative, part.Compress, part.Answer = true, true, rrs[:n]
		sign(w, q, part)
		if err := w.WriteMsg(part); err != nil {
			s.cfg.Log.Warn("dns transfer broken off", slog.String("zone", s.cfg.Zone), slog.Any("err", err))
			_ = w.Close()
			return true
		}
		w.TsigTimersOnly(true)
		rrs = rrs[n:]
	}
	return true
}

// fetch transfers the zone from the primary. Any error discards all of it.
func (s *Server) fetch(ctx context.Context) (*data, error) {
	m := new(dns.Msg)
	m.SetAxfr(s.cfg.Zone)
	conn, err := (&net.Dialer{Timeout: ioTimeout}).DialContext(ctx, "tcp", s.cfg.Primary.Addr)
	if err != nil {
		return nil, fmt.Errorf("transfer zone %q: %w", s.cfg.Zone, err)
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	t := &dns.Transfer{Conn: &dns.Conn{Conn: conn}, ReadTimeout: ioTimeout}
	s.signFor(*s.cfg.Primary, m, func(r tsig.Ring) { t.TsigProvider = r })
	env, err := t.In(m, s.cfg.Primary.Addr)
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("transfer zone %q: %w", s.cfg.Zone, err)
	}
	var rrs []dns.RR
	for e := range env { // read to the end, or the sender of env never ends
		if e.Error != nil && err == nil {
			err = e.Error
		}
		rrs = append(rrs, e.RR...)
	}
	if err != nil {
		return nil, fmt.Errorf("transfer zone %q: %w", s.cfg.Zone, err)
	}
	if len(rrs) < 2 || !dns.IsDuplicate(rrs[0], rrs[len(rrs)-1]) {
		return nil, fmt.Errorf("transfer zone %q: does not end with the SOA it began with", s.cfg.Zone)
	}
	return build(s.cfg.Zone, rrs[:len(rrs)-1])
}

// signFor signs m with the key shared with r, if there is one.
func (s *Server) signFor(r Remote, m *dns.Msg, use func(tsig.Ring)) {
	if k, ok := s.ring[zone.CanonicalName(r.Key)]; r.Key != "" && ok {
		use(tsig.NewRing(k))
		k.Sign(m, time.Now().Unix())
	}
}
