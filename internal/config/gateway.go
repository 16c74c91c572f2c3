package config

import (
	"encoding"
	"math"
	"net/netip"
	"slices"
	"time"

	"example.org/ims/internal/strictyaml"
	"example.org/ims/pkg/gateway"
)

func (r *reader) gateway(name text, g *gatewayDoc, o Organization) Gateway {
	of := "gateways." + r.name(name, "gateway") + "."
	out := Gateway{
		Name: name.Value, Adapter: r.one(g.Adapter, "adapter", "embedded"),
		NonePicksUp: g.NonePicksUp, KeepNames: g.KeepNames, ApplyLive: r.one(g.Apply, "apply", "start", "live") == "live",
		Socket: o.Socket, Settings: r.settings(g), Line: name.Pos.Line,
	}
	if g.Socket != nil {
		out.Socket = r.socket(g.Socket, "")
	}
	if h, ok := r.need(g.Hostname, g.Pos, of+"hostname"); ok {
		out.Hostname = r.domain(h, "host name")
	}
	if l, ok := r.need(g.Listen, g.Pos, of+"listen"); ok {
		out.Listen = r.listen(l, "gateway "+name.Value)
	}
	out.Addresses = r.addresses(g.Addresses, "address of gateway "+name.Value)
	if at, err := netip.ParseAddrPort(out.Listen); len(g.Addresses) == 0 && err == nil && !at.Addr().IsUnspecified() {
		out.Addresses, out.Assumed = []netip.Addr{at.Addr().Unmap()}, true
	}
	out.Drain = r.drain(g.Drain, out, of)
	r.place(&out, g, of, o.Sites)
	for i := range g.Spaces {
		out.Spaces = append(out.Spaces, r.space(&g.Spaces[i]))
	}
	for i := range g.Sites {
		out.Sites = append(out.Sites, r.connected(&g.Sites[i], out.Site, o.Sites))
	}
	return out
}

// place finds the gateway's site, and its location there.
func (r *reader) place(out *Gateway, g *gatewayDoc, of string, sites []Site) {
	switch {
	case len(sites) == 0:
		return // there is no organization: that has been said
	case g.Site == nil && len(sites) == 1:
		out.Site = sites[0].Name
	default:
		s, ok := r.need(g.Site, g.Pos, of+"site")
		if !ok {
			return
		}
		r.known(s, "site", siteNames(sites))
		out.Site = s.Value
	}
	if g.Location == nil {
		return
	}
	out.Location = g.Location.Value
	for _, s := range sites {
		if s.Name == out.Site {
			r.known(*g.Location, "location of site "+s.Name, s.Locations)
		}
	}
}

func siteNames(sites []Site) []string {
	var names []string
	for _, s := range sites {
		names = append(names, s.Name)
	}
	return names
}

// maxSessions is more than any machine can serve at once.
const maxSessions = 100_000

// addresses are IP addresses that the Internet can use.
func (r *reader) addresses(list []text, what string) []netip.Addr {
	var out []netip.Addr
	for _, t := range list {
		a, err := netip.ParseAddr(t.Value)
		switch {
		case err != nil || a.Zone() != "":
			r.add(t.Pos, "address", "%s: %q is not an IP address such as 192.0.2.1 or 2001:db8::1", what, t.Value)
			continue
		case a.IsUnspecified():
			r.add(t.Pos, "address", "%s: %s stands for every address, name one", what, a)
		case slices.Contains(out, a.Unmap()):
			r.add(t.Pos, "duplicate", "%s: %s stands twice", what, a)
		}
		out = append(out, a.Unmap())
	}
	return out
}

// drain is the machine's own name. It may not be the one that goes away.
func (r *reader) drain(d *drainDoc, g Gateway, of string) Drain {
	if d == nil {
		return Drain{}
	}
	out := Drain{Addresses: r.addresses(d.Addresses, "drain address of gateway "+g.Name)}
	if n, ok := r.need(d.Name, d.Pos, of+"drain.name"); ok {
		out.Name = r.domain(n, "drain name")
		if out.Name == g.Hostname {
			r.add(n.Pos, "drain", "drain name %q is the host name that another machine takes over: choose a name of its own", out.Name)
		}
	}
	if len(out.Addresses) == 0 {
		out.Addresses = g.Addresses
	}
	if len(out.Addresses) == 0 {
		r.add(d.Pos, "missing", "%sdrain has no address: add drain.addresses, or addresses to the gateway, whose listen address is unspecified", of)
	}
	return out
}

// Defaults of a gateway's settings (see Gateway.Settings).
func defaultRetry() []time.Duration {
	return []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, 4 * time.Hour}
}

func (r *reader) settings(g *gatewayDoc) gateway.Settings {
	s := gateway.Settings{
		Retry: defaultRetry(),
		Timeouts: gateway.Timeouts{
			Urgent:    r.duration(g.Timeouts.Urgent, 24*time.Hour, "timeouts.urgent"),
			Normal:    r.duration(g.Timeouts.Normal, 48*time.Hour, "timeouts.normal"),
			NonUrgent: r.duration(g.Timeouts.NonUrgent, 72*time.Hour, "timeouts.non_urgent"),
			Report:    r.duration(g.Timeouts.Report, 48*time.Hour, "timeouts.report"),
		},
		MaxSize:     r.number(g.MaxSize, 0, 0, math.MaxInt64, "max_size"),
		MaxInbound:  int(r.number(g.MaxInbound, 0, 0, maxSessions, "max_inbound")),
		MaxOutbound: int(r.number(g.MaxOutbound, 0, 0, maxSessions, "max_outbound")),
	}
	r.enum(g.Mode, &s.Mode)
	r.enum(g.Refuse, &s.Refuse)
	if g.Retry != nil {
		s.Retry = []time.Duration{}
		for _, t := range *g.Retry {
			s.Retry = append(s.Retry, r.duration(&t, 0, "retry"))
		}
	}
	if g.ForwardHost != nil {
		s.ForwardHost = r.nextHop(*g.ForwardHost, "forward host")
	}
	r.admit(g, &s)
	return s
}

// nextHop is a host name, an IP address, or one of them with a port.
func (r *reader) nextHop(t text, what string) string {
	if _, err := netip.ParseAddr(t.Value); err == nil || isDomain(fold(t.Value)) {
		return t.Value
	}
	return r.endpoint(t, what)
}

// enum reads one of the contract's words.
func (r *reader) enum(t *text, v encoding.TextUnmarshaler) {
	if t == nil || t.Value == "" {
		return
	}
	if err := v.UnmarshalText([]byte(t.Value)); err != nil {
		r.add(t.Pos, "word", "%v", err)
	}
}

func (r *reader) space(s *spaceDoc) gateway.Space {
	out := gateway.Space{Type: value(s.Type, "SMTP"), Cost: int(r.number(s.Cost, 1, 1, 100, "cost"))}
	if s.Pattern == nil {
		r.add(s.Pos, "missing", "pattern of an address space is missing")
	}
	out.Pattern = value(s.Pattern, "")
	r.enum(s.Scope, &out.Scope)
	return out
}

func (r *reader) connected(c *connectedDoc, here string, sites []Site) gateway.Site {
	out := gateway.Site{Cost: int(r.number(c.Cost, 1, 1, 100, "cost"))}
	if n, ok := r.need(c.Name, c.Pos, "name of a connected site"); ok {
		out.Name = n.Value
		if len(sites) > 0 {
			r.known(n, "site", siteNames(sites))
		}
		if n.Value == here {
			r.add(n.Pos, "site", "the gateway itself stands at site %q: a connected site is another one", here)
		}
	}
	if a, ok := r.need(c.RoutingAddress, c.Pos, "routing_address of a connected site"); ok {
		out.RoutingAddress = r.domain(a, "routing address")
	}
	return out
}

// listener is an address that something listens on.
type listener struct {
	pos  strictyaml.Pos
	who  string
	addr netip.AddrPort
}

// listen is address:port to listen on.
func (r *reader) listen(t text, who string) string {
	s := r.ip(t, "listen address", 0)
	if addr, err := netip.ParseAddrPort(s); err == nil {
		r.listeners = append(r.listeners, listener{t.Pos, who, addr})
	}
	return s
}

// clashes names the listeners that cannot both be opened.
func (r *reader) clashes() {
	for i, l := range r.listeners {
		j := slices.IndexFunc(r.listeners[:i], func(o listener) bool {
			same := o.addr.Addr() == l.addr.Addr() || o.addr.Addr().IsUnspecified() || l.addr.Addr().IsUnspecified()
			return same && o.addr.Port() == l.addr.Port()
		})
		if j >= 0 {
			r.add(l.pos, "duplicate", "%s is already taken by %s at %s", l.addr, r.listeners[j].who, r.listeners[j].addr)
		}
	}
}
