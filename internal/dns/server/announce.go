package server

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/miekg/dns"
)

// notifyTries is how often a NOTIFY without answer is sent (RFC 1996 3.6).
const notifyTries = 5

// announce tells a secondary of every change until ctx ends, and of the zone
// it starts with. Changes during the delay are told together.
func (s *Server) announce(ctx context.Context, r Remote, wake <-chan struct{}) {
	for {
		if s.cfg.NotifyDelay > 0 && !wait(ctx, s.cfg.NotifyDelay, nil) {
			return
		}
		s.notify(ctx, r, wake)
		select {
		case <-wake:
		case <-ctx.Done():
			return
		}
	}
}

// notify sends one NOTIFY, again after growing pauses while there is no
// answer, or until there is something newer to tell.
func (s *Server) notify(ctx context.Context, r Remote, wake <-chan struct{}) {
	var err error
	for n := range notifyTries {
		if n > 0 && (len(wake) > 0 || !wait(ctx, time.Second<<(n-1), nil)) {
			break
		}
		m := new(dns.Msg)
		m.SetNotify(s.cfg.Zone)
		m.Answer = []dns.RR{s.current.Load().soa()}
		var in *dns.Msg
		if in, err = s.ask(ctx, "udp", r, m); err == nil && in.Rcode != dns.RcodeSuccess {
			err = fmt.Errorf("%s", dns.RcodeToString[in.Rcode])
		}
		if err == nil {
			return
		}
	}
	if ctx.Err() == nil {
		s.cfg.Log.Warn("dns secondary not notified", slog.String("zone", s.cfg.Zone), slog.String("server", r.Addr), slog.Any("err", err))
	}
}
