package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/internal/runner"
)

func newPause(s *session) *cobra.Command {
	var reason string
	var format output.Format
	cmd := &cobra.Command{
		Use:   "pause RUN",
		Short: "Hold a run where it is, and leave the gateway as it is",
		Long: `Hold a run where it is. Nothing is undone and no service is stopped: a gateway
that sends goes on sending, and what the run observes is still observed and
shown. Time-outs stand still; a soak goes on earning quiet time. Until ims
continue, the run does nothing and takes no answers; ims abort still works.

An effect that is being performed is finished first.`,
		Example: "  ims pause east-1 --reason 'change freeze until Monday'",
		Args:    args(cobra.ExactArgs(1), "a run"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			if err := checkReason(cmd, reason); err != nil {
				return err
			}
			return runPause(cmd.Context(), s, s.printer(format), argv[0], true, reason)
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON)
	reasonFlag(cmd, &reason)
	return exits(cmd, output.Done, output.Blocked, output.Unknown)
}

func newContinue(s *session) *cobra.Command {
	var comment string
	var format output.Format
	cmd := &cobra.Command{
		Use:   "continue [RUN]",
		Short: "Let a paused run go on",
		Long: `Let a paused run go on from where it is. What it had seen before is judged anew
before anything is changed.

Without RUN, the open run that was opened last. To let a run go on that waits for
its operator, or has no runner: ims resume.`,
		Example: "  ims continue east-1 --comment 'the freeze is over'",
		Args:    args(cobra.MaximumNArgs(1), "at most one run"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			return runPause(cmd.Context(), s, s.printer(format), strings.Join(argv, ""), false, comment)
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON)
	commentFlag(cmd, &comment)
	return exits(cmd, output.Done, output.Blocked, output.Unknown)
}

// runPause tells the runner, or the journal while no runner is alive.
func runPause(ctx context.Context, s *session, p *output.Printer, run string, pause bool, reason string) error {
	c, err := s.configuration()
	if err != nil {
		return err
	}
	st, err := present(ctx, c, run)
	if err != nil {
		return err
	}
	client := runner.NewClient(c.StateDir)
	tell, told := client.Unpause, "goes on"
	if pause {
		tell, told = client.Pause, "paused"
	}
	err = tell(ctx, st.Run, reason)
	if errors.Is(err, runner.ErrNoRunner) {
		err = runner.Pause(ctx, c.StateDir, st.Run, pause, reason)
		if err == nil && !pause {
			p.Note("no runner is alive; to start one: ims resume %s", st.Run)
		}
	}
	if err != nil {
		return telling(st.Run, err)
	}
	if pause && st.Facts["gw.running"] == "false" {
		p.Note("gateway %s is not running, so what it holds is not sent; to send it: ims gateway start %s --reason …", st.Gateway, st.Gateway)
	}
	return p.Result("told", toldData{st.Run, told}, func(page *output.Page) { page.Line("%s: %s", st.Run, told) })
}
