package runner

import (
	"context"
	"fmt"
	"time"

	"example.org/ims/internal/journal"
)

// A run whose journal cannot be written, because the disk is full or at fault,
// is tried again by the runner: soon at first, then less often, but never so
// seldom that it does not go on within minutes of there being room. One that
// was performed for as long as the longest pause begins anew.
const (
	againFirst = 5 * time.Second
	againMost  = 5 * time.Minute
)

// standing is why a run is not performed although it is open, and what the
// runner does about it. The Server's mu guards it.
type standing struct {
	why   error     // nil while it is performed, or has ended
	again time.Time // when it is tried again; zero is never
	tries int       // since it was last performed for long
	told  bool      // people know
}

// pauseBefore is how long a run waits before its nth try, counted from 0.
func pauseBefore(n int) time.Duration {
	d := againFirst
	for range n {
		if d *= 2; d >= againMost {
			return againMost
		}
	}
	return d
}

// stands notes that a run stands, and returns how long until it is tried again:
// 0 if what stopped it does not pass by itself. Another epoch, a lease that is
// another run's, and a damaged journal do not.
func (s *Server) stands(h *hosted, why error) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.stand.why, h.stand.again = why, time.Time{}
	if !journal.Passing(why) || s.closing {
		return 0
	}
	if !h.began.IsZero() && time.Since(h.began) >= againMost {
		h.stand.tries, h.stand.told = 0, false
	}
	h.began = time.Time{}
	pause := pauseBefore(h.stand.tries)
	h.stand.tries++
	h.stand.again = time.Now().Add(pause)
	return pause
}

// tryAgain takes up a run that stands, as often as it takes, until it is
// performed, by whoever was first, or ctx ends, or nothing can be expected of
// another try. It runs in the goroutine that performed the run, and tells
// people once.
func (s *Server) tryAgain(ctx context.Context, h *hosted, pause time.Duration) {
	for pause > 0 {
		why, at := s.problem(h)
		s.log.Error("run stopped", "run", h.id, "err", why, "again", at)
		s.tellOnce(h)
		select {
		case <-ctx.Done():
			return
		case <-h.taken:
			return
		case <-time.After(pause):
		}
		err := s.takeUp(ctx, h.id, owner())
		if err == nil || ctx.Err() != nil {
			return
		}
		pause = s.stands(h, err)
	}
	if ctx.Err() != nil { // the next runner sees to it
		return
	}
	why, _ := s.problem(h)
	s.log.Error("run stopped", "run", h.id, "err", why)
	s.tellOfStopped(h.id, why)
}

// tellOnce tells that a run stands, unless people know. On a full disk that may
// have to wait, too.
func (s *Server) tellOnce(h *hosted) {
	why, _ := s.problem(h)
	s.mu.Lock()
	told := h.stand.told
	s.mu.Unlock()
	if told || !s.tellOfStopped(h.id, why) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h.stand.told = true
}

// problem says why a run is not performed although it is open, and when the
// runner tries again: zero is never.
func (s *Server) problem(h *hosted) (text string, again time.Time) {
	if !h.over() {
		return "", time.Time{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch again = h.stand.again; {
	case h.stand.why == nil:
		return "", time.Time{}
	case again.IsZero():
		return h.stand.why.Error(), again
	}
	return fmt.Sprintf("%v; the runner tries again by itself at %s, and now with: ims resume %s", h.stand.why,
		again.UTC().Format(time.RFC3339), h.id), again
}

// waiting reports whether any run is performed, or is going to be.
func (s *Server) waiting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.runs {
		if !h.over() || !h.stand.again.IsZero() {
			return true
		}
	}
	return false
}
