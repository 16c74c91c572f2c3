package engine_test

import (
	"sync/atomic"
	"testing"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/journal"
)

// TestWaitOnAClockHasOneEnd: while the old MX may be cached, the end of the wait
// is told from when it cannot be, at every look the same; and from the journal
// alone as by the engine.
func TestWaitOnAClockHasOneEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) bool {
		r := newRig(t, "q285090", brief())
		var looks atomic.Int32
		var last atomic.Pointer[engine.Status]
		r.watch = func(s engine.Status) {
			if s.State != "accepting" || s.Facts["mx.expired"] != "false" || s.Facts["mx.here"] != "false" {
				return
			}
			looks.Add(1)
			if want := s.Expires.Add(3 * time.Minute); s.Expires.IsZero() || !s.Ends.Equal(want) || !s.Limit.Equal(want.Add(time.Hour)) {
				t.Errorf("at %s: over at %s, a person is asked at %s; the old MX expires at %s", s.Seen, s.Ends, s.Limit, s.Expires)
			}
			last.Store(&s)
		}
		r.until(func(engine.Status) bool { return looks.Load() > 3 }, func(*engine.Engine, engine.Status) {})
		j, err := journal.OpenReadOnly(t.Context(), r.dir)
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		e := engine.New(engine.Options{Book: r.book, Run: journal.Run{ID: runID}}, r.records(t.Context(), j))
		s, want := e.Status(), last.Load()
		if !s.Expires.Equal(want.Expires) || !s.Ends.Equal(want.Ends) || !s.Limit.Equal(want.Limit) || !s.Action.At.Equal(want.Action.At) {
			t.Errorf("the journal alone says %s, over at %s, asked at %s, next at %s; the engine said %s, %s, %s, %s",
				s.Expires, s.Ends, s.Limit, s.Action.At, want.Expires, want.Ends, want.Limit, want.Action.At)
		}
		if _, ok := s.Facts["clock.expires"]; ok {
			t.Error("a time is told as a fact")
		}
		return true
	})
}
