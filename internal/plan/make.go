package plan

import (
	"fmt"
	"strings"
	"time"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/guard"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// maker drives the machine through the model.
type maker struct {
	in      Input
	plan    *Plan
	world   model.State
	seed    facts.Vector // as observed
	clock   time.Time    // simulated
	changed bool         // an effect was simulated, or time passed
	checked map[string]bool
}

func (m *maker) run() {
	def := m.in.Book.Def
	s, actions := def.Step(def.Begin(), machine.Event{Kind: machine.Opened})
	m.checked = map[string]bool{}
	m.enter(&def.States[s.Cur])
	for range maxSteps {
		if len(actions) == 0 || actions[0].Kind == machine.Close {
			return
		}
		e, ok := m.event(s, actions)
		if !ok {
			return
		}
		cur := s.Cur
		s, actions = def.Step(s, e)
		if s.Cur != cur {
			m.enter(&def.States[s.Cur])
		}
	}
	m.block("prediction", "the prediction does not end", "report this runbook")
}

// event answers the machine's first question as the predicted world would.
func (m *maker) event(s machine.State, actions []machine.Action) (machine.Event, bool) {
	st := &m.in.Book.Def.States[s.Cur]
	switch a := actions[0]; a.Kind {
	case machine.Judge:
		return m.judge(s, st, actions)
	case machine.Intend:
		return machine.Event{Kind: machine.IntentSet}, true
	case machine.Perform, machine.Reobserve:
		m.change(st, int(a.Target))
		return machine.Event{Kind: machine.OutcomeIs, Result: machine.Done}, true
	case machine.Ask:
		m.ask(st)
		c := st.Approve.Choices[0]
		m.world = m.world.Decide(c)
		return machine.Event{Kind: machine.Answered, Answer: machine.Granted}, true
	case machine.Operate:
		m.block(st.ID, "the run would wait for an operator here", "ims status")
	case machine.Arm, machine.Close:
	}
	return machine.Event{}, false
}

// judge evaluates the guards of a state. A wait whose condition does not hold
// yet lets the predicted world go on.
func (m *maker) judge(s machine.State, st *machine.StateDef, actions []machine.Action) (machine.Event, bool) {
	for range maxSteps {
		v := m.facts()
		for _, a := range actions {
			if a.Kind != machine.Judge {
				continue
			}
			all := m.in.Book.Guards[a.Guard]
			ans := all.Eval(&v)
			e := machine.Event{Kind: machine.Judged, Guard: a.Guard, Verdict: ans.Verdict}
			switch {
			case st.Kind == machine.KindWait && int(a.Guard) == st.Wait.Drift:
				if ans.Verdict == machine.Pass {
					m.report(st, all, &v)
					return e, true
				}
			case st.Kind == machine.KindWait && ans.Verdict != machine.Pass:
			case st.Kind == machine.KindWait && s.Armed(machine.HoldTimer):
				m.settle()
				return machine.Event{Kind: machine.Elapsed, Timer: machine.HoldTimer}, true
			default:
				m.report(st, all, &v)
				return m.conclude(st, ans.Verdict, e)
			}
		}
		next, more := m.world.Next(model.Params{})
		if !more {
			all := m.in.Book.Guards[st.Wait.Until]
			m.report(st, all, &v)
			m.block(st.ID, "its condition would never come true by itself", firstFix(all, &v))
			return machine.Event{}, false
		}
		m.world, m.changed = next, true
	}
	return machine.Event{}, false
}

// settle lets the predicted world do all that it does by itself while a
// condition is watched.
func (m *maker) settle() {
	for next, more := m.world.Next(model.Params{}); more; next, more = m.world.Next(model.Params{}) {
		m.world = next
	}
}

// conclude decides whether a failing guard ends the prediction.
func (m *maker) conclude(st *machine.StateDef, v machine.Verdict, e machine.Event) (machine.Event, bool) {
	if v == machine.Pass || (st.Kind == machine.KindApprove && v == machine.Fails) {
		return e, true
	}
	if v == machine.Unknown {
		if m.plan.Verdict == Ready {
			m.plan.Verdict = Unknown
		}
		return e, false
	}
	m.plan.Verdict = Blocked
	return e, false
}

// facts is what an observation would say now: the live facts as long as
// nothing was simulated, and what the model cannot know stays as observed.
func (m *maker) facts() facts.Vector {
	if !m.changed && m.world.Grants == 0 {
		return m.seed
	}
	v := m.world.Facts()
	for _, id := range []facts.ID{facts.RouteUncovered, facts.RouteDependents} {
		if m.seed[id] == facts.Unknown {
			v[id] = facts.Unknown
		}
	}
	return v
}

// report lists the guards of a conjunction as checks, each once.
func (m *maker) report(st *machine.StateDef, all guard.All, v *facts.Vector) {
	for _, f := range all.Findings(v) {
		if m.checked[f.Guard.Name] {
			continue
		}
		m.checked[f.Guard.Name] = true
		c := Check{
			ID: f.Guard.Name, That: f.Guard.Expr, Verdict: f.Verdict.String(), Why: f.Guard.Why, Fix: f.Guard.Fix,
			Provenance: facts.Live,
		}
		if m.changed {
			c.Provenance = facts.Simulated
		}
		if st.Kind == machine.KindApprove { // it asks when the condition holds
			c.Verdict = invert(f.Verdict).String()
		}
		for _, id := range f.Missing {
			c.Missing = append(c.Missing, fmt.Sprintf("%s (%s)", id, m.in.Facts[id].Why))
		}
		if f.Verdict == machine.Unknown {
			c.Provenance = facts.NotKnown
		}
		m.plan.Checks = append(m.plan.Checks, c)
	}
}

func invert(v machine.Verdict) machine.Verdict {
	switch v {
	case machine.Pass:
		return machine.Fails
	case machine.Fails:
		return machine.Pass
	case machine.Unknown:
	}
	return v
}

func (m *maker) block(id, why, fix string) {
	m.plan.Verdict = Blocked
	m.plan.Checks = append(m.plan.Checks, Check{ID: id, Verdict: machine.Fails.String(), Why: why, Fix: fix, Provenance: facts.Simulated})
}

func firstFix(all guard.All, v *facts.Vector) string {
	for _, f := range all.Findings(v) {
		if f.Verdict != machine.Pass {
			return f.Guard.Fix
		}
	}
	return ""
}

// ask notes a question. One that is asked only under a condition is a decision
// that is missing now, and blocks.
func (m *maker) ask(st *machine.StateDef) {
	if st.Approve.When != machine.Here && m.plan.Verdict == Ready {
		m.plan.Verdict = Blocked
	}
}

// change simulates an effect on one target.
func (m *maker) change(st *machine.StateDef, target int) {
	m.world, m.changed = m.world.Do(st.Do.Action, st.Do.Args), true
	step := &m.plan.States[len(m.plan.States)-1]
	if m.in.Describe != nil {
		step.Changes = append(step.Changes, m.in.Describe(st.Do.Action, st.Do.Args, st.Do.Targets[target]))
	}
}

// enter adds a state to the path, with how long it takes.
func (m *maker) enter(st *machine.StateDef) {
	step := Step{ID: st.ID, Title: st.Title, Source: st.Sources, Because: st.Because, Kind: st.Kind.String()}
	if step.Source == nil {
		step.Source = []string{}
	}
	switch st.Kind {
	case machine.KindWait:
		if st.Wait.Derived != "" && m.in.Expires.After(m.clock) {
			m.clock = m.in.Expires
		}
		m.clock = m.clock.Add(st.Wait.For)
		step.Waits = &Wait{For: st.Wait.For.String(), AtMost: (st.Wait.For + st.Wait.Timeout).String(), Earliest: m.clock}
	case machine.KindApprove:
		step.Asks = st.Approve.Ask
	case machine.KindDo:
		step.Undo = m.undo(st)
	case machine.KindAssert, machine.KindEnd:
	}
	m.plan.States = append(m.plan.States, step)
}

func (m *maker) undo(st *machine.StateDef) string {
	switch st.Do.Undo.Kind {
	case machine.UndoNothing:
		return "nothing to undo: " + st.Do.Undo.Why
	case machine.UndoImpossible:
		if m.plan.NoReturn == "" {
			m.plan.NoReturn = st.ID
		}
		return "impossible: " + st.Do.Undo.Why
	case machine.UndoRestore:
	}
	return "write the value from before back to " + strings.Join(st.Do.Targets, ", ")
}
