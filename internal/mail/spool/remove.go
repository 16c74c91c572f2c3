package spool

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Remove deletes what the spool keeps for a gateway, durably, and reads back
// whether anything is left; leftovers names it. Its tracking events stay: they
// prove what became of its mail. It fails with [ErrNotEmpty] while the gateway
// holds an entry, corrupt ones included: mail leaves by a Tx that says so in
// the tracking log. Removing twice is harmless. The organization itself ("")
// cannot be removed.
func (s *Spool) Remove(gw string) (leftovers []string, err error) {
	if gw == "" || !validGateway(gw) {
		return nil, fmt.Errorf("remove gateway %q: bad name", gw)
	}
	r := &request{tx: &Tx{remove: gw}, done: make(chan struct{})}
	if err := s.submit(r); err != nil {
		return nil, fmt.Errorf("remove gateway %q: %w", gw, err)
	}
	if leftovers, err = s.leftovers(gw); err != nil {
		return nil, fmt.Errorf("look for leftovers of gateway %q: %w", gw, err)
	}
	return leftovers, nil
}

// empty reports with an error that a gateway has entries.
func (st *stage) empty(gw string) error {
	n := 0
	for p, r := range st.index.recs {
		if _, changed := st.recs[p]; p.gateway == gw && r != nil && !changed {
			n++
		}
	}
	for p, r := range st.recs {
		if p.gateway == gw && r != nil {
			n++
		}
	}
	if n > 0 {
		return fmt.Errorf("%w: %d entries", ErrNotEmpty, n)
	}
	return nil
}

// clearGateway deletes a gateway's ranges in b.
func clearGateway(b *pebble.Batch, gw string) error {
	var errs []error
	for _, kind := range []byte{kindEntry, kindSetting} {
		p := gatewayPrefix(kind, gw)
		errs = append(errs, b.DeleteRange(p, after(p), nil))
	}
	return errors.Join(errs...)
}

// leftovers lists the keys of a gateway.
func (s *Spool) leftovers(gw string) (left []string, err error) {
	for _, kind := range []byte{kindEntry, kindSetting} {
		prefix := gatewayPrefix(kind, gw)
		it, err := s.iter(prefix, nil)
		if err != nil {
			return nil, err
		}
		err = walk(it, func(k, _ []byte) error {
			left = append(left, fmt.Sprintf("%c %q", kind, k[len(prefix):]))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return left, nil
}
