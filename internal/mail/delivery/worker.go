package delivery

import (
	"context"
	"errors"
	"time"
)

// work is a worker's life: items of one destination over one connection at a
// time, until there is nothing to do.
func (s *Scheduler) work(ctx context.Context, w *worker) {
	var c *client
	drop := func(end func(*client)) {
		if c != nil {
			end(c)
			c = nil
			s.connected(w, false)
		}
	}
	defer s.leave(w)
	defer func() { drop((*client).quit) }()
	for {
		it, parked := s.take(w)
		if it == nil {
			if !parked || !s.wait(ctx, w) {
				return
			}
			continue
		}
		a := newAttempt(it.entry)
		err := s.try(ctx, w, &c, a)
		if down, ok := errors.AsType[*unreachable](err); ok {
			drop((*client).close)
			s.unreached(ctx, w, it, a, down)
			return
		}
		s.store(ctx, []closing{{it, s.rules().conclude(it.entry, a.outs, time.Now())}})
		switch {
		case err != nil:
			// Never with QUIT: inside a message it would be the end of one.
			drop((*client).close)
		case c.spent(s.opt.Limits):
			drop((*client).quit)
		}
	}
}

// rules is the current policy.
func (s *Scheduler) rules() policy {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.policy
}

// try attempts an entry, connecting if need be. A connection that turns out
// dead before anything was said on it for this entry is replaced once, because
// the next hop may close an idle connection whenever it likes. An error means
// that *c, if there is one, must not be used again.
func (s *Scheduler) try(ctx context.Context, w *worker, c **client, a *attempt) error {
	for {
		if *c == nil {
			fresh, err := s.connect(ctx, w.dest.hop)
			if err != nil {
				return err
			}
			*c = fresh
			s.connected(w, true)
		}
		err := (*c).deliver(ctx, a, s.opt)
		if !errors.Is(err, errStale) {
			return err
		}
		(*c).close()
		*c = nil
		s.connected(w, false)
	}
}

// unreached handles that no host of w's destination could be reached. While
// other workers have connections there, it is they who are too many: the item
// goes back. Else everything that was ready counts as tried.
func (s *Scheduler) unreached(ctx context.Context, w *worker, it *item, a *attempt, down *unreachable) {
	now := time.Now()
	s.mu.Lock()
	d := w.dest
	cut := ctx.Err() != nil
	if cut || (d.live > 0 && down.Kind == Deferred) {
		d.limit = max(d.live, 1)
		s.mu.Unlock()
		s.store(ctx, []closing{{it, s.rules().conclude(it.entry, a.outs, now)}})
		return
	}
	all := []*item{it}
	for front := d.ready.Front(); front != nil; front = d.ready.Front() {
		x := front.Value.(*item)
		s.hold(x)
		all = append(all, x)
	}
	d.last = down.Reply
	if down.Kind == Deferred {
		d.down = now.Add(s.policy.shortest())
	}
	p := s.policy
	s.mu.Unlock()
	list := make([]closing, len(all))
	for i, x := range all {
		b := newAttempt(x.entry)
		if x == it {
			b = a
		}
		b.rest(down.Outcome)
		list[i] = closing{x, p.conclude(x.entry, b.outs, now)}
	}
	s.store(ctx, list)
}
