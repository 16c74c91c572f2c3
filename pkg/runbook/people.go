package runbook

import (
	"slices"

	"example.org/ims/internal/strictyaml"
)

// checkPeople checks whether enough people are named to answer a question: who
// is named twice answers once. Without from anybody answers who may approve, and
// who that is, as who opens the run, only a configuration and a run know.
func (a *ApproveDoc) checkPeople(key strictyaml.Text, m *strictyaml.Mistakes) {
	var names []string
	for _, f := range a.From {
		if !slices.Contains(names, f.Value) {
			names = append(names, f.Value)
		}
	}
	if n := len(names); n > 0 && int(a.Min) > n {
		m.Add(a.From[0].Pos, "people", "approve of state %q wants %d answers, and from names %d: name as many people as must answer, or lower min", key, a.Min, n)
	}
}
