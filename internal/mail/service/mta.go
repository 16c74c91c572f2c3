package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/delivery"
	"example.org/ims/internal/mail/routing"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

const (
	batch      = 128         // entries a commit
	mtaRetry   = time.Second // after the spool refused
	localStore = gateway.MTSIn
)

// mta is the organization's MTA: it routes what users submit, delivers to the
// mail host, and hands over to the gateways' mts-out. It has its own stores,
// those of gateway "": mta, what was submitted, and mts-in, what waits for the
// mail host.
type mta struct {
	o     *Organization
	route bell
	hand  bell

	// routing is read-locked from the look whether a gateway may be routed to
	// until the commit that does it.
	routing sync.RWMutex

	mu    sync.Mutex
	local *delivery.Scheduler // while Run is at work
}

func newMTA(o *Organization) *mta { return &mta{o: o, route: newBell(), hand: newBell()} }

// deliverLocally schedules an entry for the mail host.
func (m *mta) deliverLocally(e mail.Entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.local != nil {
		m.local.Add(e)
	}
}

// routeLoop routes what is submitted until ctx is done. Mail that a stale copy
// of the table sends to a gateway that is no more waits for the next copy.
func (m *mta) routeLoop(ctx context.Context) {
	for {
		waiting, err := m.routeAll()
		var again <-chan time.Time
		if err != nil {
			m.o.log.Error("route mail", "retry", mtaRetry, "err", err)
			again = time.After(mtaRetry)
		} else if at, ok := m.o.routes.next(time.Now()); ok && waiting {
			again = time.After(time.Until(at))
		}
		select {
		case <-ctx.Done():
			return
		case <-m.route:
		case <-again:
		}
	}
}

// routeAll routes everything there is. waiting says that something stays.
func (m *mta) routeAll() (waiting bool, err error) {
	stay := map[mail.ID]bool{}
	for {
		var list []mail.Entry
		err := m.o.spool.Scan("", gateway.MTA, func(e mail.Entry) bool {
			if !stay[e.ID] {
				list = append(list, e)
			}
			return len(list) < batch
		})
		if err != nil || len(list) == 0 {
			return len(stay) > 0, err
		}
		err = m.routeBatch(list, stay)
		if errors.Is(err, spool.ErrStale) {
			return len(stay) > 0, nil // there is nobody else; the next ring finds the rest
		}
		if err != nil {
			return len(stay) > 0, err
		}
	}
}

// parcel is the part of a message that goes one way.
type parcel struct {
	gateway *Gateway
	nextHop string
	rcpts   []mail.Rcpt
}

// way sorts a message's recipients by what is to become of them.
type way struct {
	local, failed, wait []mail.Rcpt
	parcels             []parcel
}

// sort asks the copy of the site of origin about each recipient. Equal choices
// are taken in turn by message, so that a message is not split needlessly.
func (m *mta) sort(e *mail.Entry, now time.Time) way {
	site := strings.TrimPrefix(e.Dest, siteDest)
	table, location := m.o.routes.table(site, now), m.o.routes.location[site]
	var w way
	taken := map[string]routing.Choice{}
	for _, r := range e.Rcpts {
		kind, choices := table.Route(r.Addr, location)
		switch kind {
		case routing.Local:
			w.local = append(w.local, r)
		case routing.Unrouted:
			w.failed = append(w.failed, r)
		case routing.Via:
			key := fmt.Sprint(names(choices))
			c, ok := taken[key]
			if !ok {
				c = m.o.routes.pick(choices)
				taken[key] = c
			}
			g := m.o.byName[c.Gateway]
			if g == nil || !g.routable() {
				w.wait = append(w.wait, r)
				continue
			}
			w.add(g, c.NextHop, r)
		}
	}
	return w
}

func names(choices []routing.Choice) []string {
	list := make([]string, len(choices))
	for i, c := range choices {
		list[i] = c.Gateway
	}
	return list
}

func (w *way) add(g *Gateway, nextHop string, r mail.Rcpt) {
	for i := range w.parcels {
		if p := &w.parcels[i]; p.gateway == g && p.nextHop == nextHop {
			p.rcpts = append(p.rcpts, r)
			return
		}
	}
	w.parcels = append(w.parcels, parcel{g, nextHop, []mail.Rcpt{r}})
}

// routeBatch routes entries in one commit.
func (m *mta) routeBatch(list []mail.Entry, stay map[mail.ID]bool) error {
	m.routing.RLock()
	defer m.routing.RUnlock()
	now := time.Now()
	var tx spool.Tx
	var wake []mail.Entry
	routed := map[*Gateway]uint64{}
	for _, e := range list {
		w := m.sort(&e, now)
		if len(w.wait) > 0 {
			stay[e.ID] = true
		}
		if len(w.wait) == len(e.Rcpts) {
			continue
		}
		if len(w.wait) > 0 {
			rest := e
			rest.Rcpts = w.wait
			tx.Replace(e, rest)
		} else {
			tx.Delete(e)
		}
		m.place(&tx, e, w, now, routed, &wake)
		if err := m.report(&tx, e, w.failed, &wake); err != nil {
			return err
		}
	}
	if err := m.o.spool.Commit(&tx); err != nil {
		return err
	}
	for g, n := range routed {
		g.routed.Add(n)
		m.hand.ring()
	}
	m.o.wake(wake)
	return nil
}

// place adds to tx what goes to gateways and to the mail host.
func (m *mta) place(tx *spool.Tx, e mail.Entry, w way, now time.Time, routed map[*Gateway]uint64, wake *[]mail.Entry) {
	if len(w.local) > 0 {
		p := e
		p.ID, p.Store, p.Rcpts, p.Since, p.Inbound = mail.NewID(now), localStore, w.local, now, true
		tx.Put(p)
		tx.Track(event(&p, ledger.Moved, addresses(p.Rcpts)))
		*wake = append(*wake, p)
	}
	for _, one := range w.parcels {
		left := event(&e, ledger.Delivered, addresses(one.rcpts))
		left.Peer = "gateway " + one.gateway.name
		tx.Track(left)
		p := e
		p.ID, p.Gateway, p.Store, p.Rcpts, p.Since = mail.NewID(now), one.gateway.name, gateway.MTA, one.rcpts, now
		p.Dest = one.nextHop
		tx.Put(p)
		came := event(&p, ledger.Accepted, addresses(p.Rcpts))
		came.Peer = "mta"
		tx.Track(came)
		routed[one.gateway]++
	}
}

// report gives up what nothing routes (Q148985).
func (m *mta) report(tx *spool.Tx, e mail.Entry, failed []mail.Rcpt, wake *[]mail.Entry) error {
	if len(failed) == 0 {
		return nil
	}
	return m.o.giveUp(tx, e, failed, failures(failed, routing.NoRoute, "no route to the intended recipient"), "", wake)
}

// handLoop hands over to mts-out at most Handover after mail was routed,
// whether or not the gateway runs (Q263714).
func (m *mta) handLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.hand:
		}
		wait := m.o.cfg.Handover
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			err := m.handAll()
			if err == nil {
				break
			}
			m.o.log.Error("hand mail over", "retry", mtaRetry, "err", err)
			wait = mtaRetry
		}
	}
}

func (m *mta) handAll() error {
	for _, g := range m.o.gateways {
		err := m.o.each(g.name, gateway.MTA, &g.flow, func(tx *spool.Tx, e mail.Entry, now time.Time) ([]mail.Entry, error) {
			n := e
			n.Store, n.Since = gateway.MTSOut, now
			tx.Replace(e, n)
			tx.Track(event(&n, ledger.Moved, addresses(n.Rcpts)))
			return []mail.Entry{n}, nil
		})
		if err != nil {
			return fmt.Errorf("hand over to gateway %q: %w", g.name, err)
		}
	}
	return nil
}
