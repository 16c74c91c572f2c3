package wire

import (
	"context"
	"fmt"
	"net"

	"example.org/ims/internal/config"
	"example.org/ims/internal/notify"
	"example.org/ims/internal/preflight"
	"example.org/ims/pkg/gateway"
)

// told lists who is told what happens in runs, and whether that depends on the
// gateway.
func (s *site) told(ctx context.Context, g config.Gateway) []preflight.Told {
	all := []preflight.Told{}
	for _, t := range s.cfg.Notify.Targets {
		one := preflight.Told{Target: t.Name, Way: "exec"}
		switch {
		case t.Webhook != "":
			one.Way = "webhook"
		case t.Mail != "":
			one.Way = "mail"
			through, err := s.through(ctx, g, &t)
			if one.Through = through; err != nil {
				one.Err = fmt.Sprintf("whether mail for %s passes through %s is not known: %v", t.Mail, g.Name, err)
			}
		}
		all = append(all, one)
	}
	return all
}

// through says why mail for a target would pass through a gateway: it is handed
// to it, or to a site of the organization that routes it there. An error says
// why that is not known.
func (s *site) through(ctx context.Context, g config.Gateway, t *notify.Target) (string, error) {
	addrs, err := s.addresses(ctx, t.Via)
	if err != nil {
		return "", err
	}
	for _, addr := range addrs {
		if sameListener(addr, g.Listen) {
			return fmt.Sprintf("it hands mail for %s to %s, where %s listens", t.Mail, t.Via, g.Name), nil
		}
		for _, site := range s.cfg.Organization.Sites {
			if site.Submission == "" || !sameListener(addr, site.Submission) {
				continue
			}
			r, ok := s.gateway(g.Name).(gateway.Router)
			if !ok {
				return "", fmt.Errorf("the adapter of %s cannot route from site %s", g.Name, site.Name)
			}
			hops, err := r.Route(ctx, site.Name, t.Mail, 100)
			if err != nil {
				return "", fmt.Errorf("route from site %s: %w", site.Name, err)
			}
			if hops[g.Name] > 0 {
				return fmt.Sprintf("it hands mail for %s to site %s, which routes it to %s", t.Mail, site.Name, g.Name), nil
			}
		}
	}
	return "", nil
}

// addresses are the address:ports behind a host:port.
func (s *site) addresses(ctx context.Context, hostPort string) ([]string, error) {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", hostPort, err)
	}
	if known, ok := s.cfg.Resolver.Hosts[host]; ok {
		return []string{known}, nil
	}
	if net.ParseIP(host) != nil {
		return []string{hostPort}, nil
	}
	found, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("look up %s: %w", host, err)
	}
	for i, a := range found {
		found[i] = net.JoinHostPort(a, port)
	}
	return found, nil
}

// sameListener reports whether an address leads to a listener, which may listen
// on every address.
func sameListener(addr, listen string) bool {
	host, port, err := net.SplitHostPort(addr)
	lhost, lport, lerr := net.SplitHostPort(listen)
	if err != nil || lerr != nil || port != lport {
		return false
	}
	ip, lip := net.ParseIP(host), net.ParseIP(lhost)
	switch {
	case ip == nil || lip == nil:
		return host == lhost
	case lip.IsUnspecified():
		return ip.IsLoopback() || isLocal(ip)
	}
	return ip.Equal(lip)
}

// isLocal reports whether an address is one of this machine's.
func isLocal(ip net.IP) bool {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.Equal(ip) {
			return true
		}
	}
	return false
}
