package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/pkg/check"
	"example.org/ims/pkg/runbook"
)

type runbookCheckOptions struct {
	format output.Format
	bounds boundsValue
	why    string
	live   string
	limit  int
	memory sizeValue
	jobs   int
	report reportFiles
}

// boundsValue is the value of --bounds.
type boundsValue struct{ check.Bounds }

// UnmarshalText finds bounds by name.
func (v *boundsValue) UnmarshalText(text []byte) error {
	b, ok := check.NamedBounds(string(text))
	if !ok {
		return fmt.Errorf("no bounds %q", text)
	}
	v.Bounds = b
	return nil
}

func newRunbookCheck(s *session) *cobra.Command {
	var opts runbookCheckOptions
	opts.bounds.Bounds, _ = check.NamedBounds(check.BoundNames()[0]) // the first name is known
	cmd := &cobra.Command{
		Use:   "check [NAME|FILE|FOLDER…]",
		Short: "Prove that runbooks lose no mail, or show how they do",
		Long: `Prove that runbooks lose no mail, or show how they do.

Every state that can be reached is visited: the runbook's machine, in a model of
a gateway, its stores, routes, MX records, caches, successor and destinations,
with a crash between every two commits, answers that get lost, questions that
are rejected or expire, and an abort at any moment. Nothing is touched.

A property is proved, violated, with the shortest way to the violation in plain
words, or inconclusive, if a bound was hit. What was assumed is printed with it.

Without arguments the shipped runbooks are checked. The bounds "ci" take
seconds; "default" take minutes, and gigabytes of memory.

All jobs together keep no more than --max-memory of what they know of states. A
check that finds too little left waits for one that began before it, or begins
again when that has ended: no verdict depends on what runs beside it. A runbook
that does not fit alone is inconclusive. On Linux three quarters are used of the
memory that is available, or of what the control group (cgroup) allows, if that
is less; elsewhere 4 GiB.

With --live the check begins in the world of a real gateway as it is now, with
the parameters and the successor that a run would have; nothing is changed. What
could not be observed is taken each way, and said; what is beyond the bounds is
taken as many as they allow, and said.

What was never seen, although everything was explored, is listed: a guard that
never failed, a result that never came. That does not change the exit code; a
state that was never reached does: the runbook is inconclusive then, except with
--live, where one world need not lead everywhere.`,
		Example: "  ims runbook check --bounds ci\n  ims runbook check q285090 --live east --bounds ci\n  ims runbook check -o sarif runbooks/ >check.sarif\n  ims runbook check q285090 --why settle",
		RunE: func(cmd *cobra.Command, argv []string) error {
			return runRunbookCheck(cmd.Context(), s, s.printer(opts.format), argv, opts)
		},
		ValidArgsFunction: s.completeRunbooks,
	}
	reportFlag(cmd, &opts.report)
	opts.boundFlags(cmd)
	formatFlag(cmd, &opts.format, output.Text, output.JSON, output.JUnit, output.SARIF, output.GitHub)
	cmd.Flags().StringVar(&opts.why, "why", "", "drop this `state` of the runbook, or swap it with the next, and say what breaks")
	cmd.Flags().StringVar(&opts.live, "live", "", "begin in the world of this `gateway` as it is observed now")
	cmd.MarkFlagsMutuallyExclusive("live", "why")
	return exits(cmd, output.Done, output.Blocked, output.Unknown)
}

// boundFlags adds the flags that bound a check.
func (o *runbookCheckOptions) boundFlags(cmd *cobra.Command) {
	wordFlag(cmd, &o.bounds, "bounds", "how much can happen at once (default "+o.bounds.Name+")", check.BoundNames())
	cmd.Flags().IntVar(&o.limit, "max-states", 0, "give up beyond so many `states`, of some 110 bytes each; 0 is as many as fit into the memory")
	cmd.Flags().Var(&o.memory, "max-memory", "let all jobs together use so much memory, such as 800M or 6G (default three quarters of what there is)")
	cmd.Flags().IntVar(&o.jobs, "jobs", 2, "check so many `runbooks` at a time, each on a core of its own")
}

func runRunbookCheck(ctx context.Context, s *session, p *output.Printer, argv []string, opts runbookCheckOptions) error {
	books, starts, err := s.checked(ctx, argv, opts.live)
	if err != nil {
		return err
	}
	if opts.why != "" {
		if len(books) != 1 {
			return output.As(output.Usage, "ims runbook check NAME --why "+opts.why, fmt.Errorf("--why asks about one runbook, these are %d", len(books)))
		}
		return explainState(ctx, s, p, books[0], opts)
	}
	results, err := s.prove(ctx, p, books, starts, opts)
	if err != nil {
		return err
	}
	verdict := output.Done
	for _, res := range results {
		verdict = output.Worse(verdict, verdictKind(res.Verdict))
	}
	if err := opts.report.write(s.deps.Version, checkFindings(books, results)); err != nil {
		return err
	}
	if err := printChecks(s, p, books, results, starts); err != nil {
		return err
	}
	return output.Said(verdict)
}

// checked are the runbooks to check, and where each begins if that is observed.
func (s *session) checked(ctx context.Context, argv []string, live string) ([]*runbook.Book, []*liveStart, error) {
	if live != "" {
		return s.observed(ctx, live, argv)
	}
	books, err := s.books(argv)
	return books, nil, err
}

// books reads and binds every runbook that the arguments name; without
// arguments, the shipped ones. All their mistakes come at once.
func (s *session) books(argv []string) ([]*runbook.Book, error) {
	if len(argv) == 0 {
		names, err := s.shipped()
		if err != nil {
			return nil, err
		}
		argv = names
	}
	var books []*runbook.Book
	var wrong error
	for _, arg := range argv {
		found, err := s.sources(arg)
		if err != nil {
			return nil, err
		}
		for _, src := range found {
			doc, mistakes := runbook.Load(src.name, src.data)
			if len(mistakes) > 0 {
				p := s.printer(output.Text)
				p.Error(mistakes)
				wrong = output.Said(output.Usage)
				continue
			}
			book, mistakes := runbook.Bind(doc, runbook.Binding{Gateway: "GATEWAY", Successor: "SUCCESSOR", Domains: []string{"DOMAIN"}})
			if len(mistakes) > 0 {
				return nil, output.As(output.Usage, "", mistakes)
			}
			books = append(books, book)
		}
	}
	return books, wrong
}

func subject(b *runbook.Book) *check.Runbook {
	r := &check.Runbook{Name: b.Def.Name, Def: b.Def, Guards: b.Guards}
	for _, a := range b.Doc.Assume {
		r.Assumes = append(r.Assumes, a.Value.Value)
	}
	return r
}

func verdictKind(v check.Verdict) output.Kind {
	switch v {
	case check.Violated:
		return output.Blocked
	case check.Inconclusive:
		return output.Unknown
	case check.Proved:
	}
	return output.Done
}
