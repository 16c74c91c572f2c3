package engine

import (
	"context"

	"example.org/ims/pkg/machine"
)

// effect describes an action to the world.
func (e *Engine) effect(a machine.Action) Effect {
	st := &e.opts.Book.Def.States[a.State]
	target := st.Do.Targets[a.Target]
	at := slot{st.ID, target, a.Undo}
	ef := Effect{
		Run: e.opts.Run.ID, State: st.ID, Target: target, Key: e.visits.key(e.opts.Run.ID, at), Epoch: uint64(e.opts.Run.Epoch),
		Action: st.Do.Action, Args: st.Do.Args, Undo: a.Undo, Named: e.hist.Named,
		Actor: e.opts.Opener, Reason: ReasonOf(e.opts.Run.ID) + st.ID,
	}
	if a.Undo {
		ef.Image = e.hist.Images[first(e.opts.Run.ID, at)]
		ef.Undoes, ef.Agreed = e.visits.last[slot{st.ID, target, false}], e.visits.agreed[at]
		return ef
	}
	ef.Image = e.visits.images[ef.Key]
	return ef
}

// ReasonOf begins the reason that every effect of a run gives, by which what it
// has done can be told from what others did.
func ReasonOf(run string) string { return "run " + run + ", " }

func (ef Effect) detail() machine.Detail {
	return machine.Detail{State: ef.State, Target: ef.Target, Action: ef.Action, Key: ef.Key, Undo: ef.Undo, Image: ef.Image}
}

// untouched reports whether an undo is of a target that no intent was ever
// recorded for: of several targets, the run was aborted before this one.
func (ef Effect) untouched() bool { return ef.Undo && ef.Image == "" }

// intendAfter journals a passing guard and the intent it allows in one commit.
func (e *Engine) intendAfter(ctx context.Context, judged machine.Record) error {
	next, _ := e.opts.Book.Def.Step(e.hist.State, judged.Event)
	for _, a := range e.opts.Book.Def.Pending(next) {
		if a.Kind == machine.Intend {
			return e.intend(ctx, a, []machine.Record{judged})
		}
	}
	return e.append(ctx, judged)
}

// intend reads the value before and makes the intent durable. The first of all
// is what an undo goes back to; the newest is what the effect is compared with.
func (e *Engine) intend(ctx context.Context, a machine.Action, before []machine.Record) error {
	if e.opts.Hold != nil && e.opts.Hold() {
		return e.wait(ctx)
	}
	ef := e.effect(a)
	d := ef.detail()
	if !a.Undo {
		image, words, err := e.opts.World.Image(ctx, ef)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			d.Why = err.Error()
			return e.append(ctx, append(before, record(machine.OutcomeIs, machine.Event{Result: machine.Transient}, d))...)
		}
		d.Before = words
		if d.Image = image; image == e.visits.images[ef.Key] {
			d.Image = "" // the journal has it
		}
	}
	return e.append(ctx, append(before, record(machine.IntentSet, machine.Event{}, d))...)
}

// perform makes the effect happen and records what is known of it.
func (e *Engine) perform(ctx context.Context, a machine.Action) error {
	ef := e.effect(a)
	if ef.untouched() {
		return e.outcome(ctx, ef, Result{State: machine.Done, After: "was not changed"}, "observe")
	}
	res := e.opts.World.Perform(ctx, ef)
	if e.opts.Between != nil {
		e.opts.Between(ef)
	}
	return e.outcome(ctx, ef, res, "act")
}

// reobserve finds out what became of an effect whose outcome nobody saw.
func (e *Engine) reobserve(ctx context.Context, a machine.Action) error {
	ef := e.effect(a)
	if ef.untouched() {
		return e.outcome(ctx, ef, Result{State: machine.Done, After: "was not changed"}, "observe")
	}
	return e.outcome(ctx, ef, e.opts.World.Look(ctx, ef), "observe")
}

// outcome journals even when ctx has ended meanwhile: what was done is known.
func (e *Engine) outcome(ctx context.Context, ef Effect, res Result, by string) error {
	d := ef.detail()
	d.Image = ""
	d.Before, d.After, d.Why, d.By = res.Before, res.After, res.Why, by
	return e.append(context.WithoutCancel(ctx), record(machine.OutcomeIs, machine.Event{Result: res.State}, d))
}
