package world

import (
	"context"
	"errors"

	"example.org/ims/internal/dependents"
	"example.org/ims/internal/engine"
	"example.org/ims/pkg/machine"
)

// errNoDependents is that nobody said how to reach the other gateways.
var errNoDependents = errors.New("the other gateways are not known here")

// dependentsImage is what other gateways had that names this one, and what they
// are to have.
func (w *World) dependentsImage(ctx context.Context) (image, words string, err error) {
	if w.cfg.Dependents == nil {
		return "", "", errNoDependents
	}
	return w.cfg.Dependents.Image(ctx)
}

// performDependents makes the settings of other gateways name the successor
// (eleven-steps.2), or puts them back. Each change is bound to the generation
// that it was decided on, so one that is still under way when it is undone finds
// that it comes too late.
func (w *World) performDependents(ctx context.Context, e engine.Effect) engine.Result {
	m := w.cfg.Dependents
	if m == nil {
		return engine.Result{State: machine.Refused, Why: errNoDependents.Error()}
	}
	// The epoch is that of this gateway's runs; another gateway may be under its
	// own. The generation alone fences there.
	ask := dependents.Ask{Key: e.Key, Actor: e.Actor, Reason: e.Reason}
	var err error
	if e.Undo {
		err = m.Restore(ctx, e.Image, ask)
	} else {
		err = m.Redirect(ctx, e.Image, ask)
	}
	switch {
	case errors.Is(err, dependents.ErrChanged):
		return engine.Result{State: machine.Overridden, Why: err.Error()}
	case err != nil:
		return engine.Result{State: classify(err), Why: err.Error()}
	}
	res := w.lookDependents(ctx, e)
	if res.State == machine.NotDone {
		res.State = machine.InDoubt // it was accepted, so it may still come
	}
	return res
}

// lookDependents finds out whether the settings of an image are redirected, or
// are back.
func (w *World) lookDependents(ctx context.Context, e engine.Effect) engine.Result {
	m := w.cfg.Dependents
	if m == nil {
		return engine.Result{State: machine.InDoubt, Why: errNoDependents.Error()}
	}
	ask, words := m.Redirected, "every setting that named this gateway names its successor"
	if e.Undo {
		ask, words = m.Restored, "every setting that named this gateway names it again"
	}
	ok, err := ask(ctx, e.Image)
	switch {
	case err != nil:
		return engine.Result{State: machine.InDoubt, Why: err.Error()}
	case !ok:
		return engine.Result{State: machine.NotDone, After: "not every setting is as it is to be"}
	}
	return engine.Result{State: machine.Done, After: words}
}
