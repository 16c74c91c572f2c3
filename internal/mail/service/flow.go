package service

import (
	"errors"
	"sync"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
)

// step adds to tx what becomes of one entry and returns the entries that
// somebody is to be told of.
type step func(tx *spool.Tx, e mail.Entry, now time.Time) ([]mail.Entry, error)

// each takes every entry out of a store, batch by batch, one commit a batch.
// After fn an entry must have left the store. One that an operator changes
// meanwhile is passed over. The flow lock is read-held over each commit and its
// news.
func (o *Organization) each(gw string, st gateway.Store, flow *sync.RWMutex, fn step) error {
	skip := map[mail.ID]bool{}
	take := func(list []mail.Entry) error {
		flow.RLock()
		defer flow.RUnlock()
		var tx spool.Tx
		var news []mail.Entry
		for _, e := range list {
			n, err := fn(&tx, e, time.Now())
			if err != nil {
				return err
			}
			news = append(news, n...)
		}
		if err := o.spool.Commit(&tx); err != nil {
			return err
		}
		o.wake(news)
		return nil
	}
	for {
		list, err := o.some(gw, st, batch, skip)
		if err != nil || len(list) == 0 {
			return err
		}
		if err = take(list); err == nil {
			continue
		}
		if !errors.Is(err, spool.ErrStale) {
			return err
		}
		for _, e := range list {
			switch err := take([]mail.Entry{e}); {
			case errors.Is(err, spool.ErrStale):
				skip[e.ID] = true
			case err != nil:
				return err
			}
		}
	}
}

// some reads at most n entries of a store, in order of their ids, without
// those to skip. A limit of 0 means all.
func (o *Organization) some(gw string, st gateway.Store, n int, skip map[mail.ID]bool) ([]mail.Entry, error) {
	var list []mail.Entry
	err := o.spool.Scan(gw, st, func(e mail.Entry) bool {
		if !skip[e.ID] {
			list = append(list, e)
		}
		return n == 0 || len(list) < n
	})
	return list, err
}

// wake tells whoever works on it that entries were put into the spool.
func (o *Organization) wake(list []mail.Entry) {
	for _, e := range list {
		if e.Gateway == "" {
			if e.Store == localStore {
				o.mta.deliverLocally(e)
			} else {
				o.mta.route.ring()
			}
			continue
		}
		g := o.byName[e.Gateway]
		if e.Store == gateway.MTA {
			o.mta.hand.ring()
		}
		if rt := g.runtime(); rt != nil {
			rt.wake(e)
		}
	}
}
