package preflight

import (
	"slices"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
)

// What effects of several kinds change.
var (
	// mail is what moves once mail is let through, held back, or taken out.
	mail = []facts.ID{
		facts.GwQMTA, facts.GwQMTSOut, facts.GwQOut, facts.GwQIn, facts.GwQMTSIn, facts.GwQTotal, facts.GwSideBad, facts.GwSideHold,
		facts.GwSideCorrupt, facts.GwOldest, facts.GwExpiring, facts.GwAged, facts.GwUnaccounted, facts.GwArrivals,
		facts.LedgerUnaccounted, facts.LedgerAbsorbed, facts.LedgerPresent,
	}
	// listener is what a client on the Internet side is told.
	listener = []facts.ID{facts.GwAccepts, facts.GwReply, facts.GwSessions}
	// clients is who comes, once a name leads elsewhere.
	clients   = []facts.ID{facts.LateClients, facts.LateNeverFollow, facts.LateQuiet, facts.GwArrivals, facts.GwSessions}
	mx        = []facts.ID{facts.MxHere, facts.MxWanted, facts.MxPrimaryWanted, facts.MxAgree, facts.MxExpired, facts.MxNull, facts.NextNamed}
	hostName  = []facts.ID{facts.NameHere, facts.NameWanted, facts.NameAgree, facts.NameExpired}
	successor = []facts.ID{facts.NextAccepts, facts.NextSends, facts.NextCoversIn, facts.NextDiffers, facts.NextLimited}
	routes    = []facts.ID{facts.RouteHere, facts.RouteStale, facts.RouteUncovered, facts.NextCoversOut}
)

// changes are the facts that an effect may change, at once or because of it, in
// a world that is as observed.
func changes(do *machine.Do, now *facts.Vector) []facts.ID {
	a := &do.Args
	switch do.Action {
	case machine.GatewayMode, machine.GatewayConfig:
		return configured(a)
	case machine.GatewayRunning:
		if a.OnSuccessor {
			return slices.Concat(successor, routes) // who does not run carries nothing
		}
		return slices.Concat(mail, listener, []facts.ID{facts.GwRunning, facts.GwMode, facts.NextLimited})
	case machine.GatewayAbsent:
		return slices.Concat(mail, listener, routes, []facts.ID{
			facts.GwExists, facts.GwRunning, facts.GwModeSet, facts.GwMode, facts.RouteSites, facts.RouteDependents, facts.NextSplit, facts.NextLimited,
		})
	case machine.GatewayDependents:
		if now[facts.RouteDependents] == 0 {
			return nil // nobody names it, so nothing is written
		}
		return []facts.ID{facts.RouteDependents, facts.NextDiffers}
	case machine.RouteSpaces, machine.RouteSites:
		return routed(do.Action)
	case machine.DNSRRset:
		return published(a)
	case machine.QueueHold, machine.QueueRelease, machine.QueueReturn, machine.QueueRedirect, machine.QueueExport, machine.QueueRetry,
		machine.ProbeSend:
		return mail
	case machine.RunRestore:
	}
	return facts.All()
}

// configured are the facts that a change of settings may change. What it sets on
// the gateway itself is not to be taken over, so next.differs stays.
func configured(a *machine.Args) []facts.ID {
	if a.OnSuccessor {
		return slices.Concat(successor, routes)
	}
	var out []facts.ID
	if a.Mode != "" {
		out = append(out, facts.GwModeSet, facts.GwMode)
	}
	if a.MaxInbound+a.MaxOutbound > 0 {
		out = append(out, facts.NextLimited)
	}
	if a.Restart {
		out = append(out, facts.GwMode, facts.NextLimited)
	}
	return slices.Concat(out, mail, listener)
}

func routed(action machine.ActionName) []facts.ID {
	what := facts.NextSplit
	if action == machine.RouteSites {
		what = facts.RouteSites
	}
	return slices.Concat(routes, []facts.ID{what, facts.GwQMTA, facts.GwQTotal, facts.GwArrivals})
}

// published are the facts that a record may change.
func published(a *machine.Args) []facts.ID {
	switch {
	case a.Drain, a.Type == "PTR":
		return []facts.ID{facts.DrainNamed}
	case a.Type == "TXT":
		return []facts.ID{facts.SpfNone, facts.DrainNamed}
	case a.Type == "A", a.Type == "AAAA":
		return slices.Concat(hostName, clients)
	}
	return slices.Concat(mx, clients)
}
