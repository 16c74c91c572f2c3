package world

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"example.org/ims/pkg/zone"
)

// Lead is whether mail for a host reaches the gateway, and how that is known.
type Lead struct {
	Here zone.Verdict
	// How is the way in words, "east: 192.0.2.1", or why it is not known; "" of
	// the host name itself, and of what leads elsewhere.
	How string
	ttl uint32 // of what leads here, in seconds
}

// Leads finds out what leads to a gateway: its host name, aliases of that, and
// names that have an address of its machine, if only beside others. It is for
// one look, and asks about each name once. It is not safe for concurrent use.
type Leads struct {
	w     *World
	known map[string]published
	self  *identity
}

// identity is by what a gateway is known.
type identity struct {
	addrs []netip.Addr // that are the gateway's and tell it from others
	note  string       // why there are none that do
	err   error        // why there may be more
}

// Leads begins a look.
func (w *World) Leads() *Leads { return &Leads{w: w, known: map[string]published{}} }

func (l *Leads) find(ctx context.Context, name string) published {
	name = zone.CanonicalName(name)
	p, ok := l.known[name]
	if !ok {
		p = l.w.find(ctx, name, maxAliases)
		l.known[name] = p
	}
	return p
}

// Host says whether a host is the gateway.
func (l *Leads) Host(ctx context.Context, name string) Lead {
	own := zone.CanonicalName(l.w.cfg.Hostname)
	if zone.CanonicalName(name) == own {
		return Lead{Here: zone.Yes}
	}
	p, self := l.find(ctx, name), l.identity(ctx)
	at := slices.IndexFunc(p.addrs, func(a netip.Addr) bool { return slices.Contains(self.addrs, a) })
	switch {
	case slices.Contains(p.names, own):
		return Lead{zone.Yes, l.w.cfg.Name + ": an alias of " + l.w.cfg.Hostname, p.ttl}
	case at >= 0:
		return Lead{zone.Yes, l.w.cfg.Name + ": " + p.addrs[at].String(), p.ttl}
	case p.err != nil:
		return Lead{Here: zone.Unsure, How: p.err.Error()}
	case self.err != nil && len(p.addrs) > 0:
		return Lead{Here: zone.Unsure, How: self.err.Error()}
	}
	return Lead{Here: zone.No}
}

// Addresses are those by which the gateway is known; none if they do not tell it
// from others. The error says why there may be more.
func (l *Leads) Addresses(ctx context.Context) ([]netip.Addr, error) {
	id := l.identity(ctx)
	return id.addrs, id.err
}

// identity finds out by which addresses the gateway is known: those that are
// configured, else those that its host name leads to or led to. An address that
// another gateway has, too, behind another port, tells nobody.
func (l *Leads) identity(ctx context.Context) identity {
	if l.self != nil {
		return *l.self
	}
	var id identity
	m := l.w.cfg.Machine
	id.addrs = slices.Clone(m.Addresses)
	if m.Assumed || len(m.Addresses) == 0 {
		id.addrs, id.err = l.assumed(ctx)
	}
	if len(id.addrs) > 0 {
		for _, o := range l.w.neighbours() {
			if allIn(id.addrs, o.Addresses) {
				id = identity{note: fmt.Sprintf("%s and %s have the same addresses, so only its host name tells %s apart", l.w.cfg.Name, o.Name, l.w.cfg.Name)}
				break
			}
		}
	}
	l.self = &id
	return id
}

// assumed are the addresses that the gateway listens at, as far as no other does,
// and those that its host name has, or had in this run before the successor took
// it over.
func (l *Leads) assumed(ctx context.Context) ([]netip.Addr, error) {
	w := l.w
	p := l.find(ctx, w.cfg.Hostname)
	own := slices.DeleteFunc(append(slices.Clone(p.addrs), w.seen...), func(a netip.Addr) bool { return slices.Contains(w.cfg.SuccessorMachine.Addresses, a) })
	for _, a := range own {
		if !slices.Contains(w.seen, a) {
			w.seen = append(w.seen, a)
		}
	}
	if len(own) == 0 { // of what nobody else is known by, where it listens is all there is
		own = slices.Clone(w.cfg.Machine.Addresses)
	} else {
		own = append(own, slices.DeleteFunc(slices.Clone(w.cfg.Machine.Addresses), func(a netip.Addr) bool {
			return slices.ContainsFunc(w.neighbours(), func(o Neighbour) bool { return slices.Contains(o.Addresses, a) })
		})...)
	}
	err := p.err
	if err == nil && len(own) == 0 {
		err = errors.New("its host name has no address")
	}
	if err != nil {
		err = fmt.Errorf("the addresses of %s are not known, add addresses to gateways.%s of ims.yaml: %w", w.cfg.Name, w.cfg.Name, err)
	}
	slices.SortFunc(own, netip.Addr.Compare)
	return slices.Compact(own), err
}

// neighbours are the other gateways, of which one is the successor.
func (w *World) neighbours() []Neighbour {
	out := slices.Clone(w.cfg.Neighbours)
	if w.cfg.SuccessorName != "" {
		out = append(out, Neighbour{w.cfg.SuccessorName, w.cfg.SuccessorMachine.Addresses})
	}
	return out
}

func allIn(list, of []netip.Addr) bool {
	return !slices.ContainsFunc(list, func(a netip.Addr) bool { return !slices.Contains(of, a) })
}

// Way is a record by which mail for a domain goes somewhere, and whether that is
// here.
type Way struct {
	zone.MX
	Lead
	implicit bool // there is no record, and this is the domain itself
}

// String is the record for people: "5 mx1.example.test (leads to east: 192.0.2.1)".
func (v Way) String() string {
	what := fmt.Sprintf("%d %s", v.Pref, strings.TrimSuffix(v.Host, "."))
	if v.implicit {
		what = strings.TrimSuffix(v.Host, ".") + " itself, for want of an MX (RFC 5321 5.1)"
	}
	switch {
	case v.How == "":
		return what
	case v.Here == zone.Yes:
		return what + " (leads to " + v.How + ")"
	}
	return what + " (where it leads is not known: " + strings.ReplaceAll(v.How, "\n", "; ") + ")"
}

// Ways says whether mail for a domain reaches the gateway by an MX RRset of it,
// and by which records. A domain without MX has an implicit one, its own name
// (RFC 5321 5.1).
func (l *Leads) Ways(ctx context.Context, r zone.RRset) (here zone.Verdict, ways []Way) {
	mx, err := r.MX()
	if err != nil {
		return zone.Unsure, []Way{{Lead: Lead{How: err.Error()}}}
	}
	implicit := len(mx) == 0
	if implicit {
		mx = []zone.MX{{Host: r.Canonical().Name}}
	}
	here = zone.No
	for _, m := range mx {
		if m.Host == "." {
			continue
		}
		lead := l.Host(ctx, m.Host)
		if implicit && lead.Here == zone.No {
			lead = l.alias(ctx, m.Host)
		}
		if implicit && lead.Here == zone.Yes && lead.How == "" {
			lead.How = l.w.cfg.Name + ": its host name"
		}
		here = worst(zone.Yes, here, lead.Here)
		ways = append(ways, Way{m, lead, implicit})
	}
	return here, ways
}

// as is an MX RRset with the gateway's host name in place of every name that
// leads here: what is said of the host name is said of these. The TTL of an
// implicit MX is how long its absence may be cached.
func (l *Leads) as(r zone.RRset, ways []Way) zone.RRset {
	for _, v := range ways {
		switch {
		case v.Here == zone.Yes && v.implicit:
			return zone.NewMX(r.Name, r.TTL, zone.MX{Host: l.w.cfg.Hostname})
		case v.Here == zone.Yes:
			r = r.ReplaceHost(v.Host, l.w.cfg.Hostname)
		}
	}
	return r
}

// among are the names of an MX RRset that lead here, beside the host name; of one
// without records the domain itself, if its mail comes here by that. It is an
// error if that is not known of one.
func (l *Leads) among(ctx context.Context, r zone.RRset) (names []string, err error) {
	_, ways := l.Ways(ctx, r)
	for _, v := range ways {
		switch {
		case v.Here == zone.Unsure:
			err = errors.Join(err, errors.New(v.String()))
		case v.Here == zone.Yes && (v.implicit || v.Host != zone.CanonicalName(l.w.cfg.Hostname)):
			names = append(names, v.Host)
		}
	}
	return names, err
}

// alias looks at the MX of what a domain without one is an alias of (RFC 5321 5.1).
func (l *Leads) alias(ctx context.Context, domain string) Lead {
	p := l.find(ctx, domain)
	if len(p.names) < 2 {
		return Lead{Here: zone.No}
	}
	end := p.names[len(p.names)-1]
	sets, err := l.w.ask(ctx, end, typeMX)
	for _, s := range sets {
		if s.Empty() {
			continue // its addresses are known
		}
		if here, ways := l.Ways(ctx, s); here == zone.Yes {
			return Lead{zone.Yes, fmt.Sprintf("%s: an alias of %s, MX %s", l.w.cfg.Name, strings.TrimSuffix(end, "."), ways[0]), p.ttl}
		}
	}
	if err != nil {
		return Lead{Here: zone.Unsure, How: err.Error()}
	}
	return Lead{Here: zone.No}
}
