package mem

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// List implements gateway.Queues.
func (g *Gateway) List(ctx context.Context, sel gateway.Selection) ([]gateway.Item, error) {
	if err := g.reach(ctx); err != nil {
		return nil, err
	}
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	list := g.match(sel)
	if sel.Limit <= 0 {
		sel.Limit = 1000
	}
	list = list[:min(len(list), sel.Limit)]
	items := make([]gateway.Item, len(list))
	for i, e := range list {
		items[i] = gateway.Item{
			Entry: e.id, Message: e.message, Store: e.store, From: e.from, Rcpts: slices.Clone(e.rcpts), Dest: e.dest,
			Size: e.size, Class: e.class, Accepted: e.accepted, Since: e.since, Next: e.next, Expires: g.expires(e),
			Attempts: e.attempts, Last: e.last, Held: e.held,
		}
	}
	return items, nil
}

// match is every entry that sel names, oldest first.
func (g *Gateway) match(sel gateway.Selection) []*entry {
	now := g.org.now()
	list := slices.DeleteFunc(slices.Clone(g.entries), func(e *entry) bool {
		return sel.Store != nil && *sel.Store != e.store ||
			sel.ID != "" && sel.ID != e.id && sel.ID != e.message ||
			len(sel.IDs) > 0 && !slices.Contains(sel.IDs, e.id) && !slices.Contains(sel.IDs, e.message) ||
			sel.Dest != "" && sel.Dest != e.dest ||
			sel.OlderThan > 0 && now.Sub(e.accepted) <= sel.OlderThan ||
			sel.NoReports && e.class == "report" || !strings.Contains(e.held, sel.Held)
	})
	slices.SortStableFunc(list, func(a, b *entry) int { return a.accepted.Compare(b.accepted) })
	return list
}

// Act implements gateway.Queues. It touches every match, whatever sel.Limit.
func (g *Gateway) Act(ctx context.Context, verb gateway.Verb, sel gateway.Selection, actor, reason string) (int, error) {
	if err := g.reach(ctx); err != nil {
		return 0, err
	}
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	act, ok := verbs[verb]
	if !ok {
		return 0, fmt.Errorf("mem: act on queue of %q: unknown verb %q: %w", g.name, verb, gateway.ErrRefused)
	}
	list := g.match(sel)
	if sel.Expect > 0 && len(list) != sel.Expect {
		return 0, fmt.Errorf("mem: %s in queue of %q: %d entries match, not %d: %w",
			verb, g.name, len(list), sel.Expect, gateway.ErrConflict)
	}
	n := 0
	for _, e := range list {
		if act(g, e, actor, reason) {
			n++
		}
	}
	return n, nil
}

// verbs do an operator's action on an entry and report whether it applied.
var verbs = map[gateway.Verb]func(g *Gateway, e *entry, actor, reason string) bool{
	gateway.Retry: func(g *Gateway, e *entry, actor, reason string) bool {
		if e.store != gateway.Out && e.store != gateway.MTSIn {
			return false
		}
		e.next, e.rests = time.Time{}, false
		g.event(e, ledger.Operated, e.rcpts, by(actor, "retry: "+reason))
		return true
	},
	gateway.Suspend: func(g *Gateway, e *entry, actor, reason string) bool {
		if e.store.Side() {
			return false
		}
		e.back, e.held = e.store, reason
		g.event(e, ledger.Operated, e.rcpts, by(actor, "hold: "+reason))
		g.move(e, gateway.Hold, by(actor, reason))
		return true
	},
	gateway.Release: func(g *Gateway, e *entry, actor, reason string) bool {
		if e.store != gateway.Hold {
			return false
		}
		e.held = ""
		g.event(e, ledger.Operated, e.rcpts, by(actor, "release: "+reason))
		g.move(e, e.back, by(actor, reason))
		return true
	},
	gateway.Return: func(g *Gateway, e *entry, actor, reason string) bool {
		g.giveUp(e, e.rcpts, "5.7.0 returned by an operator: "+reason, actor)
		return true
	},
	gateway.Delete: func(g *Gateway, e *entry, actor, reason string) bool {
		g.event(e, ledger.Deleted, e.rcpts, by(actor, reason))
		g.drop(e)
		return true
	},
}

func by(actor, reason string) func(*ledger.Event) {
	return func(ev *ledger.Event) { ev.Actor, ev.Reason = actor, reason }
}

// Track implements gateway.Tracker. It gives the lines of this gateway, whose
// Seq are those of the organization's log.
func (g *Gateway) Track(ctx context.Context, after uint64, limit int) ([]ledger.Event, error) {
	if err := g.reach(ctx); err != nil {
		return nil, err
	}
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	var lines []ledger.Event
	for _, e := range g.org.log[min(after, uint64(len(g.org.log))):] {
		if limit > 0 && len(lines) == limit {
			break
		}
		if e.Gateway == g.name {
			lines = append(lines, e)
		}
	}
	return lines, nil
}

// Present implements gateway.Tracker. It lists this gateway's spool.
func (g *Gateway) Present(ctx context.Context) ([]ledger.Item, error) {
	if err := g.reach(ctx); err != nil {
		return nil, err
	}
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	var items []ledger.Item
	for _, e := range g.entries {
		for _, r := range e.rcpts {
			items = append(items, ledger.Item{Message: e.message, Rcpt: r, Store: e.store.String()})
		}
	}
	return items, nil
}

// Tables implements gateway.Router.
func (g *Gateway) Tables(ctx context.Context) ([]gateway.Table, error) {
	if err := g.reach(ctx); err != nil {
		return nil, err
	}
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	return g.org.copies.Tables(g.org.now()), nil
}

// Route implements gateway.Router.
func (g *Gateway) Route(ctx context.Context, site, address string, count int) (map[string]int, error) {
	if err := g.reach(ctx); err != nil {
		return nil, err
	}
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	for _, s := range g.org.copies.Latest().Sites {
		if s.Name == site {
			return g.org.copies.Copy(site, g.org.now()).Table.Spread(address, "", count), nil
		}
	}
	return nil, fmt.Errorf("mem: route from site %q: %w", site, gateway.ErrNotFound)
}

// Clients implements gateway.ClientLog.
func (g *Gateway) Clients(ctx context.Context) ([]gateway.Client, error) {
	if err := g.reach(ctx); err != nil {
		return nil, err
	}
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	return slices.Clone(g.clients), nil
}
