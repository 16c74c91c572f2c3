package spool

import (
	"fmt"
	"maps"

	"example.org/ims/internal/mail"
)

// stage holds what a group of transactions will have changed in the index,
// so that a transaction sees those before it and the index changes only when
// all of them are durable.
type stage struct {
	index  *index
	recs   map[place]*rec // nil: removed
	bodies map[mail.ID]body
	gone   map[mail.ID]bool
	moves  []moved
	files  []mail.ID // body files to delete afterwards
	seq    uint64

	// of the transaction staged last
	oldKeys [][]byte  // by number of the change
	dropped []mail.ID // bodies that nobody needs any more
}

type moved struct{ from, to *rec }

func newStage(x *index, seq uint64) *stage {
	return &stage{
		index: x, seq: seq, recs: make(map[place]*rec), bodies: make(map[mail.ID]body), gone: make(map[mail.ID]bool),
	}
}

// layer is one transaction on top of a stage.
type layer struct {
	*stage
	recs   map[place]*rec
	bodies map[mail.ID]body
	moves  []moved
}

func (l *layer) rec(p place) *rec {
	if r, ok := l.recs[p]; ok {
		return r
	}
	if r, ok := l.stage.recs[p]; ok {
		return r
	}
	return l.index.recs[p]
}

func (l *layer) body(m mail.ID) (body, bool) {
	if b, ok := l.bodies[m]; ok {
		return b, true
	}
	if l.gone[m] {
		return body{}, false
	}
	if b, ok := l.stage.bodies[m]; ok {
		return b, true
	}
	b, ok := l.index.bodies[m]
	return b, ok
}

// stage checks a transaction and takes it in, or changes nothing.
func (st *stage) stage(tx *Tx) error {
	if tx.remove != "" {
		if err := st.empty(tx.remove); err != nil {
			return err
		}
	}
	l := &layer{stage: st, recs: make(map[place]*rec), bodies: make(map[mail.ID]body)}
	for _, d := range tx.drafts {
		if _, ok := l.body(d.Body); ok {
			return fmt.Errorf("accept body %s: %w", d.Body, ErrExists)
		}
		l.bodies[d.Body] = body{file: d.path != "", size: d.size}
	}
	st.oldKeys = make([][]byte, len(tx.changes))
	for i := range tx.changes {
		if err := l.change(i, &tx.changes[i]); err != nil {
			return err
		}
	}
	for _, d := range tx.drafts {
		if l.bodies[d.Body].refs == 0 {
			return fmt.Errorf("accept body %s: no entry has it", d.Body)
		}
	}
	st.take(l)
	return nil
}

func (l *layer) change(i int, c *change) error {
	var m moved
	if c.old != nil {
		p := place{c.old.Gateway, c.old.ID}
		m.from = l.rec(p)
		if m.from == nil {
			return fmt.Errorf("change entry %s: it is gone: %w", p.id, ErrStale)
		}
		if !m.from.same(c.old) {
			return fmt.Errorf("change entry %s: %w", p.id, ErrStale)
		}
		l.oldKeys[i] = entryKey(m.from.gateway, m.from.store, m.from.id)
		l.recs[p] = nil
		l.count(m.from.message, -1)
	}
	if c.new != nil {
		m.to = newRec(*c.new)
		if l.rec(m.to.place) != nil {
			return fmt.Errorf("put entry %s: %w", m.to.id, ErrExists)
		}
		if !l.count(m.to.message, 1) {
			return fmt.Errorf("put entry %s: body %s: %w", m.to.id, m.to.message, ErrNotFound)
		}
		l.recs[m.to.place] = m.to
	}
	l.moves = append(l.moves, m)
	return nil
}

// count adds n to the references of a body; false if there is no such body.
func (l *layer) count(m mail.ID, n int) bool {
	b, ok := l.body(m)
	if !ok {
		return false
	}
	b.refs += n
	l.bodies[m] = b
	return true
}

func (st *stage) take(l *layer) {
	maps.Copy(st.recs, l.recs)
	st.moves = append(st.moves, l.moves...)
	st.dropped = st.dropped[:0]
	for m, b := range l.bodies {
		if b.refs > 0 || b.keep {
			st.bodies[m] = b
			continue
		}
		delete(st.bodies, m)
		st.gone[m] = true
		st.dropped = append(st.dropped, m)
		if b.file {
			st.files = append(st.files, m)
		}
	}
}

// merge makes the index what the stage says. Spool.view must be held.
func (st *stage) merge() {
	for _, m := range st.moves {
		st.index.move(m.from, m.to)
	}
	for m := range st.gone {
		delete(st.index.bodies, m)
	}
	maps.Copy(st.index.bodies, st.bodies)
}
