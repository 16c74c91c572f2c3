package plan

import (
	"fmt"

	"example.org/ims/internal/verdict"
	"example.org/ims/pkg/facts"
)

// begins says if the run would begin in a world that its runbook is not for: a run
// is not opened there, because nothing was proved of it. What the first state says
// itself is not said twice.
func (m *maker) begins() {
	for _, f := range m.in.Book.Unsaid(&m.seed) {
		c := Check{
			ID: f.Guard.Name, That: f.Guard.Expr, Verdict: said(f.Verdict), Fix: f.Guard.Fix, Provenance: facts.Live,
			Why: fmt.Sprintf("runbook %s begins %s: %s", m.plan.Runbook, m.in.Book.Def.Begins, f.Guard.Why),
		}
		for _, id := range f.Missing {
			c.Missing = append(c.Missing, fmt.Sprintf("%s (%s)", id, m.in.Facts[id].Why))
		}
		if c.Verdict == verdict.Unknown {
			c.Provenance = facts.NotKnown
		}
		m.note(c)
	}
}
