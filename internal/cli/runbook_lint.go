package cli

import (
	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/pkg/runbook"
)

func newRunbookLint(s *session) *cobra.Command {
	var format output.Format
	var reports reportFiles
	cmd := &cobra.Command{
		Use:   "lint [NAME|FILE|FOLDER…]",
		Short: "Report every mistake in runbooks, with its place",
		Long: `Report every mistake in runbooks, with its place: keys and types, guards that
do not type-check, results without a successor, unbounded waits, effects that
do not say how they are undone, states that cannot be reached.

Without arguments the shipped runbooks are checked.`,
		Example:           "  ims runbook lint ./mine.yaml\n  ims runbook lint -o sarif runbooks/ >lint.sarif",
		ValidArgsFunction: s.completeRunbooks,
		RunE: func(_ *cobra.Command, argv []string) error {
			return runRunbookLint(s, s.printer(format), argv, reports)
		},
	}
	reportFlag(cmd, &reports)
	formatFlag(cmd, &format, output.Text, output.JSON, output.JUnit, output.SARIF, output.GitHub)
	return exits(cmd, output.Done)
}

type runbookLintData struct {
	Files    []string      `json:"files"`
	Mistakes []lintMistake `json:"mistakes"`
}

type lintMistake struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	State   string `json:"state,omitempty"` // of the runbook, if it is in one
	Rule    string `json:"rule"`
	Message string `json:"message"`
}

func runRunbookLint(s *session, p *output.Printer, argv []string, reports reportFiles) error {
	if len(argv) == 0 {
		names, err := s.shipped()
		if err != nil {
			return err
		}
		argv = names
	}
	data := runbookLintData{Files: []string{}, Mistakes: []lintMistake{}}
	for _, arg := range argv {
		found, err := s.sources(arg)
		if err != nil {
			return err
		}
		for _, src := range found {
			doc, mistakes := runbook.Load(src.name, src.data)
			for _, m := range mistakes {
				data.Mistakes = append(data.Mistakes, lintMistake{m.Pos.File, m.Pos.Line, m.Pos.Col, doc.StateAt(m.Pos.Line), m.Rule, m.Message})
			}
			data.Files = append(data.Files, src.name)
		}
	}
	if err := reports.write(s.deps.Version, lintFindings(data)); err != nil {
		return err
	}
	if err := printLint(s, p, data); err != nil || len(data.Mistakes) == 0 {
		return err
	}
	return output.Said(output.Usage)
}

func printLint(s *session, p *output.Printer, data runbookLintData) error {
	switch p.Format() {
	case output.JUnit, output.SARIF, output.GitHub:
		b, err := renderFindings(p.Format(), s.deps.Version, lintFindings(data))
		if err != nil {
			return err
		}
		return p.Raw(b)
	case output.Text, output.JSON, output.JSONL, output.Markdown, output.Mermaid:
	}
	return p.Result("runbook-lint", data, func(page *output.Page) {
		for _, m := range data.Mistakes {
			page.Line("%s:%d:%d: %s [%s]", m.File, m.Line, m.Column, m.Message, m.Rule)
		}
		page.Line("%s in %s", output.Count(int64(len(data.Mistakes)), "mistake"), output.Count(int64(len(data.Files)), "runbook"))
	})
}

// lintFindings are the mistakes, and a finding for each file that has none.
func lintFindings(data runbookLintData) []finding {
	var all []finding
	for _, file := range data.Files {
		n := len(all)
		for _, m := range data.Mistakes {
			if m.File == file {
				all = append(all, finding{
					suite: "lint " + file, id: m.Rule, title: m.Message, kind: output.Usage, text: m.Message,
					mark: m.State + "/" + m.Message, place: place{file, m.Line, m.Column},
				})
			}
		}
		if len(all) == n {
			all = append(all, finding{suite: "lint " + file, id: "lint", title: "no mistake", place: place{file: file, line: 1}})
		}
	}
	return all
}
