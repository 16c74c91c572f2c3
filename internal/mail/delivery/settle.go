package delivery

import (
	"context"
	"time"

	"example.org/ims/internal/mail"
)

// settleBatch is how many results are given to the store at once.
const settleBatch = 256

// storeRetry is how long results wait that the store could not take.
const storeRetry = time.Minute

// closing is a result on its way to the store.
type closing struct {
	it     *item
	result Result
}

// conclude turns the outcomes of an attempt, aligned with e.Rcpts, into the
// entry's result. Recipients without an outcome stay as they were. Without any
// outcome nothing was attempted.
func (p policy) conclude(e mail.Entry, outs []Outcome, now time.Time) Result {
	r := Result{Entry: e}
	r.Entry.Rcpts = nil
	interval, retries := p.interval(e.Attempts + 1)
	expired := !p.expires(&e).After(now)
	for i, o := range outs {
		o.Rcpt = e.Rcpts[i].Addr
		if o.Kind == 0 {
			r.Entry.Rcpts = append(r.Entry.Rcpts, e.Rcpts[i])
			continue
		}
		r.Entry.Last = o.Reply
		if o.Kind == Deferred {
			switch {
			case expired:
				o.Kind, o.Expired, o.Status = Failed, true, statusExpired
			case !retries:
				o.Kind = Failed
			default:
				r.Entry.Rcpts = append(r.Entry.Rcpts, e.Rcpts[i])
			}
		}
		r.Outcomes = append(r.Outcomes, o)
	}
	if len(r.Outcomes) == 0 {
		return Result{Entry: e}
	}
	r.Entry.Attempts++
	r.Entry.Tried = now
	r.Entry.Next = now.Add(interval)
	return r
}

// expire is the result of an entry whose time-out passed while it waited.
func expire(e mail.Entry) Result {
	r := Result{Entry: e}
	r.Entry.Rcpts = nil
	for _, rc := range e.Rcpts {
		r.Outcomes = append(r.Outcomes, Outcome{
			Rcpt: rc.Addr, Kind: Failed, Expired: true, Status: statusExpired, Reply: e.Last,
		})
	}
	return r
}

// store makes results durable, in batches, and puts their items where they
// now belong. It works on when ctx is done, for at most Limits.Store a batch.
func (s *Scheduler) store(ctx context.Context, list []closing) {
	for len(list) > 0 {
		batch := list[:min(settleBatch, len(list))]
		list = list[len(batch):]
		var results []Result
		for _, c := range batch {
			if len(c.result.Outcomes) > 0 {
				results = append(results, c.result)
			}
		}
		var err error
		if len(results) > 0 {
			bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opt.Limits.Store)
			err = s.opt.Store.Done(bounded, results)
			cancel()
		}
		if err != nil {
			s.opt.Log.Error("store delivery results", "entries", len(results), "retry", storeRetry, "err", err)
		}
		s.release(batch, err == nil)
	}
}

// release ends the busy phase of items.
func (s *Scheduler) release(batch []closing, stored bool) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range batch {
		it := c.it
		it.dest.busy--
		s.busy--
		it.phase, it.unstored = waiting, nil
		switch {
		case len(c.result.Outcomes) == 0: // nothing was decided: it stays first
			s.adopt(it)
			s.offer(it, true)
		case !stored:
			it.tried = true
			it.unstored = &c.result
			s.wakeAt(it, now.Add(storeRetry))
		case len(c.result.Entry.Rcpts) == 0:
			s.disown(it)
			delete(s.items, it.entry.ID)
		default:
			it.entry = c.result.Entry
			it.tried = true
			s.adopt(it)
			s.plan(it)
			s.rest(it)
		}
	}
	s.signal()
}

// finish gives a busy item's result to the settler.
func (s *Scheduler) finish(c closing) {
	s.finished = append(s.finished, c)
	select {
	case s.settle <- struct{}{}:
	default:
	}
}

// settleFinished stores the results that no worker brings: expiries, and those
// the store could not take before.
func (s *Scheduler) settleFinished(ctx context.Context) {
	for last := false; ; {
		s.mu.Lock()
		list := s.finished
		s.finished = nil
		s.mu.Unlock()
		s.store(ctx, list)
		if last {
			return
		}
		select {
		case <-s.quit:
			last = true // nothing is added any more
		case <-ctx.Done():
			return
		case <-s.settle:
		}
	}
}
