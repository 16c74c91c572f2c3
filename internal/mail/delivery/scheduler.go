package delivery

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/pkg/gateway"
)

// Scheduler delivers one gateway's entries. Its methods are safe for
// concurrent use. It owns its goroutines: one that keeps time, one that tells
// the store about expiries, and at most as many workers as connections may be
// open; Stop waits for all of them.
//
// An entry is tried at once, then after each interval of the retry list. It
// fails when accepted + its class's current time-out has passed and it was
// tried by this scheduler. When no host of a destination can be reached, all
// entries that were ready for it count as tried, and for the shortest interval
// of the list nothing else is tried there.
type Scheduler struct {
	opt Options

	mu       sync.Mutex
	policy   policy
	items    map[mail.ID]*item
	dests    map[hop]*dest
	wakes    wakeHeap
	line     *list.List // of *dest that want a worker
	idle     []*worker  // longest idle first
	seq      uint64
	active   int       // workers
	busy     int       // items
	finished []closing // for the settler
	paused   bool
	stopping bool

	wake    chan struct{}
	settle  chan struct{}
	quit    chan struct{}
	cancel  context.CancelFunc
	workers sync.WaitGroup
	keepers sync.WaitGroup
}

// New makes a scheduler and starts it. ctx bounds all its work, Stop ends it.
func New(ctx context.Context, opt Options) (*Scheduler, error) {
	if opt.Resolver == nil || opt.Store == nil || opt.Hostname == "" {
		return nil, errors.New("make delivery scheduler: resolver, store and hostname are required")
	}
	p, err := newPolicy(opt.Settings)
	if err != nil {
		return nil, fmt.Errorf("make delivery scheduler: %w", err)
	}
	opt.Limits = opt.Limits.withDefaults()
	if opt.Dial == nil {
		opt.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		}
	}
	if opt.Self == nil {
		opt.Self = func(Target) bool { return false }
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	s := &Scheduler{
		opt: opt, policy: p, items: map[mail.ID]*item{}, dests: map[hop]*dest{}, line: list.New(),
		wake: make(chan struct{}, 1), settle: make(chan struct{}, 1), quit: make(chan struct{}),
	}
	ctx, s.cancel = context.WithCancel(ctx)
	s.keepers.Go(func() { s.keepTime(ctx) })
	s.keepers.Go(func() { s.settleFinished(ctx) })
	return s, nil
}

// Add schedules an entry, whose Dest is the domain of its recipients or the
// routing address of a connected site. It does nothing if the entry is known
// or the scheduler stops. An entry that was tried before keeps its Next unless
// the retry list now gives an earlier one.
func (s *Scheduler) Add(e mail.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.items[e.ID] != nil || s.stopping || len(e.Rcpts) == 0 {
		return
	}
	s.seq++
	it := &item{entry: e, seq: s.seq, index: -1}
	s.items[e.ID] = it
	s.adopt(it)
	s.plan(it)
	s.rest(it)
	s.signal()
}

// plan sets an item's next attempt.
func (s *Scheduler) plan(it *item) {
	e := &it.entry
	it.next = e.Next
	if e.Attempts == 0 {
		return
	}
	d, ok := s.policy.interval(e.Attempts)
	if at := e.Tried.Add(d); !ok || it.next.IsZero() || at.Before(it.next) {
		it.next = at
	}
}

// Remove forgets an entry. It reports false if it is unknown or an attempt is
// under way, whose outcome will still be told.
func (s *Scheduler) Remove(id mail.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	it := s.items[id]
	if it == nil || it.phase == busy || it.unstored != nil {
		return false
	}
	s.noWake(it)
	s.disown(it)
	delete(s.items, id)
	return true
}

// Kick tries the waiting entries that match now, oldest first, and forgets
// that their destinations could not be reached. It returns how many it will
// try. sel.Limit of 0 is no limit; sel.Expect is ignored.
func (s *Scheduler) Kick(sel gateway.Selection) int {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	var chosen []*item
	for _, it := range s.byAge() {
		if sel.Limit > 0 && len(chosen) == sel.Limit {
			break
		}
		if it.phase == waiting && it.unstored == nil && it.matches(sel, now) {
			chosen = append(chosen, it)
		}
	}
	for _, it := range chosen {
		it.dest.down = time.Time{}
		it.next = now
		s.rest(it)
	}
	s.signal()
	return len(chosen)
}

func (it *item) matches(sel gateway.Selection, now time.Time) bool {
	e := &it.entry
	return (sel.Store == nil || *sel.Store == e.Store) &&
		(sel.ID == "" || sel.ID == string(e.ID) || sel.ID == string(e.Message)) &&
		(sel.Dest == "" || strings.EqualFold(sel.Dest, e.Dest) || strings.EqualFold(sel.Dest, it.dest.hop.host)) &&
		(sel.OlderThan == 0 || now.Sub(e.Accepted) > sel.OlderThan)
}

// Configure replaces the retry list, the time-outs and the hosts; the other
// settings are not delivery's. Queued entries follow: to another host, and to
// an earlier attempt or expiry. Nothing changes if it returns an error.
func (s *Scheduler) Configure(set gateway.Settings) error {
	p, err := newPolicy(set)
	if err != nil {
		return fmt.Errorf("configure delivery: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.policy = p
	for _, d := range s.dests {
		if latest := time.Now().Add(p.shortest()); d.down.After(latest) {
			d.down = latest
		}
	}
	for _, it := range s.byAge() {
		if it.phase == busy || it.unstored != nil {
			continue
		}
		s.adopt(it)
		switch {
		case it.phase == waiting:
			s.plan(it)
			s.rest(it)
		case it.elem == nil: // it was ready in another queue
			s.offer(it, false)
		case it.tried:
			s.wakeAt(it, p.expires(&it.entry))
		}
	}
	s.signal()
	return nil
}

// byAge lists all items, oldest first.
func (s *Scheduler) byAge() []*item {
	return slices.SortedFunc(maps.Values(s.items), func(a, b *item) int {
		return cmp.Or(a.entry.Accepted.Compare(b.entry.Accepted), cmp.Compare(a.entry.ID, b.entry.ID))
	})
}

// Pause begins no attempt and expires nothing until Resume. Attempts under way
// finish.
func (s *Scheduler) Pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = true
}

// Resume undoes Pause.
func (s *Scheduler) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = false
	for _, d := range s.dests {
		for n := len(d.idle); n > 0 && d.ready.Len() > 0; n = len(d.idle) {
			w := d.idle[n-1]
			s.unpark(w)
			w.bell <- true
		}
		s.enqueue(d)
	}
	s.signal()
}

// Stop ends the scheduler for good. Attempts under way may finish until ctx is
// done; then their connections are cut, and Stop returns an error that wraps
// ctx's. Recipients for which nothing was decided then stay as they were.
func (s *Scheduler) Stop(ctx context.Context) error {
	s.mu.Lock()
	first := !s.stopping
	s.stopping = true
	for len(s.idle) > 0 {
		s.evict()
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() { s.workers.Wait(); close(done) }()
	var err error
	select {
	case <-done:
	case <-ctx.Done():
		err = fmt.Errorf("stop delivery: %d attempts cut off: %w", s.InFlight(), context.Cause(ctx))
		s.cancel()
		<-done
	}
	if first {
		close(s.quit)
	}
	s.keepers.Wait()
	s.cancel()
	return err
}

// InFlight is the number of entries with an attempt under way or an outcome
// on its way to the store.
func (s *Scheduler) InFlight() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.busy
}

// Len is the number of entries it has.
func (s *Scheduler) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.items)
}

// signal wakes the time keeper.
func (s *Scheduler) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
