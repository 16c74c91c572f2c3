package plan

import (
	"strings"

	"example.org/ims/pkg/facts"
)

// Assume fills in, in a copy, what only a run can tell: nothing has arrived
// since the last look when there was none, and nobody has decided anything yet.
func Assume(s *facts.Set) *facts.Set {
	out := *s
	for _, id := range facts.All() {
		f := out[id]
		if f.Value == facts.Unknown && (id == facts.GwArrivals || strings.HasPrefix(id.String(), "run.")) {
			f.Value, f.Provenance = 0, facts.Simulated
			out.Put(f)
		}
	}
	return &out
}
