package engine

import (
	"context"
	"errors"

	"example.org/ims/pkg/machine"
)

// Fault is a fault of the engine, seeded to see who catches it. It exists in
// tests only.
type Fault string

// Faults. Each concerns one state.
const (
	// EffectFirst performs an effect as soon as its guard has passed; the
	// intent is recorded afterwards.
	EffectFirst Fault = "effect before intent"
	// StaleGuard takes a guard that passed before a crash for one that passes
	// now.
	StaleGuard Fault = "guard not judged again after a resume"
	// SkipUndo says that an effect is undone, and does nothing.
	SkipUndo Fault = "abort skips an undo"
)

// RunFaulty is Run with a fault in one state.
func (e *Engine) RunFaulty(ctx context.Context, f Fault, state string) (machine.Outcome, error) {
	defer close(e.ended)
	def, done := e.opts.Book.Def, false
	for {
		if err := ctx.Err(); err != nil {
			return machine.Open, err
		}
		if e.hist.State.Phase == machine.Closed && e.hist.State != def.Begin() {
			e.publish()
			return def.Outcome(e.hist.State), nil
		}
		if c, ok := e.heard(); ok {
			c.reply <- e.obey(ctx, c.Command)
			continue
		}
		if !done && e.state().ID == state {
			var err error
			if done, err = e.commit(ctx, f); err != nil {
				return machine.Open, err
			}
		}
		if err := e.turn(ctx); err != nil && !errors.Is(err, errTold) {
			return machine.Open, err
		}
	}
}

// commit commits the fault if it is time to, and reports whether it was.
func (e *Engine) commit(ctx context.Context, f Fault) (bool, error) {
	s := e.hist.State
	switch f {
	case EffectFirst:
		if s.Phase != machine.Judging || s.Undoing {
			return false, nil
		}
		if err := e.observe(ctx); err != nil {
			return false, err
		}
		pre := e.state().Do.Pre
		if _, ans := e.verdict(e.state(), machine.Action{Kind: machine.Judge, State: s.Cur, Guard: uint8(pre)}); ans.Verdict != machine.Pass {
			return false, nil
		}
		ef := e.effect(machine.Action{Kind: machine.Perform, State: s.Cur})
		var err error
		if ef.Image, _, err = e.opts.World.Image(ctx, ef); err != nil {
			return false, err
		}
		e.opts.World.Perform(ctx, ef)
		if e.opts.Between != nil {
			e.opts.Between(ef)
		}
		return true, nil
	case StaleGuard:
		if s.Phase != machine.Judging || s.Undoing || e.hist.Resumes == 0 || s.Changed&(1<<s.Cur) == 0 {
			return false, nil
		}
		e.hist.State.Phase = machine.Ready
		return true, nil
	case SkipUndo:
		if s.Phase != machine.Intended || !s.Undoing {
			return false, nil
		}
		ef := e.effect(machine.Action{Kind: machine.Perform, State: s.Cur, Target: s.Target, Undo: true})
		return true, e.outcome(ctx, ef, Result{State: machine.Done}, "act")
	}
	return false, nil
}
