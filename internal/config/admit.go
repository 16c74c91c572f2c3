package config

import (
	"net/netip"
	"strings"

	"example.org/ims/internal/strictyaml"
	"example.org/ims/pkg/gateway"
)

// admit reads who may connect and relay, and what becomes of mail for domains
// that are named.
func (r *reader) admit(g *gatewayDoc, s *gateway.Settings) {
	for _, t := range g.Accept {
		s.Accept = append(s.Accept, gateway.Admission{Net: r.network(t, "accept")})
	}
	for _, t := range g.Reject {
		s.Accept = append(s.Accept, gateway.Admission{Net: r.network(t, "reject"), Reject: true})
	}
	for _, t := range g.Relay {
		s.Relay = append(s.Relay, r.network(t, "relay"))
	}
	s.DomainHosts = r.hosts(g.DomainHosts, false, func(t text) string { return r.nextHop(t, "host") })
	s.ETRN = r.hosts(g.ETRN, false, func(t text) string {
		if t.Value == "" {
			return "" // its MX
		}
		return r.nextHop(t, "host")
	})
	s.Reroute = r.hosts(g.Reroute, true, func(t text) string {
		if t.Value == gateway.Inbound {
			return t.Value
		}
		return r.nextHop(t, "host, or "+gateway.Inbound+",")
	})
}

// hosts is a table of domains, nil if it is empty. Where that is allowed, a
// domain that is meant alone has a # before it.
func (r *reader) hosts(m strictyaml.Map[text], alone bool, host func(text) string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, e := range m {
		key, mark := e.Key, ""
		if rest, ok := strings.CutPrefix(key.Value, "#"); ok && alone {
			key.Value, mark = rest, "#"
		}
		out[mark+r.domain(key, "domain")] = host(e.Value)
	}
	return out
}

// network is an address, or a network as address/bits.
func (r *reader) network(t text, what string) netip.Prefix {
	n, err := gateway.ParseNetwork(t.Value)
	if err != nil {
		r.add(t.Pos, "address", "%s: %v", what, err)
	}
	return n
}
