package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/guard"
	"example.org/ims/pkg/machine"
)

// shown are the guards whose verdicts stand beside a question: the condition
// under which it is asked, and what must hold before the effects that its
// answers lead to.
func (e *Engine) shown(st *machine.StateDef) guard.All {
	def := e.opts.Book.Def
	var all guard.All
	add := func(i int) {
		if i == machine.Here {
			return
		}
		for _, g := range e.opts.Book.Guards[i] {
			if !slices.Contains(all, g) {
				all = append(all, g)
			}
		}
	}
	add(st.Approve.When)
	for _, c := range st.Approve.Choices {
		if c.Target < 0 {
			continue
		}
		switch next := &def.States[c.Target]; next.Kind {
		case machine.KindDo:
			add(next.Do.Pre)
		case machine.KindAssert:
			add(next.Assert)
		case machine.KindWait, machine.KindApprove, machine.KindEnd:
		}
	}
	return all
}

// findings are their verdicts on the last observation, consents aside: whether
// somebody agrees is what the question is about.
func (e *Engine) findings(st *machine.StateDef) []guard.Finding {
	v := e.last.Facts.Vector()
	for i := range facts.GrantNames() {
		v[facts.GrantFact(i)] = 1
	}
	v[facts.RunMayExpire] = facts.Int(1 << 40) // the largest there is
	return e.shown(st).Findings(&v)
}

// verdictLines are the verdicts as people are shown them.
func verdictLines(all []guard.Finding) []string {
	var lines []string
	for _, f := range all {
		lines = append(lines, fmt.Sprintf("%s: %s (%s)", f.Verdict, f.Guard.Expr, f.Guard.Why))
	}
	return lines
}

// digest is what the answer to a state's question is bound to: the config
// facts, the verdicts shown and what it names; never counts, which change every
// second.
func (e *Engine) digest(st *machine.StateDef, names []string) string {
	h := sha256.New()
	for _, f := range e.last.Facts {
		if d := f.ID.Definition(); d.Class == facts.Config && !strings.HasPrefix(d.Name, "run.") {
			fmt.Fprintf(h, "%s=%s\n", d.Name, f.ID.Format(f.Value))
		}
	}
	for _, f := range e.findings(st) {
		fmt.Fprintf(h, "verdict %s=%s\n", f.Guard.Name, f.Verdict)
	}
	for _, n := range slices.Sorted(slices.Values(names)) {
		fmt.Fprintf(h, "name %s\n", n)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// stale says why nothing that people decided covers the effect under work, which
// cannot be undone, or "": nobody decided it, somebody said no since, the
// configuration or a verdict that was shown has changed, or the decision is older
// than the question it answered may be.
func (e *Engine) stale() string {
	def := e.opts.Book.Def
	d, ok := e.hist.Decision(int(e.hist.State.Cur))
	if d == nil {
		return "nobody decided that this is to be done"
	}
	st := &def.States[d.State]
	switch age := time.Since(d.At); {
	case d.Result == machine.Expired:
		return fmt.Sprintf("nobody answered %s in time, and what was decided before counts no more", st.ID)
	case d.No():
		return fmt.Sprintf("%s said no to %s, and what was decided before counts no more", d.Detail.Actor, st.ID)
	case !ok:
		return "the last decision was about " + def.States[def.Decides(d.State, d.Choice)].ID
	case e.digest(st, d.Detail.Names) != d.Detail.Digest:
		return "the configuration, or a verdict that was shown, changed since the last decision"
	case st.Approve.Expires > 0 && age > st.Approve.Expires:
		return fmt.Sprintf("the last decision is %s old, and holds for %s", age.Round(time.Second), st.Approve.Expires)
	}
	return ""
}
