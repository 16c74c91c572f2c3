package preflight

import (
	"fmt"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// begins judges whether the runbook is for a gateway as this one is: nothing was
// proved of runs that begin elsewhere, and none is opened. What the state that a
// run begins in says itself is not said twice.
func (r *Report) begins(set *facts.Set, book *runbook.Book) {
	v := set.Vector()
	first := machine.StateDef{ID: book.Def.States[book.Def.Start].ID, Kind: machine.KindDo}
	for _, f := range book.Unsaid(&v) {
		c := guardCheck(set, &first, use{}, f.Guard, f.Verdict)
		c.Reason = fmt.Sprintf("runbook %s begins %s: %s", r.Runbook, book.Def.Begins, c.Reason)
		r.add(c)
	}
}
