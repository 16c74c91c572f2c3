package conformance

import (
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// origin names stores whose mail a mode that sends releases. The model has old
// mail only in mts-out; a gateway has it wherever mail waits to be sent. What is
// held comes from there, and a release puts each message back.
type origin uint8

// Bits of origin.
const (
	fromMTA origin = 1 << iota
	fromMTSOut
	fromOut
)

// store is the count of a store that is not mts-out.
func (o origin) store(w *model.World) *uint8 {
	if o == fromMTA {
		return &w.MTA
	}
	return &w.Out
}

// elsewhere are those stores.
var elsewhere = []origin{fromMTA, fromOut}

// shows reports whether an observation of a world says what was observed.
func (f *follower) shows(id facts.ID, n *node) bool {
	if id == facts.GwAged && n.old != 0 {
		return f.seen[id] == 1
	}
	return f.fact(id, &n.w) == f.seen[id]
}

// olds are the worlds of a first observation by where mail is old.
func (f *follower) olds(n node) []node {
	if f.seen[facts.GwAged] != 1 {
		return []node{n}
	}
	var all []node
	if n.w.MTSOut > 0 {
		some := n
		some.w.Old = 1
		all = append(all, some)
		some.w.MTSOut = 0
		all = append(all, some)
	}
	for _, o := range elsewhere {
		for _, m := range append(all[:len(all):len(all)], n) {
			if *o.store(&n.w) > 0 {
				m.old |= o
				all = append(all, m)
			}
		}
	}
	return all
}

// time lets some mail grow old, or what was old in a store leave it: a number
// may stay the same then. Where nobody asks how old mail is, it stays as it is.
func (f *follower) time(n node) (to []node) {
	if f.empty || f.seen[facts.GwAged] == facts.Unknown {
		return nil
	}
	if n.w.MTSOut > 0 && n.w.Old == 0 {
		older := n
		older.w.Old = 1
		to = append(to, older)
		older.w.MTSOut = 0
		to = append(to, older)
	}
	for _, o := range elsewhere {
		if *o.store(&n.w) > 0 {
			changed := n
			changed.old ^= o
			to = append(to, changed)
		}
	}
	return to
}

// ages keeps what was old when it moves.
func ages(n node, m model.Move) node {
	switch {
	case m == model.OldPickedUp:
		n.old |= fromOut
	case m == model.Routed && n.old&fromMTA != 0:
		n.w.Old = 1
	}
	return forget(n)
}

// forget drops what is said of stores that are empty.
func forget(n node) node {
	for _, o := range elsewhere {
		if *o.store(&n.w) == 0 {
			n.old &^= o
		}
	}
	if n.w.Hold == 0 {
		n.back = 0
	}
	return n
}

// afterHold are the worlds after an effect, if it was one on held mail.
func afterHold(was *node, all []node, it *item) []node {
	switch a := it.do.Action; {
	case a == machine.QueueHold && !it.undo:
		all = hold(was, all)
		if it.may {
			all = append(all, *was)
		}
	case was.w.Hold > 0 && (a == machine.QueueHold || a == machine.QueueRelease):
		all = putBack(was, all)
	}
	for i := range all {
		all[i] = forget(all[i])
	}
	return all
}

// hold takes what is old out of the other stores, too: all that they have, or
// some.
func hold(was *node, all []node) (out []node) {
	for _, n := range all {
		if n.w.Old > 0 { // the effect did not happen
			out = append(out, n)
			continue
		}
		if was.w.Old > 0 {
			n.back |= fromMTSOut
		}
		worlds := []node{n}
		for _, o := range elsewhere {
			if n.old&o == 0 {
				continue
			}
			for i := range worlds {
				m := &worlds[i]
				m.w.Hold, m.back, m.old = 1, m.back|o, m.old&^o
				none := *m
				*o.store(&none.w) = 0
				worlds = append(worlds, none)
			}
		}
		out = append(out, worlds...)
	}
	return out
}

// putBack moves what the model put into mts-out to where it came from.
func putBack(was *node, all []node) (out []node) {
	for _, n := range all {
		if n.w.Hold > 0 { // the effect did not happen
			out = append(out, n)
			continue
		}
		from := []origin{was.back}
		if was.back == 0 { // somebody held it before the run did
			from = []origin{fromMTSOut, fromMTA, fromOut}
		}
		for _, back := range from {
			to := n
			if back&fromMTSOut == 0 {
				to.w.MTSOut, to.w.Old = was.w.MTSOut, was.w.Old
			}
			for _, o := range elsewhere {
				if back&o == 0 {
					continue
				}
				*o.store(&to.w) = 1
				if n.w.Old > was.w.Old { // no decision names it
					to.old |= o
				}
			}
			out = append(out, to)
		}
	}
	return out
}
