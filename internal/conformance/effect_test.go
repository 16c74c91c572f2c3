package conformance

import (
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// effect lets an effect of a run happen, as the checker's shell does.
func (r *relation) effect(a machine.ActionName, args *machine.Args, slot int, got machine.EffectState) {
	next := map[state]bool{}
	for s := range r.now {
		to := s
		to.images[slot] = s.w.Before(a, args)
		if a == machine.QueueHold { // it holds what is old, wherever it is
			to.w.Old, to.w.Out = s.w.Old+s.oldOut, s.w.Out-s.oldOut
			to.heldOut, to.oldOut = s.heldOut+s.oldOut, 0
		}
		restarts := settings(a) && args.Restart && !args.OnSuccessor
		switch made, readable := to.w.Made(a, args); {
		case got == machine.Refused && a == machine.GatewayAbsent && s.w.Held() > 0: // it keeps what it has
			next[s] = true
			continue
		case restarts && !s.w.Running: // stored; of the restart nothing can be read back
			if got == machine.Done {
				continue
			}
		case got != machine.Done && (a != machine.GatewayAbsent || !s.w.Led()): // some table may name it for a while
			continue
		case restarts && held(&s.w, a, args):
			next[to] = true // the service is not restarted for what is so already
			if !made && args.Refuse == "" {
				continue
			}
		case readable && made:
			next[to] = true
			continue
		}
		to.handle(a, args)
		next[to] = true
	}
	r.now = next
}

// handle applies an effect, and accounts for it.
func (s *state) handle(a machine.ActionName, args *machine.Args) {
	named := s.w.HoldNamed
	switch hold := s.w.Hold; {
	case args.Select == machine.SelectHeld && !named:
	case a == machine.QueueReturn && args.Select == machine.SelectHeld:
		s.a.Generated += hold
	case a == machine.QueueReturn:
		s.a.Generated += s.w.Out
		s.oldOut = 0
	case a == machine.QueueExport:
		s.a.Deleted += hold
	}
	s.w.Apply(a, args)
	if args.Select != machine.SelectHeld || !named {
		return
	}
	if a == machine.QueueRelease { // everything goes back to where it was
		s.w.MTSOut, s.w.Out = s.w.MTSOut-s.heldOut, s.w.Out+s.heldOut
	}
	s.heldOut = 0
}

func settings(a machine.ActionName) bool {
	return a == machine.GatewayMode || a == machine.GatewayConfig
}

// held reports whether the settings that an effect names are stored and in
// effect already. To the model all forms of refusing for now are one, and are
// what a gateway that was not told may do, too.
func held(w *model.World, a machine.ActionName, args *machine.Args) bool {
	named := *args
	if named.Refuse != "" && named.Refuse != "closed" {
		named.Refuse = ""
	}
	now := *w
	now.ModeSet, now.RefuseSet, now.ShortSet = w.Mode, w.Refuse, w.Short
	return w.Written(a, &named) && now.Written(a, &named)
}

// undo writes the value from before back.
func (r *relation) undo(a machine.ActionName, args *machine.Args, slot int, got machine.EffectState) {
	next := map[state]bool{}
	for s := range r.now {
		before := s.images[slot]
		s.images[slot] = 0
		switch {
		case s.w.Restored(a, args, before):
		case !s.w.Written(a, args) && a != machine.QueueHold: // what is held now is not what matters
			if got == machine.Overridden {
				next[s] = true
			}
			continue
		case a == machine.QueueHold:
			for _, to := range s.letGo(before, args) {
				if got == machine.Done {
					next[to] = true
				}
			}
			continue
		default:
			s.w.Undo(a, args, before)
		}
		if got == machine.Done {
			next[s] = true
		}
	}
	r.now = next
}

// letGo undoes a hold: what it held goes back to where it was.
func (s state) letGo(before uint8, args *machine.Args) (list []state) {
	n := s.w.Hold - before
	for out := range n + 1 {
		if out > s.heldOut || n-out > s.w.Hold-s.heldOut {
			continue
		}
		to, named := s, s.w.HoldNamed
		to.w.Undo(machine.QueueHold, args, before)
		to.heldOut, to.w.Out = s.heldOut-out, s.w.Out+out
		if named {
			to.w.MTSOut -= out
		} else {
			to.w.Old, to.oldOut = to.w.Old-out, s.oldOut+out
		}
		list = append(list, to)
	}
	return list
}
