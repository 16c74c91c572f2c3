package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/internal/runner"
)

type approveOptions struct {
	run    string
	answer runner.Answer
	reject bool
}

func newApprove(s *session) *cobra.Command {
	var opts approveOptions
	var format output.Format
	cmd := &cobra.Command{
		Use:   "approve RUN [STATE]",
		Short: "Answer the question of a run",
		Long: `Answer the question of a run, as the user of this process. STATE guards against
answering another question than the one that was read.

What a question was about is looked at again before an answer counts: if the
configuration or what the decision names has changed since, the answer is
refused and the question is put anew. A rejected question waits for the
operator; only ims abort undoes anything.`,
		Example: "  ims approve east-1 confirm\n  ims approve east-1 late_decision --choice accept_loss --comment 'printer is scrapped'",
		Args:    args(cobra.RangeArgs(1, 2), "a run and at most one state"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			opts.run = argv[0]
			if len(argv) == 2 {
				opts.answer.State = argv[1]
			}
			return runApprove(cmd.Context(), s, s.printer(format), opts)
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON)
	cmd.Flags().StringVar(&opts.answer.Choice, "choice", "", "which `answer`, if the question has several")
	cmd.Flags().StringVar(&opts.answer.Comment, "comment", "", "`why`; it is kept in the journal")
	cmd.Flags().BoolVar(&opts.reject, "reject", false, "say no: the run waits for the operator")
	cmd.MarkFlagsMutuallyExclusive("reject", "choice")
	return exits(cmd, output.Done, output.Blocked, output.Unknown)
}

type toldData struct {
	Run  string `json:"run"`
	Told string `json:"told"`
}

func runApprove(ctx context.Context, s *session, p *output.Printer, opts approveOptions) error {
	c, err := s.configuration()
	if err != nil {
		return err
	}
	st, err := present(ctx, c, opts.run)
	if err != nil {
		return err
	}
	if st.Ended() {
		return output.As(output.Blocked, "ims status "+st.Run, fmt.Errorf("run %s has ended: %s", st.Run, st.Outcome))
	}
	client := runner.NewClient(c.StateDir)
	tell, told := client.Approve, "approved"
	if opts.reject {
		tell, told = client.Reject, "rejected"
	}
	if err := tell(ctx, opts.run, opts.answer); err != nil {
		return telling(opts.run, err)
	}
	return p.Result("told", toldData{opts.run, told}, func(page *output.Page) { page.Line("%s: %s", opts.run, told) })
}
