package trace

import (
	"fmt"
	"time"

	"example.org/ims/internal/strictyaml"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// limit is how many events a step may cause; a runbook that needs more goes in
// a circle.
const limit = 1000

// walker is the shell of a trace: it answers what the machine asks from the
// trace, and keeps the time.
type walker struct {
	book    *runbook.Book
	def     *machine.Def
	state   machine.State
	facts   facts.Vector
	effects map[string][]string // what is left of Trace.Effects
	changes Changes

	now     time.Duration // since the run was opened
	started [machine.NumTimers]time.Duration
	earned  time.Duration // by the hold timer
	passing bool          // the condition of the current wait held at the last look
	pending time.Duration // when the clock fact that a time-out follows was last false
	fell    time.Duration // when the stall metric last fell, or was zero
	lowest  facts.Value   // of the stall metric, in this wait

	log     []string // what was entered in this step
	visited []string // the states of all steps
}

func (w *walker) id() string { return w.def.States[w.state.Cur].ID }

// apply steps the machine and logs what it enters.
func (w *walker) apply(e machine.Event) {
	before := w.state
	fresh := w.def.Restarts(before, e)
	w.state = w.def.Next(before, e)
	for t := range machine.NumTimers {
		if fresh&(1<<t) != 0 {
			w.started[t] = w.now
		}
	}
	if fresh&(1<<machine.HoldTimer) != 0 {
		w.earned = 0
	}
	entered := e.Kind == machine.Opened || w.state.Cur != before.Cur || w.state.Undoing != before.Undoing
	if entered {
		w.pending, w.fell, w.passing = w.now, w.now, false
		w.lowest = facts.Unknown
	}
	switch {
	case w.state.Phase == machine.Closing && w.state.Undoing, w.state.Phase == machine.Closed:
	case entered && w.state.Undoing:
		w.log = append(w.log, "undo "+w.id())
	case entered:
		w.log = append(w.log, w.id())
		w.visited = append(w.visited, w.id())
	}
	if w.state.Phase == machine.Operating && before.Phase != machine.Operating {
		w.log = append(w.log, fmt.Sprintf("operator (%s)", w.state.Why))
	}
}

// see changes facts.
func (w *walker) see(m strictyaml.Map[strictyaml.Text]) {
	for _, e := range m {
		id, _ := facts.Lookup(e.Key.Value)
		v, err := id.Parse(e.Value.Value)
		if err != nil {
			continue // Load has refused it
		}
		w.facts[id] = v
	}
}

// settle answers the machine until it waits for time, a person or the world.
// One look is taken at a wait, a question or an assertion that stays.
func (w *walker) settle() {
	for range limit {
		actions := w.def.Pending(w.state)
		if len(actions) == 0 {
			return
		}
		before := w.state
		switch a := actions[0]; a.Kind {
		case machine.Judge:
			w.judge(actions)
			if w.state == before || w.state.Phase == machine.Judging && w.state.Cur == before.Cur {
				return
			}
		case machine.Intend:
			w.apply(machine.Event{Kind: machine.IntentSet})
		case machine.Perform, machine.Reobserve:
			w.effect()
		case machine.Close:
			w.apply(machine.Event{Kind: machine.ClosedRun})
		case machine.Ask, machine.Arm, machine.Operate:
			return
		}
	}
}

// judge answers the guards that are asked for, drift first.
func (w *walker) judge(actions []machine.Action) {
	for i := range facts.GrantNames() {
		w.facts[facts.GrantFact(i)] = facts.Bool(w.state.Granted(i))
	}
	before := w.state
	for _, a := range actions {
		if a.Kind != machine.Judge || w.state.Cur != before.Cur {
			continue
		}
		verdict := w.book.Guards[a.Guard].Eval(&w.facts).Verdict
		if wait := w.def.States[before.Cur].Wait; wait != nil && int(a.Guard) == wait.Until {
			w.passing = verdict == machine.Pass
		}
		w.apply(machine.Event{Kind: machine.Judged, Guard: a.Guard, Verdict: verdict})
	}
	w.watch()
}

// effect lets the current effect end as the trace says: well, if it says
// nothing.
func (w *walker) effect() {
	left, result := w.effects[w.id()], machine.Done
	if len(left) > 0 {
		w.effects[w.id()] = left[1:]
		if left[0] == crash {
			w.apply(machine.Event{Kind: machine.Resumed})
			return
		}
		for r := range machine.Overridden + 1 {
			if r.String() == left[0] {
				result = r
			}
		}
	}
	do := w.def.States[w.state.Cur].Do
	last := do == nil || int(w.state.Target) == len(do.Targets)-1
	for _, c := range w.changes {
		if result == machine.Done && last && !w.state.Undoing && c.Key.Value == w.id() {
			w.see(c.Value)
		}
	}
	w.apply(machine.Event{Kind: machine.OutcomeIs, Result: result})
}

// watch notices a clock fact that is not true yet, and a stall metric that
// fell or is zero.
func (w *walker) watch() {
	wait := w.def.States[w.state.Cur].Wait
	if wait == nil {
		return
	}
	if id, ok := facts.Lookup(wait.Derived); ok && w.facts[id] != 1 {
		w.pending = w.now
	}
	id, ok := facts.Lookup(wait.Metric)
	if !ok {
		return
	}
	if v := w.facts[id]; v != facts.Unknown && (v == 0 || w.lowest == facts.Unknown || v < w.lowest) {
		w.lowest, w.fell = v, w.now
	}
}

// next finds the timer that runs out first, until a moment.
func (w *walker) next(until time.Duration) (first machine.Timer, at time.Duration, ok bool) {
	wait := w.def.States[w.state.Cur].Wait
	for t := range machine.NumTimers {
		if !w.state.Armed(t) {
			continue
		}
		since := w.started[t]
		switch t {
		case machine.HoldTimer:
			if !w.passing {
				continue
			}
			since = w.now - w.earned
		case machine.TimeoutTimer:
			if id, follows := facts.Lookup(wait.Derived); follows && w.facts[id] != 1 {
				continue
			}
			since = max(since, w.pending)
		case machine.StallTimer:
			if id, _ := facts.Lookup(wait.Metric); w.facts[id] == 0 {
				continue
			}
			since = max(since, w.fell)
		case machine.ExpiryTimer, machine.BackoffTimer, machine.NumTimers:
		}
		if due := max(since+w.def.Duration(w.state, t), w.now); due <= until && (!ok || due < at) {
			first, at, ok = t, due, true
		}
	}
	return first, at, ok
}

// advance moves the clock.
func (w *walker) advance(to time.Duration) {
	if w.state.Armed(machine.HoldTimer) && w.passing {
		w.earned += to - w.now
	}
	w.now = to
	w.watch()
}

// judged says what the guards of the current state answer.
func (w *walker) judged() []string {
	var lines []string
	for _, a := range w.def.Pending(w.state) {
		if a.Kind != machine.Judge {
			continue
		}
		for _, f := range w.book.Guards[a.Guard].Findings(&w.facts) {
			lines = append(lines, fmt.Sprintf("%s: %s", f.Guard.Expr, f.Verdict))
		}
	}
	return lines
}
