package service

import (
	"context"
	"errors"
	"fmt"

	"example.org/ims/pkg/gateway"
)

// applySettings stores settings. They take effect when the service starts, or
// at once with Restart, or with apply: live.
func (g *Gateway) applySettings(ctx context.Context, p gateway.SettingsPatch, r record, op operation) (gateway.Op, error) {
	before := r.settings()
	r.Patch = mergePatch(r.Patch, p)
	after := r.settings()
	if err := checkRetry(after.Retry); err != nil {
		return gateway.Op{}, refuse(err.Error())
	}
	if !after.Equal(before) {
		r.changed()
	}
	rt := g.runtime()
	live := r.File.ApplyLive
	if rt == nil && r.Running && p.Restart { // an attempt before stopped it, and could not start it
		if err := g.begin(r, op); err != nil {
			return gateway.Op{}, err
		}
		if err := g.startIfAllowed(ctx, r.Paused); err != nil {
			return g.fail(r, op, err)
		}
		return g.finish(r, op)
	}
	if rt == nil || rt.settings().Equal(after) || !p.Restart && !live {
		return g.finish(r, op)
	}
	if err := g.begin(r, op); err != nil {
		return gateway.Op{}, err
	}
	var err error
	if live {
		err = rt.configure(ctx, after)
	} else {
		err = g.restart(ctx, r.Paused)
	}
	if err != nil {
		return g.fail(r, op, err)
	}
	return g.finish(r, op)
}

// restart stops and starts the service in one go.
func (g *Gateway) restart(ctx context.Context, paused bool) error {
	err := g.stop(ctx) // stopped in any case; what went wrong is the note of it
	return errors.Join(err, g.startIfAllowed(ctx, paused))
}

// startIfAllowed starts the service while Run is at work.
func (g *Gateway) startIfAllowed(ctx context.Context, paused bool) error {
	g.o.mu.Lock()
	running := g.o.running
	g.o.mu.Unlock()
	if !running {
		return fmt.Errorf("organization is not running: %w", gateway.ErrUnreachable)
	}
	return g.start(ctx, paused)
}

// applyRun stores the wanted state and makes it so. The wanted state is stored
// first, so that a process that dies in between leaves it to the next.
func (g *Gateway) applyRun(ctx context.Context, want gateway.RunState, r record, op operation, again bool) (gateway.Op, error) {
	rt := g.runtime()
	if want == gateway.PausedState && rt == nil {
		return gateway.Op{}, refuse("a service that does not run cannot be paused")
	}
	r.Running, r.Paused = want != gateway.Stopped, want == gateway.PausedState
	if err := g.begin(r, op); err != nil {
		return gateway.Op{}, err
	}
	var err error
	switch want {
	case gateway.Stopped:
		err = g.stop(ctx)
	case gateway.Started:
		if rt == nil {
			err = g.startIfAllowed(ctx, false)
		} else {
			rt.paused.Store(false)
		}
	case gateway.Restarted:
		if again && rt != nil && (op.Instance != g.o.instance || op.Starts < g.started()) {
			break // done once for this key, and only the note of it was lost
		}
		err = g.restart(ctx, false)
	case gateway.PausedState:
		rt.paused.Store(true)
	}
	if err != nil {
		return g.fail(r, op, err)
	}
	return g.finish(r, op)
}
