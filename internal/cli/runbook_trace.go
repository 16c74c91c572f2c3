package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/internal/strictyaml"
	"example.org/ims/pkg/runbook"
	"example.org/ims/pkg/trace"
)

// tracesDir is the folder beside a runbook that holds its traces, under the
// runbook's name.
const tracesDir = "traces"

func newRunbookTest(s *session) *cobra.Command {
	var format output.Format
	var opts runbookTestOptions
	cmd := &cobra.Command{
		Use:   "test [NAME|FILE|FOLDER…]",
		Short: "Perform the traces of runbooks, and show where they part",
		Long: `Perform the traces of runbooks, and show where they part.

A trace is one way through a runbook, written down: what is observed, answered,
refused, how much time passes, where the runner crashes, and which states must
be entered because of it. The traces of FOLDER/NAME.yaml are in
FOLDER/traces/NAME.yaml, and either file may be named. They are performed by the real machine and the real
guards, without a world.

Without arguments the shipped runbooks are tested.`,
		Example:           "  ims runbook test\n  ims runbook test ./mine.yaml --trace stuck\n  ims runbook test -o junit runbooks/ >traces.xml",
		ValidArgsFunction: s.completeRunbooks,
		RunE: func(_ *cobra.Command, argv []string) error {
			return runRunbookTest(s, s.printer(format), argv, opts)
		},
	}
	cmd.Flags().StringVar(&opts.only, "trace", "", "only the trace with this `name`")
	cmd.Flags().BoolVar(&opts.allowNone, "allow-none", false, "runbooks without traces are no mistake")
	reportFlag(cmd, &opts.reports)
	formatFlag(cmd, &format, output.Text, output.JSON, output.JUnit, output.GitHub)
	return exits(cmd, output.Done, output.Failed)
}

type runbookTestOptions struct {
	only      string
	allowNone bool
	reports   reportFiles
}

type runbookTestData struct {
	Runbooks []runbookTestBook `json:"runbooks"`
}

type runbookTestBook struct {
	Runbook string             `json:"runbook"`
	File    string             `json:"file"`
	Traces  []runbookTestTrace `json:"traces"`
	Unseen  []string           `json:"unseen"` // states that no trace enters
}

type runbookTestTrace struct {
	Name    string            `json:"name"`
	Title   string            `json:"title"`
	Steps   int               `json:"steps"`
	Line    int               `json:"line"`
	Differs *runbookTestDiffs `json:"differs,omitempty"`
}

type runbookTestDiffs struct {
	Line   int      `json:"line"`
	Column int      `json:"column"`
	Step   int      `json:"step"`
	State  string   `json:"state"` // where the run was
	What   string   `json:"what"`
	Want   []string `json:"want"`
	Have   []string `json:"have"`
	Guards []string `json:"guards"`
}

func runRunbookTest(s *session, p *output.Printer, argv []string, opts runbookTestOptions) error {
	tests, err := s.traces(p, argv)
	if err != nil {
		return err
	}
	data, failed, ran := runbookTestData{Runbooks: []runbookTestBook{}}, 0, 0
	for _, t := range tests {
		one := testBook(t, opts.only)
		for _, tr := range one.Traces {
			ran++
			if tr.Differs != nil {
				failed++
			}
		}
		data.Runbooks = append(data.Runbooks, one)
	}
	if ran == 0 && (!opts.allowNone || opts.only != "") {
		return output.As(output.Usage, "ims runbook test --help", noTrace(tests, opts.only))
	}
	if err := opts.reports.write(s.deps.Version, traceFindings(data)); err != nil {
		return err
	}
	if err := printTests(s, p, data); err != nil {
		return err
	}
	if failed > 0 {
		return output.Said(output.Failed)
	}
	return nil
}

func noTrace(tests []bookTraces, only string) error {
	var names []string
	for _, t := range tests {
		for _, e := range t.doc.Traces {
			names = append(names, e.Key.Value)
		}
	}
	if only == "" {
		return errors.New("there are no traces: they belong into the folder traces beside the runbook")
	}
	return fmt.Errorf("there is no trace %q%s", only, didYouMean(only, names))
}

// bookTraces is a runbook with its traces.
type bookTraces struct {
	book *runbook.Book
	doc  *trace.Doc
}

// traces reads what the arguments name. All mistakes come at once.
func (s *session) traces(p *output.Printer, argv []string) ([]bookTraces, error) {
	books, err := s.books(traced(argv))
	if err != nil {
		return nil, err
	}
	var all []bookTraces
	var wrong strictyaml.Mistakes
	for _, b := range books {
		name, source, err := s.traceFile(b.Doc.File)
		if errors.Is(err, fs.ErrNotExist) {
			p.Note("%s has no traces: there is no %s", b.Def.Name, name)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read traces: %w", err)
		}
		doc, mistakes := trace.Load(name, source, b)
		wrong = append(wrong, mistakes...)
		all = append(all, bookTraces{b, doc})
	}
	return all, output.As(output.Usage, "ims runbook test --help", wrong.Err())
}

// traced names the runbooks of files of traces, as whoever commits either wants
// it.
func traced(argv []string) []string {
	var out []string
	for _, arg := range argv {
		if dir, file := filepath.Split(arg); filepath.Base(dir) == tracesDir && filepath.Ext(file) == ".yaml" {
			arg = filepath.Join(filepath.Dir(filepath.Clean(dir)), file)
		}
		if !slices.Contains(out, arg) {
			out = append(out, arg)
		}
	}
	return out
}

// traceFile reads the traces of the runbook that was read from a file, or of
// the shipped one of that name.
func (s *session) traceFile(runbook string) (name string, source []byte, err error) {
	if !strings.ContainsAny(runbook, `/\`) {
		source, err = fs.ReadFile(s.deps.Runbooks, tracesDir+"/"+runbook)
		if !errors.Is(err, fs.ErrNotExist) {
			return tracesDir + "/" + runbook, source, err
		}
	}
	name = filepath.Join(filepath.Dir(runbook), tracesDir, filepath.Base(runbook))
	source, err = os.ReadFile(name)
	return name, source, err
}

func testBook(t bookTraces, only string) runbookTestBook {
	one := runbookTestBook{Runbook: t.book.Def.Name, File: t.doc.File, Traces: []runbookTestTrace{}, Unseen: []string{}}
	seen := map[string]bool{}
	for _, r := range trace.Run(t.doc, t.book) {
		for _, id := range r.Visited {
			seen[id] = true
		}
		if only != "" && r.Name != only {
			continue
		}
		tr := runbookTestTrace{Name: r.Name, Title: r.Title, Steps: r.Steps, Line: r.Pos.Line}
		if d := r.Differs; d != nil {
			tr.Differs = &runbookTestDiffs{
				Line: d.Pos.Line, Column: d.Pos.Col, Step: d.Step, State: d.State, What: d.What,
				Want: append([]string{}, d.Want...), Have: append([]string{}, d.Have...), Guards: append([]string{}, d.Facts...),
			}
		}
		one.Traces = append(one.Traces, tr)
	}
	for i := range t.book.Def.States {
		if id := t.book.Def.States[i].ID; !seen[id] {
			one.Unseen = append(one.Unseen, id)
		}
	}
	slices.Sort(one.Unseen)
	return one
}

func printTests(s *session, p *output.Printer, data runbookTestData) error {
	switch p.Format() {
	case output.JUnit, output.GitHub:
		b, err := renderFindings(p.Format(), s.deps.Version, traceFindings(data))
		if err != nil {
			return err
		}
		return p.Raw(b)
	case output.Text, output.JSON, output.JSONL, output.SARIF, output.Markdown, output.Mermaid:
	}
	return p.Result("runbook-test", data, func(page *output.Page) {
		for _, b := range data.Runbooks {
			testPage(page, b)
		}
	})
}

func testPage(page *output.Page, b runbookTestBook) {
	for _, t := range b.Traces {
		verdict := "ok  "
		if t.Differs != nil {
			verdict = "FAIL"
		}
		page.Line("%s  %s/%s: %s, %s", verdict, b.Runbook, t.Name, t.Title, output.Count(int64(t.Steps), "step"))
		if d := t.Differs; d != nil {
			page.Line("      %s:%d:%d: step %d: %s", b.File, d.Line, d.Column, d.Step, d.What)
			for _, l := range diffLines(d.Want, d.Have) {
				page.Line("        %s", l)
			}
			page.Line("      the run is in %s", d.State)
			for _, g := range d.Guards {
				page.Line("        %s", g)
			}
		}
	}
	if len(b.Unseen) > 0 {
		page.Line("      no trace of %s enters %s", b.Runbook, strings.Join(b.Unseen, ", "))
	}
}

// diffLines are two ways beside each other: what both take, then what was
// written and what came instead.
func diffLines(want, have []string) []string {
	same := 0
	for same < len(want) && same < len(have) && want[same] == have[same] {
		same++
	}
	var lines []string
	add := func(sign string, list []string) {
		for _, l := range list {
			lines = append(lines, sign+" "+l)
		}
	}
	add(" ", want[:same])
	add("-", want[same:])
	add("+", have[same:])
	return lines
}

func traceFindings(data runbookTestData) []finding {
	var all []finding
	for _, b := range data.Runbooks {
		for _, t := range b.Traces {
			f := finding{suite: b.Runbook, id: t.Name, title: t.Title, place: place{file: b.File, line: t.Line}}
			if d := t.Differs; d != nil {
				f.kind, f.line = output.Failed, d.Line
				f.text = fmt.Sprintf("step %d, in %s: %s", d.Step, d.State, d.What)
				for _, l := range diffLines(d.Want, d.Have) {
					f.steps = append(f.steps, step{l, f.place})
				}
			}
			all = append(all, f)
		}
	}
	return all
}
