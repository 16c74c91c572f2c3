package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/delivery"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// busyRetry is how long Act waits before it looks again whether an attempt
// has ended, busyTries how often.
const (
	busyRetry = 100 * time.Millisecond
	busyTries = 50
)

// errBusy is that an attempt at an entry is under way.
var errBusy = errors.New("delivery is being attempted")

// Act implements gateway.Queues, in one commit. Entries with an attempt under
// way are waited for, at most five seconds. Return sends a real report; while
// the gateway is stopped it waits in the gateway's own stores.
func (g *Gateway) Act(ctx context.Context, verb gateway.Verb, sel gateway.Selection, actor, reason string) (int, error) {
	n, err := g.actWhenIdle(ctx, verb, sel, actor, reason)
	if err != nil {
		return 0, fmt.Errorf("%s mail of gateway %q: %w", verb, g.name, err)
	}
	return n, nil
}

func (g *Gateway) actWhenIdle(ctx context.Context, verb gateway.Verb, sel gateway.Selection, actor, reason string) (int, error) {
	fit := fitting(verb)
	switch {
	case fit == nil:
		return 0, refuse("unknown verb")
	case actor == "":
		return 0, refuse("an actor is required")
	}
	for try := 1; ; try++ {
		n, err := g.act(ctx, verb, sel, fit, actor, reason)
		if try == busyTries || !errors.Is(err, errBusy) {
			return n, err
		}
		select {
		case <-ctx.Done():
			return 0, ended(ctx)
		case <-time.After(busyRetry):
		}
	}
}

// fitting says which entries a verb can be applied to; nil for an unknown one.
func fitting(verb gateway.Verb) func(mail.Entry) bool {
	switch verb {
	case gateway.Retry:
		return func(e mail.Entry) bool { return e.Store == gateway.Out || e.Store == gateway.MTSIn }
	case gateway.Suspend:
		return func(e mail.Entry) bool { return e.Store != gateway.Hold && e.Store != gateway.Corrupt }
	case gateway.Release:
		return func(e mail.Entry) bool { return e.Store == gateway.Hold || e.Store == gateway.Bad }
	case gateway.Return:
		return func(e mail.Entry) bool { return e.Store != gateway.Corrupt }
	case gateway.Delete:
		return func(mail.Entry) bool { return true }
	}
	return nil
}

// act makes one try.
func (g *Gateway) act(ctx context.Context, verb gateway.Verb, sel gateway.Selection, fit func(mail.Entry) bool, actor, reason string) (int, error) {
	g.flow.Lock()
	defer g.flow.Unlock()
	if !g.routable() {
		return 0, refuse("the gateway is removed, or its removal has begun")
	}
	found, err := g.find(ctx, sel, fit)
	if err != nil {
		return 0, err
	}
	if sel.Expect > 0 && len(found) != sel.Expect {
		return 0, refuse(fmt.Sprintf("%d entries match, not %d", len(found), sel.Expect))
	}
	found = found[:min(len(found), limitOf(sel))]
	if len(found) == 0 {
		return 0, nil
	}
	if verb != gateway.Retry {
		back, err := g.detach(found)
		if err != nil {
			g.o.wake(back)
			return 0, err
		}
	}
	var tx spool.Tx
	var news []mail.Entry
	for _, e := range found {
		if err = g.verb(&tx, verb, e, actor, reason, &news); err != nil {
			break
		}
	}
	if err == nil {
		err = g.o.spool.Commit(&tx)
	}
	if err != nil {
		if verb != gateway.Retry {
			g.o.wake(found)
		}
		return 0, err
	}
	if verb == gateway.Retry {
		g.kick(found)
	}
	g.o.wake(news)
	return len(found), nil
}

// detach takes entries from the schedulers, so that none is delivered any
// more. On error it returns those that were taken.
func (g *Gateway) detach(list []mail.Entry) (taken []mail.Entry, err error) {
	rt := g.runtime()
	if rt == nil {
		return nil, nil
	}
	for _, e := range list {
		s := rt.scheduler(e.Store)
		if s == nil {
			continue
		}
		if !s.Remove(e.ID) {
			return taken, fmt.Errorf("entry %s: %w", e.ID, errBusy)
		}
		taken = append(taken, e)
	}
	return taken, nil
}

// scheduler is the one that has a store's entries, or nil.
func (rt *runtime) scheduler(st gateway.Store) *delivery.Scheduler {
	if st == gateway.Out {
		return rt.out
	}
	if st == gateway.MTSIn {
		return rt.in
	}
	return nil
}

func (g *Gateway) kick(list []mail.Entry) {
	rt := g.runtime()
	if rt == nil {
		return
	}
	for _, e := range list {
		rt.scheduler(e.Store).Kick(gateway.Selection{ID: string(e.ID)})
	}
}

// verb adds to tx what a verb does to one entry.
func (g *Gateway) verb(tx *spool.Tx, verb gateway.Verb, e mail.Entry, actor, reason string, news *[]mail.Entry) error {
	now := time.Now()
	n := e
	ev := event(&e, ledger.Operated, addresses(e.Rcpts))
	ev.Actor, ev.Reason = actor, string(verb)+": "+reason
	switch verb {
	case gateway.Retry:
		n.Next = now
		tx.Replace(e, n)
	case gateway.Suspend:
		n.Store, n.Back, n.Held, n.Since = gateway.Hold, e.Store, "by "+actor+": "+reason, now
		tx.Replace(e, n)
	case gateway.Release:
		n.Store, n.Back, n.Held, n.Since = e.Back, 0, "", now
		tx.Replace(e, n)
		*news = append(*news, n)
	case gateway.Delete:
		tx.Delete(e)
		ev.Kind, ev.Reason = ledger.Deleted, reason
	case gateway.Return:
		tx.Delete(e)
		outs := failures(e.Rcpts, "5.0.0", "returned by an operator: "+delivery.Sanitize(reason))
		return g.o.giveUp(tx, e, e.Rcpts, outs, actor, news)
	}
	ev.Store = n.Store.String()
	tx.Track(ev)
	return nil
}
