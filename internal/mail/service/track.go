package service

import (
	"context"
	"fmt"
	"strings"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// Track reads the tracking log of the whole organization, the MTA's events
// (gateway "") included. A limit of 0 means all.
func (o *Organization) Track(ctx context.Context, after uint64, limit int) ([]ledger.Event, error) {
	return o.track(ctx, after, limit, func(*ledger.Event) bool { return true })
}

func (o *Organization) track(ctx context.Context, after uint64, limit int, mine func(*ledger.Event) bool) ([]ledger.Event, error) {
	var events []ledger.Event
	err := o.spool.Events(after, 0, func(e ledger.Event) bool {
		if mine(&e) {
			events = append(events, e)
		}
		return ctx.Err() == nil && (limit <= 0 || len(events) < limit)
	})
	if err == nil {
		err = ended(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("track: %w", err)
	}
	return events, nil
}

// Present lists the pairs that the stores of one gateway hold; "" is the MTA.
func (o *Organization) Present(ctx context.Context, gw string) ([]ledger.Item, error) {
	return o.present(ctx, gw)
}

func (o *Organization) present(ctx context.Context, gw string) ([]ledger.Item, error) {
	if err := ended(ctx); err != nil {
		return nil, fmt.Errorf("list pairs: %w", err)
	}
	items, _, err := o.spool.Present(gw)
	return items, err
}

// Counts counts the MTA's own stores: mta is mail that waits to be routed,
// mts-in mail that waits for the mail host.
func (o *Organization) Counts() [gateway.NumStores]gateway.Count { return o.spool.Counts("") }

// Tables are the sites' copies of the routing table.
func (o *Organization) Tables(ctx context.Context) ([]gateway.Table, error) {
	if err := ended(ctx); err != nil {
		return nil, fmt.Errorf("read routing tables: %w", err)
	}
	return o.routes.views(time.Now()), nil
}

// Route says how many of count messages to an address each gateway would get
// from a site, by the site's copy; nothing is sent. The origin is where the
// site's users are, or a location given as "site/location". Local addresses
// are in nobody's count.
func (o *Organization) Route(ctx context.Context, site, address string, count int) (map[string]int, error) {
	if err := ended(ctx); err != nil {
		return nil, fmt.Errorf("route %q: %w", address, err)
	}
	site, location, given := strings.Cut(site, "/")
	if !o.hasSite(site) {
		return nil, fmt.Errorf("route %q: site %q: %w", address, site, gateway.ErrNotFound)
	}
	if !given {
		location = o.routes.location[site]
	}
	return o.routes.table(site, time.Now()).Spread(address, location, count), nil
}

func (o *Organization) hasSite(name string) bool {
	for _, s := range o.cfg.Sites {
		if s.Name == name {
			return true
		}
	}
	return false
}

// event is a line of the tracking log about recipients of an entry.
func event(e *mail.Entry, kind ledger.Kind, rcpts []string) ledger.Event {
	return ledger.Event{
		Gateway: e.Gateway, Kind: kind, Message: string(e.Message), Rcpts: rcpts, From: e.From,
		Store: e.Store.String(), Inbound: e.Inbound, Size: e.Size, Class: e.Class.String(),
	}
}

// addresses lists recipients.
func addresses(rcpts []mail.Rcpt) []string {
	list := make([]string, len(rcpts))
	for i, r := range rcpts {
		list[i] = r.Addr
	}
	return list
}
