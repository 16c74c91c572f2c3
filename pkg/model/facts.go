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
	case facts.GwAged:
		return n(w.Old)
	case facts.GwQMTA:
		return n(w.MTA)
	case facts.GwQMTSOut:
		return n(w.MTSOut + w.Old + w.MTSRep)
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
	case facts.GwSideHold:
		return n(w.Hold)
	case facts.GwSideCorrupt, facts.GwUnaccounted:
		return facts.Bool(w.Flags&Damaged != 0)
	}
	return 0 // gw.sessions, gw.oldest: left out
}

// outside are the facts about what is around the gateway.
func (w *World) outside(id facts.ID) facts.Value {
	if id >= facts.MxHere && id < facts.NextAccepts {
		return facts.Bool(w.published(id))
	}
	b := facts.Bool
	switch id {
	case facts.RouteHere:
		return b(w.Spaces || w.Sites)
	case facts.RouteUncovered:
		return facts.Value(w.uncovered())
	case facts.RouteSwallowed:
		return facts.Value(w.Swallowed())
	case facts.RouteOthers:
		return b(w.Other)
	case facts.RouteStale:
		return b(w.Stale && !w.Spaces && !w.Sites)
	case facts.RouteSites:
		return b(w.Sites)
	case facts.RouteDependents:
		return b(w.Dependents)
	case facts.NextAccepts:
		return b(w.Next)
	case facts.NextSends:
		return b(w.Flags&(Mute|Alone) == 0)
	case facts.NextCoversIn:
		return b(w.Covers)
	case facts.NextCoversOut:
		return b(w.uncovered()+w.Swallowed() == 0)
	case facts.NextDiffers:
		return b(w.Differs)
	case facts.NextNamed:
		return b(w.Published(Also))
	case facts.NextLimited: // in effect
		return b(w.Flags&(LimitHere|LimitNext) == LimitHere|LimitNext && w.Running)
	case facts.NextSplit:
		return b(w.Flags&(SplitHere|SplitNext) == SplitHere|SplitNext)
	case facts.LateClients:
		return b(w.Late != LateNone)
	case facts.LateNeverFollow:
		return b(w.Late == LateUndecided)
	case facts.LateQuiet:
		return b(!w.LateCame)
	case facts.LedgerUnaccounted:
		return b(w.Flags&Damaged != 0)
	case facts.LedgerAbsorbed:
		return b(w.Absorbed)
	case facts.LedgerPresent:
		return facts.Value(w.Held())
	case facts.RunMayExpire:
		return facts.Value(w.MayExpire)
	}
	return 0 // run.exported: left out; run.granted.*: the machine's
}

// published are the facts about what name servers and caches give.
func (w *World) published(id facts.ID) bool {
	switch id {
	case facts.MxHere:
		return w.MXHere()
	case facts.MxWanted:
		return !w.MXHere()
	case facts.MxPrimaryWanted:
		return !w.MXPrimary
	case facts.MxAgree:
		return w.MXPrimary == w.MXSecondary && (w.Flags^w.Flags>>seen)&(Null|Also) == 0
	case facts.MxExpired:
		return !w.MXCached
	case facts.MxNull:
		return w.Published(Null) && !w.MXHere()
	case facts.SpfNone:
		return w.Published(SPFNone)
	case facts.NameHere:
		return w.NameHere()
	case facts.NameWanted:
		return !w.NameHere()
	case facts.NameAgree:
		return w.NamePrimary == w.NameSecondary
	case facts.NameExpired:
		return !w.NameCached
	case facts.DrainNamed:
		return w.Published(Drain)
	}
	return false
}

// ConfigFacts are the facts of class config, in a number that is never zero:
// what a decision is bound to. Those that never change are left out.
func (w *World) ConfigFacts() uint32 {
	return w.Config()&^ConfigSettings | uint32(w.ModeSet) | uint32(w.Fact(facts.GwMode, Params{}))<<2 | 1<<4 |
		uint32(bit(w.MXSecondary))<<31 | uint32(bit(w.Next))<<24 | uint32(bit(w.Differs))<<25 | uint32(w.NameSecondary)<<26 |
		uint32(bit(w.Published(Null)))<<28 | uint32(bit(w.Published(SPFNone)))<<29 | uint32(bit(w.Published(Drain)))<<30
}
