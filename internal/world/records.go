package world

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"example.org/ims/internal/engine"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/zone"
)

// Types of records.
const (
	typeMX    = "MX"
	typeA     = "A"
	typeAAAA  = "AAAA"
	typeCNAME = "CNAME"
	typePTR   = "PTR"
	typeTXT   = "TXT"
)

// newTTL, in seconds, is the TTL of an RRset that did not exist before.
const newTTL = 300

// Machine is the machine of a gateway as the Internet sees it.
type Machine struct {
	Addresses []netip.Addr // that its public host name leads to
	Assumed   bool         // nobody named them: they are where it listens
	// Drain is a name of its own, under which it sends out what it still holds
	// after another machine has taken over the host name. "" if it has none.
	Drain          string
	DrainAddresses []netip.Addr
}

// Neighbour is another gateway, and the addresses of its machine.
type Neighbour struct {
	Name      string
	Addresses []netip.Addr
}

// Zone is a zone in which records of a gateway's machine live.
type Zone struct {
	Name   string
	Writer zone.Writer
	Watch  zone.Watcher
}

// record is an RRset that an effect changes, and what it is to be.
type record struct {
	zone      Zone
	name, typ string
	want      func(old former) zone.RRset
}

// former is an RRset as it was before an effect.
type former struct {
	zone.RRset
	// Leads are the names of it that led to the gateway then, beside its host
	// name; of a domain without MX its own name, if mail went here by that.
	Leads []string `json:"leads,omitempty"`
	// Aliases are those of Leads that were aliases, which an MX may not name (RFC
	// 2181 10.3): what is undone names the host name in their place.
	Aliases []string `json:"aliases,omitempty"`
}

// named is the RRset with the gateway's host name in place of what led to it.
func (f former) named(host string) zone.RRset {
	r := f.RRset
	for _, n := range f.Leads {
		r = r.ReplaceHost(n, host)
	}
	return r
}

// back is what an undo makes of the RRset: what it was, as far as that may be.
func (f former) back(host string) zone.RRset {
	return former{RRset: f.RRset, Leads: f.Aliases}.named(host)
}

// implicit reports whether the domain had no MX, and its mail went here.
func (f former) implicit() bool { return f.Empty() && len(f.Leads) > 0 }

// whatever takes no note of what led here.
func whatever(want func(zone.RRset) zone.RRset) func(former) zone.RRset {
	return func(old former) zone.RRset { return want(old.RRset) }
}

// zoneOf finds the zone that a name lives in: that of the domain, else the
// smallest that holds the name.
func (w *World) zoneOf(name string) (Zone, error) {
	for _, d := range w.cfg.Domains {
		if zone.CanonicalName(d.Name) == zone.CanonicalName(name) {
			return Zone{d.Zone, d.Writer, d.Watch}, nil
		}
	}
	var best Zone
	for _, z := range w.cfg.Zones {
		if zone.IsSubdomain(name, z.Name) && (best.Name == "" || zone.IsSubdomain(z.Name, best.Name)) {
			best = z
		}
	}
	if best.Name == "" {
		return best, fmt.Errorf("%s is in no zone of the configuration, so it can be neither read nor changed; add its zone to zones", strings.TrimSuffix(name, "."))
	}
	return best, nil
}

// LackError says what the configuration lacks for an effect, and the edit that
// adds it.
type LackError struct{ What, Fix string }

var _ error = (*LackError)(nil)

func (e *LackError) Error() string { return e.What + ": " + e.Fix }

// nameless says that a machine would have no name once another one has its.
func nameless(gateway string) *LackError {
	return &LackError{
		fmt.Sprintf("the machine of %s has no name of its own to send what it still holds under", gateway),
		fmt.Sprintf("add drain: {name: NAME} to gateways.%s of ims.yaml", gateway),
	}
}

// records are what an effect is about.
func (w *World) records(e engine.Effect) ([]record, error) {
	var list []record
	var bad error
	put := func(name, typ string, want func(former) zone.RRset) {
		z, err := w.zoneOf(name)
		bad = errors.Join(bad, err)
		list = append(list, record{z, name, typ, want})
	}
	add := func(name, typ string, want func(zone.RRset) zone.RRset) { put(name, typ, whatever(want)) }
	m, a := w.cfg.Machine, e.Args
	if a.Drain && (m.Drain == "" || len(m.DrainAddresses) == 0) {
		return nil, nameless(w.cfg.Name)
	}
	switch {
	case a.Type == typeMX || a.Type == "":
		put(e.Target, typeMX, w.wantedMX(a))
	case a.Type == typePTR:
		for _, addr := range m.DrainAddresses {
			add(reverse(addr), typePTR, func(old zone.RRset) zone.RRset {
				return zone.NewRRset(old.Name, typePTR, ttlOf(old), m.Drain)
			})
		}
	case a.Type == typeTXT && a.SPF == "none":
		add(e.Target, typeTXT, func(old zone.RRset) zone.RRset { return withSPF(old, spfNone) })
	case a.Type == typeTXT && e.Target == w.cfg.Name:
		add(m.Drain, typeTXT, func(old zone.RRset) zone.RRset { return withSPF(old, spfDrain) })
	case a.Type == typeTXT:
		add(e.Target, typeTXT, w.permitDrain)
	case a.Drain:
		add(m.Drain, a.Type, func(old zone.RRset) zone.RRset {
			data := ofType(m.DrainAddresses, a.Type)
			if len(data) == 0 {
				return old
			}
			return zone.NewRRset(old.Name, a.Type, ttlOf(old), data...)
		})
	case len(w.cfg.SuccessorMachine.Addresses) == 0 || len(m.Addresses) == 0:
		return nil, fmt.Errorf("the addresses of %q and of its successor are not known: add addresses to both gateways", w.cfg.Name)
	default:
		add(w.cfg.Hostname, a.Type, w.flipped)
	}
	return list, bad
}

// firstPref is the preference of the MX of a domain that had none.
const firstPref = 10

// wantedMX is what an effect makes of an MX RRset.
func (w *World) wantedMX(a machine.Args) func(former) zone.RRset {
	switch {
	case a.NullMX:
		return whatever(func(old zone.RRset) zone.RRset { return zone.NewMX(old.Name, ttlOf(old), zone.MX{Host: "."}) })
	case a.Also:
		return w.beside
	}
	return func(old former) zone.RRset {
		if old.implicit() {
			return zone.NewMX(old.Name, newTTL, zone.MX{Pref: firstPref, Host: w.cfg.SuccessorHostname})
		}
		return old.named(w.cfg.Hostname).ReplaceHost(w.cfg.Hostname, w.cfg.SuccessorHostname)
	}
}

// beside adds the successor to an MX at the gateway's preference, or at the
// best one where the gateway is not named. A domain whose own name led here gets
// an MX of both.
func (w *World) beside(old former) zone.RRset {
	mx, err := old.MX()
	if err != nil || old.NamesHost(w.cfg.SuccessorHostname) || old.HasNullMX() {
		return old.RRset
	}
	pref := uint16(firstPref)
	if old.implicit() {
		mx = []zone.MX{{Pref: pref, Host: w.cfg.Hostname}}
	}
	if len(mx) > 0 {
		pref = mx[0].Pref
	}
	for _, m := range mx {
		if m.Host == zone.CanonicalName(w.cfg.Hostname) || slices.Contains(old.Leads, m.Host) {
			pref = m.Pref
			break
		}
	}
	return zone.NewMX(old.Name, ttlOf(old.RRset), append(mx, zone.MX{Pref: pref, Host: w.cfg.SuccessorHostname})...)
}

// permitDrain lets the drain name send for a domain that says who may.
func (w *World) permitDrain(old zone.RRset) zone.RRset {
	spf, _ := spfOf(old)
	if len(spf) != 1 { // none: anybody may; several: none of them counts (RFC 7208 4.5)
		return old
	}
	return withSPF(old, permitting(old.Name, spf[0], w.cfg.Machine.Drain, w.cfg.Machine.DrainAddresses))
}

// flipped leads a name from the gateway's addresses to the successor's, and
// leaves addresses of others alone.
func (w *World) flipped(old zone.RRset) zone.RRset {
	data := slices.DeleteFunc(slices.Clone(old.Data), func(d string) bool { return w.isOld(d) })
	for _, d := range ofType(w.cfg.SuccessorMachine.Addresses, old.Type) {
		if !slices.Contains(data, d) {
			data = append(data, d)
		}
	}
	return zone.NewRRset(old.Name, old.Type, ttlOf(old), data...)
}

// isOld reports whether the data of an A or AAAA is an address of the gateway's
// machine.
func (w *World) isOld(data string) bool {
	a, err := netip.ParseAddr(strings.TrimSpace(data))
	return err == nil && slices.Contains(w.cfg.Machine.Addresses, a.Unmap())
}

// ofType are the addresses that records of a type can hold.
func ofType(addrs []netip.Addr, typ string) []string {
	var data []string
	for _, a := range addrs {
		if a.Is4() == (typ == typeA) {
			data = append(data, a.String())
		}
	}
	return data
}

func ttlOf(r zone.RRset) uint32 {
	if r.Empty() {
		return newTTL
	}
	return r.TTL
}

// reverse is the name whose PTR says what an address is called (RFC 1035 3.5,
// RFC 3596 2.5).
func reverse(a netip.Addr) string {
	var b strings.Builder
	if a.Is4() {
		for _, n := range slices.Backward(a.AsSlice()) {
			fmt.Fprintf(&b, "%d.", n)
		}
		return b.String() + "in-addr.arpa."
	}
	for _, n := range slices.Backward(a.AsSlice()) {
		fmt.Fprintf(&b, "%x.%x.", n&15, n>>4)
	}
	return b.String() + "ip6.arpa."
}
