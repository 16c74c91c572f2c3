package machine

// Pending is what the shell has to do in a state. It is a function of the
// state alone, so actions that were lost in a crash are asked again.
func (d *Def) Pending(s State) []Action { return d.AppendPending(nil, s) }

// AppendPending appends what Pending returns; it allocates only if buf is too
// small.
func (d *Def) AppendPending(buf []Action, s State) []Action {
	switch s.Phase {
	case Closed:
		return buf
	case Closing:
		return append(buf, Action{Kind: Close, State: s.Cur})
	case Operating:
		return append(buf, Action{Kind: Operate, State: s.Cur})
	case Asking:
		return append(buf, Action{Kind: Ask, State: s.Cur}, Action{Kind: Arm, State: s.Cur, Timer: ExpiryTimer})
	case Judging, Ready, Intended, Doubting:
	}
	if s.Armed(BackoffTimer) {
		return append(buf, Action{Kind: Arm, State: s.Cur, Timer: BackoffTimer})
	}
	effect := Action{State: s.Cur, Target: s.Target, Undo: s.Undoing}
	switch s.Phase {
	case Ready:
		effect.Kind = Intend
		return append(buf, effect)
	case Intended:
		effect.Kind = Perform
		return append(buf, effect)
	case Doubting:
		effect.Kind = Reobserve
		return append(buf, effect)
	case Judging, Asking, Operating, Closing, Closed:
	}
	return d.judging(buf, s)
}

func (d *Def) judging(buf []Action, s State) []Action {
	st := &d.States[s.Cur]
	judge := func(g int) Action { return Action{Kind: Judge, State: s.Cur, Guard: uint8(g)} }
	switch st.Kind {
	case KindDo:
		return append(buf, judge(st.Do.Pre))
	case KindApprove:
		return append(buf, judge(st.Approve.When))
	case KindAssert:
		return append(buf, judge(st.Assert))
	case KindWait:
	case KindEnd:
		return buf
	}
	if st.Wait.Drift != Here {
		buf = append(buf, judge(st.Wait.Drift))
	}
	buf = append(buf, judge(st.Wait.Until))
	for t := range NumTimers {
		if s.Armed(t) {
			buf = append(buf, Action{Kind: Arm, State: s.Cur, Timer: t})
		}
	}
	return buf
}
