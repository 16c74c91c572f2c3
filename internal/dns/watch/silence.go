package watch

import (
	"context"
	"errors"
	"os"
	"sync"

	"example.org/ims/internal/dns/msg"
)

// Silence remembers, for one look at the world, which servers gave no answer: a
// server that hangs then costs one time-out, and not one for each question. Its
// zero value is empty; a nil one remembers nothing. It is safe for concurrent
// use, and for one look only: it never forgets.
type Silence struct {
	mu  sync.Mutex
	why map[string]error
}

// Note remembers that a server, ip or ip:port, let time run out. Another error
// cost no time, and is not remembered.
func (s *Silence) Note(addr string, why error) {
	if s == nil || !errors.Is(why, os.ErrDeadlineExceeded) && !errors.Is(why, context.DeadlineExceeded) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.why == nil {
		s.why = map[string]error{}
	}
	s.why[msg.WithPort(addr)] = why
}

// Of is why a server gave no answer before, or nil.
func (s *Silence) Of(addr string) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why[msg.WithPort(addr)]
}
