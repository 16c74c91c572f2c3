package plan

import (
	"fmt"
	"strings"
	"time"

	"example.org/ims/pkg/machine"
)

// undo says how a state's effect is undone, and what that costs at that point.
func (m *maker) undo(st *machine.StateDef) *Undo {
	switch st.Do.Undo.Kind {
	case machine.UndoNothing:
		return &Undo{Kind: Nothing, Words: "nothing to undo: " + st.Do.Undo.Why}
	case machine.UndoImpossible:
		if m.plan.NoReturn == "" {
			m.plan.NoReturn = st.ID
		}
		return &Undo{Kind: Impossible, Words: "impossible: " + st.Do.Undo.Why}
	case machine.UndoRestore:
	}
	return &Undo{Kind: Restore, Words: undoWords(st.Do), Cost: m.cost(st)}
}

func undoWords(do *machine.Do) string {
	if do.Action == machine.QueueHold {
		return "release what it held"
	}
	return "write the value from before back to " + strings.Join(do.Targets, ", ")
}

// cost is what writing the value from before back costs.
func (m *maker) cost(st *machine.StateDef) string {
	switch st.Do.Action {
	case machine.DNSRRset:
		return m.ttlCost(st.Do.Args)
	case machine.GatewayMode, machine.GatewayConfig:
		return "a restart of the service: open sessions break off, and clients come back"
	case machine.GatewayRunning:
		return "a start or a stop of the service: open sessions break off, and clients come back"
	case machine.RouteSpaces, machine.RouteSites:
		if m.in.Places.Replication > 0 {
			return fmt.Sprintf("no mail; every site routes here again within %s", m.in.Places.Replication)
		}
		return "no mail; every site routes here again once its table is recalculated"
	case machine.GatewayDependents:
		return "no mail; the others restart if their settings need it"
	case machine.QueueHold:
		return "no mail; what was held goes on where it was"
	case machine.QueueRelease:
		return "what was sent meanwhile cannot be called back"
	case machine.GatewayAbsent, machine.QueueReturn, machine.QueueRedirect, machine.QueueExport, machine.QueueRetry,
		machine.ProbeSend, machine.RunRestore:
	}
	return ""
}

// ttlCost is what changing an RRset back costs: caches follow by its TTL.
func (m *maker) ttlCost(a machine.Args) string {
	ttl, known := uint32(0), a.Type == "" || a.Type == "MX"
	for _, rr := range m.config.zones {
		ttl = max(ttl, rr.TTL)
	}
	switch {
	case !known || ttl == 0:
		return "caches follow within the TTL"
	case a.NullMX:
		return fmt.Sprintf("caches follow within %s, and mail for the domains fails until then", time.Duration(ttl)*time.Second)
	}
	return fmt.Sprintf("no mail; caches follow within %s, and the successor takes mail until then", time.Duration(ttl)*time.Second)
}
