package dependents

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// smtpPort is the port of a host that is named without one.
const smtpPort = 25

// identity is everything by which a gateway can be named.
type identity struct {
	hosts  []string
	addrs  []netip.AddrPort
	shared map[netip.Addr]bool // addresses that others have too: without a port they name nobody
	look   Lookup
	blind  error // why the gateway's own addresses are not all known
	known  map[string]answer
}

type answer struct {
	addrs []netip.AddrPort
	err   error
}

// identify finds the addresses of a gateway: where it listens, and what its
// host name leads to.
func identify(ctx context.Context, t Target, others []Target, look Lookup) *identity {
	id := &identity{hosts: []string{fold(t.Hostname), fold(t.Name)}, shared: map[netip.Addr]bool{}, look: look, known: map[string]answer{}}
	id.addrs = listens(t)
	if got, err := id.lookup(ctx, t.Hostname); err == nil {
		id.addrs = append(id.addrs, got...)
	} else if len(id.addrs) == 0 {
		id.blind = fmt.Errorf("the addresses of %s are not known: %w", t.Name, err)
	}
	for _, o := range others {
		at := listens(o)
		if got, err := id.lookup(ctx, o.Hostname); err == nil {
			at = append(at, got...)
		}
		for _, a := range at {
			id.shared[a.Addr()] = true
		}
	}
	return id
}

// listens is the address that a gateway listens at, unless it is every one.
func listens(t Target) []netip.AddrPort {
	a, err := netip.ParseAddrPort(t.Listen)
	if err != nil || a.Addr().IsUnspecified() {
		return nil
	}
	return []netip.AddrPort{netip.AddrPortFrom(a.Addr().Unmap(), a.Port())}
}

// lookup looks a host up, once. No such host is an answer.
func (id *identity) lookup(ctx context.Context, host string) ([]netip.AddrPort, error) {
	host = fold(host)
	if a, ok := id.known[host]; ok {
		return a.addrs, a.err
	}
	addrs, err := id.look(ctx, host)
	if errors.Is(err, ErrNoHost) {
		addrs, err = nil, nil
	}
	for i, a := range addrs {
		addrs[i] = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	}
	id.known[host] = answer{addrs, err}
	return addrs, err
}

// names says how a value names the gateway, "" if it does not; the error says
// why that cannot be found out.
func (id *identity) names(ctx context.Context, m mention) (string, error) {
	host, port := splitHost(m.value)
	if ip, err := netip.ParseAddr(host); err == nil {
		switch {
		case m.network && id.alone(ip.Unmap()), !m.network && id.at(ip.Unmap(), port):
			return "its address", nil
		}
		return "", id.blind
	}
	if slices.Contains(id.hosts, host) {
		return "its name", nil
	}
	found, err := id.lookup(ctx, host)
	if err != nil {
		return "", fmt.Errorf("look up %s: %w", host, err)
	}
	return id.leads(found, port)
}

// leads says whether addresses that a name was looked up to are the gateway's.
func (id *identity) leads(found []netip.AddrPort, port uint16) (string, error) {
	for _, a := range found {
		p := a.Port()
		if port != 0 {
			p = port
		}
		if id.at(a.Addr(), p) {
			return "an alias of " + a.Addr().String(), nil
		}
	}
	if len(found) > 0 {
		return "", id.blind
	}
	return "", nil
}

// at reports whether an address is the gateway's: with its port, or without one
// if nobody else has the address. A port of 0 is none.
func (id *identity) at(ip netip.Addr, port uint16) bool {
	if port == 0 && id.alone(ip) {
		return true
	}
	if port == 0 {
		port = smtpPort
	}
	return slices.Contains(id.addrs, netip.AddrPortFrom(ip, port))
}

// alone reports whether an address is the gateway's and nobody else's.
func (id *identity) alone(ip netip.Addr) bool {
	return !id.shared[ip] && slices.ContainsFunc(id.addrs, func(a netip.AddrPort) bool { return a.Addr() == ip })
}

// splitHost takes a host as settings have it apart: brackets and a leading @
// mean nothing here. A port of 0 is none.
func splitHost(value string) (host string, port uint16) {
	host = strings.TrimPrefix(strings.TrimSpace(value), "@")
	if h, p, err := net.SplitHostPort(host); err == nil {
		if ap, err := netip.ParseAddrPort("0.0.0.0:" + p); err == nil {
			host, port = h, ap.Port()
		}
	}
	return fold(strings.Trim(host, "[]")), port
}

func fold(host string) string { return strings.TrimSuffix(strings.ToLower(host), ".") }
