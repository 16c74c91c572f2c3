package delivery

import (
	"container/heap"
	"container/list"
	"time"

	"example.org/ims/internal/mail"
)

// phase is where an item is in its life.
type phase uint8

const (
	waiting phase = iota // for a time: in the heap
	ready                // for a worker: in its destination's list
	busy                 // with a worker or the settler
)

// item is one queued entry.
type item struct {
	entry mail.Entry
	seq   uint64 // order of coming
	dest  *dest
	phase phase
	// tried says that an attempt was made since the scheduler was made; only
	// then can the item expire.
	tried bool
	next  time.Time // next attempt
	// unstored is an outcome that the store could not take yet.
	unstored *Result

	elem  *list.Element // while ready
	at    time.Time     // when the heap wakes it
	index int           // in the heap, -1 if not there
}

// dest is the queue of one hop.
type dest struct {
	hop   hop
	ready *list.List
	items int // all of them, ready and busy ones included
	busy  int
	// active are its workers, live those with an open connection.
	active, live int
	// limit is the number of connections it was seen to allow, 0 for unknown.
	limit  int
	idle   []*worker
	queued bool // in the scheduler's line
	// down is until when new items wait because no host could be reached.
	down time.Time
	last string // why
}

// worker is one goroutine with at most one connection.
type worker struct {
	dest *dest
	live bool
	used bool      // had a connection before
	bell chan bool // while idle: true for work, false to leave
}

// wakeHeap orders items by the time they want to be woken.
type wakeHeap []*item

var _ heap.Interface = (*wakeHeap)(nil)

func (h wakeHeap) Len() int { return len(h) }
func (h wakeHeap) Less(i, j int) bool {
	if h[i].at.Equal(h[j].at) {
		return h[i].seq < h[j].seq // first come, first served
	}
	return h[i].at.Before(h[j].at)
}

func (h wakeHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push is for container/heap.
func (h *wakeHeap) Push(x any) {
	it := x.(*item)
	it.index = len(*h)
	*h = append(*h, it)
}

// Pop is for container/heap.
func (h *wakeHeap) Pop() any {
	old := *h
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	it.index = -1
	return it
}

// wakeAt puts an item in the heap, or moves it there.
func (s *Scheduler) wakeAt(it *item, at time.Time) {
	it.at = at
	if it.index >= 0 {
		heap.Fix(&s.wakes, it.index)
	} else {
		heap.Push(&s.wakes, it)
	}
}

func (s *Scheduler) noWake(it *item) {
	if it.index >= 0 {
		heap.Remove(&s.wakes, it.index)
	}
}

// destOf finds or makes the queue of a hop.
func (s *Scheduler) destOf(h hop) *dest {
	d := s.dests[h]
	if d == nil {
		d = &dest{hop: h, ready: list.New()}
		s.dests[h] = d
	}
	return d
}

// adopt gives an item to the queue of its hop under the current policy.
func (s *Scheduler) adopt(it *item) {
	d := s.destOf(s.policy.hopOf(it.entry.Dest))
	if it.dest == d {
		return
	}
	if it.dest != nil {
		s.disown(it)
	}
	it.dest = d
	d.items++
}

// disown takes an item that is not busy out of its queue.
func (s *Scheduler) disown(it *item) {
	d := it.dest
	if it.elem != nil {
		d.ready.Remove(it.elem)
		it.elem = nil
	}
	d.items--
	it.dest = nil
	s.dropIfEmpty(d)
}

func (s *Scheduler) dropIfEmpty(d *dest) {
	if d.items == 0 && d.active == 0 && s.dests[d.hop] == d {
		delete(s.dests, d.hop)
	}
}

// rest makes an item wait: for its next attempt or, if sooner, for its
// time-out, when it expires or, if it was not tried yet, is tried.
func (s *Scheduler) rest(it *item) {
	it.phase = waiting
	at := it.next
	if exp := s.policy.expires(&it.entry); exp.Before(at) {
		at = exp
	}
	s.wakeAt(it, at)
}

// offer makes an item ready for a worker, waking or asking for one.
func (s *Scheduler) offer(it *item, front bool) {
	d := it.dest
	it.phase = ready
	if front {
		it.elem = d.ready.PushFront(it)
	} else {
		it.elem = d.ready.PushBack(it)
	}
	if it.tried {
		s.wakeAt(it, s.policy.expires(&it.entry))
	} else {
		s.noWake(it)
	}
	if n := len(d.idle); n > 0 && !s.paused {
		w := d.idle[n-1]
		s.unpark(w)
		w.bell <- true
		return
	}
	s.enqueue(d)
}

// hold marks an item busy.
func (s *Scheduler) hold(it *item) {
	if it.elem != nil {
		it.dest.ready.Remove(it.elem)
		it.elem = nil
	}
	s.noWake(it)
	it.phase = busy
	it.dest.busy++
	s.busy++
}

// enqueue puts a destination in the line for workers.
func (s *Scheduler) enqueue(d *dest) {
	if d.ready.Len() > 0 && !d.queued {
		d.queued = true
		s.line.PushBack(d)
	}
	s.signal()
}
