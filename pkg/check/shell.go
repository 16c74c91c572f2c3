package check

import (
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// shell drives the machine through the abstract world as the engine drives it
// through the real one: the same questions, the same order, the same commits.
// It does not allocate once its memory of guards has grown.
type shell struct {
	def    *machine.Def
	rules  model.Rules
	guards []memo
	static analysis
	step   func(machine.State, machine.Event) machine.State // of the machine

	pending []machine.Action
	steps   []model.Step
	out     []transition
}

// transition is one thing that can happen next, and the state after it.
type transition struct {
	act   action
	class class
	event machine.Event // if it is one of the machine
	s     machine.State
	w     model.World
}

// class says what liveness may rely on: a model.Class, or an abort, which only
// L3 relies on.
type class uint8

const (
	fair   = class(model.Fair)   // it happens in the end, if it stays possible
	person = class(model.Person) // people do it in the end, if that helps
	maybe  = class(model.Maybe)  // it need not ever happen
	aborts = maybe + 1           // people may abort
)

func newShell(b *Runbook, rules model.Rules) *shell {
	x := &shell{def: b.Def, rules: rules, step: b.Def.Next, static: analyze(b)}
	for _, all := range b.Guards {
		x.guards = append(x.guards, newMemo(all))
	}
	return x
}

// successors lists what can happen next. The list is valid until the next call.
func (x *shell) successors(s machine.State, w *model.World) []transition {
	x.out = x.out[:0]
	x.steps = x.rules.AppendMoves(x.steps[:0], w)
	for i := range x.steps {
		st := &x.steps[i]
		x.add(transition{act: action(st.Move), class: class(st.Move.Class()), s: s, w: st.To})
	}
	x.pending = x.def.AppendPending(x.pending[:0], s)
	if len(x.pending) == 0 {
		return x.out
	}
	if !w.Told && (!s.Undoing || s.Back > 0) && x.abortable(s) {
		x.event(actAbort, aborts, s, *w, machine.Event{Kind: machine.Abort})
	}
	if s.Phase == machine.Judging && x.pending[0].Kind == machine.Judge {
		x.judge(s, w)
		return x.out
	}
	for i := range x.pending {
		x.answer(&x.pending[i], s, w)
	}
	return x.out
}

// abortable reports whether an abort is still heard: not after what cannot be
// undone.
func (x *shell) abortable(s machine.State) bool {
	return s.Phase != machine.Closing && s.Changed&x.static.final == 0
}

// crash is a crash and the start of the next runner; ok is false if it changes
// nothing.
func (x *shell) crash(s machine.State, w *model.World) (m transition, ok bool) {
	to := *w
	to.Told = false
	n := x.step(s, machine.Event{Kind: machine.Resumed})
	x.reduce(&n, &to)
	return transition{act: actCrash, class: maybe, s: n, w: to}, n != s || to != *w
}

// add adds a transition, to the state as far as it can be told from others.
func (x *shell) add(m transition) {
	x.reduce(&m.s, &m.w)
	x.out = append(x.out, m)
}

// event adds a transition of the machine. What is remembered of an effect is
// forgotten as soon as the run is done with it.
func (x *shell) event(a action, c class, s machine.State, w model.World, e machine.Event) {
	n := x.step(s, e)
	if n.Cur != s.Cur || n.Undoing != s.Undoing || (n.Phase == machine.Judging && s.Phase == machine.Operating) {
		w.Applied = false
	}
	if n.Phase != machine.Intended {
		w.Told = false
	}
	if gone := s.Changed &^ n.Changed; gone != 0 {
		x.static.forget(gone, &w)
	}
	x.add(transition{a, c, e, n, w})
}
