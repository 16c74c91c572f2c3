package check

import (
	"context"
	"slices"
	"sync"
)

// Memory is what the checks that share it may take together. It counts what
// they remember of states, not what the rest of the process takes. It is safe
// for concurrent use; the zero value and nil bound nothing.
//
// A check that would pass the limit waits while one that began before it is
// under way; the one that began first does not wait, but makes the last give
// up all that it has, and begin again later. So a check hits the bound only if
// it is too large alone, whatever runs beside it.
type Memory struct {
	limit int64

	mu      sync.Mutex
	begun   int           // checks, ever
	open    []*share      // of the checks that are under way, in the order of their numbers
	changed chan struct{} // closed as soon as somebody who waits should look again
}

// NewMemory is a limit in bytes; one that is not positive bounds nothing.
func NewMemory(limit int64) *Memory { return &Memory{limit: limit} }

// share is the part of one check. Nil is the part of one that nothing bounds.
type share struct {
	of     *Memory
	number int // in the order in which checks began
	bytes  int64
	yields bool // has to give up what it has
}

// join begins a check. Each join is followed by a leave.
func (m *Memory) join() *share {
	if m == nil || m.limit <= 0 {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.begun++
	s := &share{of: m, number: m.begun}
	m.open = append(m.open, s)
	return s
}

// leave ends a check, or lets others go first.
func (s *share) leave() {
	if s == nil {
		return
	}
	m := s.of
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open = slices.DeleteFunc(m.open, func(o *share) bool { return o == s })
	s.bytes, s.yields = 0, false
	m.wake()
}

// rejoin begins a check again that had to yield, when none is under way that
// began before it. It reports whether ctx let it.
func (s *share) rejoin(ctx context.Context) bool {
	s.leave()
	return s.of.await(ctx, func() bool {
		m := s.of
		if len(m.open) > 0 && m.open[0].number < s.number {
			return false
		}
		m.open = slices.Insert(m.open, 0, s)
		return true
	})
}

// hold asks for so many bytes in all. It waits while others that began before
// have what is missing, and says so by waits beforehand.
func (s *share) hold(ctx context.Context, bytes int64, waits func()) (why stop) {
	if s == nil {
		return complete
	}
	told := false
	ok := s.of.await(ctx, func() (settled bool) {
		why, settled = s.ask(bytes)
		if !settled && !told {
			told = true
			waits()
		}
		return settled
	})
	if !ok {
		return cancelled
	}
	return why
}

// ask answers hold, if it can be answered now; mu is held.
func (s *share) ask(bytes int64) (why stop, settled bool) {
	m := s.of
	taken := bytes
	for _, o := range m.open {
		if o != s {
			taken += o.bytes
		}
	}
	switch {
	case s.yields:
		return crowded, true
	case bytes > m.limit:
		return hitMemory, true
	case taken <= m.limit:
		if bytes < s.bytes {
			m.wake()
		}
		s.bytes = bytes
		return complete, true
	}
	if last := m.open[len(m.open)-1]; m.open[0] == s && !last.yields {
		last.yields = true
		m.wake()
	}
	return complete, false
}

// await waits until is says so, which is asked with mu held. It reports whether
// ctx let it.
func (m *Memory) await(ctx context.Context, is func() bool) bool {
	for {
		m.mu.Lock()
		if is() {
			m.mu.Unlock()
			return true
		}
		if m.changed == nil {
			m.changed = make(chan struct{})
		}
		changed := m.changed
		m.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// wake lets everybody who waits look again; mu is held.
func (m *Memory) wake() {
	if m.changed != nil {
		close(m.changed)
		m.changed = nil
	}
}
