package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"example.org/ims/internal/output"
	"example.org/ims/pkg/check"
	"example.org/ims/pkg/runbook"
)

type runbookWhyData struct {
	Runbook string `json:"runbook"`
	*check.Need
}

// explainState says what a state is for. Its exit code is that of a question
// that was answered.
func explainState(ctx context.Context, s *session, p *output.Printer, b *runbook.Book, opts runbookCheckOptions) error {
	switch p.Format() {
	case output.Text, output.JSON:
	case output.JSONL, output.JUnit, output.SARIF, output.GitHub, output.Markdown, output.Mermaid:
		return output.As(output.Usage, "", fmt.Errorf("--why is printed as text or json, not as %s", p.Format()))
	}
	ids := make([]string, len(b.Def.States))
	for i := range b.Def.States {
		ids[i] = b.Def.States[i].ID
	}
	if b.Def.Find(opts.why) < 0 {
		return output.As(output.Usage, "ims runbook show "+b.Def.Name, fmt.Errorf("runbook %s has no state %q%s", b.Def.Name, opts.why, didYouMean(opts.why, ids)))
	}
	limit := s.memoryLimit(opts.memory.bytes)
	defer tightHeap(limit)()
	board := s.board(p, opts, limit)
	defer board.show()()
	board.note(p, "checking %s without %s, bounds %s", b.Def.Name, opts.why, opts.bounds.Name)
	tell, done := board.begin(b.Def.Name)
	defer done()
	need, err := check.Why(ctx, subject(b), opts.why, check.Options{Bounds: opts.bounds.Bounds, MaxStates: opts.limit, Memory: check.NewMemory(limit), Progress: tell})
	if err != nil {
		return err
	}
	return p.Result("runbook-why", runbookWhyData{b.Def.Name, need}, func(page *output.Page) {
		page.Line("%s of %s", need.State, b.Def.Name)
		if len(need.Repeated) > 0 {
			page.Line("  repeated by the guards of %s", strings.Join(need.Repeated, ", "))
		}
		for _, e := range need.Variants {
			page.Line("  %s: %s", e.How, breaks(need, e))
		}
		if e, ok := mostTelling(need); ok {
			page.Blank()
			page.Line("  %s:", e.How)
			findingLines(page, e.Broken[0])
		}
	})
}

// mostTelling is the experiment that says most about what a state is for: the one
// in which nothing repeats it, else the first in which something breaks.
func mostTelling(need *check.Need) (told check.Experiment, ok bool) {
	for _, e := range need.Variants {
		if len(e.Broken) > 0 && (!ok || e.Part == check.PartMeasure) {
			told, ok = e, true
		}
	}
	return told, ok
}

// breaks says what one experiment of several means. That a state is not needed
// is said only if nothing breaks without it, guards that repeat it included.
func breaks(need *check.Need, e check.Experiment) string {
	var measure check.Experiment // what breaks without the state and all that repeats it
	broken := map[check.Part]int{}
	cannot := false
	for _, v := range need.Variants {
		broken[v.Part] += len(v.Broken)
		cannot = cannot || (v.Cannot != "" && v.Part != check.PartOrder)
		if v.Part == check.PartMeasure {
			measure = v
		}
	}
	kept := ""
	if e.Part == check.PartState {
		if ids := beyond(measure.Broken, e.Broken); len(ids) > 0 {
			kept = "; the guards elsewhere that repeat it keep " + strings.Join(ids, ", ")
		}
	}
	switch {
	case e.Cannot != "":
		return "cannot be tried: " + e.Cannot
	case len(e.Broken) > 0:
		ids := beyond(e.Broken, nil)
		if len(ids) == 1 {
			return ids[0] + " breaks" + kept
		}
		return strings.Join(ids, ", ") + " break" + kept
	case e.Part == check.PartOrder:
		return "nothing breaks: the order of the two does not matter for any property that is checked"
	case broken[check.PartState]+broken[check.PartMeasure]+broken[check.PartGuard]+broken[check.PartUndo] == 0 && !cannot:
		return "nothing breaks: not needed for any property that is checked"
	}
	return "nothing breaks" + kept
}

// beyond lists the properties of some findings that others do not have.
func beyond(all, others []check.Finding) (ids []string) {
	for _, f := range all {
		if !slices.ContainsFunc(others, func(o check.Finding) bool { return o.ID == f.ID }) {
			ids = append(ids, f.ID)
		}
	}
	return ids
}
