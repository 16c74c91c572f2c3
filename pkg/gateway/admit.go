package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// Inbound is the value of a rerouted domain whose mail the organization takes
// as its own ("<inbound>" on the Routing page).
const Inbound = "inbound"

// Admission is a line of the list that says which hosts may connect (Accept
// Connections, Specify by Host).
type Admission struct {
	Net    netip.Prefix `json:"net"`
	Reject bool         `json:"reject,omitempty"`
}

func (a Admission) String() string {
	if a.Reject {
		return "reject " + NetworkText(a.Net)
	}
	return "accept " + NetworkText(a.Net)
}

// Admits reports whether a client may connect: the line with the longest mask
// that has it decides (Q155920; the order does not count), a rejecting one
// before an accepting one of the same network, and a host that no line has may.
func (s Settings) Admits(client netip.Addr) bool {
	client, bits, yes := plain(client), -1, true
	for _, l := range s.Accept {
		if !l.Net.Contains(client) || l.Net.Bits() < bits {
			continue
		}
		yes = !l.Reject && (yes || l.Net.Bits() > bits)
		bits = l.Net.Bits()
	}
	return yes
}

// Relays reports whether a client may send through the gateway to anybody
// (Q193922, the allow list). Nobody may unless a network has it: without a
// list the historical service relayed for everybody (Q260562), which is not
// imitated.
func (s Settings) Relays(client netip.Addr) bool {
	client = plain(client)
	return slices.ContainsFunc(s.Relay, func(n netip.Prefix) bool { return n.Contains(client) })
}

// ParseNetwork reads an address, or a network as address/bits.
func ParseNetwork(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	n, err := netip.ParsePrefix(s)
	switch {
	case err != nil || n.Addr().Is4In6():
		return netip.Prefix{}, fmt.Errorf("%q is neither an address nor a network such as 192.0.2.0/24", s)
	case n != n.Masked():
		return netip.Prefix{}, fmt.Errorf("%q is no network: did you mean %s?", s, n.Masked())
	}
	return n, nil
}

// NetworkText writes a network as ParseNetwork reads it: an address alone
// without its bits.
func NetworkText(n netip.Prefix) string {
	if n.IsSingleIP() {
		return n.Addr().String()
	}
	return n.String()
}

func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// Reroutes finds what becomes of mail from the Internet to a domain: [Inbound]
// or a host, "" if the table says nothing. A domain with "#" before it is meant
// alone and wins, the others with all below them, the longest one first
// (Q169683).
func (s Settings) Reroutes(domain string) string {
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	if to, ok := s.Reroute["#"+domain]; ok {
		return to
	}
	return below(s.Reroute, domain)
}

// Dequeues reports whether mail for a domain is sent at once when somebody asks
// for it (RFC 1985). A listed domain covers those below it.
func (s Settings) Dequeues(domain string) bool {
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	for d := domain; d != ""; _, d, _ = strings.Cut(d, ".") {
		if _, ok := s.ETRN[d]; ok {
			return true
		}
	}
	return false
}

// below is the value of the longest listed domain that a domain equals or lies
// under, or "".
func below(list map[string]string, domain string) string {
	for d := domain; d != ""; _, d, _ = strings.Cut(d, ".") {
		if v, ok := list[d]; ok {
			return v
		}
	}
	return ""
}

// wrongLists says what is wrong with the lists of p, or "".
func (p SettingsPatch) wrongLists() string {
	if p.Reroute != nil {
		for domain, to := range *p.Reroute {
			if strings.TrimPrefix(domain, "#") == "" || to == "" || domain != strings.ToLower(domain) {
				return fmt.Sprintf("rerouted domain %q: wants a domain in lower case, and %q or a host", domain, Inbound)
			}
		}
	}
	if p.ETRN != nil {
		for domain := range *p.ETRN {
			if domain == "" || domain != strings.ToLower(domain) {
				return fmt.Sprintf("domain %q to send on demand: wants a domain in lower case", domain)
			}
		}
	}
	if p.Accept != nil && slices.ContainsFunc(*p.Accept, func(a Admission) bool { return !masked(a.Net) }) {
		return "a network of hosts that may connect is no network: bits are set behind its mask"
	}
	if p.Relay != nil && slices.ContainsFunc(*p.Relay, func(n netip.Prefix) bool { return !masked(n) }) {
		return "a network of hosts that may relay is no network: bits are set behind its mask"
	}
	return ""
}

func masked(n netip.Prefix) bool { return n.IsValid() && n == n.Masked() && !n.Addr().Is4In6() }

// MarshalJSON writes a wanted list that is nil as an empty one: null would be
// read back as leave.
func (p SettingsPatch) MarshalJSON() ([]byte, error) {
	type bare SettingsPatch
	return json.Marshal(bare(p.Clone()))
}

// Clone returns a copy of p that shares nothing with it, no wanted list nil.
func (p SettingsPatch) Clone() SettingsPatch {
	p.Mode, p.Refuse, p.Timeouts = copied(p.Mode), copied(p.Refuse), copied(p.Timeouts)
	p.ForwardHost, p.MaxSize = copied(p.ForwardHost), copied(p.MaxSize)
	p.MaxInbound, p.MaxOutbound = copied(p.MaxInbound), copied(p.MaxOutbound)
	p.Retry, p.Accept, p.Relay = cloned(p.Retry), cloned(p.Accept), cloned(p.Relay)
	p.DomainHosts, p.Reroute, p.ETRN = clonedTable(p.DomainHosts), clonedTable(p.Reroute), clonedTable(p.ETRN)
	return p
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

func cloned[T any](p *[]T) *[]T {
	if p == nil {
		return nil
	}
	c := append([]T{}, *p...)
	return &c
}

func clonedTable(p *map[string]string) *map[string]string {
	if p == nil {
		return nil
	}
	c := maps.Clone(*p)
	if c == nil {
		c = map[string]string{}
	}
	return &c
}
