package cli

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/internal/preflight"
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
	return output.Said(preflightKind(r.Verdict))
}

func preflightKind(v preflight.Verdict) output.Kind {
	switch v {
	case preflight.Fail:
		return output.Blocked
	case preflight.Unknown:
		return output.Unknown
	case preflight.Pass:
	}
	return output.Done
}

// preflightFindings are the checks: guards at their place in the runbook, the
// rest in the configuration, or else the facts.
func preflightFindings(version string, r *preflight.Report, book *runbook.Book, src origins) findingSet {
	set := findingSet{version: version, at: r.Made, compared: r.Baseline != nil}
	at := guardLines(book.Doc)
	for i := range r.Checks {
		c := &r.Checks[i]
		f := finding{
			suite: "preflight " + r.Gateway, id: c.ID, title: c.That, kind: preflightKind(c.Verdict), fix: c.Fix, known: c.Old,
			text: strings.Join(append([]string{string(c.Verdict) + ": " + c.Reason}, preflightDetail(c)...), "; "), place: place{file: cmp.Or(src.config, src.facts), line: 1},
		}
		switch c.Group {
		case preflight.GroupGuard:
			f.place = place{book.Doc.File, at[c.ID]}
		case preflight.GroupWaiver:
			f.line = src.waivers[strings.TrimPrefix(c.ID, "waiver.")]
		}
		if c.Waived != nil {
			f.waived = waivedWords(*c.Waived)
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

func waivedWords(w preflight.Waiver) string {
	return fmt.Sprintf("%s (%s, until %s)", w.Reason, w.By, w.Expires.UTC().Format(time.RFC3339))
}

// preflightDetail is what a check relies on, and what could not be observed.
func preflightDetail(c *preflight.Check) []string {
	var out []string
	if c.Verdict != preflight.Pass && len(c.Facts) > 0 {
		out = append(out, strings.Join(c.Facts, ", "))
	}
	for _, m := range c.Missing {
		out = append(out, "could not be observed: "+m)
	}
	return out
}

func preflightPage(page *output.Page, r *preflight.Report) {
	page.Line("PREFLIGHT %s -> %s   runbook %s   nothing was changed", r.Gateway, cmp.Or(r.Successor, "no successor"), r.Runbook)
	page.Line("Verdict: %s   %s   (exit %d)", strings.ToUpper(string(r.Verdict)), preflightCounts(r), preflightKind(r.Verdict).Code())
	if r.Offline {
		page.Line("recorded: what was observed %s", page.Time(r.Now))
	}
	if b := r.Baseline; b != nil {
		page.Line("baseline of %s: %d as before, %d new, %d gone", page.Time(b.Made), len(b.Old), len(b.New), len(b.Gone))
	}
	page.Line("a run that starts now ends %s at the earliest", page.Time(r.Ends))
	for _, v := range []preflight.Verdict{preflight.Fail, preflight.Unknown} {
		for i := range r.Checks {
			if c := &r.Checks[i]; c.Verdict == v {
				page.Blank()
				preflightLines(page, c)
			}
		}
	}
	page.Blank()
	preflightPassed(page, r)
	preflightLater(page, r)
	for _, w := range r.Waivers {
		page.Line("waiver   %s: %s; %s", w.ID, waivedWords(w.Waiver), w.Note)
	}
	for _, n := range r.Notes {
		page.Line("note     %s", n)
	}
}

func preflightCounts(r *preflight.Report) string {
	fails, blockers := r.Count(preflight.Fail)
	unknown, open := r.Count(preflight.Unknown)
	ok, _ := r.Count(preflight.Pass)
	words := fmt.Sprintf("%s, %s, %d ok, %d not judged yet", output.Count(int64(blockers), "blocker"), output.Count(int64(open), "unknown"), ok, len(r.Later))
	waived, old := 0, 0
	for i := range r.Checks {
		if r.Checks[i].Waived != nil {
			waived++
		}
		if r.Checks[i].Old {
			old++
		}
	}
	if fails+unknown > blockers+open {
		words += fmt.Sprintf(", %d waived, %d as before", waived, old)
	}
	return words
}

// preflightWord is how a check that does not pass is announced.
func preflightWord(c *preflight.Check) string {
	switch {
	case c.Waived != nil:
		return "waived"
	case c.Old:
		return "before"
	case c.Verdict == preflight.Unknown:
		return "UNKNOWN"
	}
	return "BLOCKER"
}

func preflightLines(page *output.Page, c *preflight.Check) {
	page.Line("%-8s %s: %s (%s%s)", preflightWord(c), c.ID, c.Reason, c.Provenance, preflightAge(c))
	page.Line("         wanted: %s", c.That)
	for _, d := range preflightDetail(c) {
		page.Line("         %s", d)
	}
	if c.Waived != nil {
		page.Line("         waived: %s", waivedWords(*c.Waived))
	}
	page.Line("         fix: %s", c.Fix)
}

func preflightAge(c *preflight.Check) string {
	if c.At.IsZero() {
		return ""
	}
	return ", " + output.Duration(time.Duration(c.Age)*time.Second) + " old"
}

func preflightPassed(page *output.Page, r *preflight.Report) {
	table := output.Table{Columns: output.Columns("OK", "WANTED", "PROVENANCE", "AGE", "REASON"), Fold: true}
	table.Columns[1].Drop = 1 // it holds, and the reason says what that is good for
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
