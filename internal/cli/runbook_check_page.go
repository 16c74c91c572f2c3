package cli

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/pkg/check"
	"example.org/ims/pkg/runbook"
)

type runbookCheckData struct {
	*check.Result                 // of one runbook
	Runbooks      []*check.Result `json:"runbooks,omitempty"` // of several
	Live          []*liveStart    `json:"live,omitempty"`     // where each began, if that was observed
}

func printChecks(s *session, p *output.Printer, books []*runbook.Book, results []*check.Result, starts []*liveStart) error {
	switch p.Format() {
	case output.JUnit, output.SARIF, output.GitHub:
		b, err := renderFindings(p.Format(), s.deps.Version, checkFindings(books, results))
		if err != nil {
			return err
		}
		return p.Raw(b)
	case output.Text, output.JSON, output.JSONL, output.Markdown, output.Mermaid:
	}
	data := runbookCheckData{Result: results[0], Live: starts}
	if len(results) > 1 {
		data = runbookCheckData{Runbooks: results, Live: starts}
	}
	return p.Result("runbook-check", data, func(page *output.Page) {
		for i, res := range results {
			from := fmt.Sprintf("  begins %s: %s; a run that would begin elsewhere is refused", res.Begins, output.Count(int64(len(res.Starts)), "start"))
			if starts != nil {
				from = starts[i].line()
			}
			checkPage(page, res, from)
		}
		assumptionLines(page, results)
	})
}

func checkFindings(books []*runbook.Book, results []*check.Result) []finding {
	var all []finding
	for i, res := range results {
		all = append(all, findings(books[i], res)...)
	}
	return all
}

// findings are the verdicts on a runbook, each step of a trace at the state of
// the file that it happens in.
func findings(b *runbook.Book, res *check.Result) []finding {
	at := func(state string) place {
		for _, e := range b.Doc.States {
			if e.Key.Value == state {
				return place{file: b.Doc.File, line: e.Key.Pos.Line}
			}
		}
		return place{file: b.Doc.File, line: 1}
	}
	var all []finding
	for _, p := range res.Properties {
		f := finding{suite: res.Runbook, id: p.ID, title: p.Title, kind: verdictKind(p.Verdict), text: string(p.Verdict) + ": " + cmp.Or(p.Note, p.Title), place: at("")}
		for _, l := range p.Trace {
			f.steps = append(f.steps, step{lineWords(l), at(l.State)})
			f.place = at(l.State)
		}
		all = append(all, f)
	}
	for _, g := range res.Gaps {
		all = append(all, finding{
			suite: res.Runbook, id: "gap", title: "everything is seen at least once", kind: output.Unknown, note: !g.Unreached,
			text: "never seen, so nothing is proved about it: " + g.Text, mark: g.Text, place: at(g.State),
		})
	}
	return all
}

func lineWords(l check.Line) string {
	if l.World == "" {
		return l.Text
	}
	return l.Text + " [" + l.World + "]"
}

func checkPage(page *output.Page, res *check.Result, from string) {
	b := res.Bounds
	page.Line("%s: %s   %s, %d moves, %s, %d states/s, %s", res.Runbook, strings.ToUpper(string(res.Verdict)), output.Count(int64(res.States), "state"),
		res.Edges, res.Elapsed.Round(time.Millisecond), int64(float64(res.States)/max(res.Exploring, 1).Seconds()), output.Bytes(res.Bytes))
	page.Line("  bounds %s: under way at once %d outbound, %d inbound, %d reports; %d attempts at an effect; all else any number", b.Name, b.Out, b.In, b.Reports, b.Attempts)
	page.Line("%s", from)
	for _, r := range res.Readings {
		page.Line("  reading: %s", r)
	}
	for _, p := range res.Properties {
		title := p.Title
		if p.Note != "" && p.Verdict == check.Proved {
			title += " (" + p.Note + ")"
		}
		page.Line("  %-9s %-4s %s", verdictWord(p.Verdict), p.ID, title)
	}
	for _, p := range res.Properties {
		if p.Verdict == check.Violated {
			page.Blank()
			findingLines(page, p)
		}
	}
	boundLines(page, res)
	if len(res.Gaps) > 0 {
		page.Line("  never seen, so nothing is proved about it:")
	}
	for _, g := range res.Gaps {
		page.Line("    %s", g)
	}
	page.Blank()
}

// boundLines say which bound ended a check before everything was seen, and what
// to do about it.
func boundLines(page *output.Page, res *check.Result) {
	names := check.BoundNames()
	smaller := names[len(names)-1]
	more := "allow more states with --max-states"
	switch res.Bound {
	case "":
		return
	case check.BoundMemory:
		more = "more than --max-memory is needed by this runbook alone, beside nothing else: allow more, check it where there is more"
	case check.BoundStates:
	}
	page.Line("  bound hit: %s, before everything was seen", res.Bound)
	if res.Bounds.Name != smaller {
		more += ", or let less happen at once with --bounds " + smaller
	}
	page.Line("    %s", more)
}

func verdictWord(v check.Verdict) string {
	if v == check.Proved {
		return "proved"
	}
	return strings.ToUpper(string(v))
}

func findingLines(page *output.Page, p check.Finding) {
	page.Line("  %s %s: %s", p.ID, p.Verdict, cmp.Or(p.Note, p.Title))
	if p.Reading != "" {
		page.Line("      if %s", p.Reading)
	}
	for i, l := range p.Trace {
		page.Line("  %3d  %s", i+1, l.Text)
		if l.World != "" {
			page.Line("       %s", l.World)
		}
	}
}

func assumptionLines(page *output.Page, results []*check.Result) {
	page.Line("Assumed:")
	said := map[string]bool{}
	for _, res := range results {
		for _, a := range res.Assumptions {
			if !said[a] {
				said[a] = true
				page.Line("  %s", a)
			}
		}
	}
}
