package model

import "example.org/ims/pkg/facts"

// Facts is what an observation of this world would say; what a run has been
// granted is not the world's to know.
func (w *World) Facts(p Params) facts.Vector {
	var v facts.Vector
	for id := range facts.Count {
		v[id] = w.Fact(id, p)
	}
	return v
}

// Fact is one of them.
func (w *World) Fact(id facts.ID, p Params) facts.Value {
	if id >= facts.RouteHere {
		return w.outside(id)
	}
	n := func(x uint8) facts.Value { return facts.Value(x) }
	switch id {
	case facts.GwExists:
		return facts.Bool(w.Exists)
	case facts.GwRunning:
		return facts.Bool(w.Running)
	case facts.GwAccepts:
		return facts.Bool(w.Accepts())
	case facts.GwReply:
		return w.Reply(p)
	case facts.GwModeSet:
		return n(w.ModeSet)
	case facts.GwMode:
		if !w.Running { // what a start would make effective
			return n(w.ModeSet)
		}
		return n(w.Mode)
	case facts.GwArrivals:
		return facts.Bool(w.Arrived)
	case facts.GwExpiring:
		return n(w.Out)
	case facts.GwQMTA:
		return n(w.MTA)
	case facts.GwQMTSOut:
		return n(w.MTSOut + w.MTSRep)
	case facts.GwQOut:
		return n(w.Out + w.OutRep)
	case facts.GwQIn:
		return n(w.In)
	case facts.GwQMTSIn:
		return n(w.MTSIn + w.NDR)
	case facts.GwQTotal:
		return facts.Value(w.queued())
	case facts.GwSideBad:
		return n(w.Side)
	}
	return 0 // gw.sessions, gw.unaccounted, gw.oldest, gw.side.hold, gw.side.corrupt: left out
}

// outside are the facts about what is around the gateway.
func (w *World) outside(id facts.ID) facts.Value {
	b := facts.Bool
	switch id {
	case facts.RouteHere:
		return b(w.Spaces || w.Sites)
	case facts.RouteUncovered:
		return facts.Value(w.uncovered())
	case facts.RouteStale:
		return b(w.Stale && !w.Spaces && !w.Sites)
	case facts.RouteSites:
		return b(w.Sites)
	case facts.RouteDependents:
		return b(w.Dependents)
	case facts.MxHere:
		return b(w.MXHere())
	case facts.MxWanted:
		return b(!w.MXHere())
	case facts.MxPrimaryWanted:
		return b(!w.MXPrimary)
	case facts.MxAgree:
		return b(w.MXPrimary == w.MXSecondary)
	case facts.MxExpired:
		return b(!w.MXCached)
	case facts.NextAccepts:
		return b(w.Next)
	case facts.NextCoversIn:
		return b(w.Covers)
	case facts.NextCoversOut:
		return b(w.uncovered() == 0)
	case facts.LateClients:
		return b(w.Late != LateNone)
	case facts.LateNeverFollow:
		return b(w.Late == LateUndecided)
	case facts.LateQuiet:
		return b(!w.LateCame)
	case facts.LedgerAbsorbed:
		return b(w.Absorbed)
	case facts.LedgerPresent:
		return facts.Value(w.Held())
	case facts.RunMayExpire:
		return facts.Value(w.MayExpire)
	}
	return 0 // ledger.unaccounted, run.exported: left out; run.granted.*: the machine's
}

// ConfigFacts are the facts of class config in two bytes: what a decision is
// bound to. Those that never change are left out.
func (w *World) ConfigFacts() uint16 {
	return w.Config()&^31 | uint16(w.ModeSet) | uint16(w.Fact(facts.GwMode, Params{}))<<2 | uint16(bit(w.Dependents))<<10 |
		uint16(bit(w.MXSecondary))<<11 | uint16(bit(w.Next))<<12 | 1<<15
}
