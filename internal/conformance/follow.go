package conformance

import (
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/model"
)

// blunt reduces a number to zero or more.
func blunt(id facts.ID, v facts.Value) facts.Value {
	if v == facts.Unknown || id.Definition().Type != facts.TypeInt {
		return v
	}
	return min(v, 1)
}

// fact is what an observation of a world would say, numbers as zero or more.
func (f *follower) fact(id facts.ID, w *model.World) facts.Value {
	switch id {
	case facts.GwExists: // what some site's table still names is left behind
		return facts.Bool(w.Exists || w.Stale)
	case facts.MxWanted:
		return facts.Bool(f.wish.everywhere(w))
	case facts.MxPrimaryWanted:
		return facts.Bool(f.wish.primary(w))
	}
	return blunt(id, w.Fact(id, f.rules.Params))
}

// compared reports whether a fact is one that the model has, and that was
// observed.
func (f *follower) compared(id facts.ID, w *model.World) bool {
	switch {
	case f.seen[id] == facts.Unknown || unasked(id, w) || (f.empty && ofMail[id]):
		return false
	case id == facts.NextNamed: // elsewhere it is not asked whether the MX names both
		return f.wish.also
	case id == facts.MxAgree || id == facts.DrainNamed:
		return !f.between()
	case id == facts.GwReply:
		return !f.dead()
	}
	return true
}

// dead reports whether nobody answered at the gateway's port, in a world where
// its process was killed: what it read before that was still of a live one.
func (f *follower) dead() bool {
	return f.in.Killed && f.seen[facts.GwReply] == facts.ReplyClosed
}

// between reports whether some targets of the effect under work may be done and
// others not.
func (f *follower) between() bool {
	do := f.def.States[f.at.Cur].Do
	return do != nil && len(do.Targets) > 1
}

// unasked are facts that nobody reads once others say enough: of a gateway that
// is gone, of a successor that accepts nothing, and of who else has routes where
// the gateway is not to be the last.
func unasked(id facts.ID, w *model.World) bool {
	switch id {
	case facts.LateNeverFollow, facts.LateQuiet:
		return !w.Exists
	case facts.NextCoversIn:
		return !w.Next
	case facts.RouteOthers:
		return w.Flags&model.Alone == 0
	}
	return false
}

// wrong are the facts of a world that differ from those observed, of which the
// first so many parts are over. What came since the last look is forgotten by a
// look, which then says nothing about it any more.
func (f *follower) wrong(n *node, over int) (ids []facts.ID) {
	for i, part := range parts {
		for _, id := range part {
			if i < over && (id == facts.GwArrivals || id == facts.LateQuiet) {
				continue
			}
			if f.compared(id, &n.w) && !f.shows(id, n) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// pass lets the next item be over: an effect happens, or does not if it need
// not; a part of an observation is as it was observed.
func (f *follower) pass(n node, it *item) (to []node) {
	n.stage++
	switch {
	case it.look != nil:
		for _, id := range it.look {
			// A message is in its store a moment before it is counted: then it is
			// counted at the next look.
			if id == facts.GwArrivals && n.w.Arrived && !n.owed && f.seen[id] == 0 {
				n.owed = true
				continue
			}
			if f.compared(id, &n.w) && !f.shows(id, &n) {
				return nil
			}
			switch id {
			case facts.GwArrivals:
				n.w.Arrived, n.owed = false, false
			case facts.LateQuiet:
				n.w.LateCame = false
			}
		}
		return []node{n}
	case it.choice != nil:
		n.w.Decide(it.choice)
		tidy(&n.w)
		return []node{n}
	case it.may:
		to = append(to, n)
	}
	if it.undo {
		to = append(to, undo(n, it)...)
	} else {
		to = append(to, perform(n, it)...)
	}
	return afterHold(&n, f.wish.unsaid(to, it), it)
}

// perform lets an effect happen, as it does when the value is not there yet. A
// service is not restarted for settings that are in effect already.
func perform(n node, it *item) []node {
	args := &it.do.Args
	if it.slot >= 0 && n.known&(1<<it.slot) == 0 {
		n.images[it.slot] = n.w.Before(it.do.Action, args)
		n.known |= 1 << it.slot
	}
	changed := n
	changed.w.Apply(it.do.Action, args)
	tidy(&changed.w)
	if args.Restart && n.w.Written(it.do.Action, args) {
		return []node{n, changed}
	}
	if made, readable := n.w.Made(it.do.Action, args); made && readable {
		return []node{n}
	}
	return []node{changed}
}

// undo writes the value from before back.
func undo(n node, it *item) []node {
	args := &it.do.Args
	if it.slot < 0 || n.known&(1<<it.slot) == 0 { // it was never changed
		return []node{n}
	}
	before := n.images[it.slot]
	if n.w.Restored(it.do.Action, args, before) {
		return []node{n}
	}
	n.w.Undo(it.do.Action, args, before)
	tidy(&n.w)
	return []node{n}
}

// moves are what the world may do next. Each message has a destination of its
// own, so all of them are tried; a number that falls may still be more than
// zero. To the model a client that a decision names is done with; a real one
// comes again, and nobody is asked about it anew.
func (f *follower) moves(buf []model.Step, w *model.World) []model.Step {
	if f.empty {
		return f.bareMoves(buf, w)
	}
	for _, dest := range []uint8{model.DestUp, model.DestDeferring, model.DestDead} {
		from, first := *w, len(buf)
		from.Dest = dest
		buf = f.rules.AppendMoves(buf, &from)
		for i, all := first, len(buf); i < all; i++ {
			if byHand(buf[i].Move) && !f.in.People {
				buf[i] = model.Step{Move: buf[i].Move, To: *w} // leads nowhere
				continue
			}
			to := &buf[i].To
			tidy(to)
			if buf[i].Move == model.SuccessorBack { // what it covers could not be seen meanwhile
				other := *to
				other.Covers = !to.Covers
				buf = append(buf, model.Step{Move: model.SuccessorBack, To: other})
				to = &buf[i].To
			}
			if left, less := remains(w, to); less {
				buf = append(buf, model.Step{Move: buf[i].Move, To: left})
			}
		}
	}
	if w.Late == model.LateDecided && w.Accepts() {
		again := *w
		again.In, again.Arrived = 1, true
		buf = append(buf, model.Step{Move: model.MailArrives, To: again})
	}
	return buf
}

// numbers are the counts of a world.
func numbers(w *model.World) [11]*uint8 {
	return [...]*uint8{&w.MTA, &w.MTSOut, &w.Old, &w.Out, &w.Hold, &w.MTSRep, &w.OutRep, &w.In, &w.MTSIn, &w.NDR, &w.Side}
}

// tidy makes worlds one that cannot be told apart here.
func tidy(w *model.World) {
	for _, n := range numbers(w) {
		*n = min(*n, 1)
	}
	w.Dest, w.MayExpire, w.Expired, w.Init, w.Digest = model.DestUp, 0, 0, 0, 0
}

// remains is a world in which what fell did not fall to zero.
func remains(from, to *model.World) (left model.World, less bool) {
	left = *to
	was, is := numbers(from), numbers(&left)
	for i := range is {
		if *is[i] < *was[i] {
			*is[i], less = *was[i], true
		}
	}
	return left, less
}

// variants are the worlds that look the same: what is mail and what is a report
// cannot be seen.
func (f *follower) variants(n node) []node {
	n.stage = 0
	all := []node{n}
	if quiet := n; looked(&quiet.w) { // what came after it was read may have come later
		all = append(all, quiet)
	}
	split := func(pick func(w *model.World) []*uint8) {
		var next []node
		for _, m := range all {
			fields := pick(&m.w)
			sum := uint8(0)
			for _, x := range fields {
				sum += *x
			}
			if sum == 0 {
				next = append(next, m)
				continue
			}
			for bits := 1; bits < 1<<len(fields); bits++ {
				v := m
				for i, x := range pick(&v.w) {
					*x = uint8(bits >> i & 1)
				}
				next = append(next, v)
			}
		}
		all = next
	}
	split(func(w *model.World) []*uint8 { return []*uint8{&w.MTSOut, &w.MTSRep} })
	split(func(w *model.World) []*uint8 { return []*uint8{&w.Out, &w.OutRep} })
	split(func(w *model.World) []*uint8 { return []*uint8{&w.MTSIn, &w.NDR} })
	return all
}
