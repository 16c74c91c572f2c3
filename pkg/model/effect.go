package model

import (
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
)

// Before is the value that an effect is going to change.
func (w *World) Before(a machine.ActionName) uint8 {
	switch a {
	case machine.GatewayMode, machine.GatewayConfig:
		return w.settings()
	case machine.GatewayRunning:
		return uint8(bit(w.Running))
	case machine.RouteSpaces:
		return uint8(bit(w.Spaces))
	case machine.RouteSites:
		return uint8(bit(w.Sites))
	case machine.DNSRRset:
		return uint8(bit(w.MXPrimary))
	case machine.GatewayAbsent, machine.QueueReturn, machine.QueueRedirect, machine.QueueExport, machine.QueueRetry, machine.ProbeSend:
	}
	return 0
}

// Apply makes an effect happen.
func (w *World) Apply(a machine.ActionName, args *machine.Args) {
	switch a {
	case machine.GatewayMode, machine.GatewayConfig:
		w.configure(args)
	case machine.GatewayRunning:
		w.Running = w.Exists && args.Running != "stopped"
		w.restart()
	case machine.GatewayAbsent: // its entries go with it; copies of the table follow later
		w.Exists, w.Running = false, false
		w.Stale = w.Stale || w.Spaces || w.Sites
		w.Spaces, w.Sites = false, false
	case machine.RouteSpaces:
		w.Stale = w.Stale || w.Spaces
		w.Spaces = false
	case machine.RouteSites:
		w.Stale = w.Stale || w.Sites
		w.Sites = false
	case machine.DNSRRset:
		w.MXPrimary = false
	case machine.QueueReturn:
		w.NDR = max(w.NDR, w.Out)
		w.Expired = min(w.Expired+w.Out, 3)
		w.Absorbed = w.Absorbed || w.OutRep > 0
		w.Out, w.OutRep = 0, 0
	case machine.QueueRedirect, machine.QueueExport:
		w.Out, w.OutRep = 0, 0
	case machine.QueueRetry, machine.ProbeSend:
	}
}

func (w *World) configure(args *machine.Args) {
	if m, ok := mode(args); ok {
		w.ModeSet = m
	}
	switch args.Refuse {
	case "":
	case "closed":
		w.RefuseSet = refuseClosed
	default:
		w.RefuseSet = refuseTemporary
	}
	if args.Timeouts > 0 {
		w.ShortSet = true
	}
	if args.Restart {
		w.restart()
	}
}

func mode(args *machine.Args) (uint8, bool) {
	for i, name := range facts.GwMode.Definition().Enum {
		if name == args.Mode {
			return uint8(i), true
		}
	}
	return 0, false
}

// restart makes what is stored count, if the service runs. What does not run
// has nothing in effect but what a start would make so.
func (w *World) restart() {
	if w.Running {
		w.Mode, w.Refuse, w.Short = w.ModeSet, w.RefuseSet, w.ShortSet
	}
}

// Made reports whether the wanted value is there. Of a restart and of what is
// done once nothing can be read back; ok is false.
func (w *World) Made(a machine.ActionName, args *machine.Args) (made, ok bool) {
	switch a {
	case machine.GatewayMode, machine.GatewayConfig:
		t := *w
		t.configure(args)
		return t.settings() == w.settings() && (!args.Restart || (w.Running && t.Mode == w.Mode && t.Refuse == w.Refuse && t.Short == w.Short)), true
	case machine.GatewayRunning:
		return w.Running == (args.Running != "stopped"), args.Running != "restarted"
	case machine.GatewayAbsent:
		return !w.Exists, true
	case machine.RouteSpaces:
		return !w.Spaces, true
	case machine.RouteSites:
		return !w.Sites, true
	case machine.DNSRRset:
		return !w.MXPrimary, true
	case machine.QueueReturn, machine.QueueRedirect, machine.QueueExport, machine.QueueRetry, machine.ProbeSend:
	}
	return false, false
}

// Written reports whether the stored value is what the effect wrote, so that
// undoing it overwrites nobody else's change.
func (w *World) Written(a machine.ActionName, args *machine.Args) bool {
	if a == machine.GatewayMode || a == machine.GatewayConfig {
		t := *w
		t.configure(args)
		return t.settings() == w.settings()
	}
	made, _ := w.Made(a, args)
	return made
}

// Decide applies a decision of people.
func (w *World) Decide(c *machine.Choice) {
	switch c.Names {
	case machine.SubjectLate:
		if w.Late == LateUndecided {
			w.Late, w.LateCame = LateDecided, false
		}
	case machine.SubjectAbsorbed:
		w.Absorbed = false
	case machine.SubjectExpiring:
		w.MayExpire, w.Expired = w.Out, 0
	case machine.SubjectNoRoute, machine.SubjectSide:
	}
}

// Undo writes the value from before back. Settings that were undone count at
// once: the service restarts if it runs.
func (w *World) Undo(a machine.ActionName, args *machine.Args, before uint8) {
	switch a {
	case machine.GatewayMode, machine.GatewayConfig:
		w.undoSettings(args, before)
		w.restart()
	case machine.GatewayRunning:
		w.Running = w.Exists && before == 1
		w.restart()
	case machine.RouteSpaces:
		w.Spaces = before == 1
		w.settle()
	case machine.RouteSites:
		w.Sites = before == 1
		w.settle()
	case machine.DNSRRset:
		w.MXPrimary = before == 1
		w.MXCached = w.MXCached || w.MXPrimary
	case machine.GatewayAbsent, machine.QueueReturn, machine.QueueRedirect, machine.QueueExport, machine.QueueRetry, machine.ProbeSend:
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
		t := *w
		t.Undo(a, args, before)
		return t == *w
	case machine.GatewayRunning, machine.RouteSpaces, machine.RouteSites, machine.DNSRRset:
	case machine.GatewayAbsent, machine.QueueReturn, machine.QueueRedirect, machine.QueueExport, machine.QueueRetry, machine.ProbeSend:
	}
	return w.Before(a) == before
}
