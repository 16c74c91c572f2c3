package conformance

import (
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// origin says from which stores mail is held: a release puts each message back.
type origin uint8

// Bits of origin.
const (
	fromMTA origin = 1 << iota
	fromMTSOut
	fromOut
)

// shows reports whether an observation of a world says what was observed. How
// old mail in the MTA queue and in out is, the model does not say: there, some
// may be old.
func (f *follower) shows(id facts.ID, w *model.World) bool {
	if id == facts.GwAged && f.seen[id] == 1 && w.MTA+w.Out > 0 {
		return true
	}
	return f.fact(id, w) == f.seen[id]
}

// afterHold are the worlds after an effect on held mail. The model has old mail only
// in mts-out; a gateway, as observed, wherever mail waits to be sent. What is
// held comes from there and goes back there.
func afterHold(was *node, all []node, it *item) []node {
	switch a := it.do.Action; {
	case a == machine.QueueHold && !it.undo:
		if was.w.Old > 0 {
			for i := range all {
				all[i].back |= fromMTSOut * origin(bit(all[i].w.Old == 0))
			}
		}
		if it.aged {
			all = take(all, fromMTA, func(w *model.World) *uint8 { return &w.MTA })
			all = take(all, fromOut, func(w *model.World) *uint8 { return &w.Out })
		}
	case was.w.Hold == 0, a != machine.QueueHold && a != machine.QueueRelease:
	default:
		all = putBack(was, all)
	}
	for i := range all {
		if all[i].w.Hold == 0 {
			all[i].back = 0
		}
	}
	return all
}

// take are worlds in which all or some of a store is held, too.
func take(all []node, from origin, store func(w *model.World) *uint8) []node {
	for _, n := range all {
		if *store(&n.w) == 0 {
			continue
		}
		n.w.Hold, n.back = 1, n.back|from
		all = append(all, n) // some
		*store(&n.w) = 0
		all = append(all, n)
	}
	return all
}

// putBack moves what the model put into mts-out to where it came from.
func putBack(was *node, all []node) (out []node) {
	for _, n := range all {
		all := []origin{was.back}
		if was.back == 0 { // somebody held it before the run did
			all = []origin{fromMTSOut, fromMTA, fromOut}
		}
		for _, back := range all {
			to := n
			if n.w.Hold == 0 && back&fromMTSOut == 0 {
				to.w.MTSOut, to.w.Old = was.w.MTSOut, was.w.Old
			}
			if n.w.Hold == 0 && back&fromMTA != 0 {
				to.w.MTA = 1
			}
			if n.w.Hold == 0 && back&fromOut != 0 {
				to.w.Out = 1
			}
			out = append(out, to)
		}
	}
	return out
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
