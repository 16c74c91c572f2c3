package runner

import (
	"context"
	"fmt"
	"sync"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/journal"
	"example.org/ims/internal/notify"
)

// tick is how often a run that says nothing is looked at for a digest.
const tick = time.Minute

// tellPeople tells people until what it returns is called, which waits a little for
// what they were not told yet; the next runner tells the rest.
func (s *Server) tellPeople(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { s.people.Run(ctx) })
	if err := s.tellOfEnded(ctx); err != nil {
		s.log.Error("people not told of runs that have ended", "err", err)
	}
	return func() {
		soon, done := context.WithTimeout(ctx, grace)
		s.people.Drain(soon)
		done()
		cancel()
		wg.Wait()
	}
}

// tellOf tells people what happens in a run, from the first record on, so that
// what a runner that died did not come to tell is told now. It ends with the
// run's engine.
func (s *Server) tellOf(ctx context.Context, h *hosted) {
	news, end := h.engine.Subscribe()
	defer end()
	t := &teller{story: notify.NewStory(h.book, h.id, s.people.Digest())}
	pace := tick
	if d := s.people.Digest(); d > 0 {
		pace = min(pace, d)
	}
	beat := time.NewTicker(pace)
	defer beat.Stop()
	// What was committed is told even if the runner is about to end.
	ctx = context.WithoutCancel(ctx)
	for last := false; ; {
		if err := s.told(ctx, t, h.id); err != nil {
			s.log.Error("people not told", "run", h.id, "err", err)
		}
		if last {
			return
		}
		select {
		case <-news:
		case <-beat.C:
		case <-h.done:
			last = true
		}
	}
}

// teller is how far a run was told of.
type teller struct {
	story *notify.Story
	seq   int64                 // of the last record
	owed  []notify.Notification // what could not be noted yet
}

// told notes what people are to be told of the records that are new.
func (s *Server) told(ctx context.Context, t *teller, id string) error {
	entries, err := s.journal.Records(ctx, id, t.seq+1)
	if err != nil {
		return err
	}
	records, err := engine.Decode(entries)
	if err != nil {
		return err
	}
	if n := len(entries); n > 0 {
		t.seq = entries[n-1].Seq
	}
	for _, r := range records {
		t.owed = append(t.owed, t.story.Add(r)...)
	}
	t.owed = append(t.owed, t.story.Tick(time.Now())...)
	if err := s.people.Tell(t.owed); err != nil {
		return err
	}
	t.owed = nil
	return nil
}

// tellOfStopped tells that a run is open and not performed. It reports whether
// that was noted.
func (s *Server) tellOfStopped(id, why string) bool {
	if s.people == nil {
		return true
	}
	now := time.Now()
	err := s.people.Tell([]notify.Notification{{
		ID: fmt.Sprintf("%s/%s/stopped.%d", id, notify.Operator, now.UnixMilli()), Kind: notify.Operator, Run: id, At: now,
		Text: "the run is not performed: " + why, Command: "ims resume " + id,
	}})
	if err != nil {
		s.log.Error("people not told", "run", id, "err", err)
	}
	return err == nil
}

// tellOfEnded tells what a runner did not come to tell of runs that have ended
// since.
func (s *Server) tellOfEnded(ctx context.Context) error {
	runs, err := s.journal.Runs(ctx, journal.RunFilter{})
	if err != nil {
		return err
	}
	for _, sum := range runs {
		if sum.Closed.IsZero() || !s.people.Knows(sum.ID) {
			continue
		}
		_, book, err := bound(sum)
		if err != nil {
			return err
		}
		if err := s.told(ctx, &teller{story: notify.NewStory(book, sum.ID, 0)}, sum.ID); err != nil {
			return err
		}
	}
	return nil
}
