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
			one.Way, one.Through = "mail", s.through(ctx, g, &t)
		}
		all = append(all, one)
	}
	return all
}

// through says why mail for a target would pass through a gateway: it is handed
// to it, or to a site of the organization that routes it there.
func (s *site) through(ctx context.Context, g config.Gateway, t *notify.Target) string {
	for _, addr := range s.addresses(ctx, t.Via) {
		if sameListener(addr, g.Listen) {
			return fmt.Sprintf("it hands mail for %s to %s, where %s listens", t.Mail, t.Via, g.Name)
		}
		for _, site := range s.cfg.Organization.Sites {
			if site.Submission == "" || !sameListener(addr, site.Submission) {
				continue
			}
			r, ok := s.gateway(g.Name).(gateway.Router)
			if !ok {
				continue
			}
			if hops, err := r.Route(ctx, site.Name, t.Mail, 100); err == nil && hops[g.Name] > 0 {
				return fmt.Sprintf("it hands mail for %s to site %s, which routes it to %s", t.Mail, site.Name, g.Name)
			}
		}
	}
	return ""
}

// addresses are the address:ports behind a host:port; the host itself if it
// cannot be looked up.
func (s *site) addresses(ctx context.Context, hostPort string) []string {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil
	}
	if known, ok := s.cfg.Resolver.Hosts[host]; ok {
		return []string{known}
	}
	if net.ParseIP(host) != nil {
		return []string{hostPort}
	}
	found, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return []string{hostPort}
	}
	for i, a := range found {
		found[i] = net.JoinHostPort(a, port)
	}
	return found
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
