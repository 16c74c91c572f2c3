package delivery

import (
	"cmp"
	"container/heap"
	"context"
	"time"
)

// keepTime wakes items when their time comes and starts workers. It sleeps
// until the earliest item of all wants to be woken.
func (s *Scheduler) keepTime(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if at, ok := s.dispatch(ctx, time.Now()); ok {
			timer.Reset(time.Until(at))
		} else {
			timer.Stop()
		}
		select {
		case <-s.quit:
			return
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
	}
}

// dispatch does what is due and says when something will be.
func (s *Scheduler) dispatch(ctx context.Context, now time.Time) (at time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping || s.paused {
		return time.Time{}, false
	}
	for len(s.wakes) > 0 && !s.wakes[0].at.After(now) {
		it := heap.Pop(&s.wakes).(*item)
		s.fire(it, now)
	}
	s.staff(ctx)
	if len(s.wakes) == 0 {
		return time.Time{}, false
	}
	return s.wakes[0].at, true
}

// fire handles an item whose time came. It is out of the heap.
func (s *Scheduler) fire(it *item, now time.Time) {
	expired := !s.policy.expires(&it.entry).After(now)
	switch {
	case it.unstored != nil:
		s.hold(it)
		s.finish(closing{it: it, result: *it.unstored})
	case it.tried && expired:
		s.hold(it)
		s.finish(closing{it: it, result: expire(it.entry)})
	case it.phase == ready:
		s.wakeAt(it, s.policy.expires(&it.entry))
	case it.dest.down.After(now):
		it.next = it.dest.down
		if it.tried {
			s.rest(it)
		} else {
			s.wakeAt(it, it.next)
		}
	default:
		s.offer(it, false)
	}
}

// staff starts workers for the destinations in line. A destination gets a
// second worker only when all it has are connected, so a dead one never holds
// more than one place.
func (s *Scheduler) staff(ctx context.Context) {
	for s.line.Len() > 0 {
		front := s.line.Front()
		d := front.Value.(*dest)
		if !s.wants(d) {
			s.line.Remove(front)
			d.queued = false
			continue
		}
		if s.active >= s.connections() {
			if len(s.idle) > 0 {
				s.evict() // it signals when it has gone
			}
			return
		}
		s.line.MoveToBack(front)
		w := &worker{dest: d, bell: make(chan bool, 1)}
		d.active++
		s.active++
		s.workers.Go(func() { s.work(ctx, w) })
	}
}

// connections is how many connections may be open.
func (s *Scheduler) connections() int { return cmp.Or(s.policy.sessions, s.opt.Limits.Connections) }

// wants reports whether a destination should get one more worker.
func (s *Scheduler) wants(d *dest) bool {
	limit := s.opt.Limits.PerDest
	if d.limit > 0 {
		limit = min(limit, d.limit)
	}
	return d.ready.Len() > 0 && d.live == d.active && d.active < limit
}

// take gives a worker the next item of its destination. Without one, a worker
// with a connection is now idle (parked), any other has to leave.
func (s *Scheduler) take(w *worker) (it *item, parked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := w.dest
	yield := w.used && !w.live && s.line.Len() > 0 && s.active >= s.connections()
	if front := d.ready.Front(); front != nil && !s.paused && !s.stopping && !yield {
		it = front.Value.(*item)
		s.hold(it)
		return it, false
	}
	if !w.live || s.stopping {
		return nil, false
	}
	d.idle = append(d.idle, w)
	s.idle = append(s.idle, w)
	if s.line.Len() > 0 {
		s.signal() // somebody may want this place
	}
	return nil, true
}

// wait is what an idle worker does. It reports whether there is work.
func (s *Scheduler) wait(ctx context.Context, w *worker) bool {
	timer := time.NewTimer(s.opt.Limits.Idle)
	defer timer.Stop()
	select {
	case more := <-w.bell:
		return more
	case <-ctx.Done():
	case <-timer.C:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.unpark(w) {
		return <-w.bell // somebody rang meanwhile
	}
	return false
}

// unpark takes a worker out of the idle lists; false if it is not there.
func (s *Scheduler) unpark(w *worker) bool {
	found := remove(&s.idle, w)
	return remove(&w.dest.idle, w) && found
}

func remove(list *[]*worker, w *worker) bool {
	for i, x := range *list {
		if x == w {
			*list = append((*list)[:i], (*list)[i+1:]...)
			return true
		}
	}
	return false
}

// evict sends the worker that has been idle longest away.
func (s *Scheduler) evict() {
	w := s.idle[0]
	s.unpark(w)
	w.bell <- false
}

// leave signs a worker off, whose connection is closed.
func (s *Scheduler) leave(w *worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := w.dest
	d.active--
	s.active--
	if d.active == 0 {
		d.limit = 0
	}
	s.dropIfEmpty(d)
	s.enqueue(d)
}

// connected notes that a worker has, or no longer has, a connection.
func (s *Scheduler) connected(w *worker, yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.live == yes {
		return
	}
	w.live = yes
	if !yes {
		w.dest.live--
		return
	}
	w.used = true
	w.dest.live++
	w.dest.down, w.dest.last = time.Time{}, ""
	s.enqueue(w.dest)
}
