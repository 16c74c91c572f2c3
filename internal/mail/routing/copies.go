package routing

import (
	"slices"
	"time"

	"example.org/ims/pkg/gateway"
)

// Delays are how long a change takes to count. Recalculation is the time from
// knowing a change to routing by it, at every site; Replication is the time
// until another site knows it.
type Delays struct {
	Recalculation time.Duration
	Replication   time.Duration
}

// Change is one change of one gateway's routing objects, made at a site. A nil
// Gateway means that the gateway named Name was removed.
type Change struct {
	At      time.Time
	Site    string
	Name    string
	Gateway *Gateway
}

// Copy is one site's copy of the routing table at one moment.
type Copy struct {
	Version uint64    // number of the newest change it knows, 0 for none
	Built   time.Time // when the newest change began to count here
	Current bool      // equals a table built from all changes
	Table   Table
}

// Copies are the copies of all sites: what each knows is a function of the
// changes and the time, so routing lag is real and can be asked for. A change
// of one gateway reaches each site on its own; changes of several gateways do
// not wait for one another. Not safe for concurrent use.
type Copies struct {
	delays  Delays
	base    Org
	changes []numbered
	last    uint64
	folded  uint64               // newest change that Compact folded into base
	foldAt  map[string]time.Time // by site, when its newest folded change began to count
	since   time.Time
}

type numbered struct {
	Change
	n uint64
}

// NewCopies starts with every site knowing org, as of a time.
func NewCopies(org Org, delays Delays, at time.Time) *Copies {
	return &Copies{delays: delays, base: org, since: at, foldAt: map[string]time.Time{}}
}

// Record adds a change and returns its number. A change dated before the last
// one counts as made together with it.
func (c *Copies) Record(ch Change) uint64 {
	if n := len(c.changes); n > 0 && ch.At.Before(c.changes[n-1].At) {
		ch.At = c.changes[n-1].At
	}
	if ch.Gateway != nil {
		g := *ch.Gateway
		g.Spaces, g.Sites = slices.Clone(g.Spaces), slices.Clone(g.Sites)
		ch.Gateway = &g
	}
	c.last++
	c.changes = append(c.changes, numbered{Change: ch, n: c.last})
	return c.last
}

// counts is when a change begins to count at a site.
func (c *Copies) counts(ch Change, site string) time.Time {
	at := ch.At.Add(c.delays.Recalculation)
	if ch.Site != site {
		at = at.Add(c.delays.Replication)
	}
	return at
}

// Latest is the organization after every change: what a table built now is
// built from.
func (c *Copies) Latest() Org {
	org := c.base
	for _, ch := range c.changes {
		org = apply(org, ch.Change)
	}
	return org
}

// Known is the organization as one site knows it at a time.
func (c *Copies) Known(site string, now time.Time) Org {
	org, _, _ := c.known(site, now)
	return org
}

func (c *Copies) known(site string, now time.Time) (org Org, version uint64, built time.Time) {
	org, version, built = c.base, c.folded, c.since
	if at, ok := c.foldAt[site]; ok {
		built = at
	}
	for _, ch := range c.changes {
		at := c.counts(ch.Change, site)
		if at.After(now) {
			continue
		}
		org = apply(org, ch.Change)
		version = ch.n
		if at.After(built) {
			built = at
		}
	}
	return org, version, built
}

// apply replaces, adds or removes one gateway.
func apply(org Org, ch Change) Org {
	org = org.Without(ch.Name)
	if ch.Gateway != nil {
		org.Gateways = append(org.Gateways, *ch.Gateway)
	}
	return org
}

// Copy is a site's copy at a time.
func (c *Copies) Copy(site string, now time.Time) Copy {
	org, version, built := c.known(site, now)
	t := Build(org, site)
	return Copy{
		Version: version, Built: built, Table: t,
		Current: equalRoutes(t.Routes(), Build(c.Latest(), site).Routes()),
	}
}

// Tables are all sites' copies at a time, in the contract's form.
func (c *Copies) Tables(now time.Time) []gateway.Table {
	out := make([]gateway.Table, 0, len(c.base.Sites))
	for _, s := range c.base.Sites {
		cp := c.Copy(s.Name, now)
		out = append(out, gateway.Table{
			Site: s.Name, Version: cp.Version, Built: cp.Built, Current: cp.Current, Routes: cp.Table.Routes(),
		})
	}
	return out
}

// Next is the next moment after now at which some site's copy changes; ok is
// false when all copies stay as they are.
func (c *Copies) Next(now time.Time) (at time.Time, ok bool) {
	for _, s := range c.base.Sites {
		for _, ch := range c.changes {
			if t := c.counts(ch.Change, s.Name); t.After(now) && (!ok || t.Before(at)) {
				at, ok = t, true
			}
		}
	}
	return at, ok
}

// Compact forgets the history that no site can tell any more: the changes that
// count everywhere at now, up to the first that does not.
func (c *Copies) Compact(now time.Time) {
	done := 0
	for _, ch := range c.changes {
		if ch.At.Add(c.delays.Recalculation + c.delays.Replication).After(now) {
			break
		}
		c.base, c.folded = apply(c.base, ch.Change), ch.n
		for _, s := range c.base.Sites {
			if at := c.counts(ch.Change, s.Name); at.After(c.foldAt[s.Name]) {
				c.foldAt[s.Name] = at
			}
		}
		done++
	}
	c.changes = slices.Delete(c.changes, 0, done)
}

func equalRoutes(a, b []gateway.Route) bool {
	return slices.EqualFunc(a, b, func(x, y gateway.Route) bool {
		return x.Gateway == y.Gateway && equalPtr(x.Space, y.Space) && equalPtr(x.Site, y.Site)
	})
}

func equalPtr[T comparable](a, b *T) bool {
	return a == b || (a != nil && b != nil && *a == *b)
}
