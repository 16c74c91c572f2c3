package machine

import "time"

// Decision is how a question to people ended.
type Decision struct {
	State  int    // that asked
	Choice uint8  // the answer, if it was granted
	Result Result // OK is granted; Rejected and Expired are a no
	At     time.Time
	Detail Detail // of the record: what was asked, and by whom it was answered
}

// No reports whether nobody agreed: a no voids every decision before it, because
// whoever says it has seen what was decided until then.
func (d *Decision) No() bool { return d.Result != OK }

// Decides returns the state of the destructive effect that an answer is a decision
// about, or Here: the first that it leads straight to, with nothing but other
// effects and assertions between. While a run waits, what people were shown grows
// old; another question has answers of its own; and one that is not always asked
// decides nothing, because the run goes on without it.
func (d *Def) Decides(state int, choice uint8) (effect int) {
	a := d.States[state].Approve
	if a == nil || a.When != Here || int(choice) >= len(a.Choices) {
		return Here
	}
	for n, t := 0, a.Choices[choice].Target; t >= 0 && n < len(d.States); n++ {
		switch st := &d.States[t]; st.Kind {
		case KindDo:
			if st.Do.Destructive() {
				return int(t)
			}
		case KindAssert:
		case KindWait, KindApprove, KindEnd:
			return Here
		}
		t = d.States[t].Then[OK]
	}
	return Here
}

// Decision is the last word on a destructive effect: the newest no, or the newest
// answer that decided what cannot be undone, whichever came later. It is nil if
// there is none, and about another effect if ok is false.
func (h *History) Decision(effect int) (d *Decision, ok bool) {
	for i := len(h.Decisions) - 1; i >= 0; i-- {
		d = &h.Decisions[i]
		if d.No() {
			return d, true
		}
		if about := h.def.Decides(d.State, d.Choice); about != Here {
			return d, about == effect
		}
	}
	return nil, false
}

// decided keeps how a question ended.
func (h *History) decided(r *Record, was Result) {
	if h.State.Phase != Asking {
		return
	}
	h.Decisions = append(h.Decisions, Decision{State: int(h.State.Cur), Choice: r.Event.Choice, Result: was, At: r.At, Detail: r.Detail})
}
