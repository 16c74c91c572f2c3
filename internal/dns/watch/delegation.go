package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/miekg/dns"

	"example.org/ims/internal/dns/msg"
	"example.org/ims/pkg/zone"
)

// parentNS asks the servers of the parent for the delegation. asked is false
// if there is no way to know them.
func (w *Watcher) parentNS(ctx context.Context) (names []string, asked bool, err error) {
	parents := w.cfg.Parents
	if len(parents) == 0 && len(w.cfg.Resolvers) > 0 {
		if parents, err = w.parentServers(ctx); err != nil {
			return nil, true, err
		}
	}
	if len(parents) == 0 {
		return nil, false, nil
	}
	var errs []error
	for _, p := range parents {
		m, _, err := w.ask(ctx, p, w.cfg.Zone, "NS")
		if err != nil {
			errs = append(errs, err)
			continue
		}
		ns := nsNames(w.cfg.Zone, append(m.Answer[:len(m.Answer):len(m.Answer)], m.Ns...))
		if len(ns) > 0 {
			return ns, true, nil
		}
		errs = append(errs, fmt.Errorf("ask %s for the delegation: none, rcode %s", p, dns.RcodeToString[m.Rcode]))
	}
	return nil, true, errors.Join(errs...)
}

// parentServers finds the closest zone above through a resolver, and all
// addresses of its servers.
func (w *Watcher) parentServers(ctx context.Context) ([]string, error) {
	for name := w.cfg.Zone; name != "."; {
		if i, end := dns.NextLabel(name, 0); end {
			name = "."
		} else {
			name = name[i:]
		}
		set, err := w.find(ctx, name, "NS")
		if err != nil {
			return nil, err
		}
		var out []string
		for _, ns := range set.Data {
			addrs, _ := w.addresses(ctx, ns) // any server of the parent will do
			out = append(out, addrs...)
		}
		if len(out) > 0 {
			return out, nil
		}
	}
	return nil, fmt.Errorf("find the parent of %s: no zone above has a server with an address", w.cfg.Zone)
}

func nsNames(owner string, rrs []dns.RR) []string {
	return msg.RRset(owner, "NS", rrs).Data
}

// childNS asks the zone itself for its name servers and the primary of its
// SOA: the configured servers, else the ones the parent names, else a resolver.
func (w *Watcher) childNS(ctx context.Context, parent []string) (names []string, mname string, err error) {
	var errs []error
	try := slices.Clone(w.cfg.Authorities)
	for _, ns := range parent {
		addrs, _ := w.addresses(ctx, ns) // the caller reports names without address
		try = append(try, addrs...)
	}
	if len(try) == 0 { // a resolver knows where to ask, no more
		set, err := w.find(ctx, w.cfg.Zone, "NS")
		errs = append(errs, err)
		for _, ns := range set.Data {
			addrs, err := w.addresses(ctx, ns)
			errs = append(errs, err)
			try = append(try, addrs...)
		}
	}
	if len(try) == 0 {
		return nil, "", errors.Join(append(errs, errors.New("no server to ask"))...)
	}
	for _, a := range try {
		m, _, err := w.ask(ctx, a, w.cfg.Zone, "NS")
		if err == nil && m.Authoritative {
			names = nsNames(w.cfg.Zone, m.Answer)
		}
		s, _, errSOA := w.ask(ctx, a, w.cfg.Zone, "SOA")
		if errSOA == nil && s.Authoritative {
			if soa := msg.SOA(s.Answer); soa != nil {
				mname = zone.CanonicalName(soa.Ns)
			}
		}
		if len(names) > 0 && mname != "" {
			return names, mname, nil
		}
		errs = append(errs, err, errSOA, fmt.Errorf("ask %s for NS and SOA of %s: no authoritative answer", a, w.cfg.Zone))
	}
	return names, mname, errors.Join(errs...)
}
