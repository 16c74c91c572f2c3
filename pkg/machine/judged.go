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
			return lookAgain(s), 0
		case Pass:
		}
		s.Phase, s.Timers = Asking, 1<<ExpiryTimer
		return s, s.Timers
	case KindAssert:
		if int(e.Guard) == st.Assert {
			switch e.Verdict {
			case Pass:
				return d.follow(s, OK)
			case Fails:
				return d.follow(s, Fail)
			case Unknown:
				return lookAgain(s), 0
			}
		}
	case KindEnd:
	}
	return s, 0
}

func (d *Def) judgedDo(s State, v Verdict) (State, uint8) {
	switch v {
	case Pass:
		return d.ready(s)
	case Fails:
		return d.follow(s, GuardFails)
	case Unknown:
	}
	if s.Attempt++; s.Attempt >= d.States[s.Cur].Do.Retry.Max {
		return d.follow(s, GuardFails)
	}
	return backOff(s)
}

// maxLooks is how often in a row a question or an assertion may be unknown.
const maxLooks = 5

// lookAgain stays, because what could not be observed is often only late; what
// stays unknown is for a person.
func lookAgain(s State) State {
	if s.Attempt++; s.Attempt >= maxLooks {
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
