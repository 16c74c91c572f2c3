// Package embedded is the adapter of the embedded mail service, in this or in
// another process: the contract of pkg/gateway spoken over the service's
// control socket. It refuses to remember anything: every answer is the
// service's own, and no request is ever repeated.
package embedded

import (
	"context"
	"fmt"

	"example.org/ims/internal/mail/control"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// Gateway is one gateway of a service. It is safe for concurrent use. It has
// every ability as far as the gateway behind the socket has it; without, the
// error wraps errors.ErrUnsupported.
type Gateway struct {
	client *control.Client
	name   string
}

var (
	_ gateway.Gateway   = (*Gateway)(nil)
	_ gateway.Queues    = (*Gateway)(nil)
	_ gateway.Tracker   = (*Gateway)(nil)
	_ gateway.Router    = (*Gateway)(nil)
	_ gateway.ClientLog = (*Gateway)(nil)
)

// New makes an adapter of the gateway name of the service at socket. It does
// not connect yet.
func New(socket, name string) *Gateway {
	return &Gateway{client: control.NewClient(socket), name: name}
}

// wrap says which gateway an error is about.
func (g *Gateway) wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("embedded: %s gateway %q: %w", what, g.name, err)
}

// Caps implements gateway.Gateway.
func (g *Gateway) Caps() gateway.Caps {
	return gateway.Caps{Adapter: "embedded", StoresEpoch: true}
}

// Config implements gateway.Gateway.
func (g *Gateway) Config(ctx context.Context) (gateway.Config, error) {
	c, err := g.client.Config(ctx, g.name)
	return c, g.wrap("read configuration of", err)
}

// Census implements gateway.Gateway.
func (g *Gateway) Census(ctx context.Context) (gateway.Census, error) {
	c, err := g.client.Census(ctx, g.name)
	return c, g.wrap("count stores of", err)
}

// Apply implements gateway.Gateway. A malformed change is refused here.
func (g *Gateway) Apply(ctx context.Context, c gateway.Change) (gateway.Op, error) {
	if err := c.Check(); err != nil {
		return gateway.Op{}, g.wrap("change", err)
	}
	op, err := g.client.Apply(ctx, g.name, c)
	return op, g.wrap("change", err)
}

// Op implements gateway.Gateway.
func (g *Gateway) Op(ctx context.Context, key string) (gateway.Op, error) {
	op, err := g.client.Op(ctx, g.name, key)
	return op, g.wrap("read an operation of", err)
}

// List implements gateway.Queues.
func (g *Gateway) List(ctx context.Context, sel gateway.Selection) ([]gateway.Item, error) {
	items, err := g.client.List(ctx, g.name, sel)
	return items, g.wrap("list queue of", err)
}

// Act implements gateway.Queues.
func (g *Gateway) Act(ctx context.Context, verb gateway.Verb, sel gateway.Selection, actor, reason string) (int, error) {
	n, err := g.client.Act(ctx, g.name, verb, sel, actor, reason)
	return n, g.wrap("act on queue of", err)
}

// Track implements gateway.Tracker.
func (g *Gateway) Track(ctx context.Context, after uint64, limit int) ([]ledger.Event, error) {
	events, err := g.client.Track(ctx, g.name, after, limit)
	return events, g.wrap("read tracking log of", err)
}

// Present implements gateway.Tracker.
func (g *Gateway) Present(ctx context.Context) ([]ledger.Item, error) {
	items, err := g.client.Present(ctx, g.name)
	return items, g.wrap("list spool of", err)
}

// Tables implements gateway.Router.
func (g *Gateway) Tables(ctx context.Context) ([]gateway.Table, error) {
	tables, err := g.client.Tables(ctx, g.name)
	return tables, g.wrap("read routing tables of", err)
}

// Route implements gateway.Router.
func (g *Gateway) Route(ctx context.Context, site, address string, count int) (map[string]int, error) {
	counts, err := g.client.Route(ctx, g.name, site, address, count)
	return counts, g.wrap("test a route of", err)
}

// Clients implements gateway.ClientLog.
func (g *Gateway) Clients(ctx context.Context) ([]gateway.Client, error) {
	clients, err := g.client.Clients(ctx, g.name)
	return clients, g.wrap("list clients of", err)
}
