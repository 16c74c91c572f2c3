package embedded

import (
	"context"

	"example.org/ims/pkg/gateway"
)

var _ gateway.Summarizer = (*Gateway)(nil)

// Summarize implements gateway.Summarizer.
func (g *Gateway) Summarize(ctx context.Context, q gateway.SummaryQuery) (gateway.Summary, error) {
	if err := q.Check(); err != nil {
		return gateway.Summary{}, g.wrap("sum up", err)
	}
	s, err := g.client.Summarize(ctx, g.name, q)
	return s, g.wrap("sum up", err)
}

// Inspect implements gateway.Summarizer.
func (g *Gateway) Inspect(ctx context.Context, entry string) (gateway.Letter, error) {
	l, err := g.client.Inspect(ctx, g.name, entry)
	return l, g.wrap("read an entry of", err)
}
