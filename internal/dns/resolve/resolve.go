// Package resolve finds the hosts that take mail for a domain (RFC 5321 5.1),
// with a cache that obeys published TTLs, for senders and gateways of a lab and
// wherever the system's resolver must not be used. It asks a configured list of
// servers, recursive or authoritative, in order; it does not iterate from the
// root and does not validate DNSSEC.
//
// It imports miekg/dns for the codes and records of replies.
package resolve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"example.org/ims/internal/dns/msg"
	"example.org/ims/pkg/zone"
)

// Errors by which a domain takes no mail for good. Every other error of a
// lookup is temporary.
var (
	// ErrNoSuchDomain: NXDOMAIN, or neither mail exchangers nor addresses.
	ErrNoSuchDomain = errors.New("no such domain")
	// ErrNullMX: the domain says that it takes no mail (RFC 7505).
	ErrNullMX = errors.New("domain accepts no mail (null MX)")
)

// Target is one address of one host that takes mail for a domain.
type Target struct {
	Host string // without the final dot
	Addr string // ip:port
	Pref uint16 // lower is tried first
}

// Config says whom to ask.
type Config struct {
	Servers []string // ip or ip:port, asked in this order
	// Hosts gives hosts an address and a port, ahead of the DNS, as
	// /etc/hosts does; a lab needs no port 25 and no root this way.
	Hosts map[string]string
	Port  string // of hosts not in Hosts; "" means 25
	// MinTTL stretches shorter TTLs, as cache-min-ttl does in resolvers;
	// MaxTTL cuts longer ones, 0 means a day.
	MinTTL, MaxTTL time.Duration
	Timeout        time.Duration // of one question to one server; 0 means 3 s
}

// Resolver looks hosts up. It is safe for concurrent use.
type Resolver struct {
	cfg   Config
	cache cache
}

// Bounds of one lookup.
const (
	maxHosts   = 32 // mail exchangers looked at
	maxAliases = 8  // questions along a chain of aliases
)

// New checks cfg and makes a Resolver with an empty cache.
func New(cfg Config) (*Resolver, error) {
	if len(cfg.Servers) == 0 {
		return nil, errors.New("make resolver: no servers")
	}
	cfg.Servers = slices.Clone(cfg.Servers)
	for i, s := range cfg.Servers {
		cfg.Servers[i] = msg.WithPort(s)
		if host, _, err := net.SplitHostPort(cfg.Servers[i]); err != nil || net.ParseIP(host) == nil {
			return nil, fmt.Errorf("make resolver: server %q is not an address", s)
		}
	}
	hosts := map[string]string{}
	for h, addr := range cfg.Hosts {
		if _, err := netip.ParseAddrPort(addr); err != nil {
			return nil, fmt.Errorf("make resolver: host %q: %w", h, err)
		}
		hosts[zone.CanonicalName(h)] = addr
	}
	cfg.Hosts = hosts
	cfg.Port = cmp.Or(cfg.Port, "25")
	cfg.Timeout = cmp.Or(cfg.Timeout, 3*time.Second)
	cfg.MaxTTL = max(cmp.Or(cfg.MaxTTL, 24*time.Hour), cfg.MinTTL)
	return &Resolver{cfg: cfg, cache: cache{entries: map[question]entry{}}}, nil
}

// Lookup finds the targets of a domain, by preference.
func (r *Resolver) Lookup(ctx context.Context, domain string) ([]Target, error) {
	t, _, err := r.LookupMX(ctx, domain)
	return t, err
}

// LookupMX is Lookup that also says how long the mail exchangers, or their
// absence, stay in the cache. Without mail exchangers the domain's own
// addresses are the targets, at preference 0. Exchangers that have no address
// now are left out; if none is left the error is temporary.
func (r *Resolver) LookupMX(ctx context.Context, domain string) ([]Target, time.Duration, error) {
	name := zone.CanonicalName(domain)
	set, ttl, err := r.rrset(ctx, name, "MX")
	_, listed := r.cfg.Hosts[name]
	switch {
	case errors.Is(err, ErrNoSuchDomain) && listed:
	case err != nil:
		return nil, ttl, fmt.Errorf("look up mail exchangers of %q: %w", domain, err)
	}
	if set.Empty() {
		out, err := r.Host(ctx, domain)
		return out, ttl, err
	}
	mx, err := set.MX()
	if err != nil {
		return nil, ttl, err
	}
	if len(mx) == 1 && mx[0].Host == "." {
		return nil, ttl, fmt.Errorf("look up mail exchangers of %q: %w", domain, ErrNullMX)
	}
	out, err := r.addresses(ctx, mx)
	if len(out) == 0 {
		return nil, ttl, fmt.Errorf("look up mail exchangers of %q: none has an address: %s", domain, reason(err))
	}
	return out, ttl, nil
}

// reason is err in words: a host that does not exist is not the domain, so the
// sentinel must not be found in the chain.
func reason(err error) string {
	if err == nil {
		return "no host named"
	}
	return err.Error()
}

// addresses looks the exchangers up; err is the last failure.
func (r *Resolver) addresses(ctx context.Context, mx []zone.MX) (out []Target, err error) {
	for _, m := range mx[:min(len(mx), maxHosts)] {
		if m.Host == "." {
			continue
		}
		t, e := r.Host(ctx, m.Host)
		if e != nil {
			err = e
			continue
		}
		for _, x := range t {
			x.Pref = m.Pref
			out = append(out, x)
		}
	}
	return out, err
}

// Host finds the addresses of one host, without mail exchangers: IPv4 first.
func (r *Resolver) Host(ctx context.Context, host string) ([]Target, error) {
	name := zone.CanonicalName(host)
	shown := name[:len(name)-1]
	if addr, ok := r.cfg.Hosts[name]; ok {
		return []Target{{Host: shown, Addr: addr}}, nil
	}
	var out []Target
	a, _, errA := r.rrset(ctx, name, "A")
	aaaa, _, errAAAA := r.rrset(ctx, name, "AAAA")
	for _, ip := range append(a.Data, aaaa.Data...) {
		out = append(out, Target{Host: shown, Addr: net.JoinHostPort(ip, r.cfg.Port)})
	}
	if len(out) > 0 {
		return out, nil
	}
	for _, err := range []error{errA, errAAAA} { // a temporary failure hides addresses
		if err != nil && !errors.Is(err, ErrNoSuchDomain) {
			return nil, fmt.Errorf("look up host %q: %w", host, err)
		}
	}
	return nil, fmt.Errorf("look up host %q: no address: %w", host, ErrNoSuchDomain)
}

// RRset finds the records of a name, and follows no alias: a name that is one has
// no addresses of its own. A name without such records, or that does not exist,
// has an RRset without data and no error. A host of Config.Hosts has the address
// that it is given there, and is no alias.
func (r *Resolver) RRset(ctx context.Context, name, typ string) (zone.RRset, error) {
	q := zone.NewRRset(name, typ, 0)
	if at, ok := r.cfg.Hosts[q.Name]; ok && (q.Type == "A" || q.Type == "AAAA" || q.Type == "CNAME") {
		if a, err := netip.ParseAddrPort(at); err == nil && (a.Addr().Unmap().Is4() && q.Type == "A" || a.Addr().Is6() && !a.Addr().Is4In6() && q.Type == "AAAA") {
			return zone.NewRRset(q.Name, q.Type, 0, a.Addr().Unmap().String()), nil
		}
		return q, nil
	}
	set, _, err := r.rrset(ctx, q.Name, q.Type)
	switch {
	case errors.Is(err, ErrNoSuchDomain):
		return q, nil
	case err != nil:
		return q, fmt.Errorf("look up %s %s: %w", name, typ, err)
	case set.Name != q.Name: // what it is an alias of
		return q, nil
	}
	return set, nil
}
