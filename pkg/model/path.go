package model

import (
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
)

// State is the world that a dry run follows: seeded with live facts, with counts
// that are as large as they are, and one deterministic successor.
type State struct {
	Exists, Running bool
	ModeSet, Mode   uint8 // as stored, as in effect: index as in facts
	Closed          bool  // refuse: closed is stored
	ClosedInEffect  bool
	ShortSet, Short bool // flush time-outs, as stored, as in effect

	Spaces    bool // an address space leads here
	Sites     uint16
	Stale     bool // a copy of the table still leads here
	Uncovered uint16
	DependsOn uint16

	MTA, MTSOut, Out, In, MTSIn uint16
	Bad, Hold, Corrupt          uint16
	Unaccounted, Absorbed       uint16

	MXAll     bool // some authority names the gateway
	MXPrimary bool // the primary names the gateway
	MXCached  bool // a cache may name the gateway

	NextAccepts, NextCoversIn bool
	NeverFollow               uint16

	Grants    uint8
	MayExpire uint16

	Around Around
}

// Seed makes the model's state from observed facts. It lists the facts that
// were unknown and had to be assumed, at their worst.
func Seed(v *facts.Vector) (State, []facts.ID) {
	var assumed []facts.ID
	get := func(id facts.ID, worst facts.Value) facts.Value {
		if v[id] == facts.Unknown {
			assumed = append(assumed, id)
			return worst
		}
		return v[id]
	}
	is := func(id facts.ID, worst facts.Value) bool { return get(id, worst) == 1 }
	n := func(id facts.ID) uint16 { return uint16(min(max(get(id, 1), 0), 1<<16-1)) }
	s := State{
		Exists: is(facts.GwExists, 1), Running: is(facts.GwRunning, 0),
		ModeSet: uint8(get(facts.GwModeSet, none)), Mode: uint8(get(facts.GwMode, none)),
		Sites: n(facts.RouteSites), Uncovered: n(facts.RouteUncovered), DependsOn: n(facts.RouteDependents),
		Stale: is(facts.RouteStale, 1),
		MTA:   n(facts.GwQMTA), MTSOut: n(facts.GwQMTSOut), Out: n(facts.GwQOut), In: n(facts.GwQIn), MTSIn: n(facts.GwQMTSIn),
		Bad: n(facts.GwSideBad), Hold: n(facts.GwSideHold), Corrupt: n(facts.GwSideCorrupt),
		Unaccounted: n(facts.LedgerUnaccounted), Absorbed: n(facts.LedgerAbsorbed),
		MXAll: is(facts.MxHere, 1), MXPrimary: !is(facts.MxPrimaryWanted, 0), MXCached: !is(facts.MxExpired, 0),
		NextAccepts: is(facts.NextAccepts, 0), NextCoversIn: is(facts.NextCoversIn, 0),
		NeverFollow: n(facts.LateNeverFollow), MayExpire: n(facts.RunMayExpire),
	}
	s.Spaces = is(facts.RouteHere, 1)
	s.Closed = v[facts.GwReply] == facts.ReplyClosed
	s.ClosedInEffect = s.Closed
	for i := range facts.GrantNames() {
		if v[facts.GrantFact(i)] == 1 {
			s.Grants |= 1 << i
		}
	}
	for i, id := range aroundFacts {
		s.Around[i] = v[id]
	}
	return s, assumed
}

// Facts is what an observation of this world would say.
func (s State) Facts() facts.Vector {
	var v facts.Vector
	set := func(id facts.ID, x facts.Value) { v[id] = x }
	n := func(x uint16) facts.Value { return facts.Value(x) }
	b := facts.Bool
	accepts := s.accepts()
	set(facts.GwExists, b(s.Exists))
	set(facts.GwRunning, b(s.Running))
	set(facts.GwAccepts, b(accepts))
	set(facts.GwReply, s.reply())
	set(facts.GwModeSet, facts.Value(s.ModeSet))
	set(facts.GwMode, facts.Value(s.Mode))
	if !s.Running { // what a start would make effective
		set(facts.GwMode, facts.Value(s.ModeSet))
	}
	set(facts.GwQMTA, n(s.MTA))
	set(facts.GwQMTSOut, n(s.MTSOut))
	set(facts.GwQOut, n(s.Out))
	set(facts.GwQIn, n(s.In))
	set(facts.GwQMTSIn, n(s.MTSIn))
	set(facts.GwQTotal, n(s.MTA+s.MTSOut+s.Out+s.In+s.MTSIn))
	set(facts.GwExpiring, n(s.Out))
	set(facts.GwSideBad, n(s.Bad))
	set(facts.GwSideHold, n(s.Hold))
	set(facts.GwSideCorrupt, n(s.Corrupt))
	set(facts.GwUnaccounted, n(s.Unaccounted))
	set(facts.RouteHere, b(s.Spaces || s.Sites > 0))
	set(facts.RouteSites, n(s.Sites))
	set(facts.RouteUncovered, n(s.Uncovered))
	set(facts.RouteDependents, n(s.DependsOn))
	set(facts.RouteStale, b(s.Stale))
	set(facts.MxHere, b(s.MXAll))
	set(facts.MxWanted, b(!s.MXAll))
	set(facts.MxPrimaryWanted, b(!s.MXPrimary))
	set(facts.MxAgree, b(s.MXAll == s.MXPrimary))
	set(facts.MxExpired, b(!s.MXCached))
	set(facts.NextAccepts, b(s.NextAccepts))
	set(facts.NextCoversIn, b(s.NextCoversIn))
	set(facts.NextCoversOut, b(s.Uncovered == 0 && s.Around.of(facts.RouteSwallowed) == 0))
	set(facts.LateNeverFollow, n(s.NeverFollow))
	set(facts.LateClients, n(s.NeverFollow))
	set(facts.LateQuiet, b(s.NeverFollow == 0))
	set(facts.LedgerUnaccounted, n(s.Unaccounted))
	set(facts.LedgerAbsorbed, n(s.Absorbed))
	set(facts.LedgerPresent, v[facts.GwQTotal]+n(s.Bad+s.Hold+s.Corrupt))
	set(facts.RunMayExpire, n(s.MayExpire))
	for i := range facts.GrantNames() {
		set(facts.GrantFact(i), b(s.Grants&(1<<i) != 0))
	}
	for i, id := range aroundFacts {
		set(id, s.Around[i])
	}
	return v
}

func (s State) accepts() bool {
	return s.Exists && s.Running && (s.Mode == inboundOutbound || s.Mode == inboundOnly)
}

// reply is what a client on the Internet side is told.
func (s State) reply() facts.Value {
	switch {
	case !s.Exists || !s.Running:
		return facts.ReplyClosed
	case s.accepts():
		return facts.ReplyAccept
	case s.ClosedInEffect:
		return facts.ReplyClosed
	}
	return facts.ReplyTemporary
}

// Do applies an effect of a run.
func (s State) Do(a machine.ActionName, args machine.Args) State {
	switch a {
	case machine.GatewayMode, machine.GatewayConfig:
		s = s.configure(args)
	case machine.GatewayRunning:
		s.Running = args.Running != "stopped"
		s = s.restart(s.Running)
	case machine.GatewayAbsent:
		s.Exists, s.Running = false, false
	case machine.GatewayDependents:
		s.DependsOn = 0
	case machine.RouteSpaces:
		if len(args.Spaces) > 0 {
			s.Around.now(facts.NextSplit)
			break
		}
		s.Stale = s.Stale || s.Spaces
		s.Spaces, s.Uncovered = false, 0
	case machine.RouteSites:
		s.Stale = s.Stale || s.Sites > 0
		s.Sites = 0
	case machine.DNSRRset:
		s = s.publish(args)
	case machine.QueueHold, machine.QueueRelease, machine.QueueReturn, machine.QueueRedirect, machine.QueueExport:
		s = s.handle(a, args)
	case machine.QueueRetry, machine.ProbeSend, machine.RunRestore:
	}
	return s
}

func (s State) configure(args machine.Args) State {
	if args.MaxInbound+args.MaxOutbound > 0 {
		s.Around.now(facts.NextLimited)
	}
	if args.OnSuccessor {
		return s
	}
	if m, err := facts.GwMode.Parse(args.Mode); err == nil && args.Mode != "" {
		s.ModeSet = uint8(m)
	}
	if args.Refuse != "" {
		s.Closed = args.Refuse == "closed"
	}
	if args.Timeouts > 0 {
		s.ShortSet = true
	}
	return s.restart(args.Restart && s.Running)
}

// restart makes what is stored count.
func (s State) restart(now bool) State {
	if now {
		s.Mode, s.ClosedInEffect, s.Short = s.ModeSet, s.Closed, s.ShortSet
	}
	return s
}

// Decide applies a decision of people.
func (s State) Decide(c machine.Choice) State {
	s.Grants |= c.Grants
	switch c.Names {
	case machine.SubjectLate:
		s.NeverFollow = 0
	case machine.SubjectAbsorbed:
		s.Absorbed = 0
	case machine.SubjectExpiring:
		s.MayExpire = s.Out
	case machine.SubjectDiffers:
		s.Around.set(facts.NextDiffers, 0)
	case machine.SubjectNoRoute, machine.SubjectSide, machine.SubjectAged:
	}
	return s
}

// Next is the deterministic successor: no new mail comes, every destination
// takes what it is offered, and time does its work. It returns false when
// nothing is left to happen.
func (s State) Next(p Params) (State, bool) {
	before := s
	sends := s.Running && (s.Mode == inboundOutbound || s.Mode == outboundOnly)
	switch {
	case s.MXAll != s.MXPrimary:
		s.MXAll = s.MXPrimary
	case !s.MXAll && s.MXCached:
		s.MXCached = false
	case s.Around.of(facts.NameHere) == 0 && s.Around.of(facts.NameExpired) == 0:
		s.Around.now(facts.NameExpired)
	case s.Stale && !s.Spaces && s.Sites == 0:
		s.Stale = false
	case s.MTA > 0 && s.Exists:
		s.MTSOut, s.MTA = s.MTSOut+s.MTA, 0
	case s.In > 0 && s.Running:
		s.MTSIn, s.In = s.MTSIn+s.In, 0
	case s.MTSIn > 0 && s.Running:
		s.MTSIn = 0
	case s.MTSOut > 0 && (sends || (s.Running && s.Mode == none && p.NonePicksUp)):
		s.Out, s.MTSOut = s.Out+s.MTSOut, 0
	case s.Out > 0 && s.Running && s.Mode != inboundOnly:
		s.Out = 0
	}
	return s, s != before
}
