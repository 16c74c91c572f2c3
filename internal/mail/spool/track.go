package spool

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"example.org/ims/pkg/ledger"
)

// Events calls fn for the events whose Seq is above after, in order, at most
// limit of them (0 means all), until fn returns false. No event is ever seen
// that a crash could take back.
func (s *Spool) Events(after uint64, limit int, fn func(ledger.Event) bool) error {
	it, err := s.iter([]byte{kindEvent}, nil)
	if err != nil {
		return fmt.Errorf("read tracking log: %w", err)
	}
	n := 0
	ok := it.SeekGE(eventKey(after + 1))
	for ; ok && (limit == 0 || n < limit); ok = it.Next() {
		e, err := decodeEvent(it)
		if err != nil {
			return fmt.Errorf("read tracking log: %w", errors.Join(err, it.Close()))
		}
		if n++; !fn(e) {
			break
		}
	}
	if err := errors.Join(damage(it.Error()), it.Close()); err != nil {
		return fmt.Errorf("read tracking log: %w", err)
	}
	return nil
}

func decodeEvent(it *pebble.Iterator) (ledger.Event, error) {
	var e ledger.Event
	seq, err := parseEventKey(it.Key())
	if err != nil {
		return e, err
	}
	v, err := it.ValueAndErr()
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(v, &e); err != nil {
		return e, fmt.Errorf("%w: event %d: %w", ErrDamaged, seq, err)
	}
	e.Seq = seq
	return e, nil
}

// Present lists the (message, recipient) pairs that a gateway's stores hold,
// and the Seq of the last event of the same moment. Entries that cannot be
// decoded name no pairs; Counts shows them.
func (s *Spool) Present(gw string) (items []ledger.Item, seq uint64, err error) {
	flagged := make(map[place]rec)
	it, err := s.iter(gatewayPrefix(kindEntry, gw), func() {
		seq = s.seq
		for p, r := range s.index.flagged {
			flagged[p] = *r
		}
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list pairs of gateway %q: %w", gw, err)
	}
	err = walk(it, func(k, v []byte) error {
		_, st, id, err := parseEntryKey(k)
		if err != nil {
			return err
		}
		e, err := decodeEntry(gw, st, id, v)
		if r, bad := flagged[place{gw, id}]; bad {
			e, err = r.show(e), nil
		}
		for _, r := range e.Rcpts {
			items = append(items, ledger.Item{Message: string(e.Message), Rcpt: r.Addr, Store: e.Store.String()})
		}
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list pairs of gateway %q: %w", gw, err)
	}
	return items, seq, nil
}
