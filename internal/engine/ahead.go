package engine

import (
	"fmt"
	"strings"
	"time"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
)

// Action is the next thing that a person has to do, and when at the earliest.
type Action struct {
	Verb     Verb      `json:"verb,omitempty"` // "" if there is nothing to do
	State    string    `json:"state,omitempty"`
	What     string    `json:"what"`
	Commands []string  `json:"commands,omitempty"` // what does it, one for each choice
	At       time.Time `json:"at,omitzero"`        // not before
}

// ahead finds the next human action on the path that the run takes if all goes
// well. Times are lower bounds: what has to be delivered is delivered at once.
func (e *Engine) ahead(v *facts.Vector) Action {
	s, now := e.hist.State, e.now()
	run, st := e.opts.Run.ID, e.state()
	switch {
	case s.Phase == machine.Closing || s.Phase == machine.Closed:
		return Action{What: "nothing: the run has ended"}
	case e.hist.Paused != nil:
		p := e.hist.Paused
		return Action{Verb: Unpause, State: st.ID, What: fmt.Sprintf("%s paused the run (%s); let it go on when it may", p.Actor, p.Reason), Commands: []string{"ims continue " + run}, At: now}
	case s.Phase == machine.Operating && s.Undoing:
		return Action{Verb: Continue, State: st.ID, What: "see what hinders the undo of " + st.ID + ", then resume", Commands: []string{"ims resume " + run}, At: now}
	case s.Phase == machine.Operating:
		return Action{Verb: Continue, State: st.ID, What: "decide how to go on: resume, or abort", Commands: []string{"ims resume " + run}, At: now}
	case s.Phase == machine.Asking:
		return e.question(st, now)
	case s.Undoing:
		return Action{What: "nothing: the run is being undone"}
	}
	return e.walk(v, now)
}

// question is the action that answers a state's question.
func (e *Engine) question(st *machine.StateDef, at time.Time) Action {
	a := Action{Verb: Approve, State: st.ID, What: strings.TrimSpace(st.Approve.Ask), At: at}
	if asked := e.hist.Asked; asked != nil && asked.State == st.ID {
		a.What = strings.TrimSpace(e.asks())
	}
	command := fmt.Sprintf("ims approve %s %s", e.opts.Run.ID, st.ID)
	if len(st.Approve.Choices) < 2 {
		a.Commands = []string{command}
		return a
	}
	for _, c := range st.Approve.Choices {
		a.Commands = append(a.Commands, command+" --choice "+c.Name)
	}
	return a
}

func (e *Engine) walk(v *facts.Vector, t time.Time) Action {
	def, cur, seen := e.opts.Book.Def, int(e.hist.State.Cur), map[int]bool{}
	for cur >= 0 && !seen[cur] {
		seen[cur] = true
		st := &def.States[cur]
		switch st.Kind {
		case machine.KindWait:
			t = e.after(st.Wait, cur, t)
		case machine.KindApprove:
			if w := st.Approve.When; w == machine.Here || e.opts.Book.Guards[w].Eval(v).Verdict == machine.Pass {
				return e.question(st, t)
			}
		case machine.KindEnd:
			return Action{What: "nothing: the run ends by itself", At: t}
		case machine.KindDo, machine.KindAssert:
		}
		cur = int(st.Then[machine.OK])
	}
	return Action{What: "nothing is foreseen", At: t}
}

// after is when a wait that begins at t can be over.
func (e *Engine) after(w *machine.Wait, state int, t time.Time) time.Time {
	if e.hist.State.Armed(machine.HoldTimer) && state == int(e.hist.State.Cur) {
		return t.Add(max(e.remaining(machine.HoldTimer), 0))
	}
	if due := e.expires(); w.Derived != "" && due.After(t) {
		t = due
	}
	return t.Add(w.For)
}
