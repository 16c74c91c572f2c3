package mem

import (
	"slices"
	"strings"
	"time"

	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// entry is a message, or its part for one destination, in one store.
type entry struct {
	id, message string
	from        string
	rcpts       []string
	store, back gateway.Store
	dest        string
	size        int64
	class       string
	inbound     bool
	accepted    time.Time
	since       time.Time
	next        time.Time
	tried       time.Time
	attempts    int
	rests       bool // is not tried again: the retry list is empty
	last, held  string
}

const report = "report"

// event appends a line about e to the tracking log.
func (g *Gateway) event(e *entry, kind ledger.Kind, rcpts []string, more ...func(*ledger.Event)) {
	ev := ledger.Event{
		Gateway: g.name, Kind: kind, Message: e.message, Rcpts: rcpts, From: e.from,
		Store: e.store.String(), Inbound: e.inbound, Size: e.size, Class: e.class,
	}
	for _, f := range more {
		f(&ev)
	}
	g.org.emit(ev)
}

// holds reports whether another entry of e's message is in store s.
func (g *Gateway) holds(e *entry, s gateway.Store) bool {
	return slices.ContainsFunc(g.entries, func(x *entry) bool {
		return x != e && x.message == e.message && x.store == s
	})
}

// enter puts e, which is in no store, into s.
func (g *Gateway) enter(e *entry, s gateway.Store) {
	e.id, e.store, e.since = g.org.id("e"), s, g.org.now()
	if !g.holds(e, s) {
		g.entered[s]++
	}
	g.entries = append(g.entries, e)
}

// move takes e to another store and says so in the log.
func (g *Gateway) move(e *entry, s gateway.Store, more ...func(*ledger.Event)) {
	if !g.holds(e, e.store) {
		g.left[e.store]++
	}
	if !g.holds(e, s) {
		g.entered[s]++
	}
	e.store, e.since = s, g.org.now()
	g.event(e, ledger.Moved, e.rcpts, more...)
}

// drop forgets e.
func (g *Gateway) drop(e *entry) {
	if !g.holds(e, e.store) {
		g.left[e.store]++
	}
	g.entries = slices.DeleteFunc(g.entries, func(x *entry) bool { return x == e })
}

// settle removes recipients that are done with from e, and e with the last.
func (g *Gateway) settle(e *entry, done []string) {
	e.rcpts = slices.DeleteFunc(slices.Clone(e.rcpts), func(r string) bool { return slices.Contains(done, r) })
	if len(e.rcpts) == 0 {
		g.drop(e)
	}
}

// in lists the entries of a store, oldest first. The list may be kept while
// entries come and go.
func (g *Gateway) in(s gateway.Store) []*entry {
	var list []*entry
	for _, e := range g.entries {
		if e.store == s {
			list = append(list, e)
		}
	}
	return list
}

func domain(address string) string {
	_, d, _ := strings.Cut(address, "@")
	return strings.ToLower(d)
}

// giveUp fails recipients of e and tells the sender, if there is one to tell:
// a report is never answered by a report (RFC 5321 6.1, RFC 3461 6.2).
func (g *Gateway) giveUp(e *entry, rcpts []string, reason, actor string) {
	because := func(ev *ledger.Event) { ev.Reason, ev.Actor = reason, actor }
	if e.from == "" {
		g.event(e, ledger.Absorbed, rcpts, because)
		g.settle(e, rcpts)
		return
	}
	r := &entry{
		message: g.org.id("m"), rcpts: []string{e.from}, class: report, size: e.size + 1024,
		accepted: g.org.now(), dest: domain(e.from),
	}
	to := gateway.MTSOut // a report to the Internet leaves as any mail does (Q266205)
	if g.org.local[r.dest] {
		to, r.inbound = gateway.MTSIn, true
	}
	g.enter(r, to)
	g.event(r, ledger.Generated, r.rcpts, func(ev *ledger.Event) { ev.Report = e.message })
	g.event(e, ledger.Failed, rcpts, because, func(ev *ledger.Event) { ev.Report = r.message })
	g.settle(e, rcpts)
}
