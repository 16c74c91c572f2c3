package wire

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"

	"example.org/ims/internal/config"
	"example.org/ims/internal/dns/axfr"
	"example.org/ims/internal/dns/msg"
	"example.org/ims/internal/dns/tsig"
	"example.org/ims/internal/mail/probe"
	"example.org/ims/internal/patience"
	"example.org/ims/internal/preflight"
	"example.org/ims/internal/world"
	"example.org/ims/pkg/zone"
)

// mx looks for which domains of the zones mail leads to a gateway: by an MX of any
// preference, or because a name without one leads there itself. A zone that cannot
// be transferred is asked about the domains that are known.
func (l *domainList) mx(ctx context.Context, g config.Gateway, leads *world.Leads) []preflight.Zone {
	out := []preflight.Zone{}
	var all []zone.RRset
	for _, z := range l.s.cfg.Zones {
		one := preflight.Zone{Name: z.Name}
		sets, err := l.s.transfer(ctx, z)
		if err != nil {
			one.Err, one.Fix = err.Error(), unheard(z, err)
			if errors.Is(err, fs.ErrPermission) { // who may only look has no key that changes the zone
				one.Err = "this user may not read the key of zone " + z.Name + ", " + z.KeyFile
				one.Fix = "let somebody who may read it save the facts, then judge those: ims facts " + g.Name + " --out FILE, then ims preflight --facts FILE"
			}
			sets = l.s.asked(ctx, z)
		}
		for _, r := range sets {
			if r.Type == "MX" {
				l.exchangers(ctx, leads, r, &one)
			}
		}
		if _, err := leads.Addresses(ctx); err != nil && one.Err == "" && len(sets) > 0 {
			one.Err, one.Fix = "which names without MX lead here is not known: "+err.Error(), "add addresses to gateways."+g.Name+" of ims.yaml"
		}
		out, all = append(out, one), append(all, sets...)
	}
	own, _ := leads.Addresses(ctx) // the error was told of each zone
	for _, name := range implicit(all, own, g.Hostname) {
		d := l.at(name, fromAddress)
		d.Leads = append(d.Leads, d.Name+" itself, for want of an MX (RFC 5321 5.1)")
	}
	return out
}

// exchangers adds the domain of an MX that leads to the gateway, with the records
// that do, or says in the zone that this is not known.
func (l *domainList) exchangers(ctx context.Context, leads *world.Leads, r zone.RRset, in *preflight.Zone) {
	here, ways := leads.Ways(ctx, r)
	name := strings.TrimSuffix(r.Name, ".")
	for _, v := range ways {
		switch {
		case v.Here == zone.Yes:
			d := l.at(r.Name, fromMX)
			d.Leads = append(d.Leads, v.String())
			d.Otherwise = d.Otherwise || v.How != ""
		case v.Here == zone.Unsure && here == zone.Unsure && in.Err == "":
			in.Err = fmt.Sprintf("whether the MX of %s leads here is not known: %s", name, v)
			in.Fix = "see that whoever answers for that name does, or take it out of the MX of " + name
		}
	}
}

// implicit are the names without MX that lead to the gateway themselves, by an
// address or by aliases within the zones. Whatever is an alias has the MX of what
// it is an alias of (RFC 5321 5.1). Aliases of names elsewhere are not followed.
func implicit(all []zone.RRset, own []netip.Addr, host string) []string {
	sets := map[string]map[string]zone.RRset{}
	for _, r := range all {
		if sets[r.Name] == nil {
			sets[r.Name] = map[string]zone.RRset{}
		}
		sets[r.Name][r.Type] = r
	}
	var leads func(name string, left int) bool
	leads = func(name string, left int) bool {
		r := sets[name]
		if mx, ok := r["MX"]; ok {
			return mx.NamesHost(host)
		}
		if c, ok := r["CNAME"]; ok && left > 0 {
			return leads(zone.CanonicalName(c.Data[0]), left-1)
		}
		return name == zone.CanonicalName(host) || slices.ContainsFunc(own, func(a netip.Addr) bool {
			return r["A"].NamesHost(a.String()) || r["AAAA"].NamesHost(a.String())
		})
	}
	const most = 16 // aliases in turn
	var out []string
	for name, r := range sets {
		if _, explicit := r["MX"]; !explicit && leads(name, most) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// bare takes the names out of the list that are known from their addresses alone
// and that the gateway takes no mail for: nothing is lost when they lead nowhere.
func bare(ctx context.Context, p *probe.Prober, in *preflight.Inbound) {
	alone := func(d preflight.Domain) bool { return slices.Equal(d.From, []string{fromAddress}) }
	var ask []preflight.Domain
	for _, d := range in.List {
		if alone(d) {
			ask = append(ask, d)
		}
	}
	askHost(ctx, p, &preflight.Host{Name: in.Old.Name, Address: in.Old.Address}, ask, func(d *preflight.Domain) *preflight.Answers { return &d.Old })
	for _, d := range ask {
		if !d.Old.None() {
			continue
		}
		in.Bare = append(in.Bare, d.Name)
		in.List = slices.DeleteFunc(in.List, func(o preflight.Domain) bool { return o.Name == d.Name })
	}
}

// published is how the name of the successor is published, for a report.
func published(p world.Publication) preflight.Named {
	out := preflight.Named{Verdict: preflight.Unknown, Why: p.Why, Fix: p.Fix}
	switch p.Verdict {
	case zone.Yes:
		out.Verdict = preflight.Pass
	case zone.No:
		out.Verdict = preflight.Fail
	case zone.Unsure:
	}
	return out
}

// transfer reads the records of a whole zone by which mail finds its way.
func (s *site) transfer(ctx context.Context, z config.Zone) ([]zone.RRset, error) {
	key, err := tsig.LoadFile(z.KeyFile)
	if err != nil {
		return nil, err
	}
	server := msg.WithPort(z.Server)
	if err := patience.Of(ctx, server); err != nil {
		return nil, fmt.Errorf("transfer zone %q from %s: %w", z.Name, z.Server, err)
	}
	sets, err := axfr.RRsets(ctx, axfr.Config{Zone: z.Name, Server: z.Server, Key: &key}, "MX", "CNAME", "A", "AAAA")
	patience.Note(ctx, server, err)
	return sets, err
}

// asked reads the MX records of the domains of a zone that are known.
func (s *site) asked(ctx context.Context, z config.Zone) []zone.RRset {
	var out []zone.RRset
	for _, name := range z.Domains {
		d, err := s.domain(name)
		if err != nil {
			continue // the world could not have been made
		}
		for _, ob := range d.Watch.Observe(ctx, name, "MX") {
			if ob.Counts() && !ob.RRset.Empty() {
				out = append(out, ob.RRset)
			}
		}
	}
	return out
}
