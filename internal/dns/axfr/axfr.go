// Package axfr reads a whole zone by transfer (RFC 5936), to find what lies in
// it that nobody thought of. It writes nothing, keeps nothing, and follows no
// delegation.
//
// It imports miekg/dns for transfers and their signatures.
package axfr

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/miekg/dns"

	"example.org/ims/internal/dns/msg"
	"example.org/ims/internal/dns/tsig"
	"example.org/ims/pkg/zone"
)

// Config says what to transfer, and from where.
type Config struct {
	Zone    string        // apex
	Server  string        // ip or ip:port
	Key     *tsig.Key     // signs the request; nil asks without a signature
	Timeout time.Duration // of the whole transfer; 0 means 10 s
}

// RRsets transfers a zone and returns its RRsets of some types, ordered by name
// and then by type as they are asked for. An error says that nothing is known: a
// transfer that breaks off is none.
func RRsets(ctx context.Context, cfg Config, types ...string) ([]zone.RRset, error) {
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	rrs, err := transfer(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("transfer zone %q from %s: %w", cfg.Zone, cfg.Server, err)
	}
	type key struct{ name, typ string }
	sets := map[key][]dns.RR{}
	var names []string
	for _, rr := range rrs {
		k := key{zone.CanonicalName(rr.Header().Name), dns.TypeToString[rr.Header().Rrtype]}
		if slices.Contains(types, k.typ) {
			names, sets[k] = append(names, k.name), append(sets[k], rr)
		}
	}
	slices.Sort(names)
	var out []zone.RRset
	for _, name := range slices.Compact(names) {
		for _, typ := range types {
			if rrs := sets[key{name, typ}]; len(rrs) > 0 {
				out = append(out, msg.RRset(name, typ, rrs))
			}
		}
	}
	return out, nil
}

func transfer(ctx context.Context, cfg Config) ([]dns.RR, error) {
	addr := msg.WithPort(cfg.Server)
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }() // the transfer closes it too
	m := new(dns.Msg)
	m.SetAxfr(zone.CanonicalName(cfg.Zone))
	t := &dns.Transfer{Conn: &dns.Conn{Conn: conn}, ReadTimeout: cfg.Timeout, WriteTimeout: cfg.Timeout}
	if cfg.Key != nil {
		t.TsigProvider = tsig.NewRing(*cfg.Key)
		cfg.Key.Sign(m, time.Now().Unix())
	}
	envelopes, err := t.In(m, addr)
	if err != nil {
		return nil, err
	}
	var rrs []dns.RR
	for e := range envelopes { // read to the end, or the sender never ends
		if e.Error != nil && err == nil {
			err = e.Error
		}
		rrs = append(rrs, e.RR...)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, err
	case len(rrs) < 2 || !dns.IsDuplicate(rrs[0], rrs[len(rrs)-1]):
		return nil, errors.New("it does not end with the SOA that it began with")
	}
	return rrs[:len(rrs)-1], nil
}
