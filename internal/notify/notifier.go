package notify

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"time"
)

// FileName is the name of the file of notifications in a state directory.
const FileName = "notify.jsonl"

// Pace of what a target did not take: after first, twice as long each time, up
// to last; and for how long at all.
const (
	firstRetry = time.Second
	lastRetry  = 5 * time.Minute
	giveUp     = 24 * time.Hour
)

// inOrder is how often a target may refuse one thing before what came later is
// told first.
const inOrder = 3

// Options of a Notifier.
type Options struct {
	Dir     string // state directory
	Targets []Target
	Digest  time.Duration // how often a soak is told of; 0 is never
	Log     *slog.Logger
}

// Notifier tells targets. It is safe for concurrent use; each target is told in
// order, but for what it refuses again and again, and a slow one holds up no
// other.
type Notifier struct {
	opts    Options
	mu      sync.Mutex
	box     *outbox
	more    map[string]chan struct{}       // by target: something was added
	told    chan struct{}                  // closed and replaced whenever a target was told
	refused map[string]map[string]*refusal // by target and id
}

// refusal is what a target did not take so far.
type refusal struct {
	since time.Time // of the first attempt of this process
	tries int
	next  time.Time // not before
	pause time.Duration
	why   string // at the last attempt
}

// Open reads what is still to be told. Close it after Run has returned.
func Open(o Options) (*Notifier, error) {
	box, err := openOutbox(filepath.Join(o.Dir, FileName))
	if err != nil {
		return nil, err
	}
	if box.bad > 0 {
		o.Log.Warn("notifications that could not be read are dropped", "lines", box.bad, "file", FileName)
	}
	n := &Notifier{opts: o, box: box, more: map[string]chan struct{}{}, told: make(chan struct{}), refused: map[string]map[string]*refusal{}}
	for _, t := range o.Targets {
		n.more[t.Name], n.refused[t.Name] = make(chan struct{}, 1), map[string]*refusal{}
	}
	return n, nil
}

// Close releases the file.
func (n *Notifier) Close() error { return n.box.close() }

// Digest is how often a soak is told of.
func (n *Notifier) Digest() time.Duration { return n.opts.Digest }

// Knows reports whether anything was ever noted of a run that is not forgotten.
func (n *Notifier) Knows(run string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.box.knows(run)
}

// Tell notes durably what people are to be told. What was noted before is not
// told again. It does not wait for any target.
func (n *Notifier) Tell(notes []Notification) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, note := range notes {
		var targets []string
		for i := range n.opts.Targets {
			if t := &n.opts.Targets[i]; t.Wants(note.Kind) {
				targets = append(targets, t.Name)
			}
		}
		added, err := n.box.add(targets, note)
		if err != nil {
			return err
		}
		for _, target := range added {
			select {
			case n.more[target] <- struct{}{}:
			default:
			}
		}
	}
	return nil
}

// Run tells targets until ctx is done.
func (n *Notifier) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for i := range n.opts.Targets {
		wg.Go(func() { n.serve(ctx, &n.opts.Targets[i]) })
	}
	wg.Wait()
}

// Drain waits until every target was told everything, or ctx is done.
func (n *Notifier) Drain(ctx context.Context) {
	for {
		left, told := n.left()
		if left == 0 {
			return
		}
		select {
		case <-told:
		case <-ctx.Done():
			return
		}
	}
}

// left is how much is still to be told, and a channel that is closed when it
// changes.
func (n *Notifier) left() (int, <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	left := 0
	for _, t := range n.opts.Targets {
		left += len(n.box.pending[t.Name])
	}
	return left, n.told
}

func (n *Notifier) serve(ctx context.Context, t *Target) {
	for {
		note, wait, ok := n.next(t.Name, time.Now())
		if ok {
			if !n.attempt(ctx, t, note) {
				return
			}
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-n.more[t.Name]:
		case <-timer.C:
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// next is what a target is to be told now: the oldest, unless it was refused
// and its time has not come. It says how long to wait if there is nothing.
func (n *Notifier) next(target string, now time.Time) (note Notification, wait time.Duration, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	wait = giveUp
	for _, one := range n.box.pending[target] {
		r := n.refused[target][one.ID]
		if r == nil || !now.Before(r.next) {
			return one, 0, true
		}
		if wait = min(wait, r.next.Sub(now)); r.tries < inOrder {
			break
		}
	}
	return Notification{}, wait, false
}

// attempt tells a target once. It reports false if ctx ended first.
func (n *Notifier) attempt(ctx context.Context, t *Target, note Notification) bool {
	note.Attempt++
	n.try(t.Name, note.ID)
	err := t.send(ctx, note)
	switch {
	case err == nil:
		n.done(t.Name, note.ID, "")
	case ctx.Err() != nil:
		return false
	default:
		n.refuse(t.Name, note, err)
	}
	return true
}

// refuse notes that a target did not take something, for good after a day.
func (n *Notifier) refuse(target string, note Notification, err error) {
	now := time.Now()
	n.mu.Lock()
	r := n.refused[target][note.ID]
	if r == nil {
		r = &refusal{since: now, pause: firstRetry}
		n.refused[target][note.ID] = r
	} else {
		r.pause = min(2*r.pause, lastRetry)
	}
	r.tries, r.next, r.why = r.tries+1, now.Add(r.pause), err.Error()
	over, pause := now.Sub(r.since) >= giveUp, r.pause
	n.mu.Unlock()
	if over {
		n.opts.Log.Error("nobody was told", "target", target, "id", note.ID, "err", err)
		n.done(target, note.ID, err.Error())
		return
	}
	n.opts.Log.Warn("target not told", "target", target, "id", note.ID, "attempt", note.Attempt, "again_in", pause, "err", err)
}

// try notes that a target is about to be told, so that a repetition after a
// crash says that it may be one.
func (n *Notifier) try(target, id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.box.tried(target, id); err != nil {
		n.opts.Log.Error("attempt not noted", "target", target, "id", id, "err", err)
	}
}

func (n *Notifier) done(target, id, gaveUp string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.told)
	n.told = make(chan struct{})
	delete(n.refused[target], id)
	if err := n.box.told(target, id, gaveUp); err != nil {
		n.opts.Log.Error("not noted that a target was told, which may be told again", "target", target, "id", id, "err", err)
	}
}

// Result is how a target took a test.
type Result struct {
	Target string `json:"target"`
	Error  string `json:"error,omitempty"`
}

// Try tells each target a test, once, and says how it took it.
func Try(ctx context.Context, targets []Target) []Result {
	out := make([]Result, len(targets))
	var wg sync.WaitGroup
	for i := range targets {
		wg.Go(func() {
			out[i].Target = targets[i].Name
			if err := targets[i].send(ctx, example("test/test/"+time.Now().UTC().Format("20060102T150405.000"))); err != nil {
				out[i].Error = err.Error()
			}
		})
	}
	wg.Wait()
	return out
}
