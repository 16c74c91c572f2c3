package world

import (
	"context"
	"errors"
	"fmt"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
)

var errNoSuccessor = errors.New("there is no successor")

// side is the gateway of a run, or its successor.
func (w *World) side(next bool) (gateway.Gateway, string, error) {
	if !next {
		return w.cfg.Gateway, w.cfg.Name, nil
	}
	if w.cfg.Successor == nil {
		return nil, "", errNoSuccessor
	}
	return w.cfg.Successor, w.cfg.SuccessorName, nil
}

// share compares how two gateways share their work with what is wanted of them.
func (o *observer) share() {
	if o.needs(facts.NextLimited) {
		o.compare(facts.NextLimited, len(o.want.limits), o.limited)
	}
	if o.needs(facts.NextSplit) {
		o.compare(facts.NextSplit, len(o.want.split), o.isSplit)
	}
}

func (o *observer) compare(id facts.ID, wanted int, ok func(ctx context.Context) (bool, error)) {
	if wanted == 0 {
		o.unknown(errors.New("the runbook wants nothing of the kind"), "runbook", id)
		return
	}
	v, err := ok(o.ctx)
	if err != nil {
		o.unknown(err, "gateways", id)
		return
	}
	o.put(id, facts.Bool(v), "gateways")
}

// limited reports whether the wanted session limits are in effect.
func (o *observer) limited(ctx context.Context) (bool, error) {
	all := true
	for _, l := range o.want.limits {
		c, name, err := o.configOf(ctx, l.next)
		if err != nil {
			return false, err
		}
		s := c.Effective
		if !c.Running || (l.in > 0 && s.MaxInbound != l.in) || (l.out > 0 && s.MaxOutbound != l.out) {
			all = false
			o.note("%s has limits of %d sessions in and %d out, want %d and %d", name, s.MaxInbound, s.MaxOutbound, l.in, l.out)
		}
	}
	return all, nil
}

// isSplit reports whether both have the wanted address spaces.
func (o *observer) isSplit(ctx context.Context) (bool, error) {
	all := true
	for _, s := range o.want.split {
		c, name, err := o.configOf(ctx, s.next)
		if err != nil {
			return false, err
		}
		want, err := gateway.ParseSpaces(s.spaces)
		if err != nil {
			return false, err
		}
		if !sameSplit(c.Spaces, want) {
			all = false
			o.note("%s has other address spaces than the split wants", name)
		}
	}
	return all, nil
}

func (w *World) configOf(ctx context.Context, next bool) (gateway.Config, string, error) {
	g, name, err := w.side(next)
	if err != nil {
		return gateway.Config{}, "", err
	}
	c, err := g.Config(ctx)
	if err != nil {
		return c, name, fmt.Errorf("read gateway %q: %w", name, err)
	}
	return c, name, nil
}
