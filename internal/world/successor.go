package world

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"example.org/ims/pkg/zone"
)

// Publication is whether the host name of the successor, as it is published, may
// stand in an MX.
type Publication struct {
	Verdict zone.Verdict
	Why     string
	Fix     string // the record or the setting to change
}

// Successor looks at the host name of the successor as the world does: it has an
// address, is no alias (RFC 2181 10.3), does not lead to the gateway, and leads
// to where the successor is known to be. A runbook that does not publish it asks
// nothing of it.
func (l *Leads) Successor(ctx context.Context) Publication {
	name, host := l.w.cfg.SuccessorName, l.w.cfg.SuccessorHostname
	if host == "" || !l.w.want.publishes {
		return Publication{Verdict: zone.Yes, Why: "the runbook publishes no name of a successor"}
	}
	p, lead := l.find(ctx, host), l.Host(ctx, host)
	no := func(format string, args ...any) Publication {
		return Publication{zone.No, fmt.Sprintf(format, args...), l.w.publish()}
	}
	switch {
	case lead.Here == zone.Yes:
		return no("%s leads to %s, so an MX that names it leads here", host, lead.How)
	case p.alias() != "":
		return no("%s is an alias of %s, and an MX may name no alias (RFC 2181 10.3)", host, p.alias())
	case len(p.addrs) == 0 && p.err == nil:
		return no("%s has no address, so mail for an MX that names it goes nowhere", host)
	}
	if strange := l.w.strange(p.addrs); strange != "" {
		return no("%s", strange)
	}
	switch {
	case p.err != nil || lead.Here == zone.Unsure:
		why := lead.How
		if p.err != nil {
			why = p.err.Error()
		}
		return Publication{zone.Unsure, fmt.Sprintf("where %s leads is not known: %s", host, strings.ReplaceAll(why, "\n", "; ")), l.w.readable(host)}
	case !l.w.cfg.SuccessorMachine.Assumed && !allIn(l.w.cfg.SuccessorMachine.Addresses, p.addrs):
		return no("%s leads to %s, and the addresses of %s are %s", host, words(p.addrs), name, words(l.w.cfg.SuccessorMachine.Addresses))
	}
	return Publication{Verdict: zone.Yes, Why: fmt.Sprintf("%s leads to %s, and not to %s", host, words(p.addrs), l.w.cfg.Name)}
}

// strange says which addresses are not the successor's. Those that are configured
// are all that it may have. Where it listens is one of those that it has, unless
// the addresses are translated on the way: then they are of another kind.
func (w *World) strange(addrs []netip.Addr) string {
	m, host := w.cfg.SuccessorMachine, w.cfg.SuccessorHostname
	if len(m.Addresses) == 0 || len(addrs) == 0 {
		return ""
	}
	foreign := func(a netip.Addr) bool { return !slices.Contains(m.Addresses, a) }
	if !m.Assumed {
		if i := slices.IndexFunc(addrs, foreign); i >= 0 {
			return fmt.Sprintf("%s leads to %s, which is no address of %s: it has %s", host, addrs[i], w.cfg.SuccessorName, words(m.Addresses))
		}
		return ""
	}
	if !slices.ContainsFunc(addrs, func(a netip.Addr) bool { return !foreign(a) || kind(a) != kind(m.Addresses[0]) }) {
		return fmt.Sprintf("%s leads to %s, and %s listens at %s", host, words(addrs), w.cfg.SuccessorName, words(m.Addresses))
	}
	return ""
}

// kind is who can reach an address: this machine, a private network, or everybody.
func kind(a netip.Addr) string {
	switch {
	case a.IsLoopback():
		return "loopback"
	case a.IsPrivate(), a.IsLinkLocalUnicast():
		return "private"
	}
	return "public"
}

// publish is the record that makes the successor's host name lead to it.
func (w *World) publish() string {
	host, addrs := w.cfg.SuccessorHostname, w.cfg.SuccessorMachine.Addresses
	what := "the address that " + w.cfg.SuccessorName + " is reached at"
	if len(addrs) > 0 {
		var records []string
		for _, a := range addrs {
			typ := typeA
			if !a.Is4() {
				typ = typeAAAA
			}
			records = append(records, fmt.Sprintf("%s. %s %s", strings.TrimSuffix(host, "."), typ, a))
		}
		what = strings.Join(records, " and ") + ", and no other address or alias of it"
	}
	fix := "publish " + what
	if z, err := w.zoneOf(host); err == nil {
		fix += ", in zone " + strings.TrimSuffix(z.Name, ".")
	}
	return fix + "; or, if that is wrong, set gateways." + w.cfg.SuccessorName + ".addresses of ims.yaml"
}

// readable is what makes it known where a name leads.
func (w *World) readable(host string) string {
	if z, err := w.zoneOf(host); err == nil {
		return fmt.Sprintf("see that every server of zone %s answers for %s", strings.TrimSuffix(z.Name, "."), host)
	}
	return fmt.Sprintf("see that the servers of resolver.servers answer for %s, or add its zone to zones", host)
}
