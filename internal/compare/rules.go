package compare

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"

	"example.org/ims/internal/setting"
	"example.org/ims/pkg/gateway"
)

// take is what the settings of the new gateway are to be, for one setting to be
// taken over: unchanged if it is. why says what is missing, or why a difference
// is none.
func (p pair) take(one setting.Setting, next gateway.Settings) (want gateway.Settings, why string) {
	old := p.old.Config.Stored
	want = next.Patch(gateway.SettingsPatch{})
	switch one.ID {
	case "mode":
		want.Mode = both(old.Mode, next.Mode)
		return want, "every direction that the old one has is wanted"
	case "max-size":
		if next.MaxSize == 0 || old.MaxSize != 0 && next.MaxSize >= old.MaxSize {
			return want, "larger messages pass, too"
		}
		want.MaxSize = old.MaxSize
		return want, "messages that the old one takes would be refused"
	case "max-inbound":
		if atLeast(next.MaxInbound, old.MaxInbound) {
			return want, "it takes as many sessions"
		}
	case "max-outbound":
		if atLeast(next.MaxOutbound, old.MaxOutbound) {
			return want, "it opens as many sessions"
		}
	case setting.ForwardHost:
		if p.itself(old.ForwardHost) {
			return want, "it is that host"
		}
	case setting.DomainHosts:
		want.DomainHosts, why = p.table(old.DomainHosts, next.DomainHosts)
		return want, why
	case setting.Reroute:
		want.Reroute, why = p.table(old.Reroute, next.Reroute)
		return want, why
	case setting.ETRN:
		want.ETRN, why = p.table(old.ETRN, next.ETRN)
		return want, why
	case setting.Accept, setting.Reject:
		want.Accept, why = admissions(old.Accept, next.Accept, one.ID == setting.Reject)
		return want, why
	case setting.Relay:
		want.Relay, why = p.networks(old.Relay, next.Relay)
		return want, why
	}
	return next.Patch(setting.Patch(old, []setting.ID{one.ID})), ""
}

// atLeast reports whether a limit allows what another does; 0 is the service's
// own limit, of which nothing is known.
func atLeast(next, old int) bool { return next == old || next > old && old > 0 }

// both is the mode that has the directions of two.
func both(a, b gateway.Mode) gateway.Mode {
	in := func(m gateway.Mode) bool { return m == gateway.InboundOutbound || m == gateway.InboundOnly }
	out := func(m gateway.Mode) bool { return m == gateway.InboundOutbound || m == gateway.OutboundOnly }
	switch i, o := in(a) || in(b), out(a) || out(b); {
	case i && o:
		return gateway.InboundOutbound
	case i:
		return gateway.InboundOnly
	case o:
		return gateway.OutboundOnly
	}
	return gateway.None
}

// itself reports whether a host is the new gateway: it must not send to itself.
func (p pair) itself(host string) bool {
	c := p.next.Config
	if host == "" {
		return false
	}
	if strings.EqualFold(host, c.Listen) {
		return true
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.EqualFold(strings.Trim(host, "[]@."), strings.TrimSuffix(c.Hostname, "."))
}

// table is the table of the old one. What the new one leads elsewhere beside
// that, it leads elsewhere for mail that the old one carried, too.
func (p pair) table(old, next map[string]string) (map[string]string, string) {
	want := maps.Clone(next)
	var missing, added []string
	for _, d := range slices.Sorted(maps.Keys(old)) {
		if v, ok := next[d]; ok && strings.EqualFold(v, old[d]) || p.itself(old[d]) {
			continue
		}
		if want == nil {
			want = map[string]string{}
		}
		want[d] = old[d]
		missing = append(missing, d)
	}
	for _, d := range slices.Sorted(maps.Keys(next)) {
		if _, ok := old[d]; !ok {
			delete(want, d)
			added = append(added, d)
		}
	}
	if len(missing)+len(added) == 0 {
		return next, "it has every entry that counts"
	}
	return want, differs(missing, added)
}

// admissions is a list with the lines of the old one, of one kind. A line that
// accepts matters only where something is rejected; one more that rejects keeps
// out whom the old one let in.
func admissions(old, next []gateway.Admission, reject bool) ([]gateway.Admission, string) {
	if !reject && len(setting.Admissions(next, true)) == 0 {
		return next, "nobody is rejected"
	}
	want := slices.Clone(next)
	var missing, added []string
	for _, l := range old {
		if l.Reject == reject && !slices.Contains(next, l) {
			want = append(want, l)
			missing = append(missing, gateway.NetworkText(l.Net))
		}
	}
	if reject {
		within := func(l gateway.Admission) bool {
			return slices.ContainsFunc(old, func(o gateway.Admission) bool { return o.Reject && wider(o.Net, l.Net) })
		}
		for _, l := range next {
			if l.Reject && !within(l) {
				want = slices.DeleteFunc(want, func(w gateway.Admission) bool { return w == l })
				added = append(added, gateway.NetworkText(l.Net))
			}
		}
	}
	if len(missing)+len(added) == 0 {
		return want, "it has every network that counts"
	}
	return want, differs(missing, added)
}

// wider reports whether a network holds another.
func wider(net, other netip.Prefix) bool {
	return net.Bits() <= other.Bits() && net.Contains(other.Addr())
}

// differs says what a list lacks, and what it has that it should not have.
func differs(missing, added []string) string {
	var words []string
	if len(missing) > 0 {
		words = append(words, "without "+strings.Join(missing, ", "))
	}
	if len(added) > 0 {
		words = append(words, "with "+strings.Join(added, ", ")+", which the old one has not")
	}
	return strings.Join(words, "; ")
}

// networks is a list that has every network of the old one, or a wider one. The
// new gateway itself needs no line.
func (p pair) networks(old, next []netip.Prefix) ([]netip.Prefix, string) {
	want := slices.Clone(next)
	var missing []string
	for _, n := range old {
		at, err := netip.ParseAddrPort(p.next.Config.Listen)
		itself := err == nil && n.IsSingleIP() && n.Addr() == at.Addr().Unmap()
		if !itself && !slices.ContainsFunc(next, func(m netip.Prefix) bool { return wider(m, n) }) {
			want = append(want, n)
			missing = append(missing, gateway.NetworkText(n))
		}
	}
	if len(missing) == 0 {
		return want, "it has every network that counts"
	}
	return want, differs(missing, nil)
}

// spaces compares the address spaces. A space for everything covers each of its
// type; the cost is the organization's to choose.
func (p pair) spaces() Line {
	l := Line{ID: Spaces, Title: "address spaces", Verdict: Transferred}
	text := func(s gateway.Space) string { return fmt.Sprintf("%s:%s", s.Type, s.Pattern) }
	l.Old, l.New = join(p.old.Config.Spaces, text), join(p.next.Config.Spaces, text)
	for _, s := range p.old.Config.Spaces {
		covers := func(n gateway.Space) bool {
			return strings.EqualFold(n.Type, s.Type) && (strings.EqualFold(n.Pattern, s.Pattern) || n.Pattern == "*") &&
				(n.Scope == gateway.ScopeOrganization || n.Scope == s.Scope)
		}
		if slices.ContainsFunc(p.next.Config.Spaces, covers) {
			continue
		}
		l.Verdict, l.Why = Different, strings.TrimPrefix(l.Why+", "+text(s), ", ")
		l.Fix = append(l.Fix, fmt.Sprintf("ims route add %s --type %s --pattern %s --cost %d --scope %s --reason %s",
			setting.Quote(p.next.Config.Name), setting.Quote(s.Type), setting.Quote(s.Pattern), s.Cost, s.Scope, setting.Quote(p.reason)))
	}
	if l.Verdict == Different {
		l.Why = "without " + l.Why
	}
	return l
}

// sites compares the connected sites. The site that the new gateway stands at
// needs no connection.
func (p pair) sites() Line {
	l := Line{ID: Sites, Title: "connected sites", Verdict: Transferred}
	text := func(s gateway.Site) string { return s.Name + " via " + s.RoutingAddress }
	l.Old, l.New = join(p.old.Config.Sites, text), join(p.next.Config.Sites, text)
	for _, s := range p.old.Config.Sites {
		same := func(n gateway.Site) bool {
			return strings.EqualFold(n.Name, s.Name) && strings.EqualFold(n.RoutingAddress, s.RoutingAddress)
		}
		if strings.EqualFold(s.Name, p.next.Site) || p.itself(s.RoutingAddress) || slices.ContainsFunc(p.next.Config.Sites, same) {
			continue
		}
		l.Verdict, l.Why = Different, strings.TrimPrefix(l.Why+", "+text(s), ", ")
		l.Fix = append(l.Fix, fmt.Sprintf("ims route connect %s --site %s --via %s --cost %d --reason %s",
			setting.Quote(p.next.Config.Name), setting.Quote(s.Name), setting.Quote(s.RoutingAddress), s.Cost, setting.Quote(p.reason)))
	}
	if l.Verdict == Different {
		l.Why = "without " + l.Why
	}
	return l
}

func join[T any](list []T, text func(T) string) string {
	parts := make([]string, len(list))
	for i, x := range list {
		parts[i] = text(x)
	}
	return strings.Join(parts, ", ")
}
