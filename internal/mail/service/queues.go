package service

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/pkg/gateway"
)

// maxItems is Selection.Limit when it is not set.
const maxItems = 1000

// List implements gateway.Queues, over all stores, side stores included.
func (g *Gateway) List(ctx context.Context, sel gateway.Selection) ([]gateway.Item, error) {
	found, err := g.find(ctx, sel, func(mail.Entry) bool { return true })
	if err != nil {
		return nil, fmt.Errorf("list queues of gateway %q: %w", g.name, err)
	}
	set := g.record().settings()
	if rt := g.runtime(); rt != nil {
		set = rt.settings()
	}
	found = found[:min(len(found), limitOf(sel))]
	items := make([]gateway.Item, len(found))
	for i, e := range found {
		items[i] = itemOf(e, set)
	}
	return items, nil
}

func limitOf(sel gateway.Selection) int {
	if sel.Limit > 0 {
		return sel.Limit
	}
	return maxItems
}

// find reads the entries that match, oldest first.
func (g *Gateway) find(ctx context.Context, sel gateway.Selection, fit func(mail.Entry) bool) ([]mail.Entry, error) {
	now := time.Now()
	var found []mail.Entry
	for st := range gateway.NumStores {
		if sel.Store != nil && *sel.Store != st {
			continue
		}
		err := g.o.spool.Scan(g.name, st, func(e mail.Entry) bool {
			if matches(sel, &e, now) && fit(e) {
				found = append(found, e)
			}
			return ctx.Err() == nil
		})
		if err == nil {
			err = ended(ctx)
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(found, func(a, b mail.Entry) int {
		return cmp.Or(a.Accepted.Compare(b.Accepted), cmp.Compare(a.ID, b.ID))
	})
	return found, nil
}

func matches(sel gateway.Selection, e *mail.Entry, now time.Time) bool {
	if sel.ID != "" && sel.ID != string(e.ID) && sel.ID != string(e.Message) {
		return false
	}
	if len(sel.IDs) > 0 && !slices.Contains(sel.IDs, string(e.ID)) && !slices.Contains(sel.IDs, string(e.Message)) {
		return false
	}
	if sel.OlderThan > 0 && now.Sub(e.Accepted) <= sel.OlderThan {
		return false
	}
	if sel.NoReports && e.Class == mail.Report || !strings.Contains(e.Held, sel.Held) {
		return false
	}
	return sel.Dest == "" || strings.EqualFold(sel.Dest, e.Dest) ||
		slices.ContainsFunc(e.Rcpts, func(r mail.Rcpt) bool { return strings.EqualFold(domainOf(r.Addr), sel.Dest) })
}

// itemOf is an entry as an operator sees it. Only out and mts-in have a next
// attempt and a time-out: in the other stores nothing is tried and nothing
// ever expires (Q285090).
func itemOf(e mail.Entry, set gateway.Settings) gateway.Item {
	it := gateway.Item{
		Entry: string(e.ID), Message: string(e.Message), Store: e.Store, From: e.From, Rcpts: addresses(e.Rcpts),
		Dest: e.Dest, Size: e.Size, Class: e.Class.String(), Accepted: e.Accepted, Since: e.Since,
		Attempts: e.Attempts, Last: e.Last, Held: e.Held,
	}
	if e.Store == gateway.Out || e.Store == gateway.MTSIn {
		it.Expires = e.Accepted.Add(e.Class.Timeout(set.Timeouts))
		it.Next = e.Next
		if n := len(set.Retry); e.Attempts > 0 && n > 0 {
			at := e.Tried.Add(set.Retry[min(e.Attempts, n)-1])
			if it.Next.IsZero() || at.Before(it.Next) {
				it.Next = at
			}
		}
	}
	return it
}
