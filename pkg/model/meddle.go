package model

// meddling is what other people, or a fault, may do once in a world that is
// marked for it. No proof is about such a world: it is explored to see that
// what a runbook says of it can happen at all.
var meddling = [...]struct {
	move Move
	can  func(w *World) bool
	do   func(w *World)
}{
	{SpacesBack, func(w *World) bool { return !w.Spaces && w.Exists }, func(w *World) { w.Spaces = true }},
	{MXBack, func(w *World) bool { return !w.MXPrimary }, func(w *World) { w.MXPrimary, w.MXSecondary, w.MXCached = true, true, true }},
	{NameBack, func(w *World) bool { return w.NamePrimary != NameA|NameAAAA }, func(w *World) {
		w.NamePrimary, w.NameSecondary, w.NameCached = NameA|NameAAAA, NameA|NameAAAA, true
	}},
	{RecordsGone, func(w *World) bool { return w.Anywhere(records) }, func(w *World) { w.Flags &^= records | records<<seen }},
	{SettingsBack, func(w *World) bool { return w.Flags&settings != 0 }, func(w *World) { w.Flags &^= settings }},
	{StoppedByHand, func(w *World) bool { return w.Running }, func(w *World) { w.Running = false }},
	{StartedByHand, func(w *World) bool { return w.Exists && !w.Running }, func(w *World) { *w, _ = w.Started() }},
	{ModeBack, func(w *World) bool { return w.Running && w.Mode != inboundOutbound }, func(w *World) {
		w.ModeSet = inboundOutbound
		w.restart()
	}},
	{HarshNow, func(w *World) bool { return w.Running }, func(w *World) { w.Flags |= Harsh }},
	{Damage, func(w *World) bool { return w.Exists }, func(w *World) { w.Flags |= Damaged }},
	{HeldByHand, func(w *World) bool { return w.Exists && w.Hold == 0 }, func(w *World) { w.Hold = 1 }},
	{OldTurnsUp, func(w *World) bool { return w.Exists && w.Old == 0 }, func(w *World) { w.Old, w.Arrived = 1, true }},
	{MailTurnsUp, func(w *World) bool { return w.Exists && w.MTSOut == 0 }, func(w *World) { w.MTSOut, w.Arrived = 1, true }},
	{OutTurnsUp, func(w *World) bool { return w.Exists && w.Out == 0 }, func(w *World) { w.Out, w.Arrived = 1, true }},
	{OtherChanges, func(*World) bool { return true }, func(w *World) { w.Other = !w.Other }},
	{NamedAgain, func(w *World) bool { return !w.Dependents }, func(w *World) { w.Dependents = true }},
	{DiffersAgain, func(w *World) bool { return !w.Differs }, func(w *World) { w.Differs = true }},
}

// Started is the world once somebody has started the service; ok is false if
// nothing is there to start.
func (w *World) Started() (to World, ok bool) {
	to = *w
	if !w.Exists || w.Running {
		return to, false
	}
	to.Running = true
	to.restart()
	return to, true
}

// LedAgain are the worlds in which somebody has just led mail to the gateway
// that it does not take: an MX or a name to one that does not accept, a route
// to one that does not run.
func (w *World) LedAgain() (all []World) {
	for i := range meddling {
		m, to := &meddling[i], *w
		if !m.can(w) {
			continue
		}
		switch m.move {
		case MXBack, NameBack:
			m.do(&to)
		case SpacesBack:
			if !w.Running {
				m.do(&to)
			}
		default: // leads nobody here
		}
		if to.Leads() && !w.Leads() && !w.Accepts() || to.Spaces && !w.Spaces {
			all = append(all, to)
		}
	}
	return all
}

// meddle appends what other people can do now.
func meddle(buf []Step, w *World) []Step {
	for i := range meddling {
		m := &meddling[i]
		if !m.can(w) {
			continue
		}
		buf = append(buf, Step{m.move, *w})
		to := &buf[len(buf)-1].To
		m.do(to)
		to.leadsAgain()
		if m.move != OtherChanges { // that may come and go
			to.Flags &^= Meddle
		}
	}
	return buf
}

// Meddled are the starts of a runbook with somebody else's hand in them, and
// with little traffic.
func (b Bounds) Meddled(all []Start) []Start {
	all = append([]Start(nil), all[:min(len(all), 2)]...)
	for i := range all {
		all[i].World.Flags |= Meddle | Calm | Lean
	}
	return all
}
