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

// maxAliases bounds a chain of aliases.
const maxAliases = 16

// published is what the authorities give for a name, all taken together: while
// one of them gives an address, it leads there.
type published struct {
	names []string     // itself, and what it is an alias of, in turn
	addrs []netip.Addr // of all of these
	ttl   uint32       // the largest of the records on the way, in seconds
	err   error        // why there may be more
}

// alias is what the name is an alias of, "" if it is none.
func (p published) alias() string {
	if len(p.names) < 2 {
		return ""
	}
	return strings.TrimSuffix(p.names[1], ".")
}

// words are the addresses, for people.
func words(addrs []netip.Addr) string {
	out := make([]string, len(addrs))
	for i, a := range addrs {
		out[i] = a.String()
	}
	return strings.Join(out, ", ")
}

// add takes in what another name leads to.
func (p *published) add(o published) {
	for _, n := range o.names {
		if !slices.Contains(p.names, n) {
			p.names = append(p.names, n)
		}
	}
	for _, a := range o.addrs {
		if !slices.Contains(p.addrs, a) {
			p.addrs = append(p.addrs, a)
		}
	}
	p.ttl, p.err = max(p.ttl, o.ttl), errors.Join(p.err, o.err)
}

// find looks a name up along aliases. A name that does not exist leads nowhere.
func (w *World) find(ctx context.Context, name string, left int) published {
	p := published{names: []string{zone.CanonicalName(name)}}
	if left == 0 {
		p.err = fmt.Errorf("the chain of aliases that %s is in is too long", strings.TrimSuffix(name, "."))
		return p
	}
	none := true // some authority gives no address of either type
	for _, typ := range []string{typeA, typeAAAA} {
		sets, err := w.ask(ctx, name, typ)
		p.err = errors.Join(p.err, err)
		if len(sets) == 0 { // nobody answers: more questions are more waiting
			return p
		}
		none = none && slices.ContainsFunc(sets, zone.RRset.Empty)
		for _, s := range sets {
			p.add(addressesOf(s))
		}
	}
	if !none {
		return p
	}
	sets, err := w.ask(ctx, name, typeCNAME)
	p.err = errors.Join(p.err, err)
	var targets []string
	for _, s := range sets {
		for _, d := range s.Data {
			if p.ttl = max(p.ttl, s.TTL); !slices.Contains(targets, d) {
				targets = append(targets, d)
			}
		}
	}
	for _, t := range targets {
		p.add(w.find(ctx, t, left-1))
	}
	return p
}

func addressesOf(s zone.RRset) (p published) {
	for _, d := range s.Data {
		a, err := netip.ParseAddr(strings.TrimSpace(d))
		if err != nil {
			p.err = fmt.Errorf("read %s: %w", s, err)
			continue
		}
		p.addrs, p.ttl = append(p.addrs, a.Unmap()), s.TTL
	}
	return p
}

// ask is what each authority gives; the error says which of them gave nothing
// that counts. A name that lies in no zone of the configuration, or in a part of
// one that is delegated, is looked up as a client does.
func (w *World) ask(ctx context.Context, name, typ string) (sets []zone.RRset, err error) {
	z, outside := w.zoneOf(name)
	if outside != nil {
		return w.lookUp(ctx, name, typ)
	}
	for _, ob := range z.Watch.Observe(ctx, name, typ) {
		switch {
		case ob.Counts():
			sets = append(sets, ob.RRset)
		case ob.Err == "" && !ob.AA && !ob.TC && ob.Rcode == 0 && w.cfg.LookUp != nil:
			return w.lookUp(ctx, name, typ)
		default:
			err = fmt.Errorf("%s does not say what %s %s is: %s", ob.Server, strings.TrimSuffix(name, "."), typ, ob.Why())
		}
	}
	if at, ok := w.cfg.Hosts[zone.CanonicalName(name)]; ok && len(sets) == 0 {
		set := zone.NewRRset(name, typ, zone.DefaultTTL)
		if data := ofType([]netip.Addr{at}, typ); typ == typeA || typ == typeAAAA {
			set.Data = data
		}
		return []zone.RRset{set}, nil
	}
	return sets, err
}

// lookUp asks a resolver. What it says of TTLs is what is left of them, so that
// of a name of others the longest that is usual is assumed.
func (w *World) lookUp(ctx context.Context, name, typ string) ([]zone.RRset, error) {
	if w.cfg.LookUp == nil {
		return nil, fmt.Errorf("%s is in no zone of the configuration, and nobody looks it up", strings.TrimSuffix(name, "."))
	}
	s, err := w.cfg.LookUp(ctx, name, typ)
	if err != nil {
		return nil, err
	}
	if !s.Empty() {
		s.TTL = zone.DefaultTTL
	}
	return []zone.RRset{s}, nil
}
