package check

import (
	"fmt"

	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// action is a move of the world, or one of the run's.
type action uint16

const (
	actLook action = iota + action(model.NumMoves)
	actBlind
	actIntent
	actNoImage
	actPerform
	actRecord
	actOverridden
	actDoubtDone
	actDoubtNot
	actTransient
	actRefused
	actReobserve
	actCannotLook
	actCrash
	actReject
	actContinue
	actAbort
	actClose
	actElapsed                                          // + timer
	actAnswer  = actElapsed + action(machine.NumTimers) // + choice
)

var words = map[action]string{
	actIntent:     "the intent and the value from before become durable",
	actNoImage:    "the value from before cannot be read",
	actPerform:    "the effect happens",
	actRecord:     "its outcome becomes durable: done",
	actOverridden: "the value is no longer what the run wrote, so it is left alone",
	actDoubtDone:  "the effect happens, but the answer is lost: in doubt",
	actDoubtNot:   "the effect does not happen, and the answer is lost: in doubt",
	actTransient:  "the effect is refused for now",
	actRefused:    "the effect is refused",
	actCannotLook: "whether the effect happened cannot be observed",
	actCrash:      "the runner crashes; the next one resumes",
	actReject:     "people reject the question",
	actContinue:   "the operator says resume",
	actAbort:      "the operator says abort",
	actClose:      "the end is recorded",
}

var timerWords = [machine.NumTimers]string{
	machine.HoldTimer: "the condition has held for long enough", machine.TimeoutTimer: "the wait times out",
	machine.StallTimer: "the count stands still for too long", machine.ExpiryTimer: "the question expires",
	machine.BackoffTimer: "it is time to try again",
}

// describe is a step of a trace in plain words.
func describe(def *machine.Def, a action, before, after machine.State) string {
	if a < actLook {
		return model.Move(a).String()
	}
	st := &def.States[before.Cur]
	verb := ""
	switch {
	case before.Undoing:
		verb = "undo of "
	case after.Undoing && after.Back == 0:
		return words[actAbort] + " in " + st.ID
	}
	text := words[a]
	switch {
	case after.Undoing && !before.Undoing:
		text = "everything that was done is undone"
	case a == actLook:
		text = "the run looks, " + judged(st, before, after)
	case a == actBlind:
		text = "the run looks, and not everything can be observed"
	case a == actReobserve:
		text = "the run looks whether the effect happened: " + map[bool]string{true: "it did", false: "it did not"}[after.Phase != machine.Judging && after.Phase != machine.Ready || after.Cur != before.Cur]
	case a >= actAnswer:
		text = "people answer: " + st.Approve.Choices[a-actAnswer].Name
	case a >= actElapsed:
		text = timerWords[a-actElapsed]
	}
	end := ""
	switch {
	case after.Phase == machine.Operating && before.Phase != machine.Operating:
		end = fmt.Sprintf(" → waiting for operator (%s)", after.Why)
	case after.Cur != before.Cur:
		end = " → " + def.States[after.Cur].ID
	}
	if a == actPerform && st.Do != nil {
		text = fmt.Sprintf("%s: %s", effectWords(st.Do, before.Undoing), text)
	}
	return fmt.Sprintf("%s%s: %s%s", verb, st.ID, text, end)
}

func judged(st *machine.StateDef, before, after machine.State) string {
	ready := after.Phase == machine.Ready && before.Phase == machine.Judging
	switch {
	case st.Kind == machine.KindDo && ready:
		return "and its guard passes"
	case st.Kind == machine.KindDo:
		return "and its guard fails"
	case st.Kind == machine.KindApprove && after.Phase == machine.Asking:
		return "and people are asked"
	case st.Kind == machine.KindApprove:
		return "and nobody has to be asked"
	case st.Kind == machine.KindAssert && after.Phase != machine.Operating:
		return "and what it asserts is so"
	case st.Kind == machine.KindAssert:
		return "and what it asserts is not so"
	case after.Armed(machine.HoldTimer) && !before.Armed(machine.HoldTimer):
		return "and the condition begins to hold"
	case before.Armed(machine.HoldTimer) && !after.Armed(machine.HoldTimer) && after.Cur == before.Cur:
		return "and the condition holds no longer"
	case after.Cur != before.Cur || after.Phase != before.Phase:
		return "and what it waits for has come"
	}
	return "and nothing changes"
}

// effectWords name an effect and what it asks for.
func effectWords(do *machine.Do, undo bool) string {
	text := string(do.Action)
	a := &do.Args
	for _, v := range []string{a.Mode, a.Running, a.Type, a.Select} {
		if v != "" {
			text += " " + v
		}
	}
	if a.Refuse != "" {
		text += ", refuse " + a.Refuse
	}
	if a.Timeouts > 0 {
		text += ", short time-outs"
	}
	if a.Restart {
		text += ", restart"
	}
	for _, v := range []struct {
		is    bool
		words string
	}{
		{a.OnSuccessor, ", of the successor"},
		{a.NullMX, ", the null MX"},
		{a.Also, ", the successor beside the gateway"},
		{a.SPF != "", ", nobody may send"},
		{a.Drain, ", of the drain name"},
		{a.MaxInbound+a.MaxOutbound > 0, ", session limits"},
		{len(a.Spaces) > 0, ", split"},
	} {
		if v.is {
			text += v.words
		}
	}
	if undo {
		text += ", written back"
	}
	return text
}
