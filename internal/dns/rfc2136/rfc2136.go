// Package rfc2136 changes RRsets of a zone by dynamic update (RFC 2136) signed
// with TSIG (RFC 8945). Every change is a compare-and-swap: the whole old
// RRset is a value-dependent prerequisite. It does not believe NOERROR, it
// reads back; it takes a time-out for unknown, not for failed; it never sends
// a message twice, it builds and signs a new one; and it does not accept
// success from an unsigned reply to a signed request.
//
// It imports miekg/dns for messages and their signatures.
package rfc2136

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/miekg/dns"

	"example.org/ims/internal/dns/msg"
	"example.org/ims/internal/dns/tsig"
	"example.org/ims/pkg/zone"
)

// Config says where and how to write.
type Config struct {
	Zone   string // apex
	Server string // the primary, ip or ip:port; never taken from the SOA
	// Key signs updates. Without one, Unsigned must be set.
	Key      *tsig.Key
	Unsigned bool
	// Strict makes the apex SOA a prerequisite too, so that any change of the
	// zone in between is a conflict. It closes the case in which the data went
	// from Old to something else and back.
	Strict bool
	// Timeout of one exchange; 0 means 10 s. Backoff is the wait before an
	// ambiguous exchange is repeated; 0 means 1 s.
	Timeout, Backoff time.Duration
	Log              *slog.Logger // nil means none
}

// attempts is how often an ambiguous update is sent at most.
const attempts = 3

// Writer is a zone.Writer. It keeps no connection and no state.
type Writer struct {
	cfg  Config
	ring tsig.Ring
}

var _ zone.Writer = (*Writer)(nil)

// New checks cfg and makes a Writer. It does not touch the network.
func New(cfg Config) (*Writer, error) {
	cfg.Zone, cfg.Server = zone.CanonicalName(cfg.Zone), msg.WithPort(cfg.Server)
	if host, _, err := net.SplitHostPort(cfg.Server); err != nil || net.ParseIP(host) == nil {
		return nil, fmt.Errorf("make writer of zone %q: server %q is not an address", cfg.Zone, cfg.Server)
	}
	if (cfg.Key == nil) != cfg.Unsigned {
		return nil, fmt.Errorf("make writer of zone %q: want a key, or unsigned updates asked for by name", cfg.Zone)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.Backoff == 0 {
		cfg.Backoff = time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	w := &Writer{cfg: cfg}
	if cfg.Key != nil {
		w.ring = tsig.NewRing(*cfg.Key)
	}
	return w, nil
}

// Caps of dynamic update.
func (w *Writer) Caps() zone.Caps {
	return zone.Caps{
		Adapter: "rfc2136", Zone: w.cfg.Zone, Server: w.cfg.Server,
		Atomic: true, Conditional: true, Preflight: true, NullMX: true,
	}
}

// Read asks the primary over TCP.
func (w *Writer) Read(ctx context.Context, name, typ string) (zone.RRset, error) {
	r, _, err := w.read(ctx, name, typ)
	return r, err
}

// read returns the RRset and the CNAME at its name, if there is one.
func (w *Writer) read(ctx context.Context, name, typ string) (r, alias zone.RRset, err error) {
	r = zone.NewRRset(name, typ, 0)
	m, _, err := msg.Ask(ctx, msg.Query{Addr: w.cfg.Server, Name: r.Name, Type: r.Type, TCP: true, Timeout: w.cfg.Timeout})
	switch {
	case err != nil:
		return r, alias, fmt.Errorf("read %s %s: %w: %w", r.Name, r.Type, zone.ErrUnreachable, err)
	case m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError:
		return r, alias, fmt.Errorf("read %s %s from %s: %s: %w", r.Name, r.Type, w.cfg.Server, rcode(m.Rcode), zone.ErrNotAuthoritative)
	case !m.Authoritative || m.Truncated:
		return r, alias, fmt.Errorf("read %s %s from %s: AA=%v TC=%v: %w", r.Name, r.Type, w.cfg.Server, m.Authoritative, m.Truncated, zone.ErrNotAuthoritative)
	}
	return msg.Answer(r.Name, r.Type, m), msg.RRset(r.Name, "CNAME", m.Answer), nil
}

func rcode(n int) string {
	if s, ok := dns.RcodeToString[n]; ok {
		return s
	}
	return fmt.Sprintf("RCODE%d", n)
}

// exchange signs m, which must be new, sends it over TCP and judges the reply.
func (w *Writer) exchange(ctx context.Context, m *dns.Msg) zone.Outcome {
	c := &dns.Client{Net: "tcp", Timeout: w.cfg.Timeout}
	if w.cfg.Key != nil {
		c.TsigProvider = w.ring
		w.cfg.Key.Sign(m, time.Now().Unix())
	}
	o := zone.Outcome{Rcode: -1, TSIGErr: -1}
	conn, err := c.DialContext(ctx, w.cfg.Server)
	if err != nil {
		o.Kind, o.Detail = zone.Unreachable, err.Error()
		return o
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	r, rtt, err := c.ExchangeWithConnContext(ctx, m, conn)
	o = w.classify(m.Id, r, err)
	o.RTT = rtt
	w.cfg.Log.LogAttrs(ctx, slog.LevelDebug, "dns update", slog.String("zone", w.cfg.Zone),
		slog.String("server", w.cfg.Server), slog.String("outcome", o.String()), slog.Duration("rtt", rtt))
	return o
}
