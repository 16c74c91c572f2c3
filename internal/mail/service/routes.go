package service

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"example.org/ims/internal/mail/routing"
	"example.org/ims/pkg/gateway"
)

// routingKey is the organization's setting that keeps the history of routing
// which some site does not know yet, so that a restart does not make a change
// arrive sooner.
const routingKey = "routing"

// routes are the sites' copies of the routing table. Safe for concurrent use.
type routes struct {
	delays   routing.Delays
	location map[string]string // of a site's users

	changing sync.Mutex // held over a change and its commit; guards history
	history  history

	mu      sync.Mutex
	copies  *routing.Copies
	tables  map[string]cached
	balance routing.Balancer
}

// history is what Copies are made of.
type history struct {
	Base    routing.Org      `json:"base"`
	Since   time.Time        `json:"since"`
	Changes []routing.Change `json:"changes,omitempty"`
}

type cached struct {
	table routing.Table
	until time.Time // zero: until something changes
}

func newRoutes(c Config, h history) *routes {
	r := &routes{
		delays:   routing.Delays{Recalculation: c.Recalculation, Replication: c.Replication},
		location: map[string]string{}, history: h,
	}
	for _, s := range c.Sites {
		if len(s.Locations) > 0 {
			r.location[s.Name] = s.Locations[0]
		}
	}
	r.rebuild()
	return r
}

// orgOf is the organization without gateways, as routing sees it.
func orgOf(c Config) routing.Org {
	org := routing.Org{Domains: c.Domains}
	for _, s := range c.Sites {
		org.Sites = append(org.Sites, routing.Site{Name: s.Name, Locations: s.Locations, Domains: s.Domains})
	}
	return org
}

// rebuild makes the copies anew from the history. r.changing is held.
func (r *routes) rebuild() {
	copies := routing.NewCopies(r.history.Base, r.delays, r.history.Since)
	for _, ch := range r.history.Changes {
		copies.Record(ch)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.copies, r.tables = copies, map[string]cached{}
}

// change records a change of one gateway; commit gets the history to store and
// must make it durable, or return an error and nothing changes.
func (r *routes) change(ch routing.Change, commit func(value []byte) error) error {
	r.changing.Lock()
	defer r.changing.Unlock()
	h := r.history
	h.Changes = append(slices.Clone(h.Changes), ch)
	h.fold(ch.At, r.delays)
	value, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("encode routing: %w", err)
	}
	if err := commit(value); err != nil {
		return err
	}
	r.history = h
	r.mu.Lock()
	defer r.mu.Unlock()
	r.copies.Record(ch)
	r.copies.Compact(ch.At)
	r.tables = map[string]cached{}
	return nil
}

// fold forgets the oldest changes that every site knows.
func (h *history) fold(now time.Time, d routing.Delays) {
	n := 0
	for _, ch := range h.Changes {
		if ch.At.Add(d.Recalculation + d.Replication).After(now) {
			break
		}
		h.Base = h.Base.Without(ch.Name)
		if ch.Gateway != nil {
			h.Base.Gateways = append(h.Base.Gateways, *ch.Gateway)
		}
		h.Since = ch.At.Add(d.Recalculation + d.Replication)
		n++
	}
	h.Changes = slices.Clone(h.Changes[n:])
}

// latest is the organization after every change.
func (r *routes) latest() routing.Org {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.copies.Latest()
}

// table is a site's copy now.
func (r *routes) table(site string, now time.Time) routing.Table {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.tables[site]; ok && (c.until.IsZero() || now.Before(c.until)) {
		return c.table
	}
	c := cached{table: r.copies.Copy(site, now).Table}
	if at, ok := r.copies.Next(now); ok {
		c.until = at
	}
	r.tables[site] = c
	return c.table
}

// pick chooses among equal routes in turn.
func (r *routes) pick(choices []routing.Choice) routing.Choice {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.balance.Pick(choices)
}

// views are all sites' copies in the contract's form.
func (r *routes) views(now time.Time) []gateway.Table {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.copies.Tables(now)
}

// next is when some copy changes.
func (r *routes) next(now time.Time) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.copies.Next(now)
}

// naming lists the sites whose copy still names a gateway.
func (r *routes) naming(gw string, now time.Time) []string {
	var sites []string
	for _, t := range r.views(now) {
		if slices.ContainsFunc(t.Routes, func(x gateway.Route) bool { return x.Gateway == gw }) {
			sites = append(sites, t.Site)
		}
	}
	return sites
}

// sameRoutes reports whether two gateways route the same.
func sameRoutes(a, b routing.Gateway) bool {
	return a.Site == b.Site && a.Location == b.Location && slices.Equal(a.Spaces, b.Spaces) && slices.Equal(a.Sites, b.Sites)
}
