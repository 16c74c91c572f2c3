package preflight

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/plan"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/guard"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// use is one conjunction of guards of a state.
type use struct {
	all     guard.All
	inverse bool // true is the bad answer: a question is asked, or there is drift
	asks    bool // and then people are asked
	waits   bool // the state waits for it, so counts are not of now
}

func uses(book *runbook.Book, st *machine.StateDef) []use {
	var out []use
	add := func(index int, u use) {
		if index >= 0 {
			u.all = book.Guards[index]
			out = append(out, u)
		}
	}
	add(st.Assert, use{})
	if st.Do != nil {
		add(st.Do.Pre, use{})
	}
	if st.Wait != nil {
		add(st.Wait.Until, use{waits: true})
		add(st.Wait.Drift, use{waits: true, inverse: true})
	}
	if st.Approve != nil {
		add(st.Approve.When, use{inverse: true, asks: true})
	}
	return out
}

// guards judges every guard of every state that a run comes to, as far as what
// it speaks of is the same now and then, or as a dry run predicts it.
func (r *Report) guards(s *Snapshot, book *runbook.Book) {
	set, err := s.Set()
	if err != nil {
		set = facts.NewSet() // Read has refused such a snapshot
	}
	w := foresee(s, set, book)
	r.Ends = w.ends(s)
	r.begins(set, book)
	for i := range book.Def.States {
		st := &book.Def.States[i]
		k := slices.Index(w.at, i)
		for _, u := range uses(book, st) {
			switch {
			case k < 0:
				r.aside(st, u, w.aside())
			case u.waits:
				r.judge(s, set, st, u, w.then[k].passing("the run waits for it here"), w)
			default:
				r.judge(s, set, st, u, w.then[k], w)
			}
		}
		if st.Approve != nil && st.Approve.When < 0 && k >= 0 {
			r.Approvals = append(r.Approvals, st.ID)
		}
		r.stops(s, st, w)
	}
	r.uncovered(s)
}

// aside lists the guards of a state that a run does not come to.
func (r *Report) aside(st *machine.StateDef, u use, why string) {
	for _, g := range u.all {
		r.Later = append(r.Later, Later{g.Name, st.ID, g.Expr, why})
	}
}

// stops adds what a dry run says of a state and no guard of it: that it cannot be
// read what the state changes, and what else stops the run there. What a guard of
// the state says with the same verdict is not said twice; nothing else is left
// out, however grave its neighbours are.
func (r *Report) stops(s *Snapshot, st *machine.StateDef, w *way) {
	has := map[Verdict]bool{}
	for i := range r.Checks {
		if r.Checks[i].State == st.ID {
			has[r.Checks[i].Verdict] = true
		}
	}
	for i := range w.plan.Checks {
		said := &w.plan.Checks[i]
		unread := strings.HasPrefix(said.ID, st.ID+".before.")
		if unread && s.Before == nil || !unread && (said.ID != st.ID || said.Verdict == Pass || has[said.Verdict]) {
			continue
		}
		c := Check{
			ID: said.ID, Group: GroupGuard, State: st.ID, Asked: said.Asked, That: said.That, Verdict: said.Verdict, Reason: said.Why, Fix: said.Fix,
			Provenance: said.Provenance, At: r.Now, Missing: said.Missing,
		}
		if !unread {
			c.That = "the run comes past this: " + st.Title
		}
		r.add(c)
	}
}

// uncovered names the address spaces and connected sites in the checks that fail
// because nothing else covers some, instead of a pattern to fill in. What could
// not be decided, such as an address space of another type than SMTP, counts as
// not covered in route.uncovered, and is named like the rest.
func (r *Report) uncovered(s *Snapshot) {
	var names, fixes []string
	for _, p := range s.Outbound.Parts {
		if p.Verdict == "covered" {
			continue
		}
		name := p.Name
		if p.Verdict != "uncovered" {
			name += " (could not be decided)"
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		if !slices.Contains(fixes, p.Fix) {
			fixes = append(fixes, p.Fix)
		}
	}
	for i := range r.Checks {
		if c := &r.Checks[i]; (c.Verdict == Fail || c.Verdict == Ask) && len(fixes) > 0 && strings.Contains(c.Fix, "--pattern PATTERN") {
			c.Reason += ": " + strings.Join(names, ", ")
			c.Fix = strings.Join(fixes, " && ")
		}
	}
}

func (r *Report) judge(s *Snapshot, set *facts.Set, st *machine.StateDef, u use, future futures, w *way) {
	now := future.hide(set)
	whole := u.all.Eval(&now).Verdict
	for _, f := range u.all.Findings(&now) {
		v, refs := f.Verdict, f.Guard.Refs
		if u.inverse { // it asks, or has drifted, if all of them hold
			v, refs = inverse(whole), u.all.Refs()
		}
		c, why := guardCheck(set, st, u, f.Guard, v), strings.Join(future.among(refs), "; ")
		said, ok := w.said[f.Guard.Name]
		if v == machine.Unknown && why != "" && (ok || !w.blind(refs)) {
			c.Verdict = Pass // as far as is known
		} else {
			why = ""
		}
		switch {
		case ok && said.Verdict.Gravity() > c.Verdict.Gravity():
			c, why = c.predicted(said, r.Now, future, f.Guard.Refs), ""
		case ok && said.Verdict == Pass && (c.Verdict == Fail || c.Verdict == Ask):
			why = "it is not so now, and will be when the run comes here"
		case !ok && c.Verdict == Fail && !u.inverse:
			why = r.decided(f.Guard, now)
		}
		if why != "" {
			r.Later = append(r.Later, Later{f.Guard.Name, st.ID, f.Guard.Expr, why})
			continue
		}
		if c.Verdict == Fail || c.Verdict == Ask {
			c.Fix = s.mend(c.Fix, f.Guard.Refs, set)
		}
		for _, id := range f.Guard.Refs {
			if c.Verdict != Pass {
				c.Members = append(c.Members, s.members(id)...)
			}
			switch c.Verdict {
			case Ask:
				r.asked[id] = st.ID
			case Unknown:
				w.told[id] = true
			case Pass, Fail:
			}
		}
		r.add(c)
	}
}

// decided says which earlier state asks people about what a guard fails for, if it
// fails for nothing else: it is judged by their answer then.
func (r *Report) decided(g *guard.Guard, now facts.Vector) string {
	var why []string
	for _, id := range g.Refs {
		if state := r.asked[id]; state != "" {
			now[id] = facts.Unknown
			why = append(why, fmt.Sprintf("%s: the run asks people about it in %s", id, state))
		}
	}
	if len(why) == 0 || (guard.All{g}).Eval(&now).Verdict == machine.Fails {
		return ""
	}
	return strings.Join(why, "; ")
}

// predicted is a check as a dry run predicts it for when the run comes to it.
func (c Check) predicted(said plan.Check, at time.Time, future futures, refs []facts.ID) Check {
	c.Verdict, c.Asked, c.Fix, c.Missing, c.At = said.Verdict, said.Asked, said.Fix, said.Missing, at
	c.Provenance, c.Facts = said.Provenance, nil
	if len(future.among(refs)) > 0 {
		c.Reason = "when the run comes here: " + c.Reason
	}
	return c
}

// put makes a failure a question, if the run asks people about the fact that
// it is a part of.
func (r *Report) put(c Check, about facts.ID) Check {
	if state := r.asked[about]; state != "" && c.Verdict == Fail {
		c.Verdict, c.Asked = Ask, state
	}
	return c
}

// inverse turns "it asks" or "it has drifted" into a failure.
func inverse(v machine.Verdict) machine.Verdict {
	switch v {
	case machine.Pass:
		return machine.Fails
	case machine.Fails:
		return machine.Pass
	case machine.Unknown:
	}
	return v
}

func guardCheck(set *facts.Set, st *machine.StateDef, u use, g *guard.Guard, v machine.Verdict) Check {
	c := Check{
		ID: g.Name, Group: GroupGuard, State: st.ID, That: g.Expr, Verdict: Pass, Reason: g.Why, Fix: g.Fix,
		Provenance: facts.Live,
	}
	if u.inverse {
		c.That = "not (" + g.Expr + ")"
	}
	for _, id := range g.Refs {
		f := set[id]
		if f.Value == facts.Unknown {
			c.Missing = append(c.Missing, fmt.Sprintf("%s: %s", id, f.Why))
			continue
		}
		c.Facts = append(c.Facts, fmt.Sprintf("%s = %s", id, id.Format(f.Value)))
		c.Provenance = f.Provenance
		if c.At.IsZero() || f.At.Before(c.At) {
			c.At = f.At
		}
	}
	switch v {
	case machine.Fails:
		c.Verdict = Fail
		switch {
		case u.asks:
			c.Verdict, c.Asked = Ask, st.ID
		case branches(st):
			c.Verdict, c.Reason = Pass, "it is not so, and the run goes another way: "+c.Reason
		}
	case machine.Unknown:
		c.Verdict, c.Provenance = Unknown, facts.NotKnown
		for _, why := range c.Missing {
			if fix := answering(why); fix != "" {
				c.Fix = fix
				break
			}
		}
	case machine.Pass:
		if len(c.Facts) > 0 { // the runbook's reason says what would be wrong
			c.Reason = strings.Join(c.Facts, ", ")
		}
	}
	return c
}

// serve is what helps where nobody is there to answer for a gateway.
const serve = "ims gateway run"

// answering is what helps where nobody answers for a gateway, "" if that is not
// why something is unknown.
func answering(why string) string {
	if fix := gateway.FixOfSilence(why); fix != "" {
		return fix
	}
	if strings.Contains(why, gateway.ErrUnreachable.Error()) {
		return serve
	}
	return ""
}
