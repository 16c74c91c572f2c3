package fault

import (
	"context"

	"example.org/ims/pkg/gateway"
)

var _ gateway.Summarizer = (*Gateway)(nil)

// Summarize implements gateway.Summarizer.
func (g *Gateway) Summarize(ctx context.Context, q gateway.SummaryQuery) (gateway.Summary, error) {
	return able(ctx, g, Call{Method: "Summarize"}, func(s gateway.Summarizer) (gateway.Summary, error) { return s.Summarize(ctx, q) })
}

// Inspect implements gateway.Summarizer.
func (g *Gateway) Inspect(ctx context.Context, entry string) (gateway.Letter, error) {
	return able(ctx, g, Call{Method: "Inspect"}, func(s gateway.Summarizer) (gateway.Letter, error) { return s.Inspect(ctx, entry) })
}
