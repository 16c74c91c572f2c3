package check

import (
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// answer does what the machine asks for, in every way in which it can go.
func (x *shell) answer(a *machine.Action, s machine.State, w *model.World) {
	switch a.Kind {
	case machine.Intend:
		to := *w
		if !a.Undo {
			x.static.remember(s, &to, x.def.States[s.Cur].Do)
			x.outcome(actNoImage, maybe, s, *w, machine.Transient)
		}
		x.event(actIntent, fair, s, to, machine.Event{Kind: machine.IntentSet})
	case machine.Perform:
		x.perform(s, w)
	case machine.Reobserve:
		x.outcome(actReobserve, fair, s, *w, x.reobserve(s, w))
		e := machine.Event{Kind: machine.OutcomeIs, Result: machine.InDoubt}
		x.event(actCannotLook, maybe, x.last(s, e), *w, e)
	case machine.Ask:
		for i := range x.def.States[s.Cur].Approve.Choices {
			to := looked(w)
			to.Decide(&x.def.States[s.Cur].Approve.Choices[i])
			if x.static.states[s.Cur].decides&(1<<i) != 0 {
				to.Digest = w.ConfigFacts()
			}
			x.event(actAnswer+action(i), person, s, to, machine.Event{Kind: machine.Answered, Choice: uint8(i)})
		}
		to := *w
		to.Digest = 0 // a no voids what was decided before
		x.event(actReject, maybe, s, to, machine.Event{Kind: machine.Answered, Answer: machine.RejectedAnswer})
	case machine.Arm:
		x.elapsed(s, *w, a.Timer)
	case machine.Operate:
		x.event(actContinue, person, s, looked(w), machine.Event{Kind: machine.Continue})
	case machine.Close:
		x.event(actClose, fair, s, *w, machine.Event{Kind: machine.ClosedRun})
	case machine.Judge:
	}
}

// outcome is a transition by which the run learns what became of an effect.
func (x *shell) outcome(a action, c class, s machine.State, w model.World, r machine.EffectState) {
	x.event(a, c, s, w, machine.Event{Kind: machine.OutcomeIs, Result: r})
}

// perform makes the effect happen: it is done and told, or one of the ways in
// which nobody can be sure.
func (x *shell) perform(s machine.State, w *model.World) {
	if w.Told {
		x.outcome(actRecord, fair, s, *w, machine.Done)
		return
	}
	to, ok := x.effect(s, w)
	if !ok {
		x.outcome(actOverridden, fair, s, *w, machine.Overridden)
		return
	}
	to.Told = true
	x.add(transition{act: actPerform, class: fair, s: s, w: to})
	to.Told = false
	x.outcome(actDoubtDone, maybe, s, to, machine.InDoubt)
	x.outcome(actDoubtNot, maybe, s, *w, machine.InDoubt)
	x.outcome(actTransient, maybe, s, *w, machine.Transient)
	x.outcome(actRefused, maybe, s, *w, machine.Refused)
}

// effect is the world after the effect under work; ok is false if it must not
// be undone, because the value is no longer what the run wrote.
func (x *shell) effect(s machine.State, w *model.World) (to model.World, ok bool) {
	do := x.def.States[s.Cur].Do
	to = *w
	if s.Undoing {
		before := x.static.image(int(s.Cur), w)
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

// reobserve finds out what became of an effect.
func (x *shell) reobserve(s machine.State, w *model.World) machine.EffectState {
	do := x.def.States[s.Cur].Do
	done := func(is bool) machine.EffectState {
		if is {
			return machine.Done
		}
		return machine.NotDone
	}
	if s.Undoing {
		return done(w.Restored(do.Action, &do.Args, x.static.image(int(s.Cur), w)))
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
