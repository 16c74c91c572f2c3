package guard

import (
	"slices"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
)

// All is a conjunction of guards, kept apart so that a person is told which of
// them fails.
type All []*Guard

// Finding is the answer of one guard of a conjunction.
type Finding struct {
	Guard *Guard
	Answer
}

// Eval answers on a vector of facts: one failing guard fails all; otherwise
// one unknown guard makes all unknown.
func (a All) Eval(v *facts.Vector) Answer {
	ans := Answer{Verdict: machine.Pass}
	for _, g := range a {
		one := g.Eval(v)
		switch one.Verdict {
		case machine.Fails:
			return Answer{Verdict: machine.Fails}
		case machine.Unknown:
			ans.Verdict = machine.Unknown
			ans.Missing = append(ans.Missing, one.Missing...)
		case machine.Pass:
		}
	}
	slices.Sort(ans.Missing)
	ans.Missing = slices.Compact(ans.Missing)
	return ans
}

// Findings answers guard by guard.
func (a All) Findings(v *facts.Vector) []Finding {
	found := make([]Finding, len(a))
	for i, g := range a {
		found[i] = Finding{g, g.Eval(v)}
	}
	return found
}

// Refs lists the facts that the guards read.
func (a All) Refs() []facts.ID {
	var ids []facts.ID
	for _, g := range a {
		ids = append(ids, g.Refs...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
