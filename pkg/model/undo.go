package model

import "example.org/ims/pkg/machine"

// Width is how many bits the value before an effect takes; 0 if there is none
// to keep.
func Width(a machine.ActionName, args *machine.Args) int {
	switch a {
	case machine.GatewayMode, machine.GatewayConfig:
		if limit(args) != 0 {
			return 1
		}
		return 5
	case machine.DNSRRset, machine.QueueHold:
		return 2
	case machine.GatewayRunning, machine.GatewayDependents, machine.RouteSpaces, machine.RouteSites:
		return 1
	case machine.GatewayAbsent, machine.QueueRelease, machine.QueueReturn, machine.QueueRedirect, machine.QueueExport,
		machine.QueueRetry, machine.ProbeSend, machine.RunRestore:
	}
	return 0
}

// Before is the value that an effect is going to change.
func (w *World) Before(a machine.ActionName, args *machine.Args) uint8 {
	is := func(f Flags) uint8 { return uint8(bit(w.Flags&f != 0)) }
	switch a {
	case machine.GatewayMode, machine.GatewayConfig:
		if f := limit(args); f != 0 {
			return is(f)
		}
		return w.settings()
	case machine.GatewayRunning:
		return uint8(bit(w.Running))
	case machine.GatewayDependents:
		return uint8(bit(w.Dependents))
	case machine.RouteSpaces:
		if f := split(args); f != 0 {
			return is(f)
		}
		return uint8(bit(w.Spaces))
	case machine.RouteSites:
		return uint8(bit(w.Sites))
	case machine.DNSRRset:
		switch f, n := record(args), name(args); {
		case f == Null:
			return uint8(bit(w.MXPrimary)) | is(Null)<<1
		case f != 0:
			return is(f)
		case n != 0:
			return uint8(bit(w.NamePrimary&n != 0))
		}
		return uint8(bit(w.MXPrimary))
	case machine.QueueHold:
		return w.Hold
	case machine.GatewayAbsent, machine.QueueRelease, machine.QueueReturn, machine.QueueRedirect, machine.QueueExport,
		machine.QueueRetry, machine.ProbeSend, machine.RunRestore:
	}
	return 0
}

// Undo writes the value from before back. Settings that were undone count at
// once: the service restarts if it runs.
func (w *World) Undo(a machine.ActionName, args *machine.Args, before uint8) {
	switch a {
	case machine.GatewayMode, machine.GatewayConfig:
		f := limit(args)
		if w.flag(f, before == 1); f == 0 {
			w.undoSettings(args, before)
		}
		if !args.OnSuccessor {
			w.restart()
		}
	case machine.GatewayRunning:
		w.Running = w.Exists && before == 1
		w.restart()
	case machine.GatewayDependents:
		w.Dependents = before == 1
	case machine.RouteSpaces:
		if f := split(args); f != 0 {
			w.flag(f, before == 1)
			break
		}
		w.Spaces = before == 1
		w.settle()
	case machine.RouteSites:
		w.Sites = before == 1
		w.settle()
	case machine.DNSRRset:
		w.withdraw(args, before)
	case machine.QueueHold:
		w.letGo(before)
	case machine.GatewayAbsent, machine.QueueRelease, machine.QueueReturn, machine.QueueRedirect, machine.QueueExport,
		machine.QueueRetry, machine.ProbeSend, machine.RunRestore:
	}
}

// letGo undoes a hold: what a decision named meanwhile is not old any more.
func (w *World) letGo(before uint8) {
	n := w.Hold - min(w.Hold, before)
	w.Hold -= n
	if w.HoldNamed {
		w.MTSOut += n
	} else {
		w.Old += n
	}
	w.HoldNamed = w.HoldNamed && w.Hold > 0
}

// withdraw writes a record from before back. Caches follow at once: whoever
// asks next may keep what was there before.
func (w *World) withdraw(args *machine.Args, before uint8) {
	f, n := record(args), name(args)
	switch {
	case f == Null:
		w.flag(Null, before&2 != 0)
		w.MXPrimary = before&1 != 0
		w.MXCached = w.MXCached || w.MXPrimary
	case f != 0:
		w.flag(f, before == 1)
	case n != 0:
		w.NamePrimary &^= n
		if before == 1 {
			w.NamePrimary |= n
			w.NameCached = true
		}
	default:
		w.MXPrimary = before == 1
		w.MXCached = w.MXCached || w.MXPrimary
	}
	w.leadsAgain()
}

// leadsAgain forgets late clients: while something leads here, nobody who comes
// is late, and what comes after it is gone again is judged anew.
func (w *World) leadsAgain() {
	if w.Leads() {
		w.Late, w.LateCame = LateNone, false
	}
}

// undoSettings writes back what the effect named.
func (w *World) undoSettings(args *machine.Args, before uint8) {
	var old World
	old.setSettings(before)
	if args.Mode != "" {
		w.ModeSet = old.ModeSet
	}
	if args.Refuse != "" {
		w.RefuseSet = old.RefuseSet
	}
	if args.Timeouts > 0 {
		w.ShortSet = old.ShortSet
	}
}

// hasBack reports whether what an effect named is as before, and in effect.
// Another setting that waits for a restart is left alone.
func (w *World) hasBack(args *machine.Args, before uint8) bool {
	t := *w
	t.undoSettings(args, before)
	return t == *w && (!w.Running ||
		(args.Mode == "" || w.Mode == w.ModeSet) && (args.Refuse == "" || w.Refuse == w.RefuseSet) && (args.Timeouts == 0 || w.Short == w.ShortSet))
}

// settle forgets stale copies when the configuration leads here anyway.
func (w *World) settle() {
	if w.Spaces || w.Sites {
		w.Stale = false
	}
}

// Restored reports whether the value from before is there again, and in effect.
func (w *World) Restored(a machine.ActionName, args *machine.Args, before uint8) bool {
	switch a {
	case machine.GatewayMode, machine.GatewayConfig:
		if limit(args) == 0 {
			return w.hasBack(args, before)
		}
	case machine.QueueHold: // what left hold otherwise is not fetched back
		return w.Hold <= before
	case machine.GatewayRunning, machine.GatewayDependents, machine.RouteSpaces, machine.RouteSites, machine.DNSRRset:
	case machine.GatewayAbsent, machine.QueueRelease, machine.QueueReturn, machine.QueueRedirect, machine.QueueExport,
		machine.QueueRetry, machine.ProbeSend, machine.RunRestore:
	}
	return w.Before(a, args) == before
}
