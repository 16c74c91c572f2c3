package readonly

import (
	"context"

	"example.org/ims/pkg/gateway"
)

var _ gateway.Summarizer = (*Gateway)(nil)

// Summarize implements gateway.Summarizer.
func (g *Gateway) Summarize(ctx context.Context, q gateway.SummaryQuery) (gateway.Summary, error) {
	s, ok := g.Gateway.(gateway.Summarizer)
	if !ok {
		return gateway.Summary{}, lacks("summary")
	}
	return s.Summarize(ctx, q)
}

// Inspect implements gateway.Summarizer.
func (g *Gateway) Inspect(ctx context.Context, entry string) (gateway.Letter, error) {
	s, ok := g.Gateway.(gateway.Summarizer)
	if !ok {
		return gateway.Letter{}, lacks("summary")
	}
	return s.Inspect(ctx, entry)
}
