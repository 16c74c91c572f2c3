package mem

import (
	"fmt"
	"slices"
	"time"

	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// Handover is one recipient of a message offered to its next hop.
type Handover struct {
	Gateway string
	Message string
	From    string
	Rcpt    string
	Dest    string // destination host or domain
	Inbound bool   // to the organization's mail host
	Attempt int    // 1 is the first
}

// Answer is a next hop's reply: the zero value, or a code below 400, takes the
// message, 4xx defers it, 5xx rejects it.
type Answer struct {
	Code int
	Text string
}

func (a Answer) String() string { return fmt.Sprintf("%d %s", a.Code, a.Text) }

// OnHandover sets how next hops answer. answer must not call into the Org.
func (o *Org) OnHandover(answer func(Handover) Answer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.remote = answer
}

// Taken lists what next hops took, in order.
func (o *Org) Taken() []Handover {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.taken)
}

// Tick moves everything that can move by one step, and reports whether
// anything did. A message takes one step a tick, so a test can look into every
// store on the way.
func (o *Org) Tick() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	moved := false
	for _, g := range o.gateways {
		moved = g.tick() || moved
	}
	return moved
}

// Settle ticks until nothing moves any more at this time.
func (o *Org) Settle() {
	for o.Tick() {
		continue
	}
}

// tick goes against the flow, so that nothing moves twice. The cells of the
// mode matrix: None delivers what is in out and picks up nothing from mts-out
// (Q189587); Inbound Only sends nothing and expires nothing (Q285090); stopped,
// the MTA still hands over, and nothing else moves.
func (g *Gateway) tick() bool {
	moved := false
	if g.conf.Running {
		mode := g.conf.Effective.Mode
		if mode != gateway.InboundOnly {
			moved = g.deliver(g.in(gateway.Out), g.conf.Effective.MaxOutbound) || moved
		}
		moved = g.deliver(g.in(gateway.MTSIn), 0) || moved
		if mode == gateway.InboundOutbound || mode == gateway.OutboundOnly {
			moved = g.convert() || moved
		}
		for _, e := range g.in(gateway.In) {
			g.split(e, g.outwards)
			moved = true
		}
	}
	if g.conf.Exists {
		for _, e := range g.in(gateway.MTA) {
			g.move(e, gateway.MTSOut)
			moved = true
		}
	}
	return moved
}

// convert takes mts-out to out, one entry a destination.
func (g *Gateway) convert() bool {
	list := g.in(gateway.MTSOut)
	for _, e := range list {
		g.split(e, g.destination)
	}
	return len(list) > 0
}

// split takes an entry to out, one a destination, and what has none to mts-in.
func (g *Gateway) split(e *entry, dest func(rcpt string) string) {
	parts := map[string][]string{}
	var order []string
	for _, r := range e.rcpts {
		d := dest(r)
		if parts[d] == nil {
			order = append(order, d)
		}
		parts[d] = append(parts[d], r)
	}
	rest := *e
	for i, d := range order {
		part, to := rest, gateway.Out
		part.rcpts, part.dest, part.inbound = parts[d], d, false
		if d == "" {
			to, part.dest, part.inbound = gateway.MTSIn, domain(parts[d][0]), true
		}
		if i == 0 {
			*e = part
			g.move(e, to)
			continue
		}
		g.enter(&part, to)
		g.event(&part, ledger.Moved, part.rcpts)
	}
}

// outwards is where mail from the Internet is sent on to: the host of a
// rerouted domain, or the domain of somebody outside; "" if it stays.
func (g *Gateway) outwards(rcpt string) string {
	switch to := g.conf.Effective.Reroutes(domain(rcpt)); {
	case to != "" && to != gateway.Inbound:
		return to
	case to == gateway.Inbound, g.org.local[domain(rcpt)]:
		return ""
	}
	return g.destination(rcpt)
}

// destination is the host or domain that a recipient's mail goes to.
func (g *Gateway) destination(rcpt string) string {
	s, d := g.conf.Effective, domain(rcpt)
	for suffix := d; suffix != ""; suffix = parent(suffix) {
		if host, ok := s.DomainHosts[suffix]; ok {
			return host
		}
		if host := s.ETRN[suffix]; host != "" {
			return host
		}
	}
	if s.ForwardHost != "" {
		return s.ForwardHost
	}
	return d
}

func parent(name string) string {
	for i := range name {
		if name[i] == '.' {
			return name[i+1:]
		}
	}
	return ""
}

// deliver offers the entries that are due, as many as there may be sessions (0
// is any number), and gives up those that expired.
func (g *Gateway) deliver(list []*entry, sessions int) bool {
	moved, now, tried := false, g.org.now(), 0
	for _, e := range list {
		switch {
		case !e.rests && !e.next.After(now):
			if tried++; sessions > 0 && tried > sessions {
				continue
			}
			g.attempt(e, now)
			moved = true
		case g.expired(e, now):
			g.giveUp(e, e.rcpts, "4.4.7 message expired; last reply: "+e.last, "")
			moved = true
		}
	}
	return moved
}

// expired: the time-out in effect has passed since acceptance, and one attempt
// was made since the service started.
func (g *Gateway) expired(e *entry, now time.Time) bool {
	return !now.Before(g.expires(e)) && e.attempts > 0 && !e.tried.Before(g.conf.StartedAt)
}

func (g *Gateway) expires(e *entry) time.Time {
	t := g.conf.Effective.Timeouts
	limit := t.Normal
	switch e.class {
	case "urgent":
		limit = t.Urgent
	case "non-urgent":
		limit = t.NonUrgent
	case report:
		limit = t.Report
	}
	return e.accepted.Add(limit)
}

// attempt offers every recipient of e to its next hop.
func (g *Gateway) attempt(e *entry, now time.Time) {
	e.attempts++
	e.tried = now
	var took, bad, later []string
	var reply Answer
	for _, r := range e.rcpts {
		h := Handover{
			Gateway: g.name, Message: e.message, From: e.from, Rcpt: r, Dest: e.dest, Inbound: e.inbound, Attempt: e.attempts,
		}
		switch a := g.org.remote(h); {
		case a.Code < 400:
			took = append(took, r)
			g.org.taken = append(g.org.taken, h)
		case a.Code < 500:
			later, reply = append(later, r), a
		default:
			bad, reply = append(bad, r), a
		}
	}
	e.last = reply.String()
	replied := func(ev *ledger.Event) { ev.Peer, ev.Reason = e.dest, e.last }
	if len(later) > 0 {
		e.next, e.rests = g.again(e, now)
		g.event(e, ledger.Attempted, later, replied)
	}
	if len(took) > 0 {
		g.event(e, ledger.Delivered, took, func(ev *ledger.Event) { ev.Peer = e.dest })
		g.settle(e, took)
	}
	if len(bad) > 0 {
		g.giveUp(e, bad, e.last, "")
	}
}

// again is when e is tried again; the last interval of the list repeats, and
// an empty list means never (Q146669).
func (g *Gateway) again(e *entry, now time.Time) (next time.Time, never bool) {
	list := g.conf.Effective.Retry
	if len(list) == 0 {
		return time.Time{}, true
	}
	return now.Add(list[min(e.attempts, len(list))-1]), false
}
