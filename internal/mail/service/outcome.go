package service

import (
	"context"
	"errors"
	"io"
	"sync"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/delivery"
	"example.org/ims/internal/mail/dsn"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// courier is the store of one scheduler: it turns outcomes into commits.
type courier struct {
	o     *Organization
	gw    string
	store gateway.Store
	flow  *sync.RWMutex
}

var _ delivery.Store = (*courier)(nil)

// Open implements delivery.Store.
func (c *courier) Open(_ context.Context, e mail.Entry) (io.ReadCloser, error) {
	r, _, err := c.o.spool.Body(e.Message)
	return r, err
}

// Done implements delivery.Store: entries, events and reports in one commit.
func (c *courier) Done(_ context.Context, results []delivery.Result) error {
	c.flow.RLock()
	defer c.flow.RUnlock()
	var tx spool.Tx
	var news []mail.Entry
	for _, r := range results {
		old, err := c.o.spool.Get(c.gw, c.store, r.Entry.ID)
		if errors.Is(err, spool.ErrNotFound) {
			c.o.log.Error("outcome of an entry that is gone", "gateway", c.gw, "entry", r.Entry.ID, "outcomes", len(r.Outcomes))
			continue
		}
		if err != nil {
			return err
		}
		if err := c.one(&tx, old, r, &news); err != nil {
			return err
		}
	}
	if err := c.o.spool.Commit(&tx); err != nil {
		return err
	}
	c.o.wake(news)
	return nil
}

// one adds one result to tx.
func (c *courier) one(tx *spool.Tx, old mail.Entry, r delivery.Result, news *[]mail.Entry) error {
	if len(r.Entry.Rcpts) == 0 {
		tx.Delete(old)
	} else {
		tx.Replace(old, r.Entry)
	}
	byAddr := make(map[string]mail.Rcpt, len(old.Rcpts))
	for _, rc := range old.Rcpts {
		byAddr[rc.Addr] = rc
	}
	e := old
	e.Tried, e.Attempts = r.Entry.Tried, r.Entry.Attempts
	var failed, relayed []mail.Rcpt
	var why, how, plain []delivery.Outcome
	for _, o := range r.Outcomes {
		rc := byAddr[o.Rcpt]
		if o.Kind == delivery.Failed {
			failed, why = append(failed, rc), append(why, o)
			continue
		}
		plain = append(plain, o)
		wants, _ := dsn.ShouldReport(e.From, rc.Notify, e.Class, dsn.Relayed)
		if o.Kind == delivery.Delivered && !o.DSN && wants {
			relayed, how = append(relayed, rc), append(how, o)
		}
	}
	track(tx, &e, plain)
	if err := c.relayed(tx, e, relayed, how, news); err != nil {
		return err
	}
	return c.o.giveUp(tx, e, failed, why, "", news)
}

// track adds the events of deliveries and of attempts that failed for now, one
// for all recipients that were told the same.
func track(tx *spool.Tx, e *mail.Entry, outs []delivery.Outcome) {
	type group struct {
		kind          delivery.Kind
		remote, reply string
	}
	var order []group
	rcpts := map[group][]string{}
	for _, o := range outs {
		k := group{o.Kind, o.Remote, o.Reply}
		if rcpts[k] == nil {
			order = append(order, k)
		}
		rcpts[k] = append(rcpts[k], o.Rcpt)
	}
	for _, k := range order {
		kind := ledger.Delivered
		if k.kind == delivery.Deferred {
			kind = ledger.Attempted
		}
		ev := event(e, kind, rcpts[k])
		ev.Peer, ev.Reason = k.remote, k.reply
		tx.Track(ev)
	}
}

// relayed tells a sender who asked for it that the message was handed to a
// host without DSN (RFC 3461 section 5.2.2).
func (c *courier) relayed(tx *spool.Tx, e mail.Entry, rcpts []mail.Rcpt, outs []delivery.Outcome, news *[]mail.Entry) error {
	if len(rcpts) == 0 {
		return nil
	}
	lines := make([]dsn.Recipient, len(rcpts))
	for i, r := range rcpts {
		lines[i] = line(&e, r, outs[i], dsn.Relayed)
	}
	_, err := c.o.sendReport(tx, e, lines, news)
	return err
}
