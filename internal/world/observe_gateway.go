package world

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

var errNoAbility = errors.New("the adapter cannot tell")

func (o *observer) source() string { return "gateway " + o.cfg.Name }

// gateway reads what is configured and what is in effect.
func (o *observer) gateway() {
	c, err := o.cfg.Gateway.Config(o.ctx)
	if err != nil {
		o.unknown(err, o.source(), facts.GwExists, facts.GwRunning, facts.GwMode, facts.GwModeSet, facts.RouteHere, facts.RouteSites)
		return
	}
	o.config = c
	o.put(facts.GwExists, facts.Bool(c.Exists || len(c.Leftovers) > 0), o.source())
	for _, l := range c.Leftovers {
		o.note("left behind by the removal: %s", l)
	}
	o.put(facts.GwRunning, facts.Bool(c.Running), o.source())
	o.put(facts.GwModeSet, facts.Value(c.Stored.Mode), o.source())
	mode := c.Effective.Mode
	if !c.Running {
		mode = c.Stored.Mode // what a start would make effective
	}
	o.put(facts.GwMode, facts.Value(mode), o.source())
	o.put(facts.RouteHere, facts.Bool(len(c.Spaces)+len(c.Sites) > 0), o.source())
	o.put(facts.RouteSites, facts.Int(int64(len(c.Sites))), o.source())
}

var storeFacts = map[gateway.Store]facts.ID{
	gateway.MTA: facts.GwQMTA, gateway.MTSOut: facts.GwQMTSOut, gateway.Out: facts.GwQOut,
	gateway.In: facts.GwQIn, gateway.MTSIn: facts.GwQMTSIn,
	gateway.Bad: facts.GwSideBad, gateway.Hold: facts.GwSideHold, gateway.Corrupt: facts.GwSideCorrupt,
}

// stores counts every store, and what came in since the last look.
func (o *observer) stores() {
	c, err := o.cfg.Gateway.Census(o.ctx)
	if err != nil {
		for _, id := range storeFacts {
			o.unknown(err, o.source(), id)
		}
		o.unknown(err, o.source(), facts.GwQTotal, facts.GwArrivals, facts.GwSessions, facts.GwOldest, facts.GwExpiring)
		return
	}
	o.census = c
	oldest := facts.Value(0)
	for s, id := range storeFacts {
		n := c.Stores[s]
		if n.Known == gateway.Unknown {
			o.unknown(fmt.Errorf("store %s: %s", s, n.Why), o.source(), id)
			continue
		}
		o.put(id, facts.Int(n.Messages), o.source())
		if n.Messages > 0 && !n.Oldest.IsZero() {
			oldest = max(oldest, facts.Seconds(o.now.Sub(n.Oldest)))
		}
	}
	if total, ok := c.Total(); ok {
		o.put(facts.GwQTotal, facts.Int(max(total, c.InFlight)), o.source())
	} else {
		o.unknown(errors.New("a store could not be counted"), o.source(), facts.GwQTotal)
	}
	o.put(facts.GwSessions, facts.Int(c.Sessions), o.source())
	o.put(facts.GwOldest, oldest, o.source())
	o.arrivals()
	o.expiring()
}

// arrivals compares the cumulative counters with those of the last look. They
// cover the time in between, observed or not, only if the same instance
// counted all along.
func (o *observer) arrivals() {
	seen, known := o.time(memSeen)
	accepted, err1 := strconv.ParseUint(o.memory[memAccepted], 10, 64)
	routed, err2 := strconv.ParseUint(o.memory[memRouted], 10, 64)
	same := known && err1 == nil && err2 == nil && o.memory[memInstance] == o.census.Instance &&
		o.census.Accepted >= accepted && o.census.Routed >= routed
	o.memory[memInstance] = o.census.Instance
	o.memory[memAccepted] = strconv.FormatUint(o.census.Accepted, 10)
	o.memory[memRouted] = strconv.FormatUint(o.census.Routed, 10)
	o.since = o.now
	if !same {
		o.unknown(errors.New("the gateway's counters began anew, so what came in since the last look is not known"), o.source(), facts.GwArrivals)
		return
	}
	o.since = seen
	o.set.Put(facts.Fact{
		ID: facts.GwArrivals, Value: facts.Int(int64(o.census.Accepted - accepted + o.census.Routed - routed)),
		At: o.now, From: seen, Source: o.source(), Provenance: facts.Live,
	})
}

// expiring counts the recipients in the out store that short time-outs may
// return: those that a destination does not take now.
func (o *observer) expiring() {
	items, err := o.outItems()
	if err != nil {
		o.unknown(err, o.source(), facts.GwExpiring)
		return
	}
	n := 0
	for _, it := range items {
		n += len(it.Rcpts)
	}
	o.put(facts.GwExpiring, facts.Int(int64(n)), o.source())
}

// outItems lists what waits for a destination, reports left out: they keep
// their own time-out.
func (o *observer) outItems() ([]gateway.Item, error) {
	return outItems(o.ctx, o.cfg.Gateway, o.census)
}

// reply asks the listener what it tells a client.
func (o *observer) reply() {
	if len(o.cfg.Domains) == 0 {
		o.unknown(errors.New("no accepted domain to probe with"), "probe", facts.GwReply, facts.GwAccepts)
		return
	}
	v, words, err := o.cfg.Prober.Probe(o.ctx, o.cfg.Address, o.cfg.Domains[0].Rcpt)
	if err != nil {
		o.unknown(err, "probe "+o.cfg.Address, facts.GwReply, facts.GwAccepts)
		return
	}
	o.set.Put(facts.Fact{ID: facts.GwReply, Value: v, At: o.now, From: o.now, Source: "probe " + o.cfg.Address, Provenance: facts.Live, Why: words})
	o.put(facts.GwAccepts, facts.Bool(v == facts.ReplyAccept), "probe "+o.cfg.Address)
}

// routes reads every site's copy of the routing table.
func (o *observer) routes() {
	r, ok := o.cfg.Gateway.(gateway.Router)
	if !ok {
		o.unknown(errNoAbility, o.source(), facts.RouteStale)
	} else if tables, err := r.Tables(o.ctx); err != nil {
		o.unknown(err, o.source(), facts.RouteStale)
	} else {
		o.put(facts.RouteStale, facts.Bool(o.stale(tables)), o.source())
	}
	o.cover()
	if names, err := o.cfg.Routing.Dependents(o.ctx); err != nil {
		o.unknown(err, "routing", facts.RouteDependents)
	} else {
		o.put(facts.RouteDependents, facts.Int(int64(len(names))), "routing")
		for _, n := range names {
			o.note("still names this gateway: %s", n)
		}
	}
}

// cover asks what would become of mail without this gateway. A consent is void
// while something is uncovered that it does not name, and while a black hole
// takes anything: nobody was asked about that.
func (o *observer) cover() {
	c, err := o.cfg.Routing.Cover(o.ctx)
	named := o.look.Named[machine.SubjectNoRoute]
	if err != nil || len(c.Swallowed) > 0 || slices.ContainsFunc(c.Uncovered, func(name string) bool { return !named[name] }) {
		o.void = append(o.void, facts.RunGrantedNoRoute)
	}
	if err != nil {
		o.unknown(err, "routing", facts.RouteUncovered, facts.RouteSwallowed, facts.RouteOthers, facts.NextCoversOut)
		return
	}
	o.put(facts.RouteUncovered, facts.Int(int64(len(c.Uncovered))), "routing")
	o.put(facts.RouteSwallowed, facts.Int(int64(len(c.Swallowed))), "routing")
	o.put(facts.RouteOthers, facts.Int(int64(len(c.Others))), "routing")
	o.put(facts.NextCoversOut, facts.Bool(len(c.Uncovered)+len(c.Swallowed) == 0), "routing")
	for _, m := range c.Uncovered {
		o.note("no other gateway covers %s", m)
	}
	for _, m := range c.Swallowed {
		o.note("nobody would carry mail for %s", m)
	}
}

// stale reports whether a copy leads here although the configuration does not.
func (o *observer) stale(tables []gateway.Table) bool {
	if len(o.config.Spaces)+len(o.config.Sites) > 0 {
		return false
	}
	for _, t := range tables {
		for _, r := range t.Routes {
			if r.Gateway == o.cfg.Name {
				o.note("site %s still routes here (its table is of %s)", t.Site, t.Built.Format("15:04:05"))
				return true
			}
		}
	}
	return false
}
