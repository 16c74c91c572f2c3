package cli

import (
	"context"
	"fmt"
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
func explainState(ctx context.Context, p *output.Printer, b *runbook.Book, opts runbookCheckOptions) error {
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
	p.Note("checking %s without %s, bounds %s", b.Def.Name, opts.why, opts.bounds.Name)
	need, err := check.Why(ctx, subject(b), opts.why, check.Options{Bounds: opts.bounds.Bounds, MaxStates: opts.limit})
	if err != nil {
		return err
	}
	return p.Result("runbook-why", runbookWhyData{b.Def.Name, need}, func(page *output.Page) {
		page.Line("%s of %s", need.State, b.Def.Name)
		for i, v := range need.Variants {
			page.Line("  %s: %s", v.How, breaks(need, i))
		}
		for _, v := range need.Variants {
			if len(v.Broken) > 0 {
				page.Blank()
				page.Line("  %s:", v.How)
				findingLines(page, v.Broken[0])
				break
			}
		}
	})
}

// breaks says what one experiment of several means. That a state is not needed
// is said only if nothing breaks without it, guards that repeat it included.
func breaks(need *check.Need, i int) string {
	v := need.Variants[i]
	without, bare := need.Variants[0], need.Variants[1]
	switch {
	case v.Cannot != "":
		return "cannot be tried: " + v.Cannot
	case len(v.Broken) > 0:
	case v.Order:
		return "nothing breaks: the order of the two does not matter for any property that is checked"
	case len(without.Broken)+len(bare.Broken) == 0 && without.Cannot+bare.Cannot == "":
		return "nothing breaks: not needed for any property that is checked"
	case len(bare.Broken) > 0:
		return "nothing breaks, because guards elsewhere repeat it"
	default:
		return "nothing breaks"
	}
	ids := make([]string, len(v.Broken))
	for i, f := range v.Broken {
		ids[i] = f.ID
	}
	return strings.Join(ids, ", ") + " break"
}
