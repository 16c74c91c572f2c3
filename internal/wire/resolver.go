package wire

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"example.org/ims/internal/config"
	"example.org/ims/internal/dns/resolve"
	"example.org/ims/internal/mail/delivery"
	"example.org/ims/pkg/zone"
)

// systemResolver is where the system's name servers are named (resolv.conf(5)).
const systemResolver = "/etc/resolv.conf"

// nextHops finds next hops for delivery.
type nextHops struct{ resolver *resolve.Resolver }

var (
	_ delivery.Resolver     = nextHops{}
	_ delivery.HostResolver = nextHops{}
)

// newResolver looks names up as the configuration says, or as the system does.
func newResolver(c config.Resolver) (nextHops, error) {
	servers := c.Servers
	if len(servers) == 0 {
		var err error
		if servers, err = systemServers(systemResolver); err != nil {
			return nextHops{}, err
		}
	}
	r, err := resolve.New(resolve.Config{Servers: servers, Hosts: c.Hosts})
	return nextHops{r}, err
}

// systemServers reads the name servers of a resolv.conf file. Without any, a
// server on this machine is asked, as resolv.conf(5) says.
func systemServers(file string) ([]string, error) {
	data, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("find name servers: %w", err)
	}
	var servers []string
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 2 || f[0] != "nameserver" {
			continue
		}
		if addr, err := netip.ParseAddr(f[1]); err == nil && addr.Zone() == "" {
			servers = append(servers, f[1])
		}
	}
	if len(servers) == 0 {
		servers = []string{"127.0.0.1"}
	}
	return servers, nil
}

// Lookup implements delivery.Resolver.
func (n nextHops) Lookup(ctx context.Context, domain string) ([]delivery.Target, error) {
	return targets(n.resolver.Lookup(ctx, domain))
}

// Host implements delivery.HostResolver.
func (n nextHops) Host(ctx context.Context, host string) ([]delivery.Target, error) {
	return targets(n.resolver.Host(ctx, host))
}

// targets are a look-up's results in the words of delivery.
func targets(found []resolve.Target, err error) ([]delivery.Target, error) {
	switch {
	case errors.Is(err, resolve.ErrNoSuchDomain):
		err = fmt.Errorf("%w: %w", err, delivery.ErrNoSuchDomain)
	case errors.Is(err, resolve.ErrNullMX):
		err = fmt.Errorf("%w: %w", err, delivery.ErrNullMX)
	}
	var out []delivery.Target
	for _, t := range found {
		out = append(out, delivery.Target{Host: t.Host, Addr: t.Addr, Pref: int(t.Pref)})
	}
	return out, err
}

// hostsOf are the addresses that the configuration gives to names, by canonical
// name.
func hostsOf(c config.Resolver) map[string]netip.Addr {
	out := map[string]netip.Addr{}
	for name, at := range c.Hosts {
		if a, err := netip.ParseAddrPort(at); err == nil { // the configuration was checked
			out[zone.CanonicalName(name)] = a.Addr().Unmap()
		}
	}
	return out
}
