package delivery

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/mail"
)

// Destination is the state of one queue.
type Destination struct {
	Host        string // domain, or the host that its mail is forwarded to
	Forwarded   bool
	Ready       int // for a worker
	Busy        int // attempts under way
	Waiting     int // for their next attempt
	Connections int
	// Down is until when nothing is tried because no host could be reached,
	// Last is why; zero if one was.
	Down time.Time
	Last string
}

// Destinations lists the queues that hold entries, by host. It costs a pass
// over the queues, not over the entries.
func (s *Scheduler) Destinations() []Destination {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Destination, 0, len(s.dests))
	for h, d := range s.dests {
		if d.items == 0 {
			continue
		}
		out = append(out, Destination{
			Host: h.host, Forwarded: h.forward, Ready: d.ready.Len(), Busy: d.busy,
			Waiting: d.items - d.ready.Len() - d.busy, Connections: d.live, Down: d.down, Last: d.last,
		})
	}
	slices.SortFunc(out, func(a, b Destination) int { return cmp.Compare(a.Host, b.Host) })
	return out
}

// Entry is an entry as the scheduler knows it, with the time of its next
// attempt, which is the moment of asking when one is due or under way.
func (s *Scheduler) Entry(id mail.ID) (e mail.Entry, next time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	it := s.items[id]
	if it == nil {
		return mail.Entry{}, time.Time{}, false
	}
	now := time.Now()
	if it.phase != waiting || it.next.Before(now) {
		return it.entry, now, true
	}
	return it.entry, it.next, true
}

// Group is the recipients of a message that share a destination.
type Group struct {
	Dest  string
	Rcpts []mail.Rcpt
}

// GroupByDomain splits recipients by domain, lower-cased, in order of first
// appearance: one entry each, whose Dest it is.
func GroupByDomain(rcpts []mail.Rcpt) []Group {
	var out []Group
	at := map[string]int{}
	for _, r := range rcpts {
		d := strings.ToLower(r.Addr[strings.LastIndexByte(r.Addr, '@')+1:])
		i, ok := at[d]
		if !ok {
			i = len(out)
			at[d] = i
			out = append(out, Group{Dest: d})
		}
		out[i].Rcpts = append(out[i].Rcpts, r)
	}
	return out
}
