package plan

import (
	"fmt"
	"slices"
	"time"

	"example.org/ims/internal/verdict"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/guard"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
	"example.org/ims/pkg/runbook"
)

// Input is what a plan is made from.
type Input struct {
	Book    *runbook.Book
	Facts   *facts.Set
	Now     time.Time
	Expires time.Time // when the old MX will have left the caches, if it is known
	Before  Before
	Places  Places
	Notes   []string
	// Queue is what is queued now; QueueWhy says why it is not all there, or "".
	Queue    []gateway.Item
	QueueWhy string
	// NotChecked are lines about what this observation could not cover.
	NotChecked []string
}

// maxSteps bounds the prediction; a runbook has at most 64 states, and none is
// entered more than a few times on the way that this follows.
const maxSteps = 1000

// Make predicts the run.
func Make(in Input) *Plan {
	vector := in.Facts.Vector()
	world, assumed := model.Seed(&vector)
	in.Now = in.Now.UTC().Round(0)
	m := &maker{
		in: in, world: world, seed: vector, clock: in.Now, config: newConfiguration(in.Before, in.Places),
		plan: &Plan{
			Verdict: Ready, Gateway: in.Book.Bound.Gateway, Next: in.Book.Bound.Successor, Runbook: in.Book.Def.Name,
			Made: in.Now, Checks: []Check{}, Unread: []string{}, Notes: in.Notes, Before: in.Before, Places: in.Places,
			Definition: Definition{File: in.Book.Doc.File, Digest: in.Book.Doc.Digest, Source: string(in.Book.Doc.Source)},
			Bound:      in.Book.Bound, Params: in.Book.Params, made: in.Book,
		},
	}
	for i := range in.Book.Def.States {
		if st := &in.Book.Def.States[i]; st.Approve != nil {
			m.plan.asking = append(m.plan.asking, verdict.QuestionOf(st))
		}
	}
	for _, id := range assumed {
		m.plan.Unread = append(m.plan.Unread, fmt.Sprintf("%s: %s", id, in.Facts[id].Why))
	}
	m.plan.Unread = append(m.plan.Unread, in.NotChecked...)
	m.observed()
	m.removed()
	m.begins()
	m.run()
	m.fates()
	if m.plan.Gone() { // of what is gone, no other check says anything
		m.plan.Checks = slices.DeleteFunc(m.plan.Checks, func(c Check) bool { return c.ID != Removed })
	}
	m.plan.conclude()
	m.plan.Ends = m.clock
	m.plan.ID = ID{Hash: m.plan.identity(), Core: machine.CoreVersion}
	return m.plan
}

// observed keeps what was observed.
func (m *maker) observed() {
	for _, f := range m.in.Facts {
		d := f.ID.Definition()
		m.plan.Facts = append(m.plan.Facts, Fact{
			Name: d.Name, Class: d.Class.String(), Value: f.ID.Format(f.Value), Provenance: f.Provenance, Source: f.Source, Why: f.Why,
		})
	}
}

// Removed is the check of a gateway that is gone already.
const Removed = "removed"

// removed says so if there is nothing left to retire.
func (m *maker) removed() {
	if m.seed[facts.GwExists] != 0 {
		return
	}
	m.plan.Block(Check{
		ID: Removed, That: "gw.exists", Why: fmt.Sprintf("gateway %s was removed already; there is nothing left to retire", m.plan.Gateway),
		Fix: "ims status, for the run that removed it; then take it out of the configuration", Provenance: facts.Live,
	})
}

// maker drives the machine through the model.
type maker struct {
	in      Input
	plan    *Plan
	world   model.State
	was     map[uint8]model.State // by state: the world that its effect found
	config  *configuration
	seed    facts.Vector // as observed
	clock   time.Time    // simulated
	changed bool         // an effect was simulated, or time passed

	flushAt    time.Time // when what does not move is given up early, if it is
	flushAfter time.Duration
	flushBy    string // the state that does it
}

func (m *maker) run() {
	def := m.in.Book.Def
	s, actions := def.Step(def.Begin(), machine.Event{Kind: machine.Opened})
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
		switch {
		case s.Cur == cur:
		case s.Undoing:
			m.revisit(&def.States[s.Cur])
		default:
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
		if !a.Undo {
			m.keep(s.Cur)
		}
		return machine.Event{Kind: machine.IntentSet}, true
	case machine.Perform, machine.Reobserve:
		if a.Undo {
			m.back(st, s.Cur, st.Do.Targets[a.Target])
		} else {
			m.change(st, int(a.Target))
		}
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
			return m.stuck(st, &v)
		}
		m.world, m.changed = next, true
	}
	return machine.Event{}, false
}

// stuck is a wait whose condition does not come true by itself. If nothing is
// counted that could stall, it waits for people, and goes on where it says once
// they have had their time.
func (m *maker) stuck(st *machine.StateDef, v *facts.Vector) (machine.Event, bool) {
	all := m.in.Book.Guards[st.Wait.Until]
	fails := all.Eval(v).Verdict == machine.Fails
	if fails && st.Wait.Metric == "" && st.Then[machine.Timeout] >= 0 {
		return machine.Event{Kind: machine.Elapsed, Timer: machine.TimeoutTimer}, true
	}
	m.report(st, all, v)
	if fails {
		m.block(st.ID, "its condition would never come true by itself", firstFix(all, v))
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
	if v == machine.Pass || (v == machine.Fails && branches(st)) {
		if v == machine.Fails && st.Kind == machine.KindAssert {
			m.plan.States[len(m.plan.States)-1].Else = m.in.Book.Def.States[st.Then[machine.Fail]].ID
		}
		return e, true
	}
	return e, false
}

// branches reports whether a failing guard of a state only leads elsewhere: a
// question does not apply, or an assertion says which way to go.
func branches(st *machine.StateDef) bool {
	return st.Kind == machine.KindApprove || (st.Kind == machine.KindAssert && st.Then[machine.Fail] >= 0)
}

// facts is what an observation would say now: the live facts as long as
// nothing was simulated. What could not be observed stays unknown, even where
// the run would change it: it could not see whether it has.
func (m *maker) facts() facts.Vector {
	if !m.changed && m.world.Grants == 0 {
		return m.seed
	}
	v := m.world.Facts()
	for _, id := range facts.All() {
		if m.seed[id] == facts.Unknown {
			v[id] = facts.Unknown
		}
	}
	return v
}

// report lists the guards of a conjunction as checks, each once, with the gravest
// verdict that it got.
func (m *maker) report(st *machine.StateDef, all guard.All, v *facts.Vector) {
	for _, f := range all.Findings(v) {
		c := Check{
			ID: f.Guard.Name, That: f.Guard.Expr, Verdict: said(f.Verdict), Why: f.Guard.Why, Fix: f.Guard.Fix,
			Provenance: facts.Live,
		}
		if m.changed {
			c.Provenance = facts.Simulated
		}
		if st.Kind == machine.KindApprove {
			c.asks(st, all.Eval(v).Verdict)
		}
		for _, id := range f.Missing {
			c.Missing = append(c.Missing, fmt.Sprintf("%s (%s)", id, m.in.Facts[id].Why))
		}
		if st.Kind == machine.KindAssert && branches(st) && f.Verdict == machine.Fails {
			c.Verdict, c.Why = verdict.Pass, "it is not so, and the run goes another way: "+c.Why
		}
		if c.Verdict == verdict.Unknown {
			c.Provenance = facts.NotKnown
		}
		if c.Verdict == verdict.Fail || c.Verdict == verdict.Ask {
			m.uncovered(&c, f.Guard)
		}
		m.note(c)
	}
}

// note adds a check, or makes one that is there graver.
func (m *maker) note(c Check) {
	i := slices.IndexFunc(m.plan.Checks, func(o Check) bool { return o.ID == c.ID })
	switch {
	case i < 0:
		m.plan.Checks = append(m.plan.Checks, c)
	case c.Verdict.Gravity() > m.plan.Checks[i].Verdict.Gravity():
		m.plan.Checks[i] = c
	}
}

// asks is the verdict of a guard of a question, which is put if all its guards
// hold.
func (c *Check) asks(st *machine.StateDef, whole machine.Verdict) {
	c.That = "not (" + c.That + ")"
	switch whole {
	case machine.Pass:
		c.Verdict, c.Asked = verdict.Ask, st.ID
	case machine.Fails:
		c.Verdict = verdict.Pass
	case machine.Unknown:
		c.Verdict = verdict.Unknown
	}
}

func said(v machine.Verdict) verdict.Check {
	switch v {
	case machine.Pass:
		return verdict.Pass
	case machine.Fails:
		return verdict.Fail
	case machine.Unknown:
	}
	return verdict.Unknown
}

func (m *maker) block(id, why, fix string) {
	m.note(Check{ID: id, Verdict: verdict.Fail, Why: why, Fix: fix, Provenance: facts.Simulated})
}

func firstFix(all guard.All, v *facts.Vector) string {
	for _, f := range all.Findings(v) {
		if f.Verdict != machine.Pass {
			return f.Guard.Fix
		}
	}
	return ""
}
