package model

import (
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
)

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
	case machine.GatewayDependents:
		w.Dependents = false
	case machine.RouteSpaces:
		if f := split(args); f != 0 {
			w.Flags |= f
			break
		}
		w.Stale = w.Stale || w.Spaces
		w.Spaces = false
	case machine.RouteSites:
		w.Stale = w.Stale || w.Sites
		w.Sites = false
	case machine.DNSRRset:
		w.publish(args)
	case machine.QueueHold, machine.QueueRelease, machine.QueueReturn, machine.QueueRedirect, machine.QueueExport:
		w.handle(a, args)
	case machine.QueueRetry, machine.ProbeSend, machine.RunRestore:
	}
}

// handle is what an effect does to queued mail.
func (w *World) handle(a machine.ActionName, args *machine.Args) {
	held := args.Select == machine.SelectHeld
	switch {
	case a == machine.QueueHold:
		w.HoldNamed = w.HoldNamed && w.Old == 0
		w.Hold = min(w.Hold+w.Old, 3)
		w.Old = 0
	case held && !w.HoldNamed: // only what a decision names is let go
	case a == machine.QueueRelease: // and it is not old any more
		w.MTSOut += w.Hold
		w.Hold = 0
	case a == machine.QueueReturn && held:
		w.NDR, w.Hold = max(w.NDR, w.Hold), 0
	case held:
		w.Hold = 0
	case a == machine.QueueReturn:
		w.NDR = max(w.NDR, w.Out)
		w.Expired = min(w.Expired+w.Out, 3)
		w.Out = 0 // reports keep their own clock
	default:
		w.Out, w.OutRep = 0, 0
	}
	w.HoldNamed = w.HoldNamed && w.Hold > 0
}

// record is the flag of the record that an effect is about, or 0 for an MX or
// an address that is moved.
func record(args *machine.Args) Flags {
	switch {
	case args.NullMX:
		return Null
	case args.Also:
		return Also
	case args.Drain && args.Type == "PTR":
		return DrainPTR
	case args.Drain && args.Type == "TXT":
		return DrainSPF
	case args.Drain && args.Type == "AAAA":
		return DrainAddr6
	case args.Drain:
		return DrainAddr
	case args.Type == "TXT":
		return SPFNone
	}
	return 0
}

// name is the record of the public host name that an effect is about.
func name(args *machine.Args) Name {
	switch args.Type {
	case "A":
		return NameA
	case "AAAA":
		return NameAAAA
	}
	return 0
}

func (w *World) publish(args *machine.Args) {
	f := record(args)
	w.Flags |= f
	switch {
	case f == Null || (f == 0 && args.Type == "MX"):
		w.MXPrimary = false
	case f == 0:
		w.NamePrimary &^= name(args)
	}
}

// Points reports whether an effect on a record points mail that comes here
// elsewhere.
func (w *World) Points(args *machine.Args) bool {
	switch f, n := record(args), name(args); {
	case f == Also:
		return w.Flags&Also == 0
	case f == Null || (f == 0 && args.Type == "MX"):
		return w.MXPrimary
	case f == 0:
		return w.NamePrimary&n != 0
	}
	return false
}

// has reports whether the primary has what an effect publishes.
func (w *World) has(args *machine.Args) bool {
	t := *w
	t.publish(args)
	return t == *w
}

// split is the flag of a wanted list of address spaces, or 0 for an empty one.
func split(args *machine.Args) Flags {
	switch {
	case len(args.Spaces) == 0:
		return 0
	case args.OnSuccessor:
		return SplitNext
	}
	return SplitHere
}

// limit is the flag of session limits, or 0 if an effect sets none.
func limit(args *machine.Args) Flags {
	switch {
	case args.MaxInbound+args.MaxOutbound == 0:
		return 0
	case args.OnSuccessor:
		return LimitNext
	}
	return LimitHere
}

func (w *World) configure(args *machine.Args) {
	w.Flags |= limit(args)
	if args.OnSuccessor {
		return
	}
	if m, ok := mode(args); ok {
		w.ModeSet = m
	}
	switch args.Refuse {
	case "closed":
		w.RefuseSet = refuseClosed
	case "rcpt", "connect":
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
		restarted := args.OnSuccessor || !args.Restart || (w.Running && t.Mode == w.Mode && t.Refuse == w.Refuse && t.Short == w.Short)
		return t.settings() == w.settings() && t.Flags == w.Flags && restarted, true
	case machine.GatewayRunning:
		return w.Running == (args.Running != "stopped"), args.Running != "restarted"
	case machine.GatewayAbsent:
		return !w.Exists, true
	case machine.GatewayDependents:
		return !w.Dependents, true
	case machine.RouteSpaces:
		if f := split(args); f != 0 {
			return w.Flags&f != 0, true
		}
		return !w.Spaces, true
	case machine.RouteSites:
		return !w.Sites, true
	case machine.DNSRRset:
		return w.has(args), true
	case machine.QueueHold:
		return w.Old == 0, true
	case machine.QueueRelease:
		return w.Hold == 0 || !w.HoldNamed, true
	case machine.QueueReturn, machine.QueueRedirect, machine.QueueExport, machine.QueueRetry, machine.ProbeSend, machine.RunRestore:
	}
	return false, false
}

// Written reports whether the stored value is what the effect wrote, so that
// undoing it overwrites nobody else's change.
func (w *World) Written(a machine.ActionName, args *machine.Args) bool {
	if a == machine.GatewayMode || a == machine.GatewayConfig {
		t := *w
		t.configure(args)
		return t.settings() == w.settings() && t.Flags == w.Flags
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
	case machine.SubjectAged:
		w.HoldNamed = w.Hold > 0
	case machine.SubjectDiffers:
		w.Differs = false
	case machine.SubjectNoRoute, machine.SubjectSide:
	}
}
