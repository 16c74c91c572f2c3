package check

import (
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// reduce forgets what nothing can ask for any more, so that worlds that cannot be
// told apart are one.
func (x *shell) reduce(s *machine.State, w *model.World) {
	var p notes // of a run that is being undone, or has ended: nothing is read
	switch {
	case s.Phase == machine.Closed:
	case s.Back > 0:
		p = x.static.states[s.Back-1]
	case !s.Undoing:
		p = x.static.states[s.Cur]
	}
	switch s.Phase {
	case machine.Asking, machine.Operating, machine.Closing, machine.Closed:
		s.Attempt = 0 // whatever comes next begins to count anew
		if s.Looks > 0 {
			s.Looks = 1 // that it was a guard which told nothing
		}
	case machine.Judging, machine.Ready, machine.Intended, machine.Doubting:
	}
	s.Changed &= x.static.undone | 1<<s.Cur
	if !p.covers {
		s.Grants &^= 1 << inboundLoss
	}
	w.Arrived = w.Arrived && p.arrivals
	w.LateCame = w.LateCame && p.late
	w.Next = w.Next || (!p.next && w.Flags&model.Alone == 0)
	w.Covers = w.Covers || !p.covers
	if !p.sends {
		w.Flags &^= model.Mute
	}
	if !p.bound {
		w.Digest = 0
	}
	if !p.never {
		w.Late = model.LateNone
	}
	if !p.expiring && !w.ShortSet && !w.Short {
		w.MayExpire, w.Expired = 0, 0
	}
	if w.Out+w.OutRep == 0 {
		w.Dest = model.DestUp // of the messages that come next, each has its own
	}
	if s.Undoing && s.Back == 0 || s.Phase == machine.Closed && x.def.Outcome(*s) == machine.Aborted {
		w.Differs, w.Absorbed = false, false
	}
	if s.Changed&x.static.final != 0 { // nothing can be undone any more
		w.Images = 0
	}
}
