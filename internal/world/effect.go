package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/patience"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// Image reads the value that an effect is going to change.
func (w *World) Image(ctx context.Context, e engine.Effect) (image, words string, err error) {
	ctx, cancel := looking(ctx)
	defer cancel()
	switch e.Action {
	case machine.DNSRRset:
		return w.zoneImage(ctx, e)
	case machine.GatewayDependents:
		return w.dependentsImage(ctx)
	case machine.QueueHold, machine.QueueRelease, machine.QueueReturn, machine.QueueExport:
		return w.queueImage(ctx, e)
	case machine.GatewayMode, machine.GatewayConfig, machine.GatewayRunning, machine.GatewayAbsent, machine.RouteSpaces, machine.RouteSites,
		machine.QueueRedirect, machine.QueueRetry, machine.ProbeSend, machine.RunRestore:
	}
	c, name, err := w.configOf(ctx, e.Args.OnSuccessor)
	if err != nil {
		return "", "", err
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return "", "", fmt.Errorf("encode configuration of %q: %w", name, err)
	}
	return string(raw), describe(e, c), nil
}

// Perform makes an effect happen, or undoes it.
func (w *World) Perform(ctx context.Context, e engine.Effect) engine.Result {
	ctx = patience.Look(ctx)
	switch e.Action {
	case machine.DNSRRset:
		return w.performZone(ctx, e)
	case machine.GatewayDependents:
		return w.performDependents(ctx, e)
	case machine.QueueHold, machine.QueueRelease:
		return w.move(ctx, e)
	case machine.QueueReturn:
		return w.returnMail(ctx, e)
	case machine.QueueExport:
		return w.exportMail(ctx, e)
	case machine.QueueRetry:
		return w.act(ctx, e, gateway.Retry)
	case machine.QueueRedirect, machine.ProbeSend, machine.RunRestore:
		return engine.Result{State: machine.Refused, Why: fmt.Sprintf("%s cannot be done here", e.Action)}
	case machine.GatewayMode, machine.GatewayConfig, machine.GatewayRunning, machine.GatewayAbsent, machine.RouteSpaces, machine.RouteSites:
	}
	g, _, err := w.side(e.Args.OnSuccessor)
	if err != nil {
		return engine.Result{State: machine.Refused, Why: err.Error()}
	}
	ch, res, done := w.decide(ctx, e)
	if done {
		return res
	}
	before := res.Before
	if _, err := g.Apply(ctx, ch); err != nil {
		return engine.Result{State: classify(err), Before: before, Why: err.Error()}
	}
	res = w.Look(ctx, e)
	res.Before = before
	if res.State == machine.NotDone {
		res.State = machine.InDoubt // it was accepted, so it may still come
	}
	return res
}

// decide reads the present value and says what to ask for, or that there is
// nothing to ask for. What was changed since the value before was recorded
// makes the change a conflict: it is looked at again and decided again.
func (w *World) decide(ctx context.Context, e engine.Effect) (gateway.Change, engine.Result, bool) {
	ctx, cancel := looking(ctx)
	defer cancel()
	ch := gateway.Change{Key: e.Key, Epoch: e.Epoch, Actor: e.Actor, Reason: e.Reason}
	c, _, err := w.configOf(ctx, e.Args.OnSuccessor)
	if err != nil {
		return ch, engine.Result{State: machine.Transient, Why: err.Error()}, true
	}
	res := engine.Result{Before: describe(e, c)}
	var old gateway.Config
	if err := json.Unmarshal([]byte(e.Image), &old); err != nil {
		return ch, engine.Result{State: machine.Refused, Before: res.Before, Why: "the value from before cannot be read: " + err.Error()}, true
	}
	if e.Undo {
		res = w.mayUndo(ctx, e, c, old)
		ch.Want, ch.IfGeneration = back(e, old), c.Generation
		return ch, res, res.State != machine.NotDone
	}
	if !restarts(e) && made(e, c) {
		return ch, engine.Result{State: machine.Done, Before: res.Before, After: res.Before}, true
	}
	now, err := w.spacesNow(ctx, e, c)
	if err != nil {
		return ch, engine.Result{State: machine.Transient, Before: res.Before, Why: err.Error()}, true
	}
	if ch.Want, err = wanted(e, w.cfg.ArchiveDir, now); err != nil {
		return ch, engine.Result{State: machine.Refused, Before: res.Before, Why: err.Error()}, true
	}
	if lost := w.dropped(e, c); lost != "" {
		return ch, engine.Result{State: machine.Refused, Before: res.Before, Why: lost}, true
	}
	if p := ch.Want.Settings; p != nil && p.Timeouts != nil {
		p.Timeouts.Report = c.Stored.Timeouts.Report // a patch sets all of them
	}
	ch.IfGeneration = old.Generation
	return ch, res, false
}

// restarts reports whether an effect is an event rather than a value.
func restarts(e engine.Effect) bool {
	return e.Action == machine.GatewayRunning && e.Args.Running == gateway.Restarted.String()
}

// mayUndo says whether the old value is to be written: NotDone, or why not.
func (w *World) mayUndo(ctx context.Context, e engine.Effect, c, old gateway.Config) engine.Result {
	res := engine.Result{State: machine.NotDone, Before: describe(e, c)}
	switch {
	case w.underWay(ctx, e):
		res.State, res.Why = machine.InDoubt, "the gateway is still at work on the change that is to be undone"
	case restored(e, c, old):
		res.State, res.After = machine.Done, res.Before
	case !written(e, c):
		res.State = machine.Overridden
		res.Why = fmt.Sprintf("%s is no longer what this run wrote, somebody else changed it; it was: %s", e.Action, describe(e, old))
	}
	return res
}

// Look finds out whether an effect has happened.
func (w *World) Look(ctx context.Context, e engine.Effect) engine.Result {
	ctx, cancel := looking(ctx)
	defer cancel()
	switch e.Action {
	case machine.DNSRRset:
		return w.lookZone(ctx, e)
	case machine.GatewayDependents:
		return w.lookDependents(ctx, e)
	case machine.QueueHold, machine.QueueRelease:
		return w.lookMoved(ctx, e)
	case machine.QueueReturn, machine.QueueExport:
		return w.lookQueue(ctx, e)
	case machine.QueueRedirect, machine.QueueRetry, machine.ProbeSend, machine.RunRestore:
		return engine.Result{State: machine.NotDone, Why: "it is harmless to repeat"}
	case machine.GatewayMode, machine.GatewayConfig, machine.GatewayRunning, machine.GatewayAbsent, machine.RouteSpaces, machine.RouteSites:
	}
	c, _, err := w.configOf(ctx, e.Args.OnSuccessor)
	if err != nil {
		return engine.Result{State: machine.InDoubt, Why: err.Error()}
	}
	g, _, _ := w.side(e.Args.OnSuccessor) // it was just read
	op, err := g.Op(ctx, e.Key)
	if err != nil && !errors.Is(err, gateway.ErrNotFound) {
		return engine.Result{State: machine.InDoubt, Why: err.Error()}
	}
	ok := false
	switch {
	case e.Undo && w.underWay(ctx, e):
		return engine.Result{State: machine.InDoubt, Why: "the gateway is still at work on the change that is to be undone"}
	case e.Undo:
		var old gateway.Config
		ok = json.Unmarshal([]byte(e.Image), &old) == nil && restored(e, c, old)
	case restarts(e):
		ok = op.Done && c.Running
	default:
		ok = made(e, c)
	}
	res := engine.Result{State: machine.NotDone, After: describe(e, c)}
	switch {
	case ok:
		res.State = machine.Done
	case op.Done && e.Action != machine.GatewayAbsent: // what a removal leaves behind may go by itself
		res.State = machine.Refused // its key is used up
		if e.Undo {
			res.State = machine.Overridden
		}
		res.Why = fmt.Sprintf("%s was changed as this run asked, and then by somebody else", e.Action)
	}
	return res
}

// underWay reports whether the change that is to be undone was asked for and is
// not over: its value could still come, after the old one was seen.
func (w *World) underWay(ctx context.Context, e engine.Effect) bool {
	g, _, err := w.side(e.Args.OnSuccessor)
	if err != nil {
		return false
	}
	op, err := g.Op(ctx, e.Undoes)
	return err == nil && !op.Done && op.Failed == ""
}

// classify says what an error from Apply leaves known.
func classify(err error) machine.EffectState {
	switch {
	case errors.Is(err, gateway.ErrRefused), errors.Is(err, gateway.ErrStaleEpoch):
		return machine.Refused
	case errors.Is(err, gateway.ErrConflict):
		return machine.Transient // nothing happened: judge, read and decide again
	}
	return machine.InDoubt
}

// act nudges what waits for a destination.
func (w *World) act(ctx context.Context, e engine.Effect, verb gateway.Verb) engine.Result {
	q, ok := w.cfg.Gateway.(gateway.Queues)
	if !ok {
		return engine.Result{State: machine.Refused, Why: errNoAbility.Error()}
	}
	out := gateway.Out
	n, err := q.Act(ctx, verb, gateway.Selection{Store: &out, Limit: 1 << 20}, e.Actor, e.Reason)
	if err != nil {
		return engine.Result{State: classify(err), Why: err.Error()}
	}
	return engine.Result{State: machine.Done, After: fmt.Sprintf("%s: %d messages", verb, n)}
}

// describe is the part of a configuration that an effect is about, in words.
func describe(e engine.Effect, c gateway.Config) string {
	switch e.Action {
	case machine.GatewayMode, machine.GatewayConfig:
		return settingsWords(c)
	case machine.GatewayRunning:
		return "running " + strconv.FormatBool(c.Running)
	case machine.GatewayAbsent:
		if !c.Exists {
			return "removed"
		}
		return "exists"
	case machine.RouteSpaces:
		words := make([]string, len(c.Spaces))
		for i, s := range c.Spaces {
			words[i] = fmt.Sprintf("%s:%s cost %d", s.Type, s.Pattern, s.Cost)
			if s.Scope != gateway.ScopeOrganization {
				words[i] += " scope " + s.Scope.String()
			}
		}
		return orNone(words, "no address space")
	case machine.RouteSites:
		words := make([]string, len(c.Sites))
		for i, s := range c.Sites {
			words[i] = fmt.Sprintf("%s cost %d via %s", s.Name, s.Cost, s.RoutingAddress)
		}
		return orNone(words, "no connected site")
	case machine.DNSRRset, machine.GatewayDependents, machine.QueueHold, machine.QueueRelease, machine.QueueReturn,
		machine.QueueRedirect, machine.QueueExport, machine.QueueRetry, machine.ProbeSend, machine.RunRestore:
	}
	return ""
}

func orNone(words []string, none string) string {
	if len(words) == 0 {
		return none
	}
	return strings.Join(words, ", ")
}

func settingsWords(c gateway.Config) string {
	s := c.Stored
	words := fmt.Sprintf("mode %s, refuse %s, retry %s, time-outs %s/%s/%s", s.Mode, s.Refuse, short(s.Retry),
		s.Timeouts.Urgent, s.Timeouts.Normal, s.Timeouts.NonUrgent)
	if s.MaxInbound > 0 || s.MaxOutbound > 0 {
		words += fmt.Sprintf(", sessions %d in and %d out", s.MaxInbound, s.MaxOutbound)
	}
	if c.Running && !reflect.DeepEqual(c.Effective, c.Stored) {
		words += fmt.Sprintf(" (in effect: mode %s)", c.Effective.Mode)
	}
	return words
}

func short[T fmt.Stringer](v []T) string {
	words := make([]string, len(v))
	for i := range v {
		words[i] = v[i].String()
	}
	return strings.Join(words, ",")
}

func sameSpaces(a, b []gateway.Space) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(s gateway.Space) bool { return !slices.Contains(b, s) })
}

func sameSites(a, b []gateway.Site) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(s gateway.Site) bool { return !slices.Contains(b, s) })
}
