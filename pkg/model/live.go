package model

import (
	"fmt"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
)

// mostLive bounds how many worlds [Live] tells apart.
const mostLive = 64

// Live lists the worlds that observed facts allow, within the bounds: what a
// run would begin in if it began now. Assumed says in words what the facts do
// not tell, or tell beyond the bounds, and how it was taken. The error says that
// too little is known.
func Live(v *facts.Vector, b Bounds, begins machine.Begins) (starts []Start, assumed []string, err error) {
	l := &live{v: v, bounds: b, worlds: []World{{}}}
	l.gateway()
	l.routes()
	l.published()
	l.successor(begins)
	l.mail()
	if len(l.worlds) > mostLive {
		return nil, l.assumed, fmt.Errorf("the facts that could be observed allow %d worlds, which is more than %d: %s", len(l.worlds), mostLive, l.assumed)
	}
	for i, w := range l.worlds {
		w.Init = w.Config()
		words := "as observed"
		if len(l.worlds) > 1 {
			words = fmt.Sprintf("as observed, variant %d of %d", i+1, len(l.worlds))
		}
		starts = append(starts, Start{words, w})
	}
	return starts, l.assumed, nil
}

// live collects the worlds that the facts allow so far.
type live struct {
	v       *facts.Vector
	bounds  Bounds
	worlds  []World
	assumed []string
}

func (l *live) assume(format string, args ...any) {
	l.assumed = append(l.assumed, fmt.Sprintf(format, args...))
}

// each gives every world one of some values. Once there are too many worlds to
// tell apart there need not be more.
func (l *live) each(values []facts.Value, set func(*World, facts.Value)) {
	if len(l.worlds) > mostLive {
		values = values[:1]
	}
	var all []World
	for _, w := range l.worlds {
		for _, x := range values {
			t := w
			set(&t, x)
			all = append(all, t)
		}
	}
	l.worlds = all
}

// tell takes a fact; one that is not known is taken each way.
func (l *live) tell(id facts.ID, each []facts.Value, set func(*World, facts.Value)) {
	x := l.v[id]
	if x == facts.Unknown {
		l.assume("%s is not known: taken each way", id)
		l.each(each, set)
		return
	}
	l.each([]facts.Value{x}, set)
}

var either = []facts.Value{0, 1}

func (l *live) is(id facts.ID, set func(*World, bool)) {
	l.tell(id, either, func(w *World, x facts.Value) { set(w, x > 0) })
}

// count takes a number of messages, at most as many as the bounds allow.
func (l *live) count(id facts.ID, most uint8, set func(*World, uint8)) {
	if n := l.v[id]; n > facts.Value(most) {
		l.assume("%s is %d: taken as %d", id, n, most)
	}
	l.tell(id, []facts.Value{0, facts.Value(most)}, func(w *World, x facts.Value) { set(w, uint8(min(x, facts.Value(most)))) })
}

func (l *live) gateway() {
	l.is(facts.GwExists, func(w *World, is bool) { w.Exists = is })
	l.is(facts.GwRunning, func(w *World, is bool) { w.Running = is && w.Exists })
	modes := []facts.Value{inboundOutbound, inboundOnly, outboundOnly, none}
	l.tell(facts.GwModeSet, modes, func(w *World, x facts.Value) { w.ModeSet = uint8(x) })
	l.tell(facts.GwMode, modes, func(w *World, x facts.Value) { w.Mode = uint8(x) })
	for i := range l.worlds {
		w := &l.worlds[i]
		switch reply := l.v[facts.GwReply]; {
		case !w.Running || w.Accepts(): // how it would refuse is not to be seen
		case reply == facts.ReplyClosed:
			w.Refuse = refuseClosed
		case reply == facts.ReplyTemporary:
			w.Refuse = refuseTemporary
		}
		w.RefuseSet = w.Refuse
	}
	l.assume("the form of refusing and the time-outs that are stored are those in effect, and the time-outs the normal ones")
}

func (l *live) routes() {
	l.is(facts.RouteHere, func(w *World, is bool) { w.Spaces = is })
	l.is(facts.RouteSites, func(w *World, is bool) { w.Sites = is })
	l.is(facts.RouteStale, func(w *World, is bool) { w.Stale = is && !w.Led() })
	l.is(facts.RouteUncovered, func(w *World, is bool) { w.Other = !is && l.v[facts.RouteOthers] != 0 })
	l.is(facts.RouteSwallowed, func(w *World, is bool) {
		w.Other = w.Other || is
		w.flag(Wavers, true)
		w.flag(Idle, is)
	})
	l.is(facts.RouteDependents, func(w *World, is bool) { w.Dependents = is })
	if l.v[facts.RouteSites] > 0 {
		l.assume("an address space leads here beside the connected site")
	}
}

// published takes what name servers and caches give. What no run has asked for
// yet is not known, and then not there.
func (l *live) published() {
	l.is(facts.MxHere, func(w *World, is bool) { w.MXPrimary, w.MXSecondary = is, is })
	if l.v[facts.MxHere] == 1 && l.v[facts.MxAgree] == 0 {
		l.is(facts.MxPrimaryWanted, func(w *World, is bool) { w.MXPrimary, w.MXSecondary = !is, is })
	}
	l.is(facts.MxExpired, func(w *World, is bool) { w.MXCached = !is || w.MXHere() })
	all := NameA | NameAAAA
	if l.v[facts.NameHere] == 0 {
		all = 0
	}
	l.each(either[:1], func(w *World, _ facts.Value) {
		w.NamePrimary, w.NameSecondary = all, all
		w.NameCached = all != 0 || l.v[facts.NameExpired] != 1
		for id, f := range map[facts.ID]Flags{facts.MxNull: Null, facts.SpfNone: SPFNone, facts.DrainNamed: Drain, facts.NextNamed: Also} {
			if l.v[id] == 1 {
				w.Publish(f)
			}
		}
	})
}

func (l *live) successor(begins machine.Begins) {
	if begins == machine.BeginsAlone {
		l.is(facts.RouteOthers, func(w *World, is bool) {
			w.Flags |= Alone | Comes
			w.Other = is
		})
		l.assume("there is no successor, as the runbook says")
		return
	}
	l.is(facts.NextAccepts, func(w *World, is bool) { w.Next = is })
	if l.v[facts.NextSends] != facts.Unknown || begins == machine.BeginsJoining {
		l.is(facts.NextSends, func(w *World, is bool) {
			w.flag(Mutes, true)
			w.flag(Mute, !is)
		})
	}
	if l.v[facts.NextAccepts] == 0 {
		l.assume("whether the successor accepts every domain is not to be seen while it accepts nothing: taken each way")
		l.each(either, func(w *World, x facts.Value) { w.Covers = x == 1 })
	} else {
		l.is(facts.NextCoversIn, func(w *World, is bool) { w.Covers = is })
	}
	l.each(either[:1], func(w *World, _ facts.Value) {
		w.Differs = l.v[facts.NextDiffers] > 0
		w.flag(LimitHere|LimitNext, l.v[facts.NextLimited] == 1)
		w.flag(SplitHere|SplitNext, l.v[facts.NextSplit] == 1)
	})
}

func (l *live) mail() {
	out, in := l.bounds.Out, l.bounds.In
	l.count(facts.GwQMTA, out, func(w *World, n uint8) { w.MTA = n })
	l.count(facts.GwQMTSOut, out, func(w *World, n uint8) { w.MTSOut = n })
	l.count(facts.GwQOut, out, func(w *World, n uint8) { w.Out = n })
	l.count(facts.GwQIn, in, func(w *World, n uint8) { w.In = n })
	l.count(facts.GwQMTSIn, in, func(w *World, n uint8) { w.MTSIn = n })
	l.count(facts.GwSideBad, out, func(w *World, n uint8) { w.Side = n })
	l.count(facts.GwSideHold, out, func(w *World, n uint8) { w.Hold = n })
	l.is(facts.LateNeverFollow, func(w *World, is bool) {
		if is {
			w.Late = LateUndecided
		}
	})
	l.is(facts.LedgerAbsorbed, func(w *World, is bool) { w.Absorbed = is })
	aged := max(l.v[facts.GwAged], 0)
	reports := l.v[facts.GwQOut] > 0 && l.v[facts.GwExpiring] == 0
	l.each(either[:1], func(w *World, _ facts.Value) {
		w.Old = uint8(min(aged, facts.Value(w.MTSOut)))
		w.MTSOut -= w.Old
		w.LateCame = l.v[facts.LateQuiet] == 0
		if reports {
			w.Out, w.OutRep = 0, min(w.Out, max(l.bounds.Reports, 1))
		}
	})
	if l.v[facts.GwQMTSOut] > 0 || l.v[facts.GwQMTSIn] > 0 {
		l.assume("what waits in mts-out and mts-in is mail, not reports")
	}
	if n := l.v[facts.GwSideCorrupt]; n > 0 {
		l.assume("gw.side.corrupt is %d: left out", n)
	}
}
