package senders

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Source makes the messages of one host, one after another.
type Source struct {
	Host   *Host
	Prefix string        // of its message ids
	Every  time.Duration // on average between two messages
	Make   func(id string, r *rand.Rand) Message
	Seed   uint64
}

// mostOpen bounds the messages that one source has under way.
const mostOpen = 400

// Send makes and delivers messages until stop is closed, then waits for those
// under way. When ctx ends, those are given up.
func (s *Source) Send(ctx context.Context, stop <-chan struct{}) error {
	r := rand.New(rand.NewPCG(s.Seed, 1)) //nolint:gosec // traffic, not secrets
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	open := make(chan struct{}, mostOpen)
	for n := 1; ; n++ {
		// Between half and one and a half of the average: never in step.
		t := time.NewTimer(s.Every/2 + time.Duration(r.Int64N(int64(s.Every)+1)))
		select {
		case <-t.C:
		case <-stop:
			t.Stop()
			wg.Wait()
			return failed
		case <-ctx.Done():
			t.Stop()
			wg.Wait()
			return failed
		}
		m := s.Make(fmt.Sprintf("%s-%d", s.Prefix, n), r)
		select {
		case open <- struct{}{}:
		default:
			continue // as many as this host can hold are under way
		}
		wg.Go(func() {
			defer func() { <-open }()
			if err := s.Host.Deliver(ctx, m); err != nil {
				mu.Lock()
				failed = errors.Join(failed, err)
				mu.Unlock()
			}
		})
	}
}

// Run runs sources until stop is closed, and waits for all of them.
func Run(ctx context.Context, stop <-chan struct{}, sources []*Source) error {
	var wg sync.WaitGroup
	errs := make([]error, len(sources))
	for i, s := range sources {
		wg.Go(func() { errs[i] = s.Send(ctx, stop) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
