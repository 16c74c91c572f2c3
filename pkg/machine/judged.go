package machine

func (d *Def) judged(s State, e Event) (State, uint8) {
	if s.Phase != Judging || s.Undoing {
		return s, 0
	}
	st := &d.States[s.Cur]
	switch st.Kind {
	case KindDo:
		if int(e.Guard) == st.Do.Pre {
			return d.judgedDo(s, e.Verdict)
		}
	case KindWait:
		return d.judgedWait(s, e)
	case KindApprove:
		if int(e.Guard) != st.Approve.When {
			break
		}
		switch e.Verdict {
		case Fails: // the question does not apply: nothing is granted
			return d.follow(s, OK)
		case Unknown:
			return d.lookAgain(s), 0
		case Pass:
		}
		s.Phase, s.Looks, s.Timers = Asking, 0, 1<<ExpiryTimer
		return s, s.Timers
	case KindAssert:
		if int(e.Guard) == st.Assert {
			switch e.Verdict {
			case Pass:
				return d.follow(s, OK)
			case Fails:
				return d.follow(s, Fail)
			case Unknown:
				return d.lookAgain(s), 0
			}
		}
	case KindEnd:
	}
	return s, 0
}

// judgedDo moves an effect whose guard was judged. A guard that stays unknown
// has not failed: then.guard leads back, often to a soak of days, which nothing
// that was seen has voided. It ends the state with "unknown", as an effect does
// of which nobody can say whether it happened; nothing was done and nothing is
// given up, and once a person lets the run go on it is judged again in place.
func (d *Def) judgedDo(s State, v Verdict) (State, uint8) {
	switch v {
	case Pass:
		s.Looks = 0
		return d.ready(s)
	case Fails:
		return d.follow(s, GuardFails)
	case Unknown:
	}
	s, last := d.saw(s, d.States[s.Cur].Do.Retry.Max)
	switch {
	case !last:
		return backOff(s)
	case d.Core == coreOne:
		return d.follow(s, GuardFails)
	case s.Attempt > 0: // an effect that was tried is looked at before all else
		s.Looks = 0
	}
	return d.follow(s, Unsure)
}

// saw counts a look that told nothing, and reports whether it was the last of
// the most that there may be in a row. Looks are no attempts: what could not be
// observed for a while may still be tried as often as before.
func (d *Def) saw(s State, most uint8) (next State, last bool) {
	if d.Core == coreOne {
		s.Attempt++
		return s, s.Attempt >= most
	}
	s.Looks++
	return s, s.Looks >= most
}

// maxLooks is how often in a row a question or an assertion may be unknown.
const maxLooks = 5

// lookAgain stays, because what could not be observed is often only late; what
// stays unknown is for a person.
func (d *Def) lookAgain(s State) State {
	s, last := d.saw(s, maxLooks)
	if last {
		s.Phase, s.Why, s.Timers = Operating, Unsure, 0
	}
	return s
}

// judgedWait moves a wait. What must stay true is not known to be false when it
// is unknown: the hold timer runs on, and the shell credits it nothing.
func (d *Def) judgedWait(s State, e Event) (State, uint8) {
	w := d.States[s.Cur].Wait
	switch {
	case int(e.Guard) == w.Drift:
		if e.Verdict == Pass {
			return d.follow(s, Drift)
		}
	case int(e.Guard) != w.Until:
	case e.Verdict == Fails:
		s.Timers &^= 1 << HoldTimer
	case e.Verdict == Unknown:
	case w.For == 0:
		return d.follow(s, OK)
	case !s.Armed(HoldTimer):
		s.Timers |= 1 << HoldTimer
		return s, 1 << HoldTimer
	}
	return s, 0
}

func backOff(s State) (State, uint8) {
	s.Timers |= 1 << BackoffTimer
	return s, 1 << BackoffTimer
}
