package cli

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/internal/preflight"
	"example.org/ims/internal/verdict"
	"example.org/ims/pkg/runbook"
)

// showPreflight prints a report, whatever its verdict, and says that by the
// exit code.
func showPreflight(s *session, p *output.Printer, r *preflight.Report, book *runbook.Book, src origins, files reportFiles) error {
	set := preflightFindings(s.deps.Version, r, book, src)
	if err := files.writeSet(set); err != nil {
		return err
	}
	var err error
	switch p.Format() {
	case output.JUnit, output.SARIF, output.GitHub:
		var b []byte
		if b, err = set.render(p.Format()); err == nil {
			err = p.Raw(b)
		}
	case output.Markdown:
		err = p.Raw(preflightMarkdown(r))
	case output.Text, output.JSON, output.JSONL, output.Mermaid:
		err = p.Result("preflight", r, func(page *output.Page) { preflightPage(page, r) })
	}
	if err != nil {
		return err
	}
	return output.Said(kindOfWhole(r.Verdict))
}

// preflightFindings are the checks: guards at their place in the runbook, if that
// is a file of the reader's, the rest where the configuration has the gateway, or
// else in the facts.
func preflightFindings(version string, r *preflight.Report, book *runbook.Book, src origins) findingSet {
	set := findingSet{version: version, at: r.Made, compared: r.Baseline != nil}
	at := guardLines(book.Doc)
	for i := range r.Checks {
		c := &r.Checks[i]
		f := finding{
			suite: "preflight " + r.Gateway, id: c.ID, title: c.That, kind: kindOfWhole(c.Verdict.Whole()), fix: c.Fix, known: c.Old,
			text: strings.Join(append([]string{string(c.Verdict) + ": " + c.Reason}, preflightDetail(c)...), "; "), place: place{file: cmp.Or(src.config, src.facts), line: max(src.gateway, 1)},
		}
		switch {
		case c.Group == preflight.GroupGuard && !src.shipped:
			f.place = place{file: book.Doc.File, line: at[c.ID]}
		case c.Group == preflight.GroupGuard && at[c.ID] > 0:
			f.text += fmt.Sprintf("; runbook %s, line %d", book.Def.Name, at[c.ID])
		case c.Group == preflight.GroupWaiver:
			f.line = max(1, src.waivers[strings.TrimPrefix(c.ID, "waiver.")])
		}
		if c.Waived != nil {
			f.waived = c.Waived.String()
		}
		set.all = append(set.all, f)
	}
	return set
}

// guardLines are the lines of a runbook's guards, by their names.
func guardLines(doc *runbook.Doc) map[string]int {
	at := map[string]int{}
	for _, e := range doc.States {
		note := func(use string, conds []runbook.Cond) {
			for i, c := range conds {
				at[fmt.Sprintf("%s.%s[%d]", e.Key.Value, use, i)] = c.That.Pos.Line
			}
		}
		note("pre", e.Value.Pre)
		note("assert", e.Value.Assert)
		if w := e.Value.Wait; w != nil {
			note("until", w.Until)
			note("drift", w.Drift)
		}
		if a := e.Value.Approve; a != nil {
			note("when", a.When)
		}
	}
	return at
}

// preflightEnds begins to say when a run would end. What blocks keeps it from going
// on, or from being opened.
func preflightEnds(r *preflight.Report) string {
	if r.Verdict == verdict.Blocked {
		return "if what blocks it were mended, a run that starts now would end"
	}
	return "a run that starts now ends"
}

// preflightDetail is what a check relies on, and what could not be observed.
func preflightDetail(c *preflight.Check) []string {
	var out []string
	if c.Verdict != preflight.Pass && len(c.Facts) > 0 {
		out = append(out, strings.Join(c.Facts, ", "))
	}
	for _, m := range c.Missing {
		if c.Verdict == preflight.Pass {
			break // it holds whatever that is
		}
		out = append(out, "could not be observed: "+m)
	}
	if c.Worse != "" {
		out = append(out, c.Worse)
	}
	if c.Asked != "" {
		out = append(out, "the run asks people about it in "+c.Asked)
	}
	return out
}

func preflightPage(page *output.Page, r *preflight.Report) {
	page.Line("PREFLIGHT %s -> %s   runbook %s   nothing was changed", r.Gateway, cmp.Or(r.Successor, "no successor"), r.Runbook)
	preflightVerdict(page, r)
	approvalsPage(page, preflightStandings(r), len(r.Questions), r.Approvals)
	if words := preflightOthers(r); words != "" {
		page.Line("%s", words)
	}
	if r.Offline {
		page.Line("recorded: what was observed %s", page.Time(r.Now))
	}
	if b := r.Baseline; b != nil {
		page.Line("baseline of %s: %d as before, %d new, %d gone", page.Time(b.Made), len(b.Old), len(b.New), len(b.Gone))
	}
	if r.Removed == nil {
		page.Line("%s %s at the earliest", preflightEnds(r), page.Time(r.Ends))
	}
	standingsPage(page, preflightStandings(r), r.Questions)
	page.Blank()
	if r.Removed == nil {
		preflightPassed(page, r)
		preflightLater(page, r)
	}
	for _, w := range r.Waivers {
		prose(page, "waiver    ", fmt.Sprintf("%s: %s; %s", w.ID, w.Waiver, w.Note))
	}
	for _, n := range r.Notes {
		prose(page, "note      ", n)
	}
	if r.Removed != nil {
		return
	}
	page.Blank()
	preflightVerdict(page, r) // above it, there are screens of text
}

// preflightVerdict is the line with the verdict. What the baseline had does not
// count, and still stands, so the line says that and never ready.
func preflightVerdict(page *output.Page, r *preflight.Report) {
	n := oldChecks(r)
	if n == 0 {
		verdictLine(page, r.Verdict, r.Counts.String())
		return
	}
	page.Line("Verdict: %s   %d as before, still there; beside them %s   (exit %d)", strings.ToUpper(preflightWhole(r)), n, r.Counts, kindOfWhole(r.Verdict).Code())
}

// preflightWhole is the verdict in words.
func preflightWhole(r *preflight.Report) string {
	if r.Verdict == verdict.Ready && oldChecks(r) > 0 {
		return "no worse than the baseline"
	}
	return string(r.Verdict)
}

func oldChecks(r *preflight.Report) int {
	n := 0
	for i := range r.Checks {
		if r.Checks[i].Old {
			n++
		}
	}
	return n
}

// preflightOthers counts what does not count.
func preflightOthers(r *preflight.Report) string {
	waived, old := 0, oldChecks(r)
	for i := range r.Checks {
		if r.Checks[i].Waived != nil {
			waived++
		}
	}
	var words []string
	if waived > 0 {
		words = append(words, fmt.Sprintf("%d waived", waived))
	}
	if old > 0 {
		words = append(words, fmt.Sprintf("%d as before", old))
	}
	if n := len(r.Later); n > 0 && r.Removed == nil {
		words = append(words, fmt.Sprintf("%d not judged yet: they are about what the run changes or waits for", n))
	}
	return strings.Join(words, ", ")
}

// preflightWord is how a check that does not count is announced, or "".
func preflightWord(c *preflight.Check) string {
	switch {
	case c.Waived != nil:
		return "waived"
	case c.Old:
		return "before"
	}
	return ""
}

// preflightStandings are the checks that do not pass.
func preflightStandings(r *preflight.Report) []standing {
	var out []standing
	for i := range r.Checks {
		c := &r.Checks[i]
		if c.Verdict == preflight.Pass {
			continue
		}
		s := standing{
			verdict: c.Verdict, asked: c.Asked, word: preflightWord(c), id: c.ID, why: c.Reason, note: string(c.Provenance) + preflightAge(c),
			details: append([]string{"wanted: " + c.That}, preflightDetail(c)...), fix: c.Fix,
		}
		if c.Waived != nil {
			s.details = append(s.details, "waived: "+c.Waived.String())
		}
		out = append(out, s)
	}
	return out
}

func preflightAge(c *preflight.Check) string {
	if c.At.IsZero() {
		return ""
	}
	return ", " + output.Duration(time.Duration(c.Age)*time.Second) + " old"
}

func preflightPassed(page *output.Page, r *preflight.Report) {
	table := output.Table{Columns: output.Columns("OK", "WANTED", "PROVENANCE", "AGE", "REASON"), Fold: true}
	table.Columns[1].Drop, table.Columns[2].Drop, table.Columns[3].Drop = 3, 1, 2 // it holds, and the reason says why
	for i := range r.Checks {
		if c := &r.Checks[i]; c.Verdict == preflight.Pass {
			table.Add(c.ID, c.That, c.Provenance, output.Duration(time.Duration(c.Age)*time.Second), c.Reason)
		}
	}
	if len(table.Rows) > 0 {
		page.Table(table)
		page.Blank()
	}
}

func preflightLater(page *output.Page, r *preflight.Report) {
	table := output.Table{Columns: output.Columns("NOT JUDGED YET", "GUARD", "WHY"), Fold: true}
	table.Columns[1].Drop = 1 // the reason says why not yet, and ims runbook show has the guard
	for _, l := range r.Later {
		table.Add(l.ID, l.That, l.Why)
	}
	if len(table.Rows) > 0 {
		page.Table(table)
		page.Blank()
	}
}
