package engine

import (
	"strconv"
	"strings"
	"time"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/guard"
	"example.org/ims/pkg/machine"
)

// Status is what a run shows of itself.
type Status struct {
	Run     string            `json:"run"`
	Runbook string            `json:"runbook"`
	Gateway string            `json:"gateway"`
	Next    string            `json:"successor"`
	State   string            `json:"state"`
	Title   string            `json:"title"`
	Index   int               `json:"index"` // of State: machine.Def.Number
	States  int               `json:"states"`
	Phase   string            `json:"phase"`
	Undoing bool              `json:"undoing"`
	Paused  *machine.Pause    `json:"paused,omitempty"`
	Why     string            `json:"why,omitempty"`   // waiting for operator: the result that led there
	Cause   *Cause            `json:"cause,omitempty"` // and the reason for it
	Missing []Missing         `json:"missing,omitempty"`
	Asked   *machine.Detail   `json:"asked,omitempty"`
	Moot    string            `json:"moot,omitempty"` // asked: the conditions of the question that do not hold any more
	Choices []machine.Choice  `json:"choices,omitempty"`
	Min     int               `json:"min,omitempty"`      // people who must agree
	Votes   []string          `json:"votes,omitempty"`    // who has
	NotSelf bool              `json:"not_self,omitempty"` // whoever opened the run may not
	Ends    time.Time         `json:"ends,omitzero"`      // earliest end of the current wait
	Limit   time.Time         `json:"limit,omitzero"`
	Expires time.Time         `json:"expires,omitzero"` // earliest time at which no cache can hold the old MX
	Action  Action            `json:"action"`
	Seen    time.Time         `json:"seen"`           // age of the data
	Stale   time.Time         `json:"stale,omitzero"` // from then on it is old: looks were due that saw nothing
	Opened  time.Time         `json:"opened"`
	Resumes int               `json:"resumes"`
	Facts   map[string]string `json:"facts"`
	Ledger  map[string]int64  `json:"ledger,omitempty"`
	Notes   []string          `json:"notes,omitempty"`
	Visits  []machine.Visit   `json:"visits"`
	Changed []string          `json:"changed,omitempty"` // states whose effect was intended and not undone
	Outcome string            `json:"outcome"`
}

// Missing is a condition that does not hold yet.
type Missing struct {
	That    string `json:"that"`
	Verdict string `json:"verdict"`
	Why     string `json:"why"`
	Fix     string `json:"fix"`
}

// Status returns the latest status.
func (e *Engine) Status() Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.status
}

// Subscribe returns a channel of statuses, the newest replacing one that was
// not taken, and a function that ends it.
func (e *Engine) Subscribe() (<-chan Status, func()) {
	ch := make(chan Status, 1)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.subs[ch] = true
	ch <- e.status
	return ch, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.subs, ch)
	}
}

func (e *Engine) publish() {
	s := e.snapshot()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.status = s
	for ch := range e.subs {
		select {
		case <-ch:
		default:
		}
		ch <- s
	}
}

func (e *Engine) snapshot() Status {
	def, st := e.opts.Book.Def, e.state()
	s := Status{
		Run: e.opts.Run.ID, Runbook: def.Name, Gateway: e.opts.Book.Bound.Gateway, Next: e.opts.Book.Bound.Successor,
		State: st.ID, Title: st.Title, Index: def.Number(int(e.hist.State.Cur)), States: len(def.States),
		Phase: e.hist.State.Phase.String(), Undoing: e.hist.State.Undoing,
		Opened: e.look.Opened, Resumes: e.hist.Resumes, Facts: map[string]string{}, Expires: e.expires(),
		Visits: append([]machine.Visit(nil), e.hist.Visits...), Outcome: def.Outcome(e.hist.State).String(),
		Seen: e.seen(), Notes: e.last.Notes, Paused: e.hist.Paused,
	}
	if e.hist.Asked != nil {
		asked := *e.hist.Asked
		asked.Comment = e.asks()
		s.Asked, s.Moot, s.Choices = &asked, e.moot(), st.Approve.Choices
		s.Min, s.NotSelf = int(st.Approve.Min), st.Approve.NotSelf
		for _, v := range e.hist.Votes {
			s.Votes = append(s.Votes, v.Actor)
		}
	}
	for i := range def.States {
		if e.hist.State.Changed&(1<<i) != 0 {
			s.Changed = append(s.Changed, def.States[i].ID)
		}
	}
	if e.hist.State.Phase == machine.Operating {
		s.Why, s.Cause = e.hist.State.Why.String(), e.led
	}
	for k, v := range e.hist.Facts {
		switch name, count := strings.CutPrefix(k, countPrefix); {
		case count:
			if s.Ledger == nil {
				s.Ledger = map[string]int64{}
			}
			s.Ledger[name], _ = strconv.ParseInt(v, 10, 64) // it was written by us
		case k != expiresKey && !strings.HasPrefix(k, memoryPrefix):
			s.Facts[k] = v
		}
	}
	vector := e.vector()
	s.Missing = e.missing(st, &vector)
	s.Ends, s.Limit = e.ends()
	s.Action = e.ahead(&vector)
	if !s.Seen.IsZero() && e.hist.State.Phase != machine.Closed {
		s.Stale = s.Seen.Add(max(lateLooks*e.poll(), hangs))
	}
	return s
}

// What was observed is old after a few looks that were due, and not before a
// look may be over that waits for whoever hangs.
const (
	lateLooks = 3
	hangs     = 10 * time.Second
)

// vector is what was observed last, by this engine or by one before it.
func (e *Engine) vector() facts.Vector {
	if e.observed {
		return e.last.Facts.Vector()
	}
	v := facts.UnknownVector()
	for _, id := range facts.All() {
		if text, ok := e.hist.Facts[id.String()]; ok {
			if value, err := id.Parse(text); err == nil {
				v[id] = value
			}
		}
	}
	return v
}

// seen is when the world was observed last.
func (e *Engine) seen() time.Time {
	if e.observed {
		return e.last.At
	}
	return e.hist.Seen
}

// entered is when the current state was.
func (e *Engine) entered() time.Time {
	if n := len(e.hist.Visits); n > 0 {
		return e.hist.Visits[n-1].Entered
	}
	return time.Time{}
}

// missing lists the conditions of the current state that do not hold.
func (e *Engine) missing(st *machine.StateDef, v *facts.Vector) []Missing {
	var all guard.All
	switch {
	case st.Do != nil && st.Do.Pre != machine.Here:
		all = e.opts.Book.Guards[st.Do.Pre]
	case st.Wait != nil:
		all = e.opts.Book.Guards[st.Wait.Until]
	case st.Kind == machine.KindAssert:
		all = e.opts.Book.Guards[st.Assert]
	}
	if e.hist.State.Undoing || e.seen().Before(e.entered()) {
		return nil // nothing was observed in this state yet
	}
	var out []Missing
	for _, f := range all.Findings(v) {
		if f.Verdict != machine.Pass {
			out = append(out, Missing{f.Guard.Expr, f.Verdict.String(), f.Guard.Why + e.unread(f.Missing), f.Guard.Fix})
		}
	}
	return out
}

// unread says which facts could not be observed, and why if this engine saw it.
func (e *Engine) unread(ids []facts.ID) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = id.String()
		if e.observed && e.last.Facts[id].Why != "" {
			words[i] += ": " + e.last.Facts[id].Why
		}
	}
	if len(words) == 0 {
		return ""
	}
	return unreadable + strings.Join(words, ", ")
}

// unreadable goes before the facts that could not be observed.
const unreadable = "; cannot be observed: "

// ends is the earliest time at which the current wait can be over, and the
// time at which a person is asked instead. A wait that follows a clock fact
// begins when that can be true.
func (e *Engine) ends() (earliest, limit time.Time) {
	s, st := e.hist.State, e.state()
	if st.Wait == nil || s.Phase != machine.Judging {
		if s.Armed(machine.ExpiryTimer) {
			limit = e.now().Add(e.remaining(machine.ExpiryTimer))
		}
		return earliest, limit
	}
	begins, remaining := e.now(), e.remaining(machine.TimeoutTimer)
	if due := e.expires(); st.Wait.Derived != "" && due.After(begins) {
		begins, remaining = due, e.opts.Book.Def.Duration(s, machine.TimeoutTimer)
	}
	earliest, limit = begins.Add(st.Wait.For), begins.Add(remaining)
	if s.Armed(machine.HoldTimer) {
		earliest = e.now().Add(e.remaining(machine.HoldTimer))
	}
	return earliest, limit
}
