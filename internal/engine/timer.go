package engine

import (
	"context"
	"time"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
)

// timers lets what has run out elapse, or waits for the next look. What must
// hold for a time must hold at the look that ends it, too: a runner that died
// in between may have missed its end, and cannot see now whether it holds.
func (e *Engine) timers(ctx context.Context) error {
	if err := e.moved(ctx); err != nil {
		return err
	}
	for t := range machine.NumTimers {
		if e.hist.State.Armed(t) && e.remaining(t) <= 0 && (t != machine.HoldTimer || e.passing) {
			return e.append(ctx, record(machine.Elapsed, machine.Event{Timer: t}, machine.Detail{State: e.state().ID}))
		}
	}
	return e.wait(ctx)
}

func (e *Engine) state() *machine.StateDef { return &e.opts.Book.Def.States[e.hist.State.Cur] }

// remaining is how long an armed timer still runs. The hold timer earns only
// what was observed; a time-out that follows a clock fact begins when that
// fact becomes true.
func (e *Engine) remaining(t machine.Timer) time.Duration {
	d := e.opts.Book.Def.Duration(e.hist.State, t)
	if t == machine.HoldTimer {
		return d - e.hist.Earned
	}
	since := e.hist.Started[t]
	if p := e.hist.Paused; p != nil { // the clock stood still since
		since = since.Add(max(e.now().Sub(later(p.Since, since)), 0))
	}
	if t == machine.TimeoutTimer && e.pending.After(since) {
		since = e.pending
	}
	if t == machine.StallTimer && e.metric.since.After(since) {
		since = e.metric.since
	}
	return d - e.now().Sub(since)
}

// now is the time as of which the run is told.
func (e *Engine) now() time.Time {
	if e.opts.At.IsZero() {
		return time.Now()
	}
	return e.opts.At
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// metric is what the looks of this wait, in this life of the runner, have shown
// of the count whose standstill is a stall.
type metric struct {
	seen   bool        // it was known at a look
	min    facts.Value // the least that it was
	since  time.Time   // since when it stands still; looks that told nothing push it on
	looked time.Time   // the last look
	blind  bool        // which told nothing
}

// look takes in a look and reports whether the count fell, or is zero. Time in
// which nobody could count is not time in which nothing moved: a gap makes no
// stall, and one that lasts is for the time-out, which follows the wall clock.
func (m *metric) look(v facts.Value, now time.Time) (fell bool) {
	switch {
	case m.looked.IsZero():
		m.since = now
	case m.blind || v == facts.Unknown:
		m.since = m.since.Add(now.Sub(m.looked))
	}
	m.looked, m.blind = now, v == facts.Unknown
	if m.blind || (m.seen && v != 0 && v >= m.min) {
		return false
	}
	fell = m.seen
	m.seen, m.min, m.since = true, v, now
	return fell
}

// moved notices that the stall metric fell, or is zero, and that a clock fact
// which a time-out follows is not true yet. It journals a fall at most four
// times within the stall time, since all it does is to start that anew.
func (e *Engine) moved(ctx context.Context) error {
	w := e.state().Wait
	if w == nil || !e.observed {
		return nil
	}
	now := e.last.At
	if id, ok := facts.Lookup(w.Derived); ok && e.last.Facts[id].Value == 0 { // unknown for long is for a person
		e.pending = now
	}
	id, ok := facts.Lookup(w.Metric)
	if !ok || !e.hist.State.Armed(machine.StallTimer) {
		return nil
	}
	v := e.last.Facts[id].Value
	if !e.metric.look(v, now) || now.Sub(e.hist.Started[machine.StallTimer]) < w.Stall/4 {
		return nil
	}
	return e.append(ctx, record(machine.Moved, machine.Event{}, machine.Detail{State: e.state().ID, Facts: map[string]string{id.String(): id.Format(v)}}))
}

// wait sleeps until the next poll, the next timer or a command. What was heard
// during the last look does not wait.
func (e *Engine) wait(ctx context.Context) error {
	if e.told != nil {
		return nil
	}
	d := e.poll()
	for t := range machine.NumTimers {
		if e.hist.Paused == nil && e.hist.State.Armed(t) && (t != machine.HoldTimer || e.passing) {
			d = min(d, max(e.remaining(t), time.Millisecond))
		}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	e.publish()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	case c := <-e.commands:
		c.reply <- e.obey(ctx, c.Command)
		return nil
	}
}

// poll is how often the world is observed in this state.
func (e *Engine) poll() time.Duration {
	if w := e.state().Wait; w != nil {
		return w.Poll
	}
	if d, ok := e.opts.Book.Duration("poll"); ok && d > 0 {
		return d
	}
	return 30 * time.Second
}
