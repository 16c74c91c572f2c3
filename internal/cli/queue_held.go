package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"example.org/ims/pkg/gateway"
)

// heldFor are a gateway's queues without the entries that are not held for a
// reason with a text in it; all of them, if the text is empty. The contract does
// not select by reason, so entries are listed, and acted on by id.
type heldFor struct {
	gateway.Queues
	text string
}

var _ gateway.Queues = heldFor{}

// Bounds of one request: entries that a gateway lists, and ids that it is given.
const (
	mostListed = 100_000
	mostIDs    = 200
)

// List implements gateway.Queues.
func (h heldFor) List(ctx context.Context, sel gateway.Selection) ([]gateway.Item, error) {
	if h.text == "" {
		return h.Queues.List(ctx, sel)
	}
	limit := sel.Limit
	sel.Limit = mostListed
	items, err := h.Queues.List(ctx, sel)
	items = slices.DeleteFunc(items, func(it gateway.Item) bool { return !strings.Contains(it.Held, h.text) })
	if limit > 0 {
		items = items[:min(limit, len(items))]
	}
	return items, err
}

// Act implements gateway.Queues. With a text, what is held since the entries
// were listed is left alone.
func (h heldFor) Act(ctx context.Context, verb gateway.Verb, sel gateway.Selection, actor, reason string) (int, error) {
	if h.text == "" {
		return h.Queues.Act(ctx, verb, sel, actor, reason)
	}
	all := sel
	if sel.Expect > 0 {
		all.Limit = 0
	}
	items, err := h.List(ctx, all)
	switch {
	case err != nil:
		return 0, err
	case sel.Expect > 0 && len(items) != sel.Expect:
		return 0, fmt.Errorf("%w: %d entries match, not %d", gateway.ErrRefused, len(items), sel.Expect)
	}
	done := 0
	for some := range slices.Chunk(items, mostIDs) {
		one := gateway.Selection{Limit: mostListed}
		for _, it := range some {
			one.IDs = append(one.IDs, it.Entry)
		}
		n, err := h.Queues.Act(ctx, verb, one, actor, reason)
		if done += n; err != nil {
			return done, err
		}
	}
	return done, nil
}
