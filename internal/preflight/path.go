package preflight

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"example.org/ims/internal/plan"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// way is how a run that starts now goes, as a dry run predicts it: the same
// prediction, so that both say the same of the same facts. Where the prediction
// stops, the way goes on as if what stops it were mended.
type way struct {
	book *runbook.Book
	set  *facts.Set
	plan *plan.Plan
	at   []int                 // states, each where the run first comes to it
	then []futures             // of at: what may be otherwise when the run comes there
	said map[string]plan.Check // by name of a guard, or by state for what no guard says
	told map[facts.ID]bool     // unknown by a check
	open string                // why it is not known how the run goes on from the last state; or ""
}

// foresee predicts a run.
func foresee(s *Snapshot, set *facts.Set, book *runbook.Book) *way {
	in := plan.Input{Book: book, Facts: plan.Assume(set), Now: s.Made, Expires: s.Cached}
	if s.Before != nil {
		in.Before = *s.Before
	}
	w := &way{book: book, set: set, plan: plan.Make(in), said: map[string]plan.Check{}, told: map[facts.ID]bool{}}
	at := book.Def.Start
	for _, id := range w.plan.Path() {
		at = book.Def.Find(id)
		w.come(at)
	}
	for _, c := range w.plan.Checks {
		w.said[c.ID] = c
	}
	if !w.plan.Complete() {
		w.goOn(at)
	}
	return w
}

// come adds a state, unless the run has been there.
func (w *way) come(i int) bool {
	if slices.Contains(w.at, i) {
		return false
	}
	then := unknowable()
	if n := len(w.at) - 1; n >= 0 {
		then = w.then[n].past(&w.book.Def.States[w.at[n]], w.set)
	}
	w.at, w.then = append(w.at, i), append(w.then, then)
	return true
}

// goOn follows the runbook from where the prediction stops.
func (w *way) goOn(at int) {
	for {
		next, known := w.after(at)
		if !known {
			w.open = fmt.Sprintf("which way the run goes in %s is not known yet", w.book.Def.States[at].ID)
			return
		}
		if next < 0 || !w.come(next) {
			return
		}
		at = next
	}
}

// after is the state that follows one if nothing stands in the way. It is not
// known if it depends on what the run itself changes, or on what could not be
// observed.
func (w *way) after(at int) (next int, known bool) {
	st := &w.book.Def.States[at]
	judge := func(g int) machine.Verdict {
		now := w.then[slices.Index(w.at, at)].hide(w.set)
		return w.book.Guards[g].Eval(&now).Verdict
	}
	switch {
	case st.Kind == machine.KindEnd:
		return machine.Here, true
	case st.Kind == machine.KindApprove && (st.Approve.When < 0 || judge(st.Approve.When) == machine.Pass):
		return int(st.Approve.Choices[0].Target), true
	case branches(st):
		switch judge(st.Assert) {
		case machine.Fails:
			return int(st.Then[machine.Fail]), true
		case machine.Unknown:
			return machine.Here, false
		case machine.Pass:
		}
	}
	return int(st.Then[machine.OK]), true
}

// branches reports whether a state asks which way to go, so that neither answer
// is a failure.
func branches(st *machine.StateDef) bool {
	return st.Kind == machine.KindAssert && st.Then[machine.Fail] >= 0
}

// blind reports whether a fact among some could not be observed, and no check has
// said so: then the run could not see either what becomes of it. What only a run
// can tell is no such fact.
func (w *way) blind(ids []facts.ID) bool {
	seen := plan.Assume(w.set)
	return slices.ContainsFunc(ids, func(id facts.ID) bool { return seen[id].Value == facts.Unknown && !w.told[id] })
}

// aside says why a run does not come to a state that is not on the way.
func (w *way) aside() string {
	return cmp.Or(w.open, "a run does not come here as things are")
}

// ends is when a run that starts now ends at the earliest. Where the prediction
// stops, every wait on the way takes at least its own time, and the old MX must
// have left the caches.
func (w *way) ends(s *Snapshot) time.Time {
	if w.plan.Complete() {
		return w.plan.Ends
	}
	end := s.Made
	if s.Cached.After(end) {
		end = s.Cached
	}
	for _, i := range w.at {
		if wait := w.book.Def.States[i].Wait; wait != nil {
			end = end.Add(wait.For)
		}
	}
	return end
}
