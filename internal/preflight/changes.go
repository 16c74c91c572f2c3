package preflight

import (
	"slices"
	"strings"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// Words for groups of facts, by prefix; a name stands for itself.
var (
	ofGateway = []string{"gw.", "ledger.", "next.limited", "next.differs"}
	ofStores  = []string{"gw.q.", "gw.side.", "gw.oldest", "gw.expiring", "gw.aged", "gw.unaccounted", "gw.sessions", "ledger."}
	ofRoutes  = []string{"route.here", "route.stale", "route.uncovered", "next.covers_out", "next.split", "gw.q.mta"}
	ofNames   = []string{"mx.", "spf.", "name.", "drain.", "next.named", "late.", "gw.arrivals", "gw.sessions"}
)

// changes are the facts that an effect may change, at once or because of it.
// What an effect does that this does not know may be anything.
func changes(do *machine.Do, bound runbook.Binding) []facts.ID {
	words := changedBy(do.Action)
	if do.Action != machine.GatewayDependents && slices.Contains(do.Targets, bound.Successor) {
		words = append(slices.Clone(words), "next.", "route.uncovered")
	}
	var out []facts.ID
	for _, id := range facts.All() {
		if id == facts.GwExists && do.Action != machine.GatewayAbsent && do.Action != machine.RunRestore {
			continue // nothing else removes a gateway, or brings it back
		}
		if slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(id.String(), w) }) {
			out = append(out, id)
		}
	}
	return out
}

func changedBy(a machine.ActionName) []string {
	switch a {
	case machine.GatewayMode, machine.GatewayConfig, machine.GatewayRunning:
		return ofGateway
	case machine.GatewayDependents:
		return []string{"route.dependents", "next.differs"}
	case machine.RouteSpaces:
		return ofRoutes
	case machine.RouteSites:
		return append(slices.Clone(ofRoutes), "route.sites")
	case machine.DNSRRset:
		return ofNames
	case machine.QueueHold, machine.QueueRelease, machine.QueueReturn, machine.QueueRedirect, machine.QueueExport, machine.QueueRetry:
		return ofStores
	case machine.ProbeSend:
		return ofStores
	case machine.GatewayAbsent, machine.RunRestore:
	}
	return []string{""} // every fact
}
