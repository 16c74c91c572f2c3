package check

import (
	"fmt"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// poolTitle says what must be true of several runs together.
const poolTitle = "an address space keeps a route over all runs together"

// Pool lets two runs of a runbook, each on one of two gateways that cover the
// same address space, take their routes away at once, and looks for a moment
// without any. Of each run only the effect that takes the route is performed,
// with its own guard; no decision accepts the loss. With leases a run holds
// the address space from before its guard is judged until its end, as the
// engine does.
func Pool(b *Runbook, leases bool) Finding {
	f := Finding{ID: "S11", Title: poolTitle, Verdict: Proved, Trace: []Line{}}
	p := newPool(b, leases)
	if p == nil { // it takes no route away
		return f
	}
	if !p.settle() {
		f.Verdict, f.Note = Inconclusive, "the guard of the effect that takes the route passes in none of the worlds in which it was tried"
		return f
	}
	start := pair{route: [2]bool{true, true}}
	for i := range start.run {
		start.run[i] = p.def.Begin()
	}
	from := map[pair]pooled{start: {}}
	for todo := []pair{start}; len(todo) > 0; todo = todo[1:] {
		for _, m := range p.moves(todo[0]) {
			if _, ok := from[m.to]; ok {
				continue
			}
			from[m.to] = pooled{todo[0], m.words}
			if !m.to.route[0] && !m.to.route[1] {
				f.Verdict = Violated
				for at := m.to; at != start; at = from[at].before {
					f.Trace = append([]Line{{State: p.def.States[0].ID, Text: from[at].words}}, f.Trace...)
				}
				return f
			}
			todo = append(todo, m.to)
		}
	}
	return f
}

// pair is a state of two runs and the routes of their gateways.
type pair struct {
	run   [2]machine.State
	route [2]bool
	lease uint8 // the run that holds the address space, from 1; 0 is nobody
}

type pooled struct {
	before pair
	words  string
}

type poolMove struct {
	to    pair
	words string
}

type pool struct {
	def    *machine.Def
	guard  memo
	facts  facts.Vector // of each gateway, but for the routes
	leases bool
}

// newPool cuts the effect that takes the route out of a runbook: the removal of
// the address spaces, or else of the gateway with its entries.
func newPool(b *Runbook, leases bool) *pool {
	effect := machine.Here
	for _, a := range []machine.ActionName{machine.RouteSpaces, machine.GatewayAbsent} {
		for i := range b.Def.States {
			if do := b.Def.States[i].Do; effect == machine.Here && do != nil && do.Action == a && len(do.Args.Spaces) == 0 {
				effect = i
			}
		}
	}
	if effect == machine.Here {
		return nil
	}
	st := b.Def.States[effect]
	do := *st.Do
	p := &pool{leases: leases}
	if do.Pre != machine.Here {
		p.guard = newMemo(b.Guards[do.Pre])
		do.Pre = 0
	}
	st.Do = &do
	for _, r := range st.Kind.Results() {
		st.Then[r] = machine.ToOperator
	}
	st.Then[machine.OK] = 1
	p.def = &machine.Def{Name: b.Name, States: []machine.StateDef{st, {ID: "done", Kind: machine.KindEnd, End: machine.Succeeded}}}
	return p
}

// moves lists what either run can do next.
func (p *pool) moves(s pair) (all []poolMove) {
	for i := range s.run {
		me := uint8(i + 1)
		name := fmt.Sprintf("run %d", me)
		add := func(e machine.Event, words string, change func(*pair)) {
			to := s
			to.run[i] = p.def.Next(s.run[i], e)
			if change != nil {
				change(&to)
			}
			all = append(all, poolMove{to, name + " " + words})
		}
		if s.run[i] == p.def.Begin() {
			if !p.leases || s.lease == 0 {
				add(machine.Event{Kind: machine.Opened}, "begins", func(to *pair) {
					if p.leases {
						to.lease = me
					}
				})
			}
			continue
		}
		for _, a := range p.def.Pending(s.run[i]) {
			switch a.Kind {
			case machine.Judge:
				v := p.judge(s, i)
				add(machine.Event{Kind: machine.Judged, Verdict: v}, fmt.Sprintf("looks, and its guard says %s", v), nil)
			case machine.Intend:
				add(machine.Event{Kind: machine.IntentSet}, "makes its intent durable", nil)
			case machine.Perform:
				add(machine.Event{Kind: machine.OutcomeIs, Result: machine.Done}, "takes its route away", func(to *pair) { to.route[i] = false })
			case machine.Close:
				add(machine.Event{Kind: machine.ClosedRun}, "ends", func(to *pair) {
					if to.lease == me {
						to.lease = 0
					}
				})
			case machine.Operate, machine.Ask, machine.Arm, machine.Reobserve: // waits, and holds its lease
			}
		}
	}
	return all
}

// judge answers the guard of a run: the address space is uncovered unless the
// other gateway still has a route.
func (p *pool) judge(s pair, i int) machine.Verdict {
	v := p.facts
	v[facts.RouteHere] = facts.Bool(s.route[i])
	v[facts.RouteUncovered] = facts.Bool(!s.route[1-i])
	v[facts.NextCoversOut], v[facts.RouteOthers] = facts.Bool(s.route[1-i]), facts.Bool(s.route[1-i])
	return p.guard.all.Eval(&v).Verdict
}

// settle finds facts with which the guard of a run passes while both gateways
// have their routes: those of a gateway that serves, that only sends and to which
// nothing leads any more, or that has stopped. A guard that passes only once the
// other has none, and the loss is accepted, is tried too. ok is false if it never
// passes, so that nothing would be tried.
func (p *pool) settle() (ok bool) {
	if p.guard.all == nil {
		return true
	}
	serving := model.CIBounds().Starts(machine.BeginsServing)[0].World
	sending := serving
	sending.ModeSet, sending.Mode = modeOutboundOnly, modeOutboundOnly
	sending.MXPrimary, sending.MXSecondary, sending.MXCached = false, false, false
	stopped := sending
	stopped.Running = false
	for _, w := range []*model.World{&serving, &sending, &stopped} {
		p.facts = w.Facts(model.Params{})
		p.facts[facts.MxExpired], p.facts[facts.LateQuiet] = 1, 1
		if p.judge(pair{route: [2]bool{true, true}}, 0) == machine.Pass {
			return true
		}
	}
	asked := p.facts
	defer func() { p.facts = asked }() // no decision accepts the loss
	p.facts = sending.Facts(model.Params{})
	p.facts[facts.MxExpired], p.facts[facts.LateQuiet] = 1, 1
	for id := facts.RunGrantedNoRoute; id < facts.Count; id++ {
		p.facts[id] = 1
	}
	return p.judge(pair{route: [2]bool{true, false}}, 0) == machine.Pass
}
