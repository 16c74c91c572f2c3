package cli

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"example.org/ims/internal/output"
	"example.org/ims/internal/plan"
)

// showPlan prints a dry run. Its error only carries the exit code: the plan is
// printed whatever its verdict.
func showPlan(p *output.Printer, pl *plan.Plan) error {
	if err := p.Result("plan", pl, func(page *output.Page) { planPage(page, pl) }); err != nil {
		return err
	}
	switch pl.Verdict {
	case plan.Blocked:
		return output.Said(output.Blocked)
	case plan.Unknown:
		return output.Said(output.Unknown)
	case plan.Ready:
	}
	return nil
}

func planPage(page *output.Page, pl *plan.Plan) {
	page.Line("PLAN %s -> %s   runbook %s   DRY RUN: nothing was changed", pl.Gateway, cmp.Or(pl.Next, "no successor"), pl.Runbook)
	verdictLines(page, pl)
	page.Blank()
	table := output.Table{Columns: output.Columns("#", "STATE", "SOURCE", "UNDO", "CHANGE OR WAIT"), Fold: true}
	for i, s := range pl.States {
		undo, words := undoWords(s.Undo), stepWords(page, s)
		if s.ID == pl.NoReturn {
			undo, words = "IMPOSSIBLE", words+"  ** POINT OF NO RETURN **"
		}
		table.Add(strconv.Itoa(i+1), s.ID, strings.Join(s.Source, " "), undo, words)
	}
	page.Table(table)
	page.Blank()
	page.Line("Ends %s at the earliest. Messages: %d queued: %d deliver, %d return, %d held.", page.Time(pl.Ends),
		pl.Messages.Queued, pl.Messages.Delivered, pl.Messages.Returned, pl.Messages.Held)
	for _, n := range pl.Messages.Notes {
		page.Line("  %s", n)
	}
	for _, n := range pl.Notes {
		page.Line("note     %s", n)
	}
	page.Line("plan %s", pl.ID.Hash)
}

func verdictLines(page *output.Page, pl *plan.Plan) {
	fails, unknown := 0, 0
	for _, c := range pl.Checks {
		switch c.Verdict {
		case "fail":
			fails++
		case "unknown":
			unknown++
		}
	}
	code := map[plan.Verdict]output.Kind{plan.Ready: output.Done, plan.Blocked: output.Blocked, plan.Unknown: output.Unknown}[pl.Verdict].Code()
	page.Line("Verdict: %s   %s, %s, %d ok   (exit %d)", strings.ToUpper(string(pl.Verdict)),
		output.Count(int64(fails), "blocker"), output.Count(int64(unknown), "unknown"), len(pl.Checks)-fails-unknown, code)
	for _, c := range pl.Checks {
		if c.Verdict == "pass" {
			continue
		}
		word := "BLOCKER"
		if c.Verdict == "unknown" {
			word = "UNKNOWN"
		}
		page.Line("%s  %s: %s (%s)", word, c.ID, c.Why, c.Provenance)
		if c.That != "" {
			page.Line("         %s", c.That)
		}
		for _, m := range c.Missing {
			page.Line("         could not be read: %s", m)
		}
		page.Line("         fix: %s", c.Fix)
	}
	for _, u := range pl.Unread {
		page.Line("not checked: %s", u)
	}
}

func stepWords(page *output.Page, s plan.Step) string {
	switch {
	case len(s.Changes) > 0:
		return strings.Join(s.Changes, "; ")
	case s.Waits != nil:
		return fmt.Sprintf("wait %s, ends %s at the earliest", s.Waits.For, page.Time(s.Waits.Earliest))
	case s.Asks != "":
		return "asks: " + s.Asks
	}
	return s.Title
}

// undoWords shortens the sentence that JSON holds whole.
func undoWords(undo string) string {
	switch {
	case strings.HasPrefix(undo, "write the value"):
		return "restore"
	case strings.HasPrefix(undo, "nothing"):
		return "nothing to undo"
	}
	return undo
}
