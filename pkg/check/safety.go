package check

import (
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// grants, by their place in machine.State.
var (
	noRoute, _      = facts.GrantIndex("ndr_no_route")
	expiredEarly, _ = facts.GrantIndex("ndr_expired")
	inboundLoss, _  = facts.GrantIndex("inbound_loss")
)

// brokenIn are the properties that a state violates.
func (x *shell) brokenIn(s machine.State, w *model.World) (bad set) {
	gone := !w.Exists
	bad.add(s1, gone && (w.Held() > 0 || w.Stale || w.Spaces || w.Sites || w.Dependents))
	if !w.Accepts() && !x.restarting(s, w) && accepted(w.Init) {
		bad.add(s2a, w.Leads())
		bad.add(s2b, w.May() && !w.Leads() || w.Dependents)
	}
	bad.add(s2c, w.Reply(x.rules.Params) == facts.ReplyPermanent)
	lost := w.Init &^ w.Config() & (model.ConfigSpaces | model.ConfigSites)
	bad.add(s3, (lost != 0 || w.Torn()) && !w.Other && !s.Granted(noRoute))
	bad.add(s15, w.Exists && x.nameless(s, w))
	x.claims(s, w, &bad)
	aborted := s.Undoing || (s.Phase == machine.Closed && x.def.Outcome(s) == machine.Aborted)
	bad.add(s10, aborted && bad != 0)
	return bad
}

// restarting reports whether the gateway is stopped on the way to a start.
func (x *shell) restarting(s machine.State, w *model.World) bool {
	return w.Exists && !w.Running && x.static.states[s.Cur].starts && s.Phase != machine.Operating && !s.Undoing
}

// accepted reports whether a gateway with this configuration accepted, so that
// it must go on.
func accepted(config uint32) bool {
	m := uint8(config & model.ConfigMode)
	return config&model.ConfigRunning != 0 && m != modeNone && m != modeOutboundOnly
}

// stranded reports whether a gateway with this configuration held mail back.
func stranded(config uint32) bool {
	m := uint8(config & model.ConfigMode)
	return config&model.ConfigRunning == 0 || m == modeNone || m == modeInboundOnly
}

// nameless reports whether mail that is still to be sent would be refused for
// the name or the address that it leaves under. When an abort puts records
// back, what secondaries and caches still say is not its fault: the primary is
// to be right, and each authority consistent with itself.
func (x *shell) nameless(s machine.State, w *model.World) bool {
	sends := w.Outward() > 0 || w.Led()
	switch {
	case s.Undoing || x.def.Outcome(s) == machine.Aborted:
		return (sends && w.Flags&model.SPFNone != 0) || !w.Consistent()
	case sends && w.Anywhere(model.SPFNone):
		return true
	}
	return w.Flipped() && !w.Published(model.Drain)
}

// claims checks what a run that has ended says of itself.
func (x *shell) claims(s machine.State, w *model.World, bad *set) {
	if s.Phase != machine.Closed {
		return
	}
	switch x.def.Outcome(s) {
	case machine.Retired, machine.ReleasePending:
		bad.add(s13, w.Exists || w.Held() > 0 || w.May() || w.Spaces || w.Sites || w.Stale || w.Absorbed)
		bad.add(s13, w.Flags&model.Alone == 0 && w.Differs)
		bad.add(s13, w.Flags&model.Alone != 0 && !w.Published(model.Null|model.SPFNone))
	case machine.Succeeded:
		bad.add(s13, !w.Exists || w.Hold > 0 || !w.Running || !w.Sends(x.rules.Params))
		bad.add(s13, w.Leads() && !w.Accepts())
		bad.add(s13, x.static.restores && (x.changed(w) || w.Absorbed && w.Flags&model.Lean != 0))
		bad.add(s13, x.def.Begins == machine.BeginsJoining && !x.joined(w))
	case machine.Aborted:
		bad.add(s12, x.changed(w))
	case machine.Open, machine.FailedRun:
	}
}

// brokenBy are the properties that a transition violates.
func (x *shell) brokenBy(s machine.State, w *model.World, m *transition) (bad set) {
	switch m.act {
	case action(model.UserSendsNowhere):
		bad.add(s4, !s.Granted(noRoute))
	case action(model.ExpiredEarly):
		bad.add(s4, !s.Granted(expiredEarly) || m.w.Expired > m.w.MayExpire)
	case actPerform, actDoubtDone:
		x.wrongEffect(s, w, m, &bad)
	default:
	}
	claimed := m.s.Phase == machine.Closing && s.Phase != machine.Closing && x.def.Outcome(m.s) == machine.Succeeded
	bad.add(s13, claimed && m.w.Flags&model.Mute != 0)
	if m.s.Phase == machine.Ready && !m.s.Undoing && (s.Phase != machine.Ready || s.Cur != m.s.Cur) {
		x.wrongDecision(m, &bad)
	}
	bad.add(s10, s.Undoing && bad != 0)
	return bad
}

// wrongEffect checks an effect at the moment at which it happens.
func (x *shell) wrongEffect(s machine.State, w *model.World, m *transition, bad *set) {
	do := x.def.States[s.Cur].Do
	to := &m.w
	bad.add(s5, s.Phase != machine.Intended || s.Changed&(1<<s.Cur) == 0)
	if to.Mode != w.Mode && to.Running {
		stuck := to.In+to.MTSIn > 0 || (to.MTSOut+to.MTSRep > 0 && !x.rules.NonePicksUp)
		bad.add(s1, to.Mode == modeNone && stuck)
		bad.add(s1, to.Mode == modeInboundOnly && to.Mode != uint8(to.Init&3))
	}
	stopped := w.Running && !to.Running && to.Exists
	bad.add(s1, stopped && to.Held()-int(to.Side) > 0 && !x.static.states[s.Cur].restart)
	if s.Undoing {
		return
	}
	unnamed := w.Hold > 0 && !w.HoldNamed
	switch do.Action {
	case machine.QueueReturn:
		bad.add(s4, to.Expired != w.Expired && (!s.Granted(expiredEarly) || to.Expired > to.MayExpire))
		bad.add(s4, do.Args.Select == machine.SelectHeld && unnamed)
	case machine.QueueExport:
		out := w.Out + w.OutRep - to.Out - to.OutRep
		bad.add(s4, out > 0 && (!s.Granted(expiredEarly) || out > to.MayExpire))
		bad.add(s14, unnamed)
	case machine.QueueRelease:
		bad.add(s14, unnamed)
	case machine.QueueRedirect:
		bad.add(s9, w.Dependents)
	case machine.GatewayMode, machine.GatewayConfig, machine.GatewayRunning,
		machine.GatewayAbsent, machine.GatewayDependents, machine.RouteSpaces, machine.RouteSites, machine.DNSRRset,
		machine.QueueHold, machine.QueueRetry, machine.ProbeSend, machine.RunRestore:
	}
	nature, _ := do.Action.Nature()
	byID := do.Action == machine.QueueReturn || do.Action == machine.QueueExport
	bad.add(s7, nature == machine.Once && !byID && w.Applied)
}

// changed reports whether the configuration is another than at the start, or
// not in effect. What held mail back at the start need not come again, and
// what other people changed since is theirs.
func (x *shell) changed(w *model.World) bool {
	differs := w.Config() ^ w.Init
	if w.Init&model.ConfigDependents == 0 {
		differs &^= model.ConfigDependents
	}
	if stranded(w.Init) {
		return differs&^(model.ConfigSettings|model.ConfigRunning) != 0
	}
	return differs != 0 || (w.Running && (w.Mode != w.ModeSet || w.Refuse != w.RefuseSet || w.Short != w.ShortSet))
}

// joined reports whether the second gateway serves beside the first.
func (x *shell) joined(w *model.World) bool {
	const all = model.LimitHere | model.LimitNext | model.SplitHere | model.SplitNext
	return w.Flags&all == all && w.Published(model.Also)
}

// Transfer modes that hold mail back.
var (
	modeInboundOnly  = modeIndex("inbound-only")
	modeOutboundOnly = modeIndex("outbound-only")
	modeNone         = modeIndex("none")
)

func modeIndex(name string) uint8 {
	v, err := facts.GwMode.Parse(name)
	if err != nil {
		panic(err) // the name is one of the schema
	}
	return uint8(v)
}

// wrongDecision checks the moment at which the run makes up its mind.
func (x *shell) wrongDecision(m *transition, bad *set) {
	do := x.def.States[m.s.Cur].Do
	bad.add(s8, do.Destructive() && m.w.Digest != m.w.ConfigFacts())
	bad.add(s6, do.Destructive() && do.Pre == machine.Here)
	x.wrongService(m, do, bad)
	unfit := !m.w.Next && !do.Args.NullMX
	loses := (do.Args.NullMX || !m.w.Covers) && !m.s.Granted(inboundLoss)
	switch {
	case do.Action == machine.RouteSites, do.Action == machine.RouteSpaces && do.Args.Empty:
		bad.add(s1, m.w.Swallowed() > 0)
	case do.Action == machine.RouteSpaces && model.Gives(&do.Args):
		bad.add(s1, m.w.Flags&model.Mute != 0)
	case do.Action == machine.GatewayDependents:
		bad.add(s2a, m.w.Dependents && !m.w.Next)
	case do.Action == machine.DNSRRset && m.w.Points(&do.Args):
		bad.add(s2a, unfit || loses)
	}
	bad.add(s15, do.Action == machine.DNSRRset && m.w.Other && model.Silences(&do.Args))
}

// wrongService checks what the service will do by an effect that is decided on.
// What becomes old, or comes, between the decision and its effect is no fault of
// the run's: nothing could look any later.
func (x *shell) wrongService(m *transition, do *machine.Do, bad *set) {
	switch do.Action {
	case machine.GatewayMode, machine.GatewayConfig, machine.GatewayRunning:
		to := m.w
		to.Apply(do.Action, &do.Args)
		bad.add(s14, to.Old > 0 && to.Sends(x.rules.Params))
		closes := m.w.Accepts() && !to.Accepts()
		bad.add(s2c, closes && accepted(m.w.Init) && m.w.Late == model.LateUndecided)
	default:
	}
}

// unstable reports whether a move of the world falsifies the guard of the
// destructive effect that the run is about to decide on.
func (x *shell) unstable(s machine.State, w *model.World, out []transition) (transition, bool) {
	st := &x.def.States[s.Cur]
	if st.Kind != machine.KindDo || !st.Do.Destructive() || st.Do.Pre == machine.Here || s.Undoing || s.Phase > machine.Doubting || !w.Exists {
		return transition{}, false
	}
	if x.verdict(st.Do.Pre, s, w) != machine.Pass {
		return transition{}, false
	}
	for i := range out {
		if m := &out[i]; m.act < actLook && x.verdict(st.Do.Pre, s, &m.w) != machine.Pass {
			return *m, true
		}
	}
	return transition{}, false
}

// silent reports whether a wait holds mail that nothing moves and would time
// out before it says that it is stalled.
func (g *graph) silent(s machine.State, w *model.World, out []transition) bool {
	st := &g.def.States[s.Cur]
	if st.Kind != machine.KindWait || s.Phase != machine.Judging || w.Held() == 0 {
		return false
	}
	for i := range out {
		if out[i].act < actLook && out[i].class == fair {
			return false
		}
	}
	if st.Wait.Drift != machine.Here && g.verdict(st.Wait.Drift, s, w) == machine.Pass {
		return false
	}
	if g.verdict(st.Wait.Until, s, w) == machine.Pass {
		return false
	}
	reported := s.Armed(machine.StallTimer) && g.fact(g.static.states[s.Cur].metric, s, w) > 0
	return !reported || st.Wait.Stall >= st.Wait.For+st.Wait.Timeout
}
