package service

import (
	"context"
	"fmt"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/address"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// sizeGrace is what the historical service let a message be larger than the
// configured maximum, by design (Q146264).
const sizeGrace = 1023

// convertLoop empties a store whenever it is told to, until ctx is done.
func (rt *runtime) convertLoop(ctx context.Context, ring bell, convert func() error) {
	for {
		var again <-chan time.Time
		if err := convert(); err != nil {
			rt.g.o.log.Error("convert mail", "gateway", rt.g.name, "retry", mtaRetry, "err", err)
			again = time.After(mtaRetry)
		}
		select {
		case <-ctx.Done():
			return
		case <-ring:
		case <-again:
		}
	}
}

// convertOut takes mts-out to out, one entry a destination, if the mode picks
// it up.
func (rt *runtime) convertOut() error {
	if !rt.g.picksUp(rt.settings().Mode) {
		return nil
	}
	if err := rt.g.loseOne(); err != nil {
		return err
	}
	err := rt.g.o.each(rt.g.name, gateway.MTSOut, &rt.g.flow, rt.outboundEntry)
	if err != nil {
		return fmt.Errorf("convert mts-out: %w", err)
	}
	return nil
}

func (rt *runtime) outboundEntry(tx *spool.Tx, e mail.Entry, now time.Time) ([]mail.Entry, error) {
	if bad := malformed(&e); bad != "" {
		return nil, shelve(tx, e, bad, now)
	}
	if limit := rt.settings().MaxSize; limit > 0 && e.Size > limit+sizeGrace && e.Class != mail.Report {
		return rt.tooBig(tx, e, limit)
	}
	news := split(e, now, func(r mail.Rcpt) string {
		if e.Dest != "" { // the routing address of a connected site
			return e.Dest
		}
		return domainOf(r.Addr)
	})
	for i := range news {
		news[i].Store = gateway.Out
	}
	replace(tx, e, news)
	return news, nil
}

// tooBig returns a message above the size limit, which is one for both
// directions (Q257264).
func (rt *runtime) tooBig(tx *spool.Tx, e mail.Entry, limit int64) (news []mail.Entry, err error) {
	tx.Delete(e)
	outs := failures(e.Rcpts, "5.3.4", fmt.Sprintf("message of %d bytes exceeds the limit of %d", e.Size, limit))
	err = rt.g.o.giveUp(tx, e, e.Rcpts, outs, "", &news)
	return news, err
}

// convertIn takes in to mts-in, in every mode: the mail was accepted
// (Q189587). Recipients that are rerouted or relayed to go to out instead
// (event 1014), one entry a destination.
func (rt *runtime) convertIn() error {
	if err := rt.g.o.each(rt.g.name, gateway.In, &rt.g.flow, rt.inboundEntry); err != nil {
		return fmt.Errorf("convert in: %w", err)
	}
	return nil
}

func (rt *runtime) inboundEntry(tx *spool.Tx, e mail.Entry, now time.Time) ([]mail.Entry, error) {
	if bad := malformed(&e); bad != "" {
		return nil, shelve(tx, e, bad, now)
	}
	set := rt.settings()
	news := split(e, now, func(r mail.Rcpt) string { return rt.g.outwards(set, r.Addr) })
	for i := range news {
		n := &news[i]
		n.Store, n.Inbound = gateway.MTSIn, n.Dest == ""
		if !n.Inbound {
			n.Store = gateway.Out
		}
	}
	replace(tx, e, news)
	return news, nil
}

// split is an entry's parts, one a destination, each with an id of its own.
func split(e mail.Entry, now time.Time, dest func(mail.Rcpt) string) []mail.Entry {
	var news []mail.Entry
	index := map[string]int{}
	for _, r := range e.Rcpts {
		d := dest(r)
		i, ok := index[d]
		if !ok {
			i = len(news)
			index[d] = i
			n := e
			n.ID, n.Dest, n.Rcpts, n.Since = mail.NewID(now), d, nil, now
			news = append(news, n)
		}
		news[i].Rcpts = append(news[i].Rcpts, r)
	}
	return news
}

// replace puts an entry's parts into their stores, in its place.
func replace(tx *spool.Tx, e mail.Entry, news []mail.Entry) {
	tx.Delete(e)
	for _, n := range news {
		tx.Put(n)
		tx.Track(event(&n, ledger.Moved, addresses(n.Rcpts)))
	}
}

// malformed says why an entry cannot be converted, or "".
func malformed(e *mail.Entry) string {
	for _, r := range e.Rcpts {
		if _, err := address.Parse(r.Addr, true); err != nil {
			return err.Error()
		}
	}
	return ""
}

// shelve puts an entry into the bad store, where an operator finds it.
func shelve(tx *spool.Tx, e mail.Entry, why string, now time.Time) error {
	n := e
	n.Store, n.Back, n.Held, n.Since = gateway.Bad, e.Store, why, now
	tx.Replace(e, n)
	ev := event(&n, ledger.Moved, addresses(n.Rcpts))
	ev.Reason = why
	tx.Track(ev)
	return nil
}
