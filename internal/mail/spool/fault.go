package spool

import (
	"fmt"

	"example.org/ims/internal/mail"
)

// Lose removes an entry, and its body if no other entry has it, without a word
// in the tracking log. It is fault injection: it breaks on purpose what this
// package promises, so that a laboratory can show that the ledger notices a
// message that disappeared. No service calls it.
func (s *Spool) Lose(gw string, id mail.ID) error {
	s.view.RLock()
	r := s.index.recs[place{gw, id}]
	s.view.RUnlock()
	if r == nil {
		return fmt.Errorf("lose entry %s of gateway %q: %w", id, gw, ErrNotFound)
	}
	var tx Tx
	e, err := s.Get(gw, r.shown(), id)
	if err != nil {
		return fmt.Errorf("lose entry %s: %w", id, err)
	}
	tx.Delete(e)
	return s.Commit(&tx)
}
