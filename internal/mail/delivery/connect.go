package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// maxTargets is how many addresses one attempt tries; RFC 5321 section 5.1
// asks for at least two.
const maxTargets = 8

// unreachable is that no host of a destination could be reached; its Outcome
// goes for every entry there.
type unreachable struct{ Outcome }

func (u *unreachable) Error() string { return u.Reply }

func notNow(status, format string, args ...any) error {
	return &unreachable{Outcome{Kind: Deferred, Status: status, Reply: Sanitize(fmt.Sprintf(format, args...))}}
}

func never(status, format string, args ...any) error {
	return &unreachable{Outcome{Kind: Failed, Permanent: true, Status: status, Reply: Sanitize(fmt.Sprintf(format, args...))}}
}

// connect opens a connection to the first target that greets well. A 5xx
// greeting is for now: it is about the host, not about the message.
func (s *Scheduler) connect(ctx context.Context, h hop) (*client, error) {
	targets, err := s.targets(ctx, h)
	if err != nil {
		return nil, err
	}
	var last error
	for _, t := range targets[:min(len(targets), maxTargets)] {
		c, err := s.open(ctx, t)
		if err == nil {
			return c, nil
		}
		last = err
		if ctx.Err() != nil {
			break
		}
	}
	return nil, last
}

// open connects to one target, with TLS if that can be had, and says EHLO.
func (s *Scheduler) open(ctx context.Context, t Target) (*client, error) {
	remote := strings.TrimSpace(t.Host + " " + t.Addr)
	conn, err := s.dial(ctx, t.Addr)
	if err != nil {
		return nil, notNow(statusNoAnswer, "connect to %s: %v", remote, err)
	}
	if s.opt.StartTLS {
		conn, err = s.secure(ctx, conn, t)
		if errors.Is(err, errTLS) && ctx.Err() == nil {
			s.opt.Log.Warn("deliver without TLS", "host", remote, "err", err)
			conn, err = s.dial(ctx, t.Addr)
		}
		if err != nil {
			return nil, &unreachable{broken(err, "waiting for the greeting", remote)}
		}
	}
	c := newClient(ctx, conn, remote, s.opt)
	err = c.smtp.Hello(s.opt.Hostname)
	if err == nil {
		return c, nil
	}
	c.close()
	e, ok := isReply(err)
	if !ok {
		return nil, &unreachable{broken(err, "waiting for the greeting", remote)}
	}
	o := answered(e, remote)
	o.Kind, o.Permanent = Deferred, false
	if o.Status[0] == '5' {
		o.Status = "4" + o.Status[1:]
	}
	return nil, &unreachable{o}
}

func (s *Scheduler) dial(ctx context.Context, addr string) (net.Conn, error) {
	bounded, cancel := context.WithTimeout(ctx, s.opt.Limits.Dial)
	defer cancel()
	return s.opt.Dial(bounded, addr)
}

// targets lists whom to try, best first.
func (s *Scheduler) targets(ctx context.Context, h hop) ([]Target, error) {
	list, err := s.find(ctx, h)
	switch {
	case err == nil && len(list) > 0:
	case ctx.Err() != nil:
		return nil, notNow(statusDirectory, "look up %s: %v", h.host, ctx.Err())
	case errors.Is(err, ErrNoSuchDomain) && !h.forward:
		return nil, never(statusBadDomain, "look up %s: %v", h.host, err)
	case errors.Is(err, ErrNullMX) && !h.forward:
		return nil, never(statusNullMX, "look up %s: %v", h.host, err)
	case err != nil:
		return nil, notNow(statusDirectory, "look up %s: %v", h.host, err)
	default:
		return nil, notNow(statusDirectory, "look up %s: no address", h.host)
	}
	list = s.withoutSelf(inOrder(list), h.forward)
	if len(list) > 0 {
		return list, nil
	}
	if h.forward {
		return nil, notNow(statusLoopHere, "mail for %s would come back here: it is this host", h.host)
	}
	return nil, never(statusLoop, "mail for %s would come back here: this host is its best mail exchanger", h.host)
}

// find looks the hop up. A forward host may be an address, a name in brackets
// or not, and may have a port; only a domain has MX records.
func (s *Scheduler) find(ctx context.Context, h hop) ([]Target, error) {
	host, port := h.host, ""
	if h.forward {
		if a, p, err := net.SplitHostPort(host); err == nil {
			host, port = a, p
		}
	}
	literal := strings.TrimPrefix(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), "ipv6:")
	if ip, err := netip.ParseAddr(literal); err == nil && (h.forward || strings.HasPrefix(host, "[")) {
		return []Target{{Host: h.host, Addr: net.JoinHostPort(ip.String(), cmp.Or(port, "25"))}}, nil
	}
	var list []Target
	var err error
	if hr, ok := s.opt.Resolver.(HostResolver); ok && h.forward {
		list, err = hr.Host(ctx, literal)
	} else {
		list, err = s.opt.Resolver.Lookup(ctx, literal)
	}
	if port == "" || err != nil {
		return list, err
	}
	out := make([]Target, len(list))
	for i, t := range list {
		out[i] = t
		if a, _, err := net.SplitHostPort(t.Addr); err == nil {
			out[i].Addr = net.JoinHostPort(a, port)
		}
	}
	return out, nil
}

// inOrder sorts by preference; hosts of equal preference come in random order
// (RFC 5321 section 5.1), the addresses of one host as given.
func inOrder(list []Target) []Target {
	list = slices.Clone(list)
	turn := map[string]uint64{}
	for _, t := range list {
		if _, ok := turn[t.Host]; !ok {
			turn[t.Host] = rand.Uint64()
		}
	}
	slices.SortStableFunc(list, func(a, b Target) int {
		return cmp.Or(cmp.Compare(a.Pref, b.Pref), cmp.Compare(turn[a.Host], turn[b.Host]))
	})
	return list
}

// withoutSelf drops this host and, unless the host is fixed, everything that
// is not preferred to it: mail must not flow backwards (RFC 5321 section 5.1,
// Q182406).
func (s *Scheduler) withoutSelf(list []Target, fixed bool) []Target {
	if fixed {
		return slices.DeleteFunc(list, s.opt.Self)
	}
	i := slices.IndexFunc(list, s.opt.Self)
	if i < 0 {
		return list
	}
	pref := list[i].Pref
	return slices.DeleteFunc(list, func(t Target) bool { return t.Pref >= pref })
}

// SelfTargets reports targets that lead back to a service with these host
// names and listen addresses. A wildcard address stands for every address of
// this machine, read once, now.
func SelfTargets(hostnames, listen []string) (func(Target) bool, error) {
	names, own := map[string]bool{}, map[string]bool{}
	for _, n := range hostnames {
		names[strings.ToLower(strings.TrimSuffix(n, "."))] = true
	}
	for _, l := range listen {
		ap, err := netip.ParseAddrPort(l)
		if err != nil {
			return nil, fmt.Errorf("read listen address %q: %w", l, err)
		}
		if !ap.Addr().IsUnspecified() {
			own[canonical(ap)] = true
			continue
		}
		addrs, err := net.InterfaceAddrs()
		if err != nil {
			return nil, fmt.Errorf("list own addresses: %w", err)
		}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				own[canonical(netip.AddrPortFrom(p.Addr(), ap.Port()))] = true
			}
		}
	}
	return func(t Target) bool {
		if names[strings.ToLower(strings.TrimSuffix(t.Host, "."))] {
			return true
		}
		ap, err := netip.ParseAddrPort(t.Addr)
		return err == nil && own[canonical(ap)]
	}, nil
}

func canonical(ap netip.AddrPort) string {
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port()).String()
}
