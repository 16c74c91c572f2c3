package wire

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"example.org/ims/internal/config"
	"example.org/ims/internal/dependents"
	"example.org/ims/internal/dns/resolve"
	"example.org/ims/pkg/gateway"
)

// mover finds and changes what names a configured gateway elsewhere.
func (s *site) mover(name, successor string) (*dependents.Mover, error) {
	resolver, err := newResolver(s.cfg.Resolver)
	if err != nil {
		return nil, err
	}
	m := &dependents.Mover{Gateways: map[string]gateway.Gateway{}, Look: lookup(resolver.resolver)}
	for _, g := range s.cfg.Gateways {
		t := dependents.Target{Name: g.Name, Hostname: g.Hostname, Listen: g.Listen, Site: g.Site}
		m.Gateways[g.Name] = s.gateway(g.Name)
		if g.Name == name {
			m.Target = t
			continue
		}
		m.Others = append(m.Others, t)
		if g.Name == successor {
			m.Next = &t
		}
	}
	return m, nil
}

// lookup finds the addresses of a host as the gateways do.
func lookup(r *resolve.Resolver) dependents.Lookup {
	return func(ctx context.Context, host string) ([]netip.AddrPort, error) {
		found, err := r.Host(ctx, host)
		if errors.Is(err, resolve.ErrNoSuchDomain) {
			return nil, fmt.Errorf("%w: %w", err, dependents.ErrNoHost)
		}
		if err != nil {
			return nil, err
		}
		var addrs []netip.AddrPort
		for _, t := range found {
			a, err := netip.ParseAddrPort(t.Addr)
			if err != nil {
				return nil, fmt.Errorf("look up %s: %w", host, err)
			}
			addrs = append(addrs, a)
		}
		return addrs, nil
	}
}

// Dependents implements cli.Organizations.
func (organizations) Dependents(c *config.Config, name, successor string) (*dependents.Mover, error) {
	return newSite(c).mover(name, successor)
}
