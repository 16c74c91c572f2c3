package spool

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"example.org/ims/internal/mail"
	"example.org/ims/pkg/gateway"
)

// load reads the database into the index.
func (s *Spool) load() error {
	missing, err := s.loadBodies()
	if err != nil {
		return fmt.Errorf("read bodies: %w", err)
	}
	if err := s.loadEntries(missing); err != nil {
		return fmt.Errorf("read entries: %w", err)
	}
	if err := s.loadSeq(); err != nil {
		return fmt.Errorf("read tracking log: %w", err)
	}
	orphans := 0
	for m, b := range s.index.bodies {
		if b.keep = s.index.unreadable > 0; b.keep {
			s.index.bodies[m] = b
		}
		if b.refs == 0 {
			orphans++
		}
	}
	if orphans > 0 {
		s.log.Warn("bodies belong to no readable entry and are kept", "dir", s.dir, "bodies", orphans)
	}
	if err := s.sweep(func(m mail.ID) bool { return s.index.bodies[m].file }); err != nil {
		return fmt.Errorf("remove what was never accepted: %w", err)
	}
	return nil
}

// loadBodies reads the body records, and returns those whose file is not what
// it should be.
func (s *Spool) loadBodies() (missing map[mail.ID]string, err error) {
	missing = make(map[mail.ID]string)
	err = s.each(s.db, []byte{kindInfo}, func(k, v []byte) error {
		m := mail.ID(k[1:])
		i, err := decodeInfo(v)
		if err != nil {
			return fmt.Errorf("body %q: %w", m, err)
		}
		s.index.bodies[m] = body{file: i.file, size: i.size}
		if !i.file {
			return nil
		}
		switch f, err := s.fs.Stat(s.bodyPath(m)); {
		case err != nil:
			missing[m] = fmt.Sprintf("body: %v", err)
		case f.Size() != i.size:
			missing[m] = fmt.Sprintf("body file has %d octets instead of %d", f.Size(), i.size)
		}
		return nil
	})
	return missing, err
}

func (s *Spool) loadEntries(missing map[mail.ID]string) error {
	return s.each(s.db, []byte{kindEntry}, func(k, v []byte) error {
		gw, st, id, err := parseEntryKey(k)
		if err != nil {
			return err
		}
		var r *rec
		if e, err := decodeEntry(gw, st, id, v); err != nil {
			r = &rec{place: place{gw, id}, store: st, why: "unreadable: " + err.Error()}
		} else {
			r = newRec(e)
			if b, ok := s.index.bodies[e.Message]; !ok {
				r.why = "body is missing"
			} else {
				r.why = missing[e.Message]
				b.refs++
				s.index.bodies[e.Message] = b
			}
		}
		if r.why != "" {
			s.log.Error("corrupt entry", "gateway", gw, "store", st.String(), "entry", id, "why", r.why)
		}
		s.index.add(r)
		return nil
	})
}

func (s *Spool) loadSeq() error {
	it, err := s.db.NewIter(bounds([]byte{kindEvent}))
	if err != nil {
		return err
	}
	if it.Last() {
		s.seq, err = parseEventKey(it.Key())
	}
	return errors.Join(err, it.Error(), it.Close())
}

// decodeEntry decodes the entry that lies under a key, and refuses one that
// lies under another entry's key.
func decodeEntry(gw string, st gateway.Store, id mail.ID, v []byte) (mail.Entry, error) {
	var e mail.Entry
	if err := json.Unmarshal(v, &e); err != nil {
		return e, err
	}
	if e.Gateway != gw || e.Store != st || e.ID != id {
		return e, fmt.Errorf("says it is %s in %s of %q", e.ID, e.Store, e.Gateway)
	}
	return e, check(e)
}

func bounds(prefix []byte) *pebble.IterOptions {
	return &pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)}
}

// errStop ends each early without an error.
var errStop = errors.New("stop")

// each calls fn for every record whose key has a prefix, in order. k and v are
// valid during the call only.
func (s *Spool) each(r pebble.Reader, prefix []byte, fn func(k, v []byte) error) error {
	it, err := r.NewIter(bounds(prefix))
	if err != nil {
		return err
	}
	return walk(it, fn)
}

// walk calls fn for every record of it, and closes it. The error wraps
// [ErrDamaged] if a record could not be read back as it was written.
func walk(it *pebble.Iterator, fn func(k, v []byte) error) error {
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err = damage(err); err == nil {
			err = fn(it.Key(), v)
		}
		if err != nil {
			if errors.Is(err, errStop) {
				err = nil
			}
			return errors.Join(err, it.Close())
		}
	}
	return errors.Join(damage(it.Error()), it.Close())
}
