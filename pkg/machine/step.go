package machine

import "math/bits"

// Begin is the state before the first event.
func (d *Def) Begin() State { return State{Cur: uint8(d.Start), Phase: Closed} }

// Step applies an event. It is total: an event that does not fit the state
// changes nothing. The actions are exactly d.Pending(next).
func (d *Def) Step(s State, e Event) (State, []Action) {
	next, _ := d.step(s, e)
	return next, d.Pending(next)
}

// Next is Step without the actions, for those who ask for them otherwise. It
// does not allocate.
func (d *Def) Next(s State, e Event) State {
	next, _ := d.step(s, e)
	return next
}

// Restarts returns the bits of the timers that an event starts, anew or for
// the first time. A shell folds it to learn since when each timer runs.
func (d *Def) Restarts(s State, e Event) uint8 {
	_, fresh := d.step(s, e)
	return fresh
}

// Outcome is how a run that is Closing or Closed ended.
func (d *Def) Outcome(s State) Outcome {
	switch {
	case s.Phase != Closing && s.Phase != Closed:
		return Open
	case s.Undoing:
		return Aborted
	}
	return d.States[s.Cur].End
}

// CanAbort reports whether everything done so far can be undone; if not, it
// names the state that was the point of no return.
func (d *Def) CanAbort(s State) (ok bool, beyond string) {
	for i := range d.States {
		if s.Changed&(1<<i) != 0 && d.States[i].Do.Undo.Kind == UndoImpossible {
			return false, d.States[i].ID
		}
	}
	return s.Phase != Closing && s.Phase != Closed, ""
}

func (d *Def) step(s State, e Event) (State, uint8) {
	switch e.Kind {
	case Opened:
		if s == d.Begin() {
			return d.enter(s, s.Cur)
		}
	case Resumed:
		return d.resume(s), 0
	case Judged:
		return d.judged(s, e)
	case IntentSet:
		if s.Phase == Ready {
			s.Phase = Intended
			s.Attempt++
			if !s.Undoing {
				s.Changed |= 1 << s.Cur
			}
		}
	case OutcomeIs:
		return d.outcome(s, e.Result)
	case Elapsed:
		return d.elapsed(s, e.Timer)
	case Moved:
		if s.Armed(StallTimer) {
			return s, 1 << StallTimer
		}
	case Answered:
		return d.answered(s, e)
	case Continue:
		return d.proceed(s)
	case Abort:
		if ok, _ := d.CanAbort(s); !ok || s == d.Begin() {
			break
		}
		s.Back = 0 // what is undone already goes on being undone
		if !s.Undoing {
			s.Undoing = true
			return d.nextUndo(s)
		}
	case ClosedRun:
		if s.Phase == Closing {
			s.Phase = Closed
		}
	}
	return s, 0
}

// enter starts the work of a state and says which timers start.
func (d *Def) enter(s State, cur uint8) (State, uint8) {
	st := &d.States[cur]
	s.Cur, s.Phase, s.Why = cur, Judging, OK
	s.Target, s.Attempt, s.Looks, s.Timers = 0, 0, 0, 0
	switch st.Kind {
	case KindDo:
		if len(st.Do.Targets) == 0 {
			return d.follow(s, OK)
		}
		if st.Do.Pre == Here {
			return d.ready(s)
		}
	case KindWait:
		s.Timers = 1 << TimeoutTimer
		if st.Wait.Metric != "" {
			s.Timers |= 1 << StallTimer
		}
	case KindApprove:
		if st.Approve.When == Here {
			s.Phase, s.Timers = Asking, 1<<ExpiryTimer
		}
	case KindAssert:
	case KindEnd:
		s.Phase = Closing
	}
	return s, s.Timers
}

// ready is what an effect comes to once its guard has passed. A restoration is
// the machine's own: it undoes everything, as an abort does, and comes back.
func (d *Def) ready(s State) (State, uint8) {
	if d.States[s.Cur].Do.Action == RunRestore {
		s.Undoing, s.Back = true, s.Cur+1
		return d.nextUndo(s)
	}
	s.Phase, s.Timers = Ready, 0
	return s, 0
}

// follow leaves the state with a result.
func (d *Def) follow(s State, r Result) (State, uint8) {
	return d.lead(s, r, d.States[s.Cur].Then[r])
}

func (d *Def) lead(s State, r Result, t Target) (State, uint8) {
	switch {
	case t >= 0:
		return d.enter(s, uint8(t))
	case t == ToReobserve:
		return d.enter(s, s.Cur)
	}
	s.Phase, s.Why, s.Timers = Operating, r, 0
	return s, 0
}

// resume voids what a dead runner knew but had not made durable: a guard that
// passed is judged again, an intent becomes a question.
func (d *Def) resume(s State) State {
	switch s.Phase {
	case Ready:
		if !s.Undoing && d.States[s.Cur].Do.Pre != Here {
			s.Phase = Judging
		}
	case Intended:
		s.Phase = Doubting
	case Judging, Doubting, Asking, Operating, Closing, Closed:
	}
	s.Timers &^= 1 << BackoffTimer
	return s
}

func (d *Def) outcome(s State, r EffectState) (State, uint8) {
	if s.Phase == Ready && r == Transient { // the value before could not be read
		s.Attempt++
		s.Phase = Intended
	}
	if s.Phase != Intended && s.Phase != Doubting {
		return s, 0
	}
	s.Timers &^= 1 << BackoffTimer
	do := d.States[s.Cur].Do
	last := s.Attempt >= do.Retry.Max
	switch r {
	case Done:
		return d.doneTarget(s)
	case Refused:
		return d.giveUp(s, Fail)
	case Overridden:
		return d.giveUp(s, Drift)
	case Transient:
		if last {
			return d.giveUp(s, Fail)
		}
		return backOff(d.again(s))
	case NotDone:
		if last {
			return d.giveUp(s, Unsure)
		}
		return d.again(s), 0
	case InDoubt:
	}
	if s.Phase == Intended {
		s.Phase = Doubting
		return s, 0
	}
	n, _ := do.Action.Nature()
	s, last = d.saw(s, do.Retry.Max)
	if last || n == Once {
		return d.giveUp(s, Unsure)
	}
	return backOff(s)
}

// again goes back to where the effect is decided, with the same key.
func (d *Def) again(s State) State {
	s.Phase, s.Looks = Judging, 0
	if s.Undoing || d.States[s.Cur].Do.Pre == Here {
		s.Phase = Ready
	}
	return s
}

func (d *Def) giveUp(s State, r Result) (State, uint8) {
	s.Looks = 0
	if s.Undoing {
		s.Phase, s.Why, s.Timers = Operating, r, 0
		return s, 0
	}
	if r == Drift { // only an undo can be overridden
		r = Unsure
	}
	return d.follow(s, r)
}

func (d *Def) doneTarget(s State) (State, uint8) {
	s.Attempt, s.Looks = 0, 0
	switch {
	case s.Undoing && s.Target > 0:
		s.Target--
		s.Phase = Ready
	case s.Undoing:
		s.Changed &^= 1 << s.Cur
		return d.nextUndo(s)
	case int(s.Target)+1 < len(d.States[s.Cur].Do.Targets):
		s.Target++
		s = d.again(s)
	default:
		return d.follow(s, OK)
	}
	return s, 0
}

func (d *Def) elapsed(s State, t Timer) (State, uint8) {
	if !s.Armed(t) {
		return s, 0
	}
	switch t {
	case HoldTimer:
		return d.follow(s, OK)
	case TimeoutTimer:
		return d.follow(s, Timeout)
	case StallTimer:
		return d.follow(s, Stall)
	case ExpiryTimer:
		return d.follow(s, Expired)
	case BackoffTimer, NumTimers:
	}
	s.Timers &^= 1 << t
	return s, 0
}

func (d *Def) answered(s State, e Event) (State, uint8) {
	if s.Phase != Asking {
		return s, 0
	}
	if e.Answer == RejectedAnswer {
		return d.follow(s, Rejected)
	}
	choices := d.States[s.Cur].Approve.Choices
	if int(e.Choice) >= len(choices) {
		return s, 0
	}
	c := choices[e.Choice]
	s.Grants |= c.Grants
	return d.lead(s, OK, c.Target)
}

// proceed is the operator's Continue: an effect in doubt is looked at first, a
// guard that was unknown is judged again, everything else starts its state anew.
func (d *Def) proceed(s State) (State, uint8) {
	switch {
	case s.Phase != Operating:
	case s.Undoing:
		s.Phase, s.Attempt = Ready, 0
	case d.States[s.Cur].Kind == KindDo && s.Why == Unsure && s.Looks == 0:
		s.Phase, s.Attempt = Doubting, 0
	case d.States[s.Cur].Kind == KindDo && s.Why == Unsure:
		return d.again(s), 0
	default:
		return d.enter(s, s.Cur)
	}
	return s, 0
}

// nextUndo turns to the newest effect that is still to be undone. Do-states
// are reached in the order of the file, so the highest bit is the newest. When
// nothing is left, an abort ends the run, and a restoration goes on with it.
func (d *Def) nextUndo(s State) (State, uint8) {
	s.Timers, s.Attempt, s.Looks, s.Why = 0, 0, 0, OK
	for s.Changed != 0 {
		i := bits.Len64(s.Changed) - 1
		do := d.States[i].Do
		if do.Undo.Kind == UndoRestore && len(do.Targets) > 0 {
			s.Cur, s.Phase, s.Target = uint8(i), Ready, uint8(len(do.Targets)-1)
			return s, 0
		}
		s.Changed &^= 1 << i
	}
	s.Phase, s.Target = Closing, 0
	if s.Back == 0 {
		return s, 0
	}
	s.Cur, s.Undoing, s.Back = s.Back-1, false, 0
	return d.follow(s, OK)
}
