package watch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/miekg/dns"

	"example.org/ims/internal/dns/msg"
	"example.org/ims/internal/patience"
	"example.org/ims/pkg/zone"
)

// ask asks without recursion over UDP, over TCP if that is truncated or fails.
// Both together take no longer than one time-out; UDP has half of it. In a look
// (package patience) a server that gave no answer is asked no more.
func (w *Watcher) ask(ctx context.Context, addr, name, typ string) (*dns.Msg, time.Duration, error) {
	if err := patience.Of(ctx, addr); err != nil {
		return nil, 0, err
	}
	began := time.Now()
	q := msg.Query{Addr: addr, Name: name, Type: typ, Timeout: w.cfg.Timeout / 2}
	m, rtt, err := msg.Ask(ctx, q)
	if err == nil || ctx.Err() != nil {
		return m, rtt, err
	}
	q.TCP, q.Timeout = true, max(w.cfg.Timeout-time.Since(began), w.cfg.Timeout/2)
	m, rtt, errTCP := msg.Ask(ctx, q)
	if errTCP == nil {
		return m, rtt, nil
	}
	err = errors.Join(err, errTCP)
	patience.Note(ctx, addr, err)
	return nil, rtt, err
}

// addresses are all addresses of a name server, A and AAAA.
func (w *Watcher) addresses(ctx context.Context, ns string) ([]string, error) {
	if a := w.cfg.Hosts[ns]; len(a) > 0 {
		return a, nil
	}
	var out []string
	var errs []error
	for _, typ := range []string{"A", "AAAA"} {
		set, err := w.find(ctx, ns, typ)
		errs = append(errs, err)
		for _, ip := range set.Data {
			out = append(out, net.JoinHostPort(ip, "53"))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return out, err
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("name server %s has no address", ns)
	}
	return out, nil
}

// find asks the resolvers, or the configured servers for names of the zone.
func (w *Watcher) find(ctx context.Context, name, typ string) (zone.RRset, error) {
	servers, recurse := w.cfg.Resolvers, true
	if len(servers) == 0 && zone.IsSubdomain(name, w.cfg.Zone) {
		servers, recurse = w.cfg.Authorities, false
	}
	var errs []error
	for _, s := range servers {
		if err := patience.Of(ctx, s); err != nil {
			errs = append(errs, err)
			continue
		}
		m, _, err := msg.Ask(ctx, msg.Query{Addr: s, Name: name, Type: typ, Recurse: recurse, Timeout: w.cfg.Timeout})
		patience.Note(ctx, s, err)
		switch {
		case err != nil:
		case m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError, !m.Authoritative && (!recurse || !m.RecursionAvailable):
			err = fmt.Errorf("ask %s for %s %s: no answer, rcode %s", s, name, typ, dns.RcodeToString[m.Rcode])
		default:
			return msg.Answer(name, typ, m), nil
		}
		errs = append(errs, err)
	}
	if len(servers) == 0 {
		errs = append(errs, fmt.Errorf("find %s %s: no resolver is configured", name, typ))
	}
	return zone.NewRRset(name, typ, 0), errors.Join(errs...)
}
