package cli

import (
	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
)

func newAdopt(s *session) *cobra.Command {
	var opts retireOptions
	var format output.Format
	cmd := &cobra.Command{
		Use:   "adopt [GATEWAY]",
		Short: "Go on with a retirement whose journal is gone",
		Long: `Go on with a retirement whose journal is gone: the control host was lost, or its
state directory was. A new run begins at the beginning of the procedure. What
the lost run had changed is observed, found done, and not done again; questions
are put again; times that must be observed begin anew, because nobody knows what
was observed.

What is gone with the journal stays gone: an abort restores the values that this
run finds, not the ones from before the lost run, and its decisions do not count.

A gateway that was left stopped, or in a mode that does not send, is for the
runbook rescue: --runbook rescue.

Gateways remember the epoch of the last run that changed them, and refuse older
ones. Adopting raises it, so a lost runner that comes back is refused. Without a
lost run this is ims retire.`,
		Example: "  ims adopt east --reason 'the control host burnt down on Friday'",
		Args:    args(cobra.MaximumNArgs(1), "at most one gateway"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			if err := checkReason(cmd, opts.request.Adopt); err != nil {
				return err
			}
			if err := opts.parse(cmd, argv); err != nil {
				return err
			}
			return runRetire(cmd.Context(), s, s.printer(format), opts)
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON, output.JSONL)
	opts.flags(cmd)
	cmd.Flags().BoolVar(&opts.yes, "yes", false, "answer questions that one person may answer")
	cmd.Flags().BoolVar(&opts.plain, "plain", false, "print lines on a terminal, too")
	reasonFlag(cmd, &opts.request.Adopt)
	return exits(cmd, output.Done, output.Blocked, output.Waiting, output.Stalled, output.Drift, output.Unknown, output.Interrupted)
}
