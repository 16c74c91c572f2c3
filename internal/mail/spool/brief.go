package spool

import (
	"fmt"
	"slices"
	"time"
	"unique"

	"example.org/ims/internal/mail"
	"example.org/ims/pkg/gateway"
)

// brief is what a summary by destination needs of an entry. Replies and
// destinations repeat, so each text is kept once.
type brief struct {
	dest, last, held unique.Handle[string]
	next, tried      int64 // Unix nanoseconds; 0 is no time
	class            mail.Class
}

func newBrief(e *mail.Entry) brief {
	return brief{
		dest: unique.Make(e.Dest), last: unique.Make(e.Last), held: unique.Make(e.Held),
		next: nanos(e.Next), tried: nanos(e.Tried), class: e.Class,
	}
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func moment(nanos int64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanos)
}

// Brief is an entry without its envelope.
type Brief struct {
	ID          mail.ID
	Store       gateway.Store
	Dest        string
	Recipients  int
	Size        int64
	Class       mail.Class
	Accepted    time.Time
	Next, Tried time.Time
	Attempts    int
	Last, Held  string
}

// Briefs calls fn for every entry that a gateway has when it is called, in no
// order. It reads memory only, and commits do not wait for fn. The Brief is
// valid during the call.
func (s *Spool) Briefs(gw string, fn func(*Brief)) error {
	list, err := s.listed(gw)
	if err != nil {
		return fmt.Errorf("sum up gateway %q: %w", gw, err)
	}
	var b Brief
	for _, r := range list {
		b = Brief{
			ID: r.id, Store: r.shown(), Recipients: r.rcpts, Size: r.size, Class: r.brief.class, Accepted: r.accepted,
			Next: moment(r.brief.next), Tried: moment(r.brief.tried), Attempts: r.attempts, Held: r.why,
		}
		if r.brief.dest != (unique.Handle[string]{}) { // else it could not be decoded
			b.Dest, b.Last = r.brief.dest.Value(), r.brief.last.Value()
			if r.why == "" {
				b.Held = r.brief.held.Value()
			}
		}
		fn(&b)
	}
	return nil
}

// listed are the entries of a gateway at one moment. Only that they are copied,
// eight octets each, is done while commits wait; what they say does not change.
func (s *Spool) listed(gw string) ([]*rec, error) {
	s.view.RLock()
	defer s.view.RUnlock()
	if why := s.fault.Load(); why != nil {
		return nil, fmt.Errorf("%w: %s", ErrUnhealthy, *why)
	}
	return slices.Clone(s.index.lists[gw]), nil
}
