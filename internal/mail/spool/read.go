package spool

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"example.org/ims/internal/mail"
	"example.org/ims/pkg/gateway"
)

// Counts counts the stores of a gateway; "" is the organization's MTA. It
// reads memory only. Messages are entries, as on the Queues page: a message
// that waits for three destinations is three. Entered and Left count since
// Open. An entry that cannot be decoded has neither recipients nor age. After
// a failed disk write every count is unknown.
func (s *Spool) Counts(gw string) [gateway.NumStores]gateway.Count {
	s.view.RLock()
	defer s.view.RUnlock()
	var counts [gateway.NumStores]gateway.Count
	if why := s.fault.Load(); why != nil {
		for i := range counts {
			counts[i] = gateway.Count{Known: gateway.Unknown, Why: *why}
		}
		return counts
	}
	shelves := s.index.shelves[gw]
	for i := range counts {
		if shelves != nil {
			counts[i] = shelves[i].count
			if ages := shelves[i].ages; len(ages) > 0 {
				counts[i].Oldest = ages[0].accepted
			}
		}
		counts[i].Known = gateway.Counted
	}
	return counts
}

// Gateways names the gateways that hold entries, sorted.
func (s *Spool) Gateways() []string {
	s.view.RLock()
	defer s.view.RUnlock()
	var names []string
	for gw, list := range s.index.lists {
		if len(list) > 0 {
			names = append(names, gw)
		}
	}
	slices.Sort(names)
	return names
}

// iter makes an iterator over a durable state: fn runs while nothing is being
// written, and may note what belongs to that state. After a failed disk write
// there is no such state before the next Open.
func (s *Spool) iter(prefix []byte, fn func()) (*pebble.Iterator, error) {
	s.view.RLock()
	defer s.view.RUnlock()
	if why := s.fault.Load(); why != nil {
		return nil, fmt.Errorf("%w: %s", ErrUnhealthy, *why)
	}
	if fn != nil {
		fn()
	}
	return s.db.NewIter(bounds(prefix))
}

// Scan calls fn for each entry of a store, in order of their ids, until fn
// returns false. Corrupt entries come with Store Corrupt, Back the store they
// were in, and Held what is wrong; they can be given to Tx.Delete like others.
func (s *Spool) Scan(gw string, st gateway.Store, fn func(mail.Entry) bool) error {
	err := s.scan(gw, st, fn)
	if err != nil {
		return fmt.Errorf("scan %s of gateway %q: %w", st, gw, err)
	}
	return nil
}

func (s *Spool) scan(gw string, st gateway.Store, fn func(mail.Entry) bool) error {
	flagged := make(map[place]rec)
	prefix := storePrefix(gw, st)
	if st == gateway.Corrupt && s.hasFlagged() {
		prefix = gatewayPrefix(kindEntry, gw) // they may lie under any store
	}
	it, err := s.iter(prefix, func() {
		for p, r := range s.index.flagged {
			if p.gateway == gw {
				flagged[p] = *r
			}
		}
	})
	if err != nil {
		return err
	}
	return walk(it, func(k, v []byte) error {
		_, at, id, err := parseEntryKey(k)
		if err != nil {
			return err
		}
		r, bad := flagged[place{gw, id}]
		if (st == gateway.Corrupt) != (bad || at == gateway.Corrupt) {
			return nil
		}
		e, err := decodeEntry(gw, at, id, v)
		switch {
		case bad:
			e = r.show(e)
		case err != nil:
			return fmt.Errorf("%w: entry %s: %w", ErrDamaged, id, err)
		}
		if !fn(e) {
			return errStop
		}
		return nil
	})
}

// hasFlagged says whether there are damaged entries; there never get more.
func (s *Spool) hasFlagged() bool {
	s.view.RLock()
	defer s.view.RUnlock()
	return len(s.index.flagged) > 0
}

// show is a corrupt entry as readers see it. e is what was decoded of it.
func (r *rec) show(e mail.Entry) mail.Entry {
	if r.message == "" {
		e = mail.Entry{ID: r.id, Gateway: r.gateway}
	}
	e.Store, e.Back, e.Held = gateway.Corrupt, r.store, r.why
	return e
}

// Get reads one entry; [ErrNotFound] if the store has none of this id.
func (s *Spool) Get(gw string, st gateway.Store, id mail.ID) (mail.Entry, error) {
	var e mail.Entry
	err := func() error {
		s.view.RLock()
		defer s.view.RUnlock()
		if why := s.fault.Load(); why != nil {
			return fmt.Errorf("%w: %s", ErrUnhealthy, *why)
		}
		r := s.index.recs[place{gw, id}]
		if r == nil || r.shown() != st {
			return ErrNotFound
		}
		v, closer, err := s.db.Get(entryKey(gw, r.store, id))
		if err != nil {
			return err
		}
		e, err = decodeEntry(gw, r.store, id, v)
		if r.why != "" {
			e, err = r.show(e), nil
		}
		return errors.Join(err, closer.Close())
	}()
	if err != nil {
		return mail.Entry{}, fmt.Errorf("read entry %s in %s of gateway %q: %w", id, st, gw, err)
	}
	return e, nil
}

// Body opens a message's body and gives its size in octets. A reader stays
// valid when the body is deleted meanwhile. [ErrNotFound] if there is none.
func (s *Spool) Body(m mail.ID) (io.ReadSeekCloser, int64, error) {
	r, i, err := s.body(s.db, m)
	if err != nil {
		if errors.Is(err, pebble.ErrNotFound) {
			err = ErrNotFound
		}
		return nil, 0, fmt.Errorf("open body %s: %w", m, err)
	}
	return r, i.size, nil
}

func (s *Spool) body(from pebble.Reader, m mail.ID) (io.ReadSeekCloser, info, error) {
	v, closer, err := from.Get(bodyKey(kindInfo, m))
	if err != nil {
		return nil, info{}, err
	}
	i, err := decodeInfo(v)
	if err = errors.Join(err, closer.Close()); err != nil {
		return nil, i, err
	}
	if i.file {
		f, err := s.fs.Open(s.bodyPath(m))
		if err != nil {
			return nil, i, err
		}
		return fileBody{io.NewSectionReader(f, 0, i.size), f}, i, nil
	}
	if v, closer, err = from.Get(bodyKey(kindBody, m)); err != nil {
		return nil, i, err
	}
	return memBody{strings.NewReader(string(v))}, i, closer.Close()
}
