package preflight

import (
	"fmt"
	"slices"
	"strings"

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

// guards judges every guard of every state, as far as what it speaks of is the
// same now and when the run comes to it.
func (r *Report) guards(s *Snapshot, book *runbook.Book) {
	set, err := s.Set()
	if err != nil {
		set = facts.NewSet() // Read has refused such a snapshot
	}
	for i := range book.Def.States {
		st := &book.Def.States[i]
		before := futureOf(book, i)
		for _, u := range uses(book, st) {
			future := before
			if u.waits {
				future = before.passing("the run waits for it here")
			}
			r.judge(set, st, u, future)
		}
	}
	r.uncovered(s)
}

// uncovered names the address spaces and connected sites in the checks that fail
// because nothing else covers some, instead of a pattern to fill in.
func (r *Report) uncovered(s *Snapshot) {
	var names, fixes []string
	for _, p := range s.Outbound.Parts {
		if p.Verdict != "uncovered" {
			continue
		}
		if !slices.Contains(names, p.Name) {
			names = append(names, p.Name)
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

func (r *Report) judge(set *facts.Set, st *machine.StateDef, u use, future futures) {
	now := set.Vector()
	for id := range future {
		now[id] = facts.Unknown
	}
	whole := u.all.Eval(&now).Verdict
	for _, f := range u.all.Findings(&now) {
		v, refs := f.Verdict, f.Guard.Refs
		if u.inverse { // it asks, or has drifted, if all of them hold
			v, refs = inverse(whole), u.all.Refs()
		}
		if later := future.among(refs); v == machine.Unknown && len(later) > 0 {
			r.Later = append(r.Later, Later{f.Guard.Name, st.ID, f.Guard.Expr, strings.Join(later, "; ")})
			continue
		}
		c := guardCheck(set, st, u, f.Guard, v)
		if c.Verdict == Ask {
			for _, id := range f.Guard.Refs {
				r.asked[id] = st.ID
			}
		}
		r.add(c)
	}
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
		if u.asks {
			c.Verdict, c.Asked = Ask, st.ID
		}
	case machine.Unknown:
		c.Verdict, c.Provenance = Unknown, facts.NotKnown
		if slices.ContainsFunc(c.Missing, unreachable) {
			c.Fix = serve
		}
	case machine.Pass:
		if len(c.Facts) > 0 { // the runbook's reason says what would be wrong
			c.Reason = strings.Join(c.Facts, ", ")
		}
	}
	return c
}

// serve is what helps where nobody answers for a gateway.
const serve = "ims gateway run"

func unreachable(why string) bool { return strings.Contains(why, gateway.ErrUnreachable.Error()) }

// futures are facts that a run changes, or that change while it goes on, each
// with how.
type futures map[facts.ID]string

func (f futures) note(id facts.ID, why string) {
	if _, ok := f[id]; !ok {
		f[id] = why
	}
}

// inTime is how the reason of what moves by itself begins.
const inTime = "time passes in "

// change notes an effect, which says more than that time passes.
func (f futures) change(id facts.ID, state string) {
	if strings.HasPrefix(f[id], inTime) {
		delete(f, id)
	}
	f.note(id, "changed by "+state)
}

// passing adds what moves by itself when time passes.
func (f futures) passing(why string) futures {
	out := futures{}
	for id, w := range f {
		out[id] = w
	}
	for _, id := range facts.All() {
		if id.Definition().Class != facts.Config {
			out.note(id, why)
		}
	}
	return out
}

// among are the reasons that concern some facts, each with the facts.
func (f futures) among(ids []facts.ID) []string {
	names := map[string][]string{}
	var order []string
	for _, id := range ids {
		why, ok := f[id]
		if !ok {
			continue
		}
		if names[why] == nil {
			order = append(order, why)
		}
		names[why] = append(names[why], id.String())
	}
	var out []string
	for _, why := range order {
		out = append(out, strings.Join(names[why], ", ")+": "+why)
	}
	return out
}

// futureOf are the facts that may be others when the run first comes to a
// state: what was done before it, what time changes, and what only a run
// knows.
func futureOf(book *runbook.Book, at int) futures {
	f := futures{}
	for _, id := range facts.All() {
		switch name := id.String(); {
		case strings.HasPrefix(name, "run."):
			f.note(id, "a decision of the run")
		case strings.HasPrefix(name, "late."):
			f.note(id, "known once the MX has moved")
		case id == facts.GwArrivals:
			f.note(id, "counted from one look of the run to the next")
		}
	}
	for _, i := range before(book.Def, at) {
		st := &book.Def.States[i]
		if st.Do != nil {
			for _, id := range changes(st.Do, book.Bound) {
				f.change(id, st.ID)
			}
		}
		if st.Wait != nil || st.Approve != nil && st.Approve.When < 0 {
			f = f.passing(inTime + st.ID)
		}
	}
	return f
}

// before are the states that a run may have been in when it first comes to one:
// those on a way from the start that does not pass it.
func before(def *machine.Def, at int) []int {
	if def.Start == at {
		return nil
	}
	from := map[int]bool{}
	walk(def.Start, from, func(i int) []int { return slices.DeleteFunc(next(def, i), func(j int) bool { return j == at }) })
	to := map[int]bool{}
	walk(at, to, func(i int) []int {
		var previous []int
		for j := range def.States {
			if slices.Contains(next(def, j), i) {
				previous = append(previous, j)
			}
		}
		return previous
	})
	var out []int
	for i := range def.States {
		if i != at && from[i] && to[i] {
			out = append(out, i)
		}
	}
	return out
}

func walk(at int, seen map[int]bool, next func(int) []int) {
	if seen[at] {
		return
	}
	seen[at] = true
	for _, i := range next(at) {
		walk(i, seen, next)
	}
}

// next are the states that may follow one.
func next(def *machine.Def, i int) []int {
	var out []int
	st := &def.States[i]
	for _, t := range st.Then {
		if t >= 0 {
			out = append(out, int(t))
		}
	}
	if st.Approve != nil {
		for _, c := range st.Approve.Choices {
			if c.Target >= 0 {
				out = append(out, int(c.Target))
			}
		}
	}
	return out
}
