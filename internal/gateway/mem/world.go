package mem

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"example.org/ims/internal/mail/routing"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// Mail is a message that somebody sends.
type Mail struct {
	From     string
	Rcpts    []string
	Site     string // of the user; "" is the first site
	Location string
	Class    string // urgent, normal, non-urgent, report; "" is normal
	Size     int64  // bytes; 0 is 1000
}

func (m Mail) entry() entry {
	e := entry{from: m.From, class: m.Class, size: m.Size}
	if e.class == "" {
		e.class = "normal"
	}
	if e.size == 0 {
		e.size = 1000
	}
	return e
}

// Send submits a message as a user of the organization, and returns its id.
// The MTA delivers local recipients, routes each of the others by its site's
// copy of the table, and reports those without a route (Q148985).
func (o *Org) Send(m Mail) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if m.Site == "" {
		if sites := o.copies.Latest().Sites; len(sites) > 0 {
			m.Site = sites[0].Name
		}
	}
	id := o.id("m")
	table := o.copies.Copy(m.Site, o.now()).Table
	var local, lost []string
	routed := map[string][]string{}
	for _, r := range m.Rcpts {
		switch kind, choices := table.Route(r, m.Location); kind {
		case routing.Local:
			local = append(local, r)
		case routing.Unrouted:
			lost = append(lost, r)
		case routing.Via:
			name := o.balance.Pick(choices).Gateway
			routed[name] = append(routed[name], r)
		}
	}
	o.keep(id, m, local, lost)
	for _, g := range o.gateways {
		if rcpts := routed[g.name]; len(rcpts) > 0 {
			e := m.entry()
			e.message, e.rcpts, e.accepted = id, rcpts, o.now()
			g.enter(&e, gateway.MTA)
			g.routed++
			g.event(&e, ledger.Accepted, rcpts)
		}
	}
	return id
}

// keep accounts for the recipients that the MTA itself is done with.
func (o *Org) keep(id string, m Mail, local, lost []string) {
	e := m.entry()
	line := func(kind ledger.Kind, message, from string, rcpts []string, report, reason string) {
		o.emit(ledger.Event{
			Kind: kind, Message: message, Rcpts: rcpts, From: from, Size: e.size, Class: e.class, Report: report, Reason: reason,
		})
	}
	took := func(message, from string, rcpts []string) {
		for _, r := range rcpts {
			o.taken = append(o.taken, Handover{Message: message, From: from, Rcpt: r, Dest: domain(r), Inbound: true, Attempt: 1})
		}
	}
	if len(local) > 0 {
		line(ledger.Accepted, id, m.From, local, "", "")
		line(ledger.Delivered, id, m.From, local, "", "")
		took(id, m.From, local)
	}
	if len(lost) == 0 {
		return
	}
	line(ledger.Accepted, id, m.From, lost, "", "")
	if m.From == "" {
		line(ledger.Absorbed, id, "", lost, "", "5.4.4 no route to the intended recipient")
		return
	}
	r, to := o.id("m"), []string{m.From}
	line(ledger.Generated, r, "", to, id, "")
	line(ledger.Failed, id, m.From, lost, r, "5.4.4 no route to the intended recipient")
	line(ledger.Delivered, r, "", to, "", "")
	took(r, "", to)
}

// Refusal is why a client on the Internet side could not hand over its mail.
type Refusal struct {
	Code int // SMTP reply; 0 means that nothing listens
	Text string
}

func (r *Refusal) Error() string {
	if r.Code == 0 {
		return "connection refused"
	}
	return fmt.Sprintf("%d %s", r.Code, r.Text)
}

// Reply is what a client on the Internet side would be told for a known
// recipient: 250, a 4xx code, or 0 for a closed port. Asking leaves no trace.
func (g *Gateway) Reply() int {
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	if r := g.refusal(); r != nil {
		return r.Code
	}
	return 250
}

func (g *Gateway) refusal() *Refusal {
	s := g.conf.Effective
	switch {
	case !g.conf.Running, g.conf.Paused:
		return &Refusal{}
	case !accepts(s.Mode) && s.Refuse == gateway.RefuseClosed:
		return &Refusal{}
	case s.MaxInbound > 0 && g.sessions >= int64(s.MaxInbound):
		return &Refusal{421, "4.3.2 too many connections, try again later"}
	case accepts(s.Mode):
		return nil
	case s.Refuse == gateway.RefuseRcpt:
		return &Refusal{450, "4.3.2 not accepting mail"}
	}
	return &Refusal{421, "4.3.2 not accepting mail"}
}

func accepts(m gateway.Mode) bool { return m == gateway.InboundOutbound || m == gateway.InboundOnly }

// Connect opens a session from the Internet side that does nothing until it is
// hung up, or says why it is refused with the greeting.
func (g *Gateway) Connect() (hangUp func(), err error) {
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	if r := g.refusal(); r != nil && r.Code != 450 {
		return nil, r
	}
	g.sessions++
	starts := g.starts
	return func() {
		g.org.mu.Lock()
		defer g.org.mu.Unlock()
		if g.starts == starts { // a stop hangs up on everybody
			g.sessions--
		}
	}, nil
}

// Arrive hands over a message from a host on the Internet, and returns its id,
// or a [*Refusal]. Of several recipients those outside the organization are
// rejected, the others accepted; a domain that is rerouted is not outside, and
// nobody is for a host that may relay.
func (g *Gateway) Arrive(client string, m Mail) (string, error) {
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	r := g.refusal()
	if r != nil && r.Code == 0 {
		return "", r
	}
	c := g.client(client)
	c.Sessions++
	c.LastFrom, c.Last = m.From, g.org.now()
	if r != nil && r.Code == 421 {
		return "", r
	}
	ip, err := netip.ParseAddr(client) // a client without an address is named in no list
	if r == nil && err == nil && !g.conf.Effective.Admits(ip) {
		return "", &Refusal{521, "5.7.1 access denied"}
	}
	valid := slices.DeleteFunc(slices.Clone(m.Rcpts), func(a string) bool {
		return !g.org.local[domain(a)] && g.conf.Effective.Reroutes(domain(a)) == "" && (err != nil || !g.conf.Effective.Relays(ip))
	})
	c.Rejected += uint64(len(m.Rcpts) - len(valid))
	if len(valid) > 0 {
		c.LastValid = c.Last
	}
	switch {
	case r != nil:
		c.Deferred += uint64(len(valid))
		return "", r
	case len(valid) == 0:
		return "", &Refusal{550, "5.7.1 relaying denied"}
	case g.conf.Effective.Mode == gateway.InboundOnly && slices.ContainsFunc(valid, func(a string) bool { return g.outwards(a) != "" }):
		return "", &Refusal{450, "4.3.2 not accepting mail that could not leave"}
	}
	c.Accepted++
	e := m.entry()
	e.message, e.rcpts, e.accepted, e.inbound = g.org.id("m"), valid, g.org.now(), true
	g.enter(&e, gateway.In)
	g.accepted++
	g.event(&e, ledger.Accepted, valid, func(ev *ledger.Event) { ev.Peer = client })
	return e.message, nil
}

func (g *Gateway) client(host string) *gateway.Client {
	i := slices.IndexFunc(g.clients, func(c gateway.Client) bool { return strings.EqualFold(c.Host, host) })
	if i < 0 {
		g.clients = append(g.clients, gateway.Client{Host: host, Helo: host, First: g.org.now()})
		i = len(g.clients) - 1
	}
	return &g.clients[i]
}

// Lose drops what the gateway holds of a message without a line in the log, as
// a fault would, and reports whether there was anything.
func (g *Gateway) Lose(message string) bool {
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	n := len(g.entries)
	g.entries = slices.DeleteFunc(g.entries, func(e *entry) bool { return e.message == message })
	return len(g.entries) < n
}
