package spool

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// A group of transactions shares one write and one sync.
const (
	maxGroup      = 512
	maxGroupBytes = 8 << 20
)

// Commit makes the changes of tx, durably: when it returns nil they survive a
// crash. It either does all or nothing, except that after a failed disk write
// (see [Spool.Unhealthy]) the outcome is known only to the next Open.
// Concurrent commits share their syncs and take effect one after the other.
func (s *Spool) Commit(tx *Tx) error {
	r, err := tx.prepare(s)
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	err = s.submit(r)
	tx.done = err == nil
	if err == nil || s.fault.Load() != nil {
		// A body whose commit may have reached the disk is left to the next Open.
		for _, d := range tx.drafts {
			d.done, d.buf = true, nil
		}
	}
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// submit hands a request to the committer and waits until it is settled.
func (s *Spool) submit(r *request) error {
	select {
	case s.requests <- r:
		<-r.done
		return r.err
	case <-s.quit:
		return ErrClosed
	}
}

// run is the committer: the only goroutine that writes to the database.
func (s *Spool) run() {
	defer close(s.done)
	var group []*request
	for {
		select {
		case r := <-s.requests:
			group = s.gather(append(group[:0], r))
			s.commitGroup(group)
			for _, r := range group {
				close(r.done)
			}
		case <-s.quit:
			return
		}
	}
}

// gather adds the requests that wait already.
func (s *Spool) gather(group []*request) []*request {
	for size := group[0].size; len(group) < maxGroup && size < maxGroupBytes; {
		select {
		case r := <-s.requests:
			group = append(group, r)
			size += r.size
		default:
			return group
		}
	}
	return group
}

func (s *Spool) commitGroup(group []*request) {
	if why := s.fault.Load(); why != nil {
		for _, r := range group {
			r.err = fmt.Errorf("%w: %s", ErrUnhealthy, *why)
		}
		return
	}
	b := s.db.NewBatch()
	st := newStage(s.index, s.seq)
	for _, r := range group {
		if r.err = st.stage(r.tx); r.err != nil {
			continue
		}
		if r.err = st.write(b, r); r.err != nil {
			s.fail(r.err.Error()) // a batch in memory cannot fail half-way
		}
	}
	err := s.apply(b, st)
	for _, r := range group {
		if r.err == nil {
			r.err = err
		}
	}
	if err == nil {
		s.removeBodies(st.files)
	}
}

// apply writes the batch and, once it is durable, counts it.
func (s *Spool) apply(b *pebble.Batch, st *stage) (err error) {
	if b.Empty() {
		return b.Close()
	}
	s.view.Lock()
	defer s.view.Unlock()
	defer func() {
		if p := recover(); p != nil {
			why, ok := p.(fatal)
			if !ok {
				panic(p)
			}
			err = fmt.Errorf("%w: %s", ErrUnhealthy, string(why))
		}
	}()
	if why := s.fault.Load(); why != nil {
		return errors.Join(fmt.Errorf("%w: %s", ErrUnhealthy, *why), b.Close())
	}
	if err := s.db.Apply(b, pebble.Sync); err != nil {
		s.fail(err.Error())
		return fmt.Errorf("write batch: %w", err)
	}
	st.merge()
	s.seq = st.seq
	return b.Close()
}

// write puts a staged request into the batch.
func (st *stage) write(b *pebble.Batch, r *request) error {
	var errs []error
	if gw := r.tx.remove; gw != "" {
		errs = append(errs, clearGateway(b, gw))
	}
	set := func(k, v []byte) { errs = append(errs, b.Set(k, v, nil)) }
	del := func(k []byte) { errs = append(errs, b.Delete(k, nil)) }
	for _, d := range r.tx.drafts {
		set(bodyKey(kindInfo, d.Body), d.info().encode())
		if d.path == "" {
			set(bodyKey(kindBody, d.Body), d.buf)
		}
	}
	for i, c := range r.tx.changes {
		if c.old != nil {
			del(st.oldKeys[i])
		}
		if c.new != nil {
			set(entryKey(c.new.Gateway, c.new.Store, c.new.ID), c.value)
		}
	}
	for _, m := range st.dropped {
		del(bodyKey(kindInfo, m))
		del(bodyKey(kindBody, m))
	}
	for _, e := range r.events {
		st.seq++
		set(eventKey(st.seq), e)
	}
	for _, v := range r.tx.settings {
		if v.value == nil {
			del(v.key)
		} else {
			set(v.key, v.value)
		}
	}
	return errors.Join(errs...)
}
