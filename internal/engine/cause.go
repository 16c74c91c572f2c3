package engine

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"example.org/ims/pkg/guard"
	"example.org/ims/pkg/machine"
)

// Cause is what led a run to wait for its operator, in the words of the record
// that did: a failed effect's own, a guard's why and fix, what somebody said who
// rejected a question.
type Cause struct {
	At     time.Time `json:"at"`
	Target string    `json:"target,omitempty"` // of an effect
	Why    string    `json:"why"`
	Fix    string    `json:"fix,omitempty"`
}

// cause keeps what led to where a person is waited for, for as long as one is.
func (e *Engine) cause(before machine.State, r *machine.Record) {
	switch now := &e.hist.State; {
	case now.Phase != machine.Operating:
		e.led = nil
	case before.Phase != machine.Operating:
		e.led = e.because(before, r)
	}
}

// because is the cause that a record tells, nil if it tells none.
func (e *Engine) because(before machine.State, r *machine.Record) *Cause {
	d, st := &r.Detail, &e.opts.Book.Def.States[before.Cur]
	c := &Cause{At: r.At, Target: d.Target, Why: d.Why, Fix: d.Fix}
	switch r.Event.Kind {
	case machine.Judged:
		c.judged(st, e.opts.Book.Guards[r.Event.Guard], r)
	case machine.OutcomeIs:
		c.Why = cmp.Or(c.Why, fmt.Sprintf("nobody can say whether it happened: the attempt ended %s", r.Event.Result))
	case machine.Answered:
		c.Why = d.Actor + " rejected what was asked"
		if d.Comment != "" {
			c.Why += ": " + strings.TrimSpace(d.Comment)
		}
	case machine.Elapsed:
		c.elapsed(st, r.Event.Timer)
	case machine.Opened, machine.Resumed, machine.IntentSet, machine.Moved, machine.Continue, machine.Abort, machine.ClosedRun:
	}
	if c.Why == "" {
		return nil
	}
	return c
}

// judged is the cause of a guard that led here. One that passed says what must
// not be.
func (c *Cause) judged(st *machine.StateDef, all guard.All, r *machine.Record) {
	switch {
	case r.Event.Verdict == machine.Pass && len(all) > 0:
		c.Why, c.Fix = cmp.Or(c.Why, all[0].Why), cmp.Or(c.Fix, all[0].Fix)
	case r.Event.Verdict == machine.Unknown && len(r.Detail.Missing) > 0 && !strings.Contains(c.Why, unreadable):
		c.Why += unreadable + strings.Join(r.Detail.Missing, ", ")
	}
	if st.Kind == machine.KindApprove {
		c.Why = "whether this has to be asked cannot be said: " + c.Why
	}
}

// elapsed is the cause of a time that ran out.
func (c *Cause) elapsed(st *machine.StateDef, t machine.Timer) {
	switch {
	case t == machine.ExpiryTimer && st.Approve != nil:
		c.Why = fmt.Sprintf("nobody answered the question within %s", st.Approve.Expires)
	case t == machine.StallTimer && st.Wait != nil:
		c.Why = fmt.Sprintf("%s has not fallen for %s", st.Wait.Metric, st.Wait.Stall)
	case t == machine.TimeoutTimer:
		c.Why = "it takes longer than foreseen"
	}
}

// Because is the cause where nothing else in the status says the same: a
// condition that does not hold yet says it with its fix.
func (s *Status) Because() *Cause {
	if s.Cause == nil {
		return nil
	}
	for _, m := range s.Missing {
		if m.Why == s.Cause.Why {
			return nil
		}
	}
	return s.Cause
}

// Words are a cause in one line.
func (c *Cause) Words() string {
	if c.Target != "" {
		return c.Target + ": " + c.Why
	}
	return c.Why
}
