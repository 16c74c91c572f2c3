package machine

// Pending is what the shell has to do in a state. It is a function of the
// state alone, so actions that were lost in a crash are asked again.
func (d *Def) Pending(s State) []Action {
	switch s.Phase {
	case Closed:
		return nil
	case Closing:
		return []Action{{Kind: Close, State: s.Cur}}
	case Operating:
		return []Action{{Kind: Operate, State: s.Cur}}
	case Asking:
		return []Action{{Kind: Ask, State: s.Cur}, {Kind: Arm, State: s.Cur, Timer: ExpiryTimer}}
	case Judging, Ready, Intended, Doubting:
	}
	if s.Armed(BackoffTimer) {
		return []Action{{Kind: Arm, State: s.Cur, Timer: BackoffTimer}}
	}
	effect := Action{State: s.Cur, Target: s.Target, Undo: s.Undoing}
	switch s.Phase {
	case Ready:
		effect.Kind = Intend
		return []Action{effect}
	case Intended:
		effect.Kind = Perform
		return []Action{effect}
	case Doubting:
		effect.Kind = Reobserve
		return []Action{effect}
	case Judging, Asking, Operating, Closing, Closed:
	}
	return d.judging(s)
}

func (d *Def) judging(s State) []Action {
	st := &d.States[s.Cur]
	judge := func(g int) Action { return Action{Kind: Judge, State: s.Cur, Guard: uint8(g)} }
	switch st.Kind {
	case KindDo:
		return []Action{judge(st.Do.Pre)}
	case KindApprove:
		return []Action{judge(st.Approve.When)}
	case KindAssert:
		return []Action{judge(st.Assert)}
	case KindWait:
	case KindEnd:
		return nil
	}
	var actions []Action
	if st.Wait.Drift != Here {
		actions = append(actions, judge(st.Wait.Drift))
	}
	actions = append(actions, judge(st.Wait.Until))
	for t := range NumTimers {
		if s.Armed(t) {
			actions = append(actions, Action{Kind: Arm, State: s.Cur, Timer: t})
		}
	}
	return actions
}
