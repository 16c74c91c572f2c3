package control

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"example.org/ims/pkg/gateway"
)

// summaryRoutes answer what gateway.Summarizer can be asked.
func (s *Server) summaryRoutes(prefix string) {
	s.handle("GET"+prefix+"summary", View, able(summarize))
	s.handle("GET"+prefix+"entry", View, able(func(c call, g gateway.Summarizer) (any, error) {
		return g.Inspect(c.ctx, c.r.URL.Query().Get("id"))
	}))
}

func summarize(c call, g gateway.Summarizer) (any, error) {
	p := params{c.r.URL.Query(), nil}
	q := gateway.SummaryQuery{
		Sort: gateway.SummarySort(p.Get("sort")), Match: p.Get("match"),
		Offset: int(p.number("offset", 1<<40)), Limit: int(p.number("limit", gateway.MaxSummaryRows)),
	}
	if text := p.Get("before"); text != "" {
		t, err := time.Parse(time.RFC3339Nano, text)
		p.note(err)
		q.Before = t
	}
	if p.err != nil {
		return nil, p.err
	}
	return g.Summarize(c.ctx, q)
}

// Summarize sums up the queues of a gateway.
func (c *Client) Summarize(ctx context.Context, name string, sq gateway.SummaryQuery) (gateway.Summary, error) {
	q := url.Values{}
	set(q, "sort", string(sq.Sort))
	set(q, "match", sq.Match)
	if sq.Offset > 0 {
		q.Set("offset", strconv.Itoa(sq.Offset))
	}
	if sq.Limit > 0 {
		q.Set("limit", strconv.Itoa(sq.Limit))
	}
	if !sq.Before.IsZero() {
		q.Set("before", sq.Before.UTC().Format(time.RFC3339Nano))
	}
	return get[gateway.Summary](ctx, c, path(name, "summary"), q)
}

// Inspect shows one entry in full.
func (c *Client) Inspect(ctx context.Context, name, entry string) (gateway.Letter, error) {
	return get[gateway.Letter](ctx, c, path(name, "entry"), url.Values{"id": {entry}})
}
