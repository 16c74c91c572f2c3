package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/miekg/dns"

	"example.org/ims/internal/dns/tsig"
	"example.org/ims/pkg/zone"
)

// notified answers a NOTIFY (RFC 1996) and wakes follow. It must come from the
// primary: signed with the shared key or, without one, from its address.
func (s *Server) notified(w dns.ResponseWriter, q, r *dns.Msg) {
	switch {
	case zone.CanonicalName(q.Question[0].Name) != s.cfg.Zone:
		r.Rcode = dns.RcodeNotAuth
	case s.cfg.Primary == nil || !s.fromPrimary(w, q):
		r.Rcode = dns.RcodeRefused
	default:
		r.Authoritative = true
		s.wake()
	}
}

func (s *Server) fromPrimary(w dns.ResponseWriter, q *dns.Msg) bool {
	if key := s.cfg.Primary.Key; key != "" {
		t := q.IsTsig()
		return t != nil && zone.CanonicalName(t.Hdr.Name) == zone.CanonicalName(key)
	}
	from, _, _ := net.SplitHostPort(w.RemoteAddr().String())
	want, _, _ := net.SplitHostPort(s.cfg.Primary.Addr)
	return from == want
}

// follow keeps a secondary in step with its primary until ctx ends.
func (s *Server) follow(ctx context.Context) {
	for {
		err := s.refresh(ctx)
		if err != nil && ctx.Err() == nil {
			s.cfg.Log.Warn("dns zone not refreshed", slog.String("zone", s.cfg.Zone), slog.Any("err", err))
		}
		if !wait(ctx, s.interval(err), s.wakes[0]) {
			return
		}
	}
}

// wait returns after d, or when wake is ready; false when ctx ended.
func wait(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-wake:
	case <-ctx.Done():
		return false
	}
	return ctx.Err() == nil
}

// interval until the next refresh: as the SOA says, or a second while there is
// no zone at all.
func (s *Server) interval(err error) time.Duration {
	d := s.current.Load()
	switch {
	case s.cfg.Refresh > 0:
		return s.cfg.Refresh
	case d == nil:
		return time.Second
	case err != nil:
		return max(time.Second, time.Duration(d.soa().Retry)*time.Second)
	}
	return max(time.Second, time.Duration(d.soa().Refresh)*time.Second)
}

// refresh asks the primary for its serial and transfers the zone if it is
// newer (RFC 1034 4.3.5, RFC 1982).
func (s *Server) refresh(ctx context.Context) error {
	have := s.current.Load()
	if have != nil {
		serial, err := s.primarySerial(ctx)
		if err != nil {
			return err
		}
		if int32(serial-have.soa().Serial) <= 0 {
			s.confirm()
			return nil
		}
	}
	next, err := s.fetch(ctx)
	if err != nil {
		return err
	}
	if s.cfg.File != "" {
		if err := next.save(s.cfg.File); err != nil {
			return err
		}
	}
	s.publish(next)
	s.cfg.Log.Info("dns zone transferred", slog.String("zone", s.cfg.Zone), slog.Any("serial", next.soa().Serial))
	return nil
}

// confirm notes that the primary has nothing newer; the time of the file keeps
// it over a restart.
func (s *Server) confirm() {
	now := time.Now()
	s.fresh.Store(now.UnixNano())
	if s.cfg.File != "" {
		if err := os.Chtimes(s.cfg.File, now, now); err != nil {
			s.cfg.Log.Warn("dns zone file not touched", slog.Any("err", err))
		}
	}
}

// primarySerial asks the primary for its SOA over TCP.
func (s *Server) primarySerial(ctx context.Context) (uint32, error) {
	m := new(dns.Msg)
	m.SetQuestion(s.cfg.Zone, dns.TypeSOA)
	m.RecursionDesired = false
	r, err := s.ask(ctx, "tcp", *s.cfg.Primary, m)
	if err != nil {
		return 0, fmt.Errorf("ask primary of %q for its serial: %w", s.cfg.Zone, err)
	}
	if r.Rcode == dns.RcodeSuccess && r.Authoritative && len(r.Answer) > 0 {
		if soa, ok := r.Answer[0].(*dns.SOA); ok {
			return soa.Serial, nil
		}
	}
	return 0, fmt.Errorf("ask primary of %q for its serial: no authoritative SOA", s.cfg.Zone)
}

// ask sends m, new and unsigned, to r and wants a signed reply if there is a
// key.
func (s *Server) ask(ctx context.Context, network string, r Remote, m *dns.Msg) (*dns.Msg, error) {
	c := &dns.Client{Net: network, Timeout: ioTimeout}
	s.signFor(r, m, func(ring tsig.Ring) { c.TsigProvider = ring })
	conn, err := c.DialContext(ctx, r.Addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	in, _, err := c.ExchangeWithConnContext(ctx, m, conn)
	if err != nil {
		return nil, err
	}
	if c.TsigProvider != nil && in.IsTsig() == nil {
		return nil, errors.New("reply is not signed")
	}
	return in, nil
}
