package check

import (
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/guard"
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
	plan   plan
	next   func(machine.State, machine.Event) machine.State

	pending []machine.Action
	steps   []model.Step
	moves   []move
}

// move is one thing that can happen next.
type move struct {
	act   action
	class class
	event machine.Event // of the run's moves
	s     machine.State
	w     model.World
}

// class is a model.Class, or an abort, which only L3 relies on.
type class uint8

const (
	fair   = class(model.Fair)
	person = class(model.Person)
	maybe  = class(model.Maybe)
	aborts = maybe + 1
)

func newShell(b *Runbook, rules model.Rules) *shell {
	x := &shell{def: b.Def, rules: rules, next: b.Def.Next, plan: study(b)}
	for _, all := range b.Guards {
		x.guards = append(x.guards, newMemo(all))
	}
	return x
}

// memo answers a guard, remembering every vector of the facts that it reads.
type memo struct {
	all   guard.All
	refs  []facts.ID
	known map[vector]machine.Verdict
	seen  [3]bool // which verdicts it gave
}

// vector packs the facts that a guard reads, five bits each.
type vector [3]uint64

const perWord = 12

func newMemo(all guard.All) memo {
	return memo{all: all, refs: all.Refs(), known: map[vector]machine.Verdict{}}
}

// verdict judges a guard on what an observation would say now.
func (x *shell) verdict(g int, s machine.State, w *model.World) machine.Verdict {
	m := &x.guards[g]
	var k vector
	for i, id := range m.refs {
		k[i/perWord] |= uint64(x.fact(id, s, w)) & 31 << (5 * (i % perWord))
	}
	v, ok := m.known[k]
	if !ok {
		var all facts.Vector
		for _, id := range m.refs {
			all[id] = x.fact(id, s, w)
		}
		v = m.all.Eval(&all).Verdict
		m.known[k] = v
	}
	m.seen[v] = true
	return v
}

func (x *shell) fact(id facts.ID, s machine.State, w *model.World) facts.Value {
	if id >= facts.RunGrantedNoRoute {
		return facts.Bool(s.Granted(int(id - facts.RunGrantedNoRoute)))
	}
	return w.Fact(id, x.rules.Params)
}

// expand lists what can happen next. The list is valid until the next call.
func (x *shell) expand(s machine.State, w *model.World) []move {
	x.moves = x.moves[:0]
	x.steps = x.rules.AppendMoves(x.steps[:0], w)
	for i := range x.steps {
		st := &x.steps[i]
		x.add(move{act: action(st.Move), class: class(st.Move.Class()), s: s, w: st.To})
	}
	x.pending = x.def.AppendPending(x.pending[:0], s)
	if len(x.pending) == 0 {
		return x.moves
	}
	if !w.Told && (!s.Undoing || s.Back > 0) && x.abortable(s) {
		x.event(actAbort, aborts, s, *w, machine.Event{Kind: machine.Abort})
	}
	if s.Phase == machine.Judging && x.pending[0].Kind == machine.Judge {
		x.judge(s, w)
		return x.moves
	}
	for i := range x.pending {
		x.answer(&x.pending[i], s, w)
	}
	return x.moves
}

func (x *shell) abortable(s machine.State) bool {
	return s.Phase != machine.Closing && s.Changed&x.plan.final == 0
}

// crash is a crash and the start of the next runner; ok is false if it changes
// nothing.
func (x *shell) crash(s machine.State, w *model.World) (m move, ok bool) {
	to := *w
	to.Told = false
	n := x.next(s, machine.Event{Kind: machine.Resumed})
	x.tidy(&n, &to)
	return move{act: actCrash, class: maybe, s: n, w: to}, n != s || to != *w
}

func (x *shell) add(m move) {
	x.tidy(&m.s, &m.w)
	x.moves = append(x.moves, m)
}

// event is a move of the machine.
func (x *shell) event(a action, c class, s machine.State, w model.World, e machine.Event) {
	n := x.next(s, e)
	if n.Cur != s.Cur || n.Undoing != s.Undoing || (n.Phase == machine.Judging && s.Phase == machine.Operating) {
		w.Applied = false
	}
	if n.Phase != machine.Intended {
		w.Told = false
	}
	if gone := s.Changed &^ n.Changed; gone != 0 {
		x.plan.forget(gone, &w)
	}
	x.add(move{a, c, e, n, w})
}

// tidy forgets what nothing can ask for any more, so that worlds that cannot be
// told apart are one.
func (x *shell) tidy(s *machine.State, w *model.World) {
	var p notes // of a run that is being undone, or has ended: nothing is read
	switch {
	case s.Phase == machine.Closed:
	case s.Back > 0:
		p = x.plan.states[s.Back-1]
	case !s.Undoing:
		p = x.plan.states[s.Cur]
	}
	switch s.Phase {
	case machine.Asking, machine.Operating, machine.Closing, machine.Closed:
		s.Attempt = 0 // whatever comes next begins to count anew
		if s.Looks > 0 {
			s.Looks = 1 // that it was a guard which told nothing
		}
	case machine.Judging, machine.Ready, machine.Intended, machine.Doubting:
	}
	s.Changed &= x.plan.undone | 1<<s.Cur
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
	if s.Changed&x.plan.final != 0 { // nothing can be undone any more
		w.Images = 0
	}
}

// looked is the world after a look: counts since the last look begin anew.
func looked(w *model.World) model.World {
	to := *w
	to.Arrived, to.LateCame = false, false
	return to
}

// judge looks at the world and answers the guards that the machine asks about.
func (x *shell) judge(s machine.State, w *model.World) {
	st := &x.def.States[s.Cur]
	g := x.pending[0].Guard
	if st.Kind == machine.KindWait {
		x.watch(s, w, st.Wait)
		return
	}
	v := x.verdict(int(g), s, w)
	if v == machine.Pass && st.Kind == machine.KindDo && st.Do.Destructive() && w.Digest != w.ConfigFacts() {
		v = machine.Fails // the configuration changed since the last decision
	}
	x.event(actLook, fair, s, looked(w), machine.Event{Kind: machine.Judged, Guard: g, Verdict: v})
	x.blind(s, w, machine.Event{Kind: machine.Judged, Guard: g, Verdict: machine.Unknown})
}

// blind is a look at which something cannot be observed. The run looks again,
// at once or a little later, so it is blind until that ends the state or a
// person is asked: the looks between differ in nothing but their number.
func (x *shell) blind(s machine.State, w *model.World, e machine.Event) {
	x.event(actBlind, maybe, x.last(s, e), *w, e)
}

// last is the state in which an event that tells nothing is the last in a row.
func (x *shell) last(s machine.State, e machine.Event) machine.State {
	for {
		n := x.next(s, e)
		if n.Armed(machine.BackoffTimer) {
			n = x.next(n, machine.Event{Kind: machine.Elapsed, Timer: machine.BackoffTimer})
		}
		if n == s || n.Phase != s.Phase || n.Cur != s.Cur || n.Timers != s.Timers {
			return s
		}
		s = n
	}
}

// watch is a look in a wait: drift first, then the condition, then timers. The
// hold timer elapses only on a look at which the condition holds. A wait that
// is for nothing but a start of the service is for people to end.
func (x *shell) watch(s machine.State, w *model.World, wait *machine.Wait) {
	if wait.Drift != machine.Here && x.verdict(wait.Drift, s, w) == machine.Pass {
		x.event(actLook, fair, s, looked(w), machine.Event{Kind: machine.Judged, Guard: uint8(wait.Drift), Verdict: machine.Pass})
	} else {
		v := x.verdict(wait.Until, s, w)
		x.event(actLook, fair, s, looked(w), machine.Event{Kind: machine.Judged, Guard: uint8(wait.Until), Verdict: v})
		if v == machine.Pass && s.Armed(machine.HoldTimer) {
			x.elapsed(s, looked(w), machine.HoldTimer)
		}
		if to, ok := w.Started(); ok && v != machine.Pass && x.verdict(wait.Until, s, &to) == machine.Pass {
			x.add(move{act: action(model.StartedByHand), class: person, s: s, w: to}) // it is what the wait asks people for
		}
	}
	if s.Armed(machine.TimeoutTimer) {
		x.elapsed(s, *w, machine.TimeoutTimer)
	}
	if s.Armed(machine.StallTimer) && x.fact(x.plan.states[s.Cur].metric, s, w) > 0 {
		x.elapsed(s, *w, machine.StallTimer)
	}
}

func (x *shell) elapsed(s machine.State, w model.World, t machine.Timer) {
	c := fair
	if t == machine.ExpiryTimer {
		c = maybe
	}
	x.event(actElapsed+action(t), c, s, w, machine.Event{Kind: machine.Elapsed, Timer: t})
}

// answer does what the machine asks for, in every way in which it can go.
func (x *shell) answer(a *machine.Action, s machine.State, w *model.World) {
	outcome := func(act action, c class, w model.World, r machine.EffectState) {
		x.event(act, c, s, w, machine.Event{Kind: machine.OutcomeIs, Result: r})
	}
	switch a.Kind {
	case machine.Intend:
		to := *w
		if !a.Undo {
			x.plan.remember(s, &to, x.def.States[s.Cur].Do)
			outcome(actNoImage, maybe, *w, machine.Transient)
		}
		x.event(actIntent, fair, s, to, machine.Event{Kind: machine.IntentSet})
	case machine.Perform:
		x.perform(s, w)
	case machine.Reobserve:
		outcome(actReobserve, fair, *w, x.look(s, w))
		e := machine.Event{Kind: machine.OutcomeIs, Result: machine.InDoubt}
		x.event(actCannotLook, maybe, x.last(s, e), *w, e)
	case machine.Ask:
		for i := range x.def.States[s.Cur].Approve.Choices {
			to := looked(w)
			to.Decide(&x.def.States[s.Cur].Approve.Choices[i])
			to.Digest = w.ConfigFacts()
			x.event(actAnswer+action(i), person, s, to, machine.Event{Kind: machine.Answered, Choice: uint8(i)})
		}
		x.event(actReject, maybe, s, *w, machine.Event{Kind: machine.Answered, Answer: machine.RejectedAnswer})
	case machine.Arm:
		x.elapsed(s, *w, a.Timer)
	case machine.Operate:
		x.event(actContinue, person, s, looked(w), machine.Event{Kind: machine.Continue})
	case machine.Close:
		x.event(actClose, fair, s, *w, machine.Event{Kind: machine.ClosedRun})
	case machine.Judge:
	}
}

// perform makes the effect happen: it is done and told, or one of the ways in
// which nobody can be sure.
func (x *shell) perform(s machine.State, w *model.World) {
	outcome := func(act action, c class, w model.World, r machine.EffectState) {
		x.event(act, c, s, w, machine.Event{Kind: machine.OutcomeIs, Result: r})
	}
	if w.Told {
		outcome(actRecord, fair, *w, machine.Done)
		return
	}
	to, ok := x.effect(s, w)
	if !ok {
		outcome(actOverridden, fair, *w, machine.Overridden)
		return
	}
	to.Told = true
	x.add(move{act: actPerform, class: fair, s: s, w: to})
	to.Told = false
	outcome(actDoubtDone, maybe, to, machine.InDoubt)
	outcome(actDoubtNot, maybe, *w, machine.InDoubt)
	outcome(actTransient, maybe, *w, machine.Transient)
	outcome(actRefused, maybe, *w, machine.Refused)
}

// effect is the world after the effect under work; ok is false if it must not
// be undone, because the value is no longer what the run wrote.
func (x *shell) effect(s machine.State, w *model.World) (to model.World, ok bool) {
	do := x.def.States[s.Cur].Do
	to = *w
	if s.Undoing {
		before := x.plan.image(int(s.Cur), w)
		switch {
		case w.Restored(do.Action, &do.Args, before):
		case !w.Written(do.Action, &do.Args):
			return to, false
		default:
			to.Undo(do.Action, &do.Args, before)
		}
		return to, true
	}
	made, readable := w.Made(do.Action, &do.Args)
	if !readable || !made {
		to.Apply(do.Action, &do.Args)
		to.Applied = !readable
	}
	return to, true
}

// look finds out what became of an effect.
func (x *shell) look(s machine.State, w *model.World) machine.EffectState {
	do := x.def.States[s.Cur].Do
	done := func(is bool) machine.EffectState {
		if is {
			return machine.Done
		}
		return machine.NotDone
	}
	if s.Undoing {
		return done(w.Restored(do.Action, &do.Args, x.plan.image(int(s.Cur), w)))
	}
	made, readable := w.Made(do.Action, &do.Args)
	switch {
	case readable:
		return done(made)
	case do.Action == machine.GatewayRunning: // a restart is remembered by its key
		return done(w.Applied && w.Running)
	case do.Action == machine.QueueReturn || do.Action == machine.QueueExport || do.Action == machine.QueueRetry:
		return machine.NotDone // each message is acted on once, by its id
	}
	return machine.InDoubt
}
