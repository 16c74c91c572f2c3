package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/spf13/cobra"

	"example.org/ims/internal/config"
	"example.org/ims/internal/output"
	"example.org/ims/internal/plan"
	"example.org/ims/internal/runner"
)

type retireOptions struct {
	requestOptions
	dryRun     bool
	probe      bool
	yes        bool
	foreground bool
	plain      bool
	messages   bool
	out        string // where the plan is saved
	diff       string // the earlier plan to compare with
	plan       string // the saved plan to perform
}

func newRetire(s *session) *cobra.Command {
	var opts retireOptions
	var format output.Format
	cmd := &cobra.Command{
		Use:   "retire [GATEWAY]",
		Short: "Retire a gateway, or with --dry-run say what that would do",
		Long: `Retire a gateway by a runbook. Without GATEWAY, the one that the configuration
names under retire.default, or its only one.

The run is performed by a runner, which is started if none is alive and goes on
without this command: Ctrl-C or q ends the view only. On a terminal the view is
the monitor (see ims monitor), elsewhere lines. Questions are answered there,
with ims approve, or by --yes, which answers as the present user what one
person may answer, with the first choice.

With --dry-run nothing is changed: the same procedure is performed in a model
of the world that starts from what is observed now. With --probe the name
servers are asked, too, whether they would make the changes, by UPDATEs that
cannot succeed. --out saves that plan, and
--plan performs it: exactly that, and once. A plan binds to the configuration it
was made from, every setting, address space and connected site of the two
gateways included, and to the states that it passes through, never to counts. It
binds to the verdicts that it shows, too: when it is performed, the checks are
made again, and one that stands in the way now and did not then is drift; one
that got better is none. A plan is refused, with what has changed, if it does
not hold any more (exit 5), and if a run performed it already (exit 2).

A dry run makes the checks of ims preflight, and counts them alike; what only a
prediction can tell it counts apart. What blocks must be mended or waived. A
question is what the run would ask as things are now; it needs a person's
answer. A dry run with either ends with exit 2. What is only asked does not keep
a saved plan from being performed: the run asks then, and waits (exit 3).`,
		Example: `  ims retire east --dry-run
  ims retire east --dry-run --probe
  ims retire east --dry-run --out plan.json
  ims retire east --dry-run --diff plan.json
  ims retire --plan plan.json
  ims retire east --runbook eleven-steps --param quiet=48h`,
		Args: args(cobra.MaximumNArgs(1), "at most one gateway"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			if err := opts.parse(cmd, argv); err != nil {
				return err
			}
			if opts.plan != "" {
				return performPlan(cmd.Context(), s, s.printer(format), opts)
			}
			return runRetire(cmd.Context(), s, s.printer(format), opts)
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON, output.JSONL, output.Markdown)
	flags := cmd.Flags()
	opts.flags(cmd)
	flags.BoolVar(&opts.dryRun, "dry-run", false, "change nothing, print the plan")
	flags.BoolVar(&opts.yes, "yes", false, "answer questions that one person may answer")
	flags.BoolVar(&opts.foreground, "foreground", false, "perform the run in this process; Ctrl-C stops it at a commit")
	planFlags(cmd, &opts)
	return exits(cmd, output.Done, output.Blocked, output.Waiting, output.Stalled, output.Drift, output.Unknown, output.Interrupted)
}

// planFlags are about plans. A plan says itself what its run is about.
func planFlags(cmd *cobra.Command, opts *retireOptions) {
	flags := cmd.Flags()
	probeFlag(cmd, &opts.probe)
	flags.BoolVar(&opts.messages, "messages", false, "with --dry-run: print the fate of every queued message")
	flags.StringVar(&opts.out, "out", "", "with --dry-run: save the plan in `FILE`")
	flags.StringVar(&opts.diff, "diff", "", "with --dry-run: say what has changed since the plan in `FILE`")
	flags.StringVar(&opts.plan, "plan", "", "perform the saved plan in `FILE`, once")
	flags.BoolVar(&opts.plain, "plain", false, "print lines on a terminal, too")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "yes")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "foreground")
	for _, f := range []string{"dry-run", "to", "runbook", "param"} {
		cmd.MarkFlagsMutuallyExclusive("plan", f)
	}
}

func (o *retireOptions) parse(cmd *cobra.Command, argv []string) error {
	if err := o.requestOptions.parse(cmd, argv); err != nil {
		return err
	}
	for _, f := range []string{"messages", "out", "diff", "probe"} {
		if cmd.Flags().Changed(f) && !o.dryRun {
			return output.As(output.Usage, cmd.CommandPath()+" --help", fmt.Errorf("%s: --%s goes with --dry-run", cmd.CommandPath(), f))
		}
	}
	if format := cmd.Flags().Lookup("output"); format.Value.String() == string(output.Markdown) && !o.dryRun {
		return output.As(output.Usage, cmd.CommandPath()+" --help", fmt.Errorf("%s: -o markdown goes with --dry-run", cmd.CommandPath()))
	}
	return nil
}

func runRetire(ctx context.Context, s *session, p *output.Printer, opts retireOptions) error {
	c, err := s.configuration()
	if err != nil {
		return err
	}
	if err := opts.check(s, c); err != nil {
		return err
	}
	if opts.dryRun {
		return dryRun(ctx, s, p, c, opts)
	}
	if opts.request.Plan == nil {
		if err := s.refuseRemoved(ctx, c, opts.request.Gateway); err != nil {
			return err
		}
	}
	if opts.foreground {
		return retireHere(ctx, s, p, c, opts)
	}
	client, err := s.ensureRunner(ctx, p, c)
	if err != nil {
		return telling("", err)
	}
	return retire(ctx, s, p, c, client, opts)
}

// dryRun prints the plan of a run, and saves it if asked to.
func dryRun(ctx context.Context, s *session, p *output.Printer, c *config.Config, opts retireOptions) error {
	var old *plan.Plan
	if opts.diff != "" {
		var err error
		if old, _, err = readPlan(opts.diff); err != nil {
			return err
		}
	}
	pl, err := s.deps.Runs.Plan(ctx, c, Look{opts.request, opts.probe})
	if err != nil {
		return telling("", usually(err))
	}
	all, err := runner.ReadList(ctx, c.StateDir)
	if err != nil {
		return err
	}
	view := planView{messages: opts.messages}
	if old != nil {
		view.differs = compare(old, pl)
		if i := slices.IndexFunc(all, func(r runner.Summary) bool { return r.Nonce == old.Nonce }); i >= 0 {
			view.differs.Used = all[i].Run
		}
	}
	shown := showPlan(p, pl, view)
	if opts.out == "" || output.KindOf(shown) == output.Failed {
		return shown
	}
	if err := savePlan(opts.out, pl); err != nil {
		return err
	}
	if pl.Performable() {
		p.Note("saved; to perform exactly this, once: ims retire --plan %s", quoted(opts.out))
	} else {
		p.Note("saved to compare with; it %s, so it cannot be performed", unfit(pl))
	}
	return shown
}

// usually takes an error for the request's unless it says otherwise.
func usually(err error) error {
	if errors.Is(err, runner.ErrUnknown) || errors.Is(err, runner.ErrRefused) {
		return err
	}
	return output.As(output.Usage, "", err)
}

// unfit says why a plan cannot be performed: a question alone is no reason.
func unfit(pl *plan.Plan) string {
	if pl.Verdict == plan.Asks {
		return "relies on what is unknown"
	}
	return "is " + string(pl.Verdict)
}

// performPlan opens a run from a saved plan.
func performPlan(ctx context.Context, s *session, p *output.Printer, opts retireOptions) error {
	pl, text, err := readPlan(opts.plan)
	if err != nil {
		return err
	}
	if named := opts.request.Gateway; named != "" && named != pl.Gateway {
		return output.As(output.Usage, "ims plan show "+quoted(opts.plan), fmt.Errorf("the plan retires gateway %s, not %s", pl.Gateway, named))
	}
	if !pl.Performable() {
		return output.As(output.Worse(kindOfWhole(pl.Verdict), output.Unknown), "ims plan show "+quoted(opts.plan), fmt.Errorf("the plan %s (%s), so it is not performed: "+
			"mend or waive what stands in its way, and make it anew", unfit(pl), pl.Counts().Tally))
	}
	opts.request = runner.Request{Plan: text}
	err = runRetire(ctx, s, p, opts)
	drift, ok := errors.AsType[*runner.DriftError](err)
	if !ok {
		return err
	}
	if err := p.Result("plan-drift", drift, func(page *output.Page) { driftPage(page, drift) }); err != nil {
		return err
	}
	p.Note("ims: hint: to make it anew: %s", anew(pl, "--out", opts.plan))
	return output.Said(output.Drift)
}

func driftPage(page *output.Page, d *runner.DriftError) {
	page.Line("DRIFT: plan %s does not hold any more, and was not performed; nothing was changed.", short12(d.Plan))
	for _, one := range d.Differences {
		differencePage(page, plan.Difference(one))
	}
}

// retireHere performs the run in this process.
func retireHere(ctx context.Context, s *session, p *output.Printer, c *config.Config, opts retireOptions) error {
	o, err := s.runnerOptions(slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	r, err := runner.Open(ctx, o)
	if err != nil {
		return telling("", err)
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- r.Serve(serving) }()
	err = retire(ctx, s, p, c, r.Client(), opts)
	stop()
	if serveErr := <-served; serveErr != nil {
		return errors.Join(err, serveErr)
	}
	if errors.Is(err, context.Canceled) {
		return output.As(output.Interrupted, "ims resume", errors.New("the run was stopped at a commit, and is open"))
	}
	return err
}

func retire(ctx context.Context, s *session, p *output.Printer, c *config.Config, client *runner.Client, opts retireOptions) error {
	run, err := client.Open(ctx, opts.request)
	if err != nil {
		return telling("", err)
	}
	f := &follower{s: s, p: p, client: client, dir: c.StateDir, run: run, yes: opts.yes, here: opts.foreground, plain: opts.plain}
	return finish(ctx, f, "retire")
}

// finish follows a run, prints what came of it, and says it by the exit code.
func finish(ctx context.Context, f *follower, name string) error {
	watch := f.follow
	if f.s.screens(f.p.Format(), f.plain) {
		watch = f.watchScreen
	}
	last, err := watch(ctx)
	switch {
	case errors.Is(err, errLeft) && last.Phase != "operating":
		f.leave()
		return output.Said(output.Waiting)
	case errors.Is(err, errLeft):
		return output.Said(kindOf(&last))
	case errors.Is(err, context.Canceled) && f.here:
		return err
	case errors.Is(err, context.Canceled):
		f.leave()
		return output.Said(output.Waiting)
	case errors.Is(err, runner.ErrNoRunner):
		return output.As(output.Unknown, "ims resume "+f.run, err)
	case err != nil:
		return telling(f.run, err)
	}
	kind := kindOf(&last)
	if err := f.p.Result(name, &last, func(page *output.Page) { endPage(page, &last, kind) }); err != nil {
		return err
	}
	return output.Said(kind)
}

// leave says how to come back to a run that goes on.
func (f *follower) leave() {
	f.p.Note("run %s goes on without this view; to look at it again: ims monitor %s", f.run, f.run)
	if f.yes {
		f.p.Note("nobody answers its questions any more; ims status %s says what it asks", f.run)
	}
}

// endPage is the last word about a run that is over, or needs somebody.
func endPage(page *output.Page, s *runner.Status, kind output.Kind) {
	if !s.Ended() {
		page.Line("run %s is %s", s.Run, kind)
		nextLine(page, s)
		return
	}
	page.Line("run %s: %s", s.Run, s.Outcome)
	ledgerLine(page, s)
}
