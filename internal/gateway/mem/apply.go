package mem

import (
	"context"
	"fmt"
	"slices"

	"example.org/ims/internal/mail/routing"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// Apply implements gateway.Gateway.
func (g *Gateway) Apply(ctx context.Context, c gateway.Change) (gateway.Op, error) {
	if err := c.Check(); err != nil {
		return gateway.Op{}, fmt.Errorf("mem: %w", err)
	}
	if err := g.reach(ctx); err != nil {
		return gateway.Op{}, err
	}
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	if c.Epoch != 0 {
		if c.Epoch < g.epoch {
			return gateway.Op{}, fmt.Errorf("mem: apply %q to gateway %q: epoch %d is older than %d: %w",
				c.Key, g.name, c.Epoch, g.epoch, gateway.ErrStaleEpoch)
		}
		g.epoch = c.Epoch
	}
	if op, ok := g.ops[c.Key]; ok {
		return op, nil
	}
	if c.IfGeneration != 0 && c.IfGeneration != g.conf.Generation {
		return gateway.Op{}, fmt.Errorf("mem: apply %q to gateway %q: generation is %d, not %d: %w",
			c.Key, g.name, g.conf.Generation, c.IfGeneration, gateway.ErrConflict)
	}
	before := c.Want.Words(g.conf)
	if err := g.make(c); err != nil {
		return gateway.Op{}, err
	}
	op := gateway.Op{Key: c.Key, Done: true, Before: before, After: c.Want.Words(g.conf), At: g.org.now()}
	g.ops[c.Key] = op
	return op, nil
}

// Op implements gateway.Gateway.
func (g *Gateway) Op(ctx context.Context, key string) (gateway.Op, error) {
	if err := g.reach(ctx); err != nil {
		return gateway.Op{}, err
	}
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	op, ok := g.ops[key]
	if !ok {
		return gateway.Op{}, fmt.Errorf("mem: read operation %q of gateway %q: %w", key, g.name, gateway.ErrNotFound)
	}
	return op, nil
}

func (g *Gateway) refuse(c gateway.Change, why string) error {
	return fmt.Errorf("mem: apply %q to gateway %q: %s: %w", c.Key, g.name, why, gateway.ErrRefused)
}

// make makes the wanted value so.
func (g *Gateway) make(c gateway.Change) error {
	w := c.Want
	switch {
	case w.Absent != nil:
		return g.remove(c)
	case !g.conf.Exists:
		return g.refuse(c, "it was removed")
	case w.Settings != nil:
		g.set(*w.Settings)
	case w.Running != nil:
		return g.run(c, *w.Running)
	case w.Spaces != nil:
		if !slices.Equal(g.conf.Spaces, *w.Spaces) {
			g.conf.Spaces = slices.Clone(*w.Spaces)
			g.reroute()
		}
	case w.Sites != nil:
		if !slices.Equal(g.conf.Sites, *w.Sites) {
			g.conf.Sites = slices.Clone(*w.Sites)
			g.reroute()
		}
	}
	return nil
}

// changed notes that something else is stored now.
func (g *Gateway) changed() {
	g.conf.Generation++
	g.conf.ChangedAt = g.org.now()
}

func (g *Gateway) set(p gateway.SettingsPatch) {
	if next := g.conf.Stored.Patch(p); !next.Equal(g.conf.Stored) {
		g.conf.Stored = next
		g.changed()
	}
	switch {
	case !g.conf.Running || g.conf.Effective.Equal(g.conf.Stored):
	case p.Restart:
		g.stop()
		g.start()
	case g.conf.ApplyLive:
		g.conf.Effective = g.conf.Stored.Patch(gateway.SettingsPatch{})
	}
}

func (g *Gateway) run(c gateway.Change, want gateway.RunState) error {
	switch want {
	case gateway.Stopped:
		g.stop()
	case gateway.Started:
		if !g.conf.Running {
			g.start()
		}
		g.conf.Paused = false
	case gateway.Restarted:
		g.stop()
		g.start()
	case gateway.PausedState:
		if !g.conf.Running {
			return g.refuse(c, "a service that does not run cannot be paused")
		}
		g.conf.Paused = true
	}
	return nil
}

// reroute tells routing about g's spaces and sites.
func (g *Gateway) reroute() {
	g.changed()
	ch := routing.Change{At: g.org.now(), Site: g.site, Name: g.name}
	if g.conf.Exists {
		r := g.routes()
		ch.Gateway = &r
	}
	g.org.copies.Record(ch)
}

func (g *Gateway) remove(c gateway.Change) error {
	if !g.conf.Exists {
		return nil
	}
	for s := range gateway.NumStores {
		n := g.count(s)
		if n.Known == gateway.Unknown && !c.Want.Absent.Discard {
			return g.refuse(c, fmt.Sprintf("the count of store %s is unknown: %s", s, n.Why))
		}
		if n.Messages > 0 && !c.Want.Absent.Discard {
			return g.refuse(c, fmt.Sprintf("store %s holds %d messages", s, n.Messages))
		}
	}
	for _, e := range slices.Clone(g.entries) {
		g.event(e, ledger.Deleted, e.rcpts, func(ev *ledger.Event) { ev.Actor, ev.Reason = c.Actor, c.Reason })
		g.drop(e)
	}
	g.stop()
	g.conf.Exists, g.conf.Spaces, g.conf.Sites = false, nil, nil
	g.reroute()
	return nil
}
