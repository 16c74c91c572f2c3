package check

import (
	"encoding"
	"fmt"
	"strings"

	"example.org/ims/pkg/machine"
)

// cover notes what was seen, so that a vacuous proof, which is about nothing, is
// found out.
type cover struct {
	states  [machine.MaxStates]bool
	results [machine.MaxStates]uint16 // by state: bits of machine.Result
	choices [machine.MaxStates]uint16 // by state: bits of its answers
	ends    map[machine.Outcome]bool
}

func newCover() cover { return cover{ends: map[machine.Outcome]bool{}} }

func (c *cover) state(s machine.State) {
	if !s.Undoing {
		c.states[s.Cur] = true
	}
}

// transition notes which result of a state a transition was.
func (c *cover) transition(def *machine.Def, s machine.State, m *transition) {
	if s.Back > 0 && !m.s.Undoing {
		c.results[s.Back-1] |= 1 << machine.OK
	}
	if m.act < actLook || s.Undoing {
		return
	}
	if m.act == actClose {
		c.ends[def.Outcome(m.s)] = true
		return
	}
	if m.act >= actAnswer {
		c.choices[s.Cur] |= 1 << (m.act - actAnswer)
	}
	if r, ok := result(def, s, m); ok {
		c.results[s.Cur] |= 1 << r
	}
}

// result is how the work of a state ended, if a move ended it.
func result(def *machine.Def, s machine.State, m *transition) (machine.Result, bool) {
	st := &def.States[s.Cur]
	switch {
	case m.s.Undoing || s.Phase == machine.Operating:
		return 0, false
	case m.s.Phase == machine.Operating:
		return m.s.Why, true
	case m.s.Cur == s.Cur && m.event.Kind != machine.Answered:
		return 0, false
	}
	switch m.event.Kind {
	case machine.Judged:
		return resultOfGuard(st, m.event), true
	case machine.Elapsed:
		return [machine.NumTimers]machine.Result{
			machine.HoldTimer: machine.OK, machine.TimeoutTimer: machine.Timeout, machine.StallTimer: machine.Stall, machine.ExpiryTimer: machine.Expired,
		}[m.event.Timer], true
	case machine.Answered:
		if m.event.Answer == machine.RejectedAnswer {
			return machine.Rejected, true
		}
		return machine.OK, true
	case machine.OutcomeIs:
		switch m.event.Result {
		case machine.Done:
			return machine.OK, true
		case machine.Refused, machine.Transient:
			return machine.Fail, true
		case machine.InDoubt, machine.NotDone, machine.Overridden:
		}
		return machine.Unsure, true
	case machine.Opened, machine.Resumed, machine.IntentSet, machine.Moved, machine.Continue, machine.Abort, machine.ClosedRun:
	}
	return 0, false
}

func resultOfGuard(st *machine.StateDef, e machine.Event) machine.Result {
	switch st.Kind {
	case machine.KindDo:
		if e.Verdict == machine.Unknown {
			return machine.Unsure
		}
		return machine.GuardFails
	case machine.KindWait:
		if int(e.Guard) == st.Wait.Drift {
			return machine.Drift
		}
	case machine.KindAssert:
		if e.Verdict != machine.Pass {
			return machine.Fail
		}
	case machine.KindApprove, machine.KindEnd:
	}
	return machine.OK
}

// Gap is something that was never seen, so that nothing is proved about it. It
// is a text where it is encoded.
type Gap struct {
	State     string // of the runbook
	Text      string
	Unreached bool // the state was never entered at all
}

var _ encoding.TextMarshaler = Gap{}

// MarshalText is the gap in words.
func (g Gap) MarshalText() ([]byte, error) { return []byte(g.Text), nil }

func (g Gap) String() string { return g.Text }

// gaps are what a complete exploration should have seen and did not.
func (g *graph) gaps() map[Gap]bool {
	gaps := map[Gap]bool{}
	add := func(id string, unreached bool, format string, args ...any) {
		gaps[Gap{id, fmt.Sprintf(format, args...), unreached}] = true
	}
	for i := range g.def.States {
		st := &g.def.States[i]
		if !g.cover.states[i] {
			add(st.ID, true, "state %s is never reached", st.ID)
			continue
		}
		for _, r := range st.Kind.Results() {
			if possible(st, r) && g.cover.results[i]&(1<<r) == 0 {
				add(st.ID, false, "state %s never ends in %q", st.ID, r)
			}
		}
		if st.Kind == machine.KindApprove {
			for n, c := range st.Approve.Choices {
				if g.cover.choices[i]&(1<<n) == 0 {
					add(st.ID, false, "nobody answers %q to %s", c.Name, st.ID)
				}
			}
		}
	}
	for i := range g.guards {
		id, _, _ := strings.Cut(g.def.Guards[i], ".")
		for _, v := range []machine.Verdict{machine.Pass, machine.Fails} {
			if len(g.guards[i].all) > 0 && !g.guards[i].seen[v] {
				add(id, false, "guard %s is never seen to %s", g.def.Guards[i], map[machine.Verdict]string{machine.Pass: "pass", machine.Fails: "fail"}[v])
			}
		}
	}
	return gaps
}

// possible reports whether a state can have a result at all: a guard that does
// not exist cannot fail, a wait without a metric cannot stall.
func possible(st *machine.StateDef, r machine.Result) bool {
	switch {
	case r == machine.GuardFails:
		return st.Do.Pre != machine.Here
	case st.Kind == machine.KindDo && st.Do.Action == machine.RunRestore:
		return r == machine.OK
	case r == machine.Stall:
		return st.Wait.Metric != ""
	case r == machine.Drift && st.Kind == machine.KindWait:
		return st.Wait.Drift != machine.Here
	}
	return true
}
