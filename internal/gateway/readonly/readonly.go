// Package readonly wraps a gateway so that it can be read and not changed. A
// dry run gets one of these, so that it cannot write by mistake. It refuses
// every change and records it.
package readonly

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// Gateway reads through to another one. It is safe for concurrent use. An
// ability that the other one lacks answers with errors.ErrUnsupported.
type Gateway struct {
	gateway.Gateway

	mu      sync.Mutex
	refused []Write
}

// Write is a change or a queue action that was asked for and not made.
type Write struct {
	Change *gateway.Change
	Action *Action
}

// Action is a queue action.
type Action struct {
	Verb          gateway.Verb
	Selection     gateway.Selection
	Actor, Reason string
}

var (
	_ gateway.Gateway   = (*Gateway)(nil)
	_ gateway.Queues    = (*Gateway)(nil)
	_ gateway.Tracker   = (*Gateway)(nil)
	_ gateway.Router    = (*Gateway)(nil)
	_ gateway.ClientLog = (*Gateway)(nil)
)

// Wrap makes gw read-only.
func Wrap(gw gateway.Gateway) *Gateway { return &Gateway{Gateway: gw} }

// Caps are those of the wrapped gateway, with ReadOnly set.
func (g *Gateway) Caps() gateway.Caps {
	c := g.Gateway.Caps()
	c.ReadOnly = true
	return c
}

// Apply refuses and records.
func (g *Gateway) Apply(_ context.Context, c gateway.Change) (gateway.Op, error) {
	g.record(Write{Change: &c})
	return gateway.Op{}, fmt.Errorf("read-only: change %q is recorded, not made: %w", c.Key, gateway.ErrRefused)
}

// Act refuses and records.
func (g *Gateway) Act(_ context.Context, verb gateway.Verb, sel gateway.Selection, actor, reason string) (int, error) {
	g.record(Write{Action: &Action{verb, sel, actor, reason}})
	return 0, fmt.Errorf("read-only: %s is recorded, not done: %w", verb, gateway.ErrRefused)
}

func (g *Gateway) record(w Write) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused = append(g.refused, w)
}

// Refused are the writes that were asked for, in order.
func (g *Gateway) Refused() []Write {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.refused)
}

// List implements gateway.Queues.
func (g *Gateway) List(ctx context.Context, sel gateway.Selection) ([]gateway.Item, error) {
	q, ok := g.Gateway.(gateway.Queues)
	if !ok {
		return nil, lacks("queues")
	}
	return q.List(ctx, sel)
}

// Track implements gateway.Tracker.
func (g *Gateway) Track(ctx context.Context, after uint64, limit int) ([]ledger.Event, error) {
	t, ok := g.Gateway.(gateway.Tracker)
	if !ok {
		return nil, lacks("tracking log")
	}
	return t.Track(ctx, after, limit)
}

// Present implements gateway.Tracker.
func (g *Gateway) Present(ctx context.Context) ([]ledger.Item, error) {
	t, ok := g.Gateway.(gateway.Tracker)
	if !ok {
		return nil, lacks("tracking log")
	}
	return t.Present(ctx)
}

// Tables implements gateway.Router.
func (g *Gateway) Tables(ctx context.Context) ([]gateway.Table, error) {
	r, ok := g.Gateway.(gateway.Router)
	if !ok {
		return nil, lacks("routing tables")
	}
	return r.Tables(ctx)
}

// Route implements gateway.Router.
func (g *Gateway) Route(ctx context.Context, site, address string, count int) (map[string]int, error) {
	r, ok := g.Gateway.(gateway.Router)
	if !ok {
		return nil, lacks("routing tables")
	}
	return r.Route(ctx, site, address, count)
}

// Clients implements gateway.ClientLog.
func (g *Gateway) Clients(ctx context.Context) ([]gateway.Client, error) {
	l, ok := g.Gateway.(gateway.ClientLog)
	if !ok {
		return nil, lacks("client log")
	}
	return l.Clients(ctx)
}

func lacks(what string) error {
	return fmt.Errorf("read-only: the gateway has no %s: %w", what, errors.ErrUnsupported)
}
