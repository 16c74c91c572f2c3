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

// identity is everything by which a gateway can be named. What needs look-ups is
// found when it is first asked for.
type identity struct {
	of     Target
	others []Target
	look   Lookup
	known  map[string]answer

	addrs  []netip.AddrPort    // where it listens, and what its host name leads to
	blind  error               // why these are not all known
	shared map[netip.Addr]bool // addresses that others have too: without a port they name nobody
}

type answer struct {
	addrs []netip.AddrPort
	err   error
}

func identify(t Target, others []Target, look Lookup) *identity {
	return &identity{of: t, others: others, look: look, known: map[string]answer{}}
}

// resolve finds the addresses of the gateway, and those of the others.
func (id *identity) resolve(ctx context.Context) {
	if id.shared != nil {
		return
	}
	id.shared = map[netip.Addr]bool{}
	theirs := map[netip.AddrPort]bool{}
	for _, o := range id.others {
		at := listens(o)
		if got, err := id.lookup(ctx, o.Hostname); err == nil {
			at = append(at, got...)
		}
		for _, a := range at {
			id.shared[a.Addr()], theirs[a] = true, true
		}
	}
	id.addrs = listens(id.of)
	got, err := id.lookup(ctx, id.of.Hostname)
	if err != nil && len(id.addrs) == 0 {
		id.blind = fmt.Errorf("the addresses of %s are not known: %w", id.of.Name, err)
	}
	for _, a := range got {
		if !theirs[a] { // else its name leads to another gateway, which took it over
			id.addrs = append(id.addrs, a)
		}
	}
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
	if host == fold(id.of.Hostname) || host == fold(id.of.Name) {
		return "its name", nil
	}
	id.resolve(ctx)
	if ip, err := netip.ParseAddr(host); err == nil {
		switch {
		case m.network && id.alone(ip.Unmap()), !m.network && id.at(ip.Unmap(), port):
			return "its address", nil
		}
		return "", id.blind
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
