package mem

import (
	"context"
	"fmt"
	"slices"

	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

var _ gateway.Summarizer = (*Gateway)(nil)

// Summarize implements gateway.Summarizer.
func (g *Gateway) Summarize(ctx context.Context, q gateway.SummaryQuery) (gateway.Summary, error) {
	err := g.reach(ctx)
	if err == nil {
		err = q.Check()
	}
	if err != nil {
		return gateway.Summary{}, err
	}
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	sum := gateway.NewSumming(q, g.org.now())
	for _, e := range g.entries {
		l := gateway.Line{
			Store: e.store, Dest: e.dest, Recipients: len(e.rcpts), Size: e.size, Accepted: e.accepted,
			Attempts: e.attempts, Last: e.last, LastAt: e.tried, Held: e.held,
		}
		if e.store == gateway.Out || e.store == gateway.MTSIn { // elsewhere nothing is tried
			l.Next, l.Expires = e.next, g.expires(e)
		}
		sum.Add(&l)
	}
	return sum.Done(), nil
}

// Inspect implements gateway.Summarizer. Messages here have no header.
func (g *Gateway) Inspect(ctx context.Context, entry string) (gateway.Letter, error) {
	items, err := g.List(ctx, gateway.Selection{ID: entry, Limit: 1})
	if err != nil {
		return gateway.Letter{}, err
	}
	if len(items) == 0 || items[0].Entry != entry {
		return gateway.Letter{}, fmt.Errorf("mem: read entry %q of %q: %w", entry, g.name, gateway.ErrNotFound)
	}
	events, err := g.Track(ctx, 0, 0)
	events = slices.DeleteFunc(events, func(e ledger.Event) bool { return e.Message != items[0].Message })
	return gateway.Letter{Item: items[0], Header: []string{}, Events: events}, err
}
