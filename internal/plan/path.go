package plan

import (
	"cmp"
	"fmt"
	"strings"

	"example.org/ims/internal/verdict"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
)

// ask notes a question that would be put although it is asked only under a
// condition.
func (m *maker) ask(st *machine.StateDef) {
	if st.Approve.When == machine.Here {
		return
	}
	m.plan.States[len(m.plan.States)-1].Asks.When = Now
}

// change simulates an effect on one target.
func (m *maker) change(st *machine.StateDef, target int) {
	m.world, m.changed = m.world.Do(st.Do.Action, st.Do.Args), true
	m.flushed(st)
	step := &m.plan.States[len(m.plan.States)-1]
	key := st.ID + "/" + st.Do.Targets[target]
	ch := m.config.apply(*step.Do, st.Do.Targets[target], m.in.Before.Words[key], m.in.Before.Wanted[key])
	if st.Do.Action == machine.GatewayDependents && m.seed[facts.RouteDependents] == 0 {
		ch.After = ch.Before
	}
	step.Changes = append(step.Changes, ch)
	m.unread(st, ch)
	if why := m.in.Before.Refused[key]; why != "" {
		m.note(Check{
			ID: st.ID + ".before." + ch.Target, That: fmt.Sprintf("%s of %s is not refused", st.Do.Action, ch.Target),
			Verdict: verdict.Fail, Why: why, Fix: m.in.Before.Mends[key], Provenance: facts.Live,
		})
	}
}

// unread notes a change of what could not be read: neither what it does nor how
// it is undone can be said.
func (m *maker) unread(st *machine.StateDef, ch Change) {
	for _, line := range ch.Before {
		if why, ok := strings.CutPrefix(line, unknownPrefix); ok {
			m.note(Check{
				ID: st.ID + ".before." + ch.Target, That: fmt.Sprintf("what %s changes of %s can be read", st.Do.Action, ch.Target),
				Verdict: verdict.Unknown, Why: why, Fix: cmp.Or(m.in.Before.Mends[st.ID+"/"+ch.Target], "ims facts "+m.plan.Gateway), Provenance: facts.NotKnown,
			})
		}
	}
}

// enter adds a state to the path, with how long it takes.
func (m *maker) enter(st *machine.StateDef) {
	step := Step{ID: st.ID, Number: m.number(st), Title: st.Title, Source: st.Sources, Because: st.Because, Kind: st.Kind.String()}
	if step.Source == nil {
		step.Source = []string{}
	}
	switch st.Kind {
	case machine.KindWait:
		step.Needs, step.Waits = m.needs(st.Wait.Until), m.wait(st.Wait)
	case machine.KindApprove:
		step.Asks = question(m.in.Book.Def, st)
	case machine.KindDo:
		step.Do, step.Needs = &Effect{Action: st.Do.Action, Args: st.Do.Args}, m.needs(st.Do.Pre)
		step.Undo = m.undo(st)
	case machine.KindAssert:
		step.Needs = m.needs(st.Assert)
	case machine.KindEnd:
	}
	m.plan.States = append(m.plan.States, step)
}

// number is the state's number in the runbook.
func (m *maker) number(st *machine.StateDef) int {
	def := m.in.Book.Def
	return def.Number(def.Find(st.ID))
}

func (m *maker) wait(w *machine.Wait) *Wait {
	out := &Wait{For: w.For.String(), AtMost: (w.For + w.Timeout).String(), Begins: m.clock, Follows: w.Derived}
	if w.Derived != "" && m.in.Expires.After(m.clock) {
		m.clock = m.in.Expires.UTC().Round(0)
	}
	m.clock = m.clock.Add(w.For)
	out.Earliest, out.Latest = m.clock, m.clock.Add(w.Timeout)
	return out
}

// Readings lists the effects of a runbook whose present value this package cannot
// tell from a gateway's configuration and the MX, with the key of each in
// Before.Words.
func Readings(def *machine.Def) map[string]Reading {
	all := map[string]Reading{}
	for i := range def.States {
		st := &def.States[i]
		if st.Do == nil {
			continue
		}
		e := Effect{Action: st.Do.Action, Args: st.Do.Args}
		if n, _ := e.Action.Nature(); e.modelled() || n != machine.Ensure || e.Action == machine.RunRestore {
			continue
		}
		for _, t := range st.Do.Targets {
			all[st.ID+"/"+t] = Reading{Effect: e, State: st.ID, Target: t}
		}
	}
	return all
}

// Reading is an effect whose present value is to be read.
type Reading struct {
	Effect
	State, Target string
}

// needs are the conditions of a guard.
func (m *maker) needs(g int) []Need {
	if g == machine.Here {
		return nil
	}
	var out []Need
	for _, one := range m.in.Book.Guards[g] {
		n := Need{That: one.Expr, Why: one.Why, Fix: one.Fix, Facts: []string{}}
		for _, id := range one.Refs {
			n.Facts = append(n.Facts, id.String())
		}
		out = append(out, n)
	}
	return out
}

func question(def *machine.Def, st *machine.StateDef) *Question {
	q := &Question{Question: verdict.QuestionOf(st), When: OnlyIf}
	if st.Approve.When == machine.Here {
		q.When = Always
	}
	if len(st.Approve.Choices) < 2 {
		return q
	}
	for _, c := range st.Approve.Choices {
		if c.Target < 0 {
			continue
		}
		to := &def.States[c.Target]
		way := Way{Name: c.Name, Title: c.Title, Leads: to.ID}
		if to.Do != nil && c.Target != st.Then[machine.OK] {
			way.Do = &Effect{Action: to.Do.Action, Args: to.Do.Args}
		}
		q.Ways = append(q.Ways, way)
	}
	return q
}
