// Package fault wraps a gateway so that chosen calls go wrong: before the
// effect, after it, or by never answering. It is how tests make the outcomes
// that only a broken network makes, and it never invents an effect: what
// happens to the gateway is what the wrapped one does.
package fault

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// Kind is what goes wrong.
type Kind uint8

// Kinds of faults.
const (
	None      Kind = iota
	Before         // the call fails and has no effect
	After          // the call has its effect, and then fails
	Hang           // the call has no effect and answers when its context ends
	HangAfter      // the call has its effect and answers when its context ends
)

// Fault is what goes wrong with one call.
type Fault struct {
	Kind Kind
	// Err is returned by Before and After; ErrInjected if nil. An error that
	// wraps gateway.ErrUnreachable looks like a gateway that is away.
	Err error
}

// ErrInjected is the error of a fault that names none. It leaves the outcome
// unknown.
var ErrInjected = errors.New("injected fault")

// Call is one call, before it is made.
type Call struct {
	Method string // "Config", "Census", "Apply", "Op", "List", "Act", "Track", "Present", "Tables", "Route", "Clients"
	N      int    // 1 is the first call of this method
	Change *gateway.Change
	Verb   gateway.Verb
}

// Gateway passes calls through and spoils some. It is safe for concurrent use.
type Gateway struct {
	gw   gateway.Gateway
	plan func(Call) Fault

	mu    sync.Mutex
	calls map[string]int
}

var (
	_ gateway.Gateway   = (*Gateway)(nil)
	_ gateway.Queues    = (*Gateway)(nil)
	_ gateway.Tracker   = (*Gateway)(nil)
	_ gateway.Router    = (*Gateway)(nil)
	_ gateway.ClientLog = (*Gateway)(nil)
)

// Wrap spoils the calls that plan names. plan is called for one call at a time.
func Wrap(gw gateway.Gateway, plan func(Call) Fault) *Gateway {
	return &Gateway{gw: gw, plan: plan, calls: map[string]int{}}
}

// Calls is how often a method was called.
func (g *Gateway) Calls(method string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.calls[method]
}

func (g *Gateway) next(c Call) Fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls[c.Method]++
	c.N = g.calls[c.Method]
	return g.plan(c)
}

// spoil makes a call as its fault says.
func spoil[T any](ctx context.Context, g *Gateway, c Call, do func() (T, error)) (T, error) {
	var none T
	f := g.next(c)
	err := f.Err
	if err == nil {
		err = ErrInjected
	}
	err = fmt.Errorf("fault: %s: %w", c.Method, err)
	switch f.Kind {
	case Before:
		return none, err
	case Hang:
		<-ctx.Done()
		return none, fmt.Errorf("fault: %s: %w", c.Method, ctx.Err())
	case After:
		if _, made := do(); made != nil {
			return none, made
		}
		return none, err
	case HangAfter:
		if _, made := do(); made != nil {
			return none, made
		}
		<-ctx.Done()
		return none, fmt.Errorf("fault: %s: %w", c.Method, ctx.Err())
	case None:
	}
	return do()
}

// able makes a call of an ability.
func able[A, T any](ctx context.Context, g *Gateway, c Call, do func(A) (T, error)) (T, error) {
	return spoil(ctx, g, c, func() (T, error) {
		a, ok := g.gw.(A)
		if !ok {
			var none T
			return none, fmt.Errorf("fault: %s: the gateway cannot do this: %w", c.Method, errors.ErrUnsupported)
		}
		return do(a)
	})
}

// Caps are those of the wrapped gateway.
func (g *Gateway) Caps() gateway.Caps { return g.gw.Caps() }

// Config implements gateway.Gateway.
func (g *Gateway) Config(ctx context.Context) (gateway.Config, error) {
	return spoil(ctx, g, Call{Method: "Config"}, func() (gateway.Config, error) { return g.gw.Config(ctx) })
}

// Census implements gateway.Gateway.
func (g *Gateway) Census(ctx context.Context) (gateway.Census, error) {
	return spoil(ctx, g, Call{Method: "Census"}, func() (gateway.Census, error) { return g.gw.Census(ctx) })
}

// Apply implements gateway.Gateway.
func (g *Gateway) Apply(ctx context.Context, c gateway.Change) (gateway.Op, error) {
	return spoil(ctx, g, Call{Method: "Apply", Change: &c}, func() (gateway.Op, error) { return g.gw.Apply(ctx, c) })
}

// Op implements gateway.Gateway.
func (g *Gateway) Op(ctx context.Context, key string) (gateway.Op, error) {
	return spoil(ctx, g, Call{Method: "Op"}, func() (gateway.Op, error) { return g.gw.Op(ctx, key) })
}

// List implements gateway.Queues.
func (g *Gateway) List(ctx context.Context, sel gateway.Selection) ([]gateway.Item, error) {
	return able(ctx, g, Call{Method: "List"}, func(q gateway.Queues) ([]gateway.Item, error) { return q.List(ctx, sel) })
}

// Act implements gateway.Queues.
func (g *Gateway) Act(ctx context.Context, verb gateway.Verb, sel gateway.Selection, actor, reason string) (int, error) {
	return able(ctx, g, Call{Method: "Act", Verb: verb}, func(q gateway.Queues) (int, error) {
		return q.Act(ctx, verb, sel, actor, reason)
	})
}

// Track implements gateway.Tracker.
func (g *Gateway) Track(ctx context.Context, after uint64, limit int) ([]ledger.Event, error) {
	return able(ctx, g, Call{Method: "Track"}, func(t gateway.Tracker) ([]ledger.Event, error) { return t.Track(ctx, after, limit) })
}

// Present implements gateway.Tracker.
func (g *Gateway) Present(ctx context.Context) ([]ledger.Item, error) {
	return able(ctx, g, Call{Method: "Present"}, func(t gateway.Tracker) ([]ledger.Item, error) { return t.Present(ctx) })
}

// Tables implements gateway.Router.
func (g *Gateway) Tables(ctx context.Context) ([]gateway.Table, error) {
	return able(ctx, g, Call{Method: "Tables"}, func(r gateway.Router) ([]gateway.Table, error) { return r.Tables(ctx) })
}

// Route implements gateway.Router.
func (g *Gateway) Route(ctx context.Context, site, address string, count int) (map[string]int, error) {
	return able(ctx, g, Call{Method: "Route"}, func(r gateway.Router) (map[string]int, error) {
		return r.Route(ctx, site, address, count)
	})
}

// Clients implements gateway.ClientLog.
func (g *Gateway) Clients(ctx context.Context) ([]gateway.Client, error) {
	return able(ctx, g, Call{Method: "Clients"}, func(l gateway.ClientLog) ([]gateway.Client, error) { return l.Clients(ctx) })
}
