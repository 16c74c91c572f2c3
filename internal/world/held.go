package world

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// outward are the stores whose mail a mode that sends releases.
var outward = []gateway.Store{gateway.MTA, gateway.MTSOut, gateway.Out}

// agedItems lists what has waited to be sent for longer than a time and is named
// by no decision.
func (w *World) agedItems(ctx context.Context, than time.Duration, named map[string]bool) ([]gateway.Item, error) {
	q, ok := w.cfg.Gateway.(gateway.Queues)
	if !ok {
		return nil, errNoAbility
	}
	var aged []gateway.Item
	for _, s := range outward {
		items, err := listAll(ctx, q, gateway.Selection{Store: &s, OlderThan: than})
		if err != nil {
			return nil, err
		}
		aged = append(aged, slices.DeleteFunc(items, func(it gateway.Item) bool { return named[it.Message] })...)
	}
	return aged, nil
}

// aged counts the messages that a mode which sends would release without a
// decision that names them.
func (o *observer) aged() {
	if !o.needs(facts.GwAged) {
		return
	}
	if o.want.maxAge <= 0 {
		o.unknown(errors.New("the runbook has no release_max_age"), o.source(), facts.GwAged)
		return
	}
	o.agedSince()
	items, err := o.agedItems(o.ctx, o.than(o.want.maxAge, o.now), o.look.Named[machine.SubjectAged])
	if err != nil {
		o.unknown(err, o.source(), facts.GwAged)
		return
	}
	messages := map[string]bool{}
	for _, it := range items {
		messages[it.Message] = true
	}
	o.put(facts.GwAged, facts.Int(int64(len(messages))), o.source())
}

// agedSince finds the moment as of which mail is old. While people decide about
// what is held, other mail goes on growing old; if it counted at once there
// would always be another question. So the moment stands still from when mail
// was first seen to be held, for as long as mail may grow old.
func (o *observer) agedSince() {
	o.agedAt = time.Time{}
	if at, ok := o.time(memAged); ok && o.now.Sub(at) < o.want.maxAge {
		o.agedAt = at
		return
	}
	if held, err := o.heldItems(o.ctx, o.look.Run, ""); err == nil && len(held) > 0 {
		o.agedAt = o.now
		o.memory[memAged] = o.now.Format(time.RFC3339Nano)
	}
}

// than is how long ago mail must have been accepted in order to be older than a
// time at the moment as of which that is asked.
func (w *World) than(age time.Duration, now time.Time) time.Duration {
	if w.agedAt.IsZero() {
		return age
	}
	return age + now.Sub(w.agedAt)
}

// allHeld lists what is held, whoever holds it.
func (w *World) allHeld(ctx context.Context) ([]gateway.Item, error) {
	q, ok := w.cfg.Gateway.(gateway.Queues)
	if !ok {
		return nil, errNoAbility
	}
	hold := gateway.Hold
	return listAll(ctx, q, gateway.Selection{Store: &hold})
}

// heldItems lists what a run holds, by the reason that it gave; with a reason,
// what it holds for that one alone.
func (w *World) heldItems(ctx context.Context, run, reason string) ([]gateway.Item, error) {
	items, err := w.allHeld(ctx)
	return slices.DeleteFunc(items, func(it gateway.Item) bool {
		if reason != "" {
			return !strings.HasSuffix(it.Held, reason)
		}
		return !strings.Contains(it.Held, engine.ReasonOf(run))
	}), err
}

// list is the mail that an effect is about, now.
func (w *World) list(ctx context.Context, e engine.Effect) ([]gateway.Item, error) {
	switch {
	case e.Action == machine.QueueHold && e.Undo:
		return w.heldItems(ctx, e.Run, e.Reason)
	case e.Action == machine.QueueHold:
		return w.agedItems(ctx, w.than(e.Args.OlderThan, time.Now()), e.Named[machine.SubjectAged])
	case e.Args.Select == machine.SelectHeld:
		items, err := w.allHeld(ctx)
		named := e.Named[machine.SubjectAged]
		return slices.DeleteFunc(items, func(it gateway.Item) bool { return !named[it.Message] }), err
	}
	q, ok := w.cfg.Gateway.(gateway.Queues)
	if !ok {
		return nil, errNoAbility
	}
	out := gateway.Out
	items, err := listAll(ctx, q, gateway.Selection{Store: &out})
	// A report that is given up tells nobody, so no decision about mail is about
	// it; it keeps its own clock.
	return slices.DeleteFunc(items, isReport), err
}

// move moves mail between its stores and hold: a wanted value that is there once
// nothing is left to move.
func (w *World) move(ctx context.Context, e engine.Effect) engine.Result {
	if w.agedAt.IsZero() && e.Action == machine.QueueHold && !e.Undo {
		w.agedAt = time.Now() // what grows old while it moves is for the next look
	}
	items, err := w.list(ctx, e)
	if err != nil {
		return engine.Result{State: machine.Transient, Why: err.Error()}
	}
	verb := gateway.Suspend
	if e.Action == machine.QueueRelease || e.Undo {
		verb = gateway.Release
	}
	p := pickedFrom(0, items)
	if err := w.actOn(ctx, verb, p, e.Actor, e.Reason); err != nil {
		return engine.Result{State: classify(err), Before: p.String(), Why: err.Error()}
	}
	res := w.lookMoved(ctx, e)
	if res.Before = p.String(); res.State == machine.Done {
		res.After = p.String() + map[gateway.Verb]string{gateway.Suspend: " held", gateway.Release: " released"}[verb]
	}
	return res
}

// lookMoved: what is still there was perhaps not there when the others were
// moved, so it is not done, and is done again.
func (w *World) lookMoved(ctx context.Context, e engine.Effect) engine.Result {
	items, err := w.list(ctx, e)
	switch {
	case err != nil:
		return engine.Result{State: machine.InDoubt, Why: err.Error()}
	case len(items) > 0:
		return engine.Result{State: machine.NotDone, After: fmt.Sprintf("%d entries are still to be moved", len(items))}
	}
	return engine.Result{State: machine.Done, After: "nothing is left to be moved"}
}

// nameAged shows what is held, by the run or by a person, the oldest first: a
// decision covers these messages and no others.
func (w *World) nameAged(o *observer, ev *engine.Evidence) {
	items, err := w.allHeld(o.ctx)
	if err != nil {
		return
	}
	seen := map[string]bool{}
	for _, it := range items { // the list begins with the oldest
		if !seen[it.Message] {
			seen[it.Message] = true
			ev.Names = append(ev.Names, it.Message)
		}
		from := "<" + it.From + ">"
		ev.Lines = append(ev.Lines, fmt.Sprintf("%s waits for %s: %s to %s, %d octets", it.Message,
			age(o.now.Sub(it.Accepted)), from, strings.Join(it.Rcpts, ", "), it.Size))
	}
}

// age is a length of time as people say it: in seconds below a minute, else in
// minutes.
func age(d time.Duration) time.Duration {
	if d < time.Minute {
		return d.Round(time.Second)
	}
	return d.Round(time.Minute)
}
