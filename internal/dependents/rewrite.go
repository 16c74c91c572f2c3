package dependents

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"

	"example.org/ims/internal/setting"
	"example.org/ims/pkg/gateway"
)

// Heir is who takes over what others send to the gateway, and how the gateway
// itself is set, from which a successor that pointed at it learns where the
// mail goes on to.
type Heir struct {
	Target
	Old gateway.Config // of the gateway that goes
	New gateway.Config // of the heir
}

// unready says what the heir is to have before a setting can name it, or "": what
// relays through the gateway, and what it reroutes, would be refused.
func (h *Heir) unready(m mention) string {
	old, now := h.Old.Stored, h.New.Stored
	switch {
	case h.New.Name == "":
		return "" // it could not be read, and that is said
	case !h.New.Exists:
		return h.Name + " was removed; name the host to use"
	case h.New.Running:
		now = h.New.Effective
	}
	if m.setting == setting.Reroute && old.Reroutes(m.key) != "" && now.Reroutes(m.key) == "" {
		return fmt.Sprintf("%s does not take mail for %s yet: ims compare %s %s", h.Name, m.key, h.Old.Name, h.Name)
	}
	if m.setting == Site || m.setting == setting.Reroute {
		return ""
	}
	for _, n := range old.Relay {
		wider := func(o netip.Prefix) bool { return o.Bits() <= n.Bits() && o.Contains(n.Addr()) }
		itself := slices.ContainsFunc(listens(h.Target), func(a netip.AddrPort) bool { return single(a.Addr()) == n })
		if !itself && !slices.ContainsFunc(now.Relay, wider) {
			return fmt.Sprintf("%s does not relay for %s yet: ims compare %s %s", h.Name, gateway.NetworkText(n), h.Old.Name, h.Name)
		}
	}
	return ""
}

// plan is what a configuration is to be.
type plan struct {
	gateway  string
	settings gateway.Settings
	ids      []setting.ID // of settings that change
	sites    []gateway.Site
	resite   bool // sites change
	restart  bool // nothing is stored anew, but what is in effect must go
	open     []undecided
}

// undecided is a mention that has no clear replacement.
type undecided struct {
	mention
	why string
}

// rewrite says what a configuration is to be so that none of the hits is left.
func rewrite(t Target, next *Heir, c gateway.Config, hits []hit) plan {
	p := plan{gateway: c.Name, settings: c.Stored.Patch(gateway.SettingsPatch{}), sites: slices.Clone(c.Sites)}
	for _, h := range hits {
		if h.state != Stored {
			p.restart = true
			continue
		}
		if h.network {
			p.network(h.mention, next, c.Name)
			continue
		}
		to, why := replacement(t, next, c.Name, h.mention)
		if why != "" {
			p.open = append(p.open, undecided{h.mention, why})
			continue
		}
		p.put(h.mention, to)
	}
	if p.settings.ForwardHost == "" { // then a domain without a host of its own is looked up anyway
		maps.DeleteFunc(p.settings.DomainHosts, func(d, host string) bool { return host == "" && c.Stored.DomainHosts[d] != "" })
	}
	p.ids = setting.Differ(c.Stored, p.settings)
	p.resite = !slices.Equal(c.Sites, p.sites)
	return p
}

// put writes a value where a mention was. A rerouted domain without a host is
// one that is not rerouted.
func (p *plan) put(m mention, to string) {
	set := func(t *map[string]string) {
		*t = maps.Clone(*t)
		(*t)[m.key] = to
		if to == "" && m.setting == setting.Reroute {
			delete(*t, m.key)
		}
	}
	switch m.setting {
	case setting.ForwardHost:
		p.settings.ForwardHost = to
	case setting.DomainHosts:
		set(&p.settings.DomainHosts)
	case setting.Reroute:
		set(&p.settings.Reroute)
	case setting.ETRN:
		set(&p.settings.ETRN)
	case Site:
		i := slices.IndexFunc(p.sites, func(s gateway.Site) bool { return s.Name == m.key })
		p.sites[i].RoutingAddress = to
	case setting.Accept, setting.Reject, setting.Relay: // network has them
	}
}

// network replaces the gateway's address in a list by its heir's; who is the
// heir itself needs no line.
func (p *plan) network(m mention, next *Heir, holder string) {
	old := single(netip.MustParseAddr(m.value))
	var with []netip.Prefix
	if next != nil && next.Name != holder {
		for _, a := range listens(next.Target) {
			with = append(with, single(a.Addr()))
		}
		if len(with) == 0 {
			p.open = append(p.open, undecided{m, next.Name + " listens at every address, so which one it connects from is not known"})
			return
		}
	}
	if m.setting == setting.Relay {
		p.settings.Relay = swap(p.settings.Relay, old, with)
		return
	}
	accept := swap(setting.Admissions(p.settings.Accept, false), old, with)
	p.settings.Accept = setting.Admission(accept, setting.Admissions(p.settings.Accept, true))
}

// swap replaces one network of a list.
func swap(list []netip.Prefix, old netip.Prefix, with []netip.Prefix) []netip.Prefix {
	out := []netip.Prefix{}
	for _, n := range list {
		if n != old {
			out = append(out, n)
		}
	}
	for _, n := range with {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// replacement is the host that a setting is to name instead, or why there is no
// clear one.
func replacement(t Target, next *Heir, holder string, m mention) (to, why string) {
	switch {
	case next == nil:
		return "", fmt.Sprintf("no gateway succeeds %s; name the host that %s is to use", t.Name, holder)
	case next.Name != holder:
		return as(m, next.Target), next.unready(m)
	}
	// The heir itself sends there: it is to do what the gateway does.
	old := next.Old.Stored
	switch m.setting {
	case setting.ForwardHost:
		return old.ForwardHost, ""
	case setting.DomainHosts, setting.ETRN:
		if host, ok := old.DomainHosts[m.key]; ok {
			return host, ""
		}
		return old.ForwardHost, ""
	case setting.Reroute:
		return old.Reroutes(m.key), ""
	case setting.Accept, setting.Reject, setting.Relay: // network has them
	}
	for _, s := range next.Old.Sites {
		if s.Name == m.key {
			return s.RoutingAddress, ""
		}
	}
	return "", fmt.Sprintf("%s reaches site %s through %s, which has no way there to hand on; name another gateway of that site", holder, m.key, t.Name)
}

// as is the successor named as the gateway was: by name or by address, with a
// port or without.
func as(m mention, next Target) string {
	host, port := splitHost(m.value)
	at := listens(next)
	to := next.Hostname
	if _, err := netip.ParseAddr(host); err == nil && len(at) > 0 {
		to = at[0].Addr().String()
		if at[0].Addr().Is6() && port != 0 {
			to = "[" + to + "]"
		}
	}
	if port == 0 || m.setting == Site {
		return to
	}
	if len(at) > 0 {
		port = at[0].Port()
	}
	return to + ":" + strconv.Itoa(int(port))
}

// patch sets the listed settings to what they are in s, at once.
func patch(s gateway.Settings, ids []setting.ID) gateway.SettingsPatch {
	p := setting.Patch(s, ids)
	p.Restart = true
	return p
}
