package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// Tx collects changes that Commit makes all at once or not at all. The zero
// value is empty. A Tx is used by one goroutine and committed once; after an
// error it may be committed again.
type Tx struct {
	drafts   []*Draft
	changes  []change
	events   []ledger.Event
	settings []setting
	remove   string // gateway whose records go, "" for none
	err      error
	done     bool
}

// change takes away old and puts new; one of them may be nil.
type change struct {
	old, new *mail.Entry
	value    []byte // new, encoded
}

type setting struct{ key, value []byte }

// Accept takes the body into the spool. The same Tx must put an entry with it.
func (t *Tx) Accept(d *Draft) { t.drafts = append(t.drafts, d) }

// Put adds an entry. Its body must be in the spool or accepted by this Tx; in
// the latter case Commit stores the body's size as the entry's Size. Commit
// fails with [ErrExists] if the gateway has an entry of this id.
func (t *Tx) Put(e mail.Entry) { t.change(nil, &e) }

// Replace changes an entry, in place or into another store or gateway. Commit
// fails with [ErrStale] unless the spool holds old with the same store,
// message, number of recipients and attempts: then somebody else (an operator,
// another worker) was faster, and the caller reads the entry again.
func (t *Tx) Replace(old, new mail.Entry) { t.change(&old, &new) }

// Delete removes an entry, with the check of Replace; a body goes with its
// last entry.
func (t *Tx) Delete(e mail.Entry) { t.change(&e, nil) }

// Track adds an event to the tracking log. Commit gives it its Seq, and the
// present time if At is zero.
func (t *Tx) Track(e ledger.Event) { t.events = append(t.events, e) }

// Set stores a value of the service, or removes it if value is nil. Settings
// of a gateway go with the gateway; "" is the organization.
func (t *Tx) Set(gw, key string, value []byte) {
	if !validGateway(gw) || key == "" {
		t.err = errors.Join(t.err, fmt.Errorf("set %q of gateway %q: bad name", key, gw))
		return
	}
	t.settings = append(t.settings, setting{settingKey(gw, key), slices.Clone(value)})
}

func (t *Tx) change(old, new *mail.Entry) {
	if new != nil {
		if err := check(*new); err != nil {
			t.err = errors.Join(t.err, fmt.Errorf("put entry %q: %w", new.ID, err))
		}
	}
	t.changes = append(t.changes, change{old: old, new: new})
}

func check(e mail.Entry) error {
	switch {
	case !validID(e.ID):
		return errors.New("bad entry id")
	case !validID(e.Message):
		return fmt.Errorf("bad message id %q", e.Message)
	case !validGateway(e.Gateway):
		return fmt.Errorf("bad gateway name %q", e.Gateway)
	case e.Store >= gateway.NumStores:
		return fmt.Errorf("bad store %d", e.Store)
	case len(e.Rcpts) == 0:
		return errors.New("no recipients")
	}
	return nil
}

// request is a Tx on its way to the committer.
type request struct {
	tx     *Tx
	events [][]byte
	size   int // octets, roughly
	err    error
	done   chan struct{}
}

// prepare does in the caller's goroutine what needs no order: it makes large
// bodies durable and encodes.
func (t *Tx) prepare(s *Spool) (*request, error) {
	switch {
	case t.err != nil:
		return nil, t.err
	case t.done:
		return nil, errors.New("transaction was committed before")
	}
	r := &request{tx: t, done: make(chan struct{})}
	if len(t.drafts) > 0 {
		if why := s.Unhealthy(); why != "" {
			return nil, fmt.Errorf("%w: %s", ErrUnhealthy, why)
		}
	}
	for _, d := range t.drafts {
		if err := d.seal(); err != nil {
			return nil, err
		}
		r.size += len(d.buf)
	}
	now := time.Now()
	for _, e := range t.events {
		if e.At.IsZero() {
			e.At = now
		}
		b, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("encode event %s of %s: %w", e.Kind, e.Message, err)
		}
		r.events = append(r.events, b)
		r.size += len(b)
	}
	return r, t.encodeEntries(r)
}

func (t *Tx) encodeEntries(r *request) error {
	for i := range t.changes {
		c := &t.changes[i]
		if c.new == nil {
			continue
		}
		for _, d := range t.drafts {
			if d.Body == c.new.Message {
				c.new.Size = d.size
			}
		}
		var err error
		if c.value, err = json.Marshal(c.new); err != nil {
			return fmt.Errorf("encode entry %s: %w", c.new.ID, err)
		}
		r.size += len(c.value)
	}
	return nil
}
