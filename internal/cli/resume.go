package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
)

func newResume(s *session) *cobra.Command {
	var comment string
	var format output.Format
	cmd := &cobra.Command{
		Use:   "resume [RUN]",
		Short: "Let a run go on that waits for its operator, or has no runner",
		Long: `Let a run go on. A runner is started if none is alive; it takes up every open
run. A run that waits for its operator looks at the world again and goes on from
there: what it waited for is judged anew, an effect of which nobody knows whether
it happened is looked at first. Without RUN, the open run that was opened last.`,
		Example: "  ims resume east-1 --comment 'the secondary is back'",
		Args:    args(cobra.MaximumNArgs(1), "at most one run"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			run := ""
			if len(argv) == 1 {
				run = argv[0]
			}
			return runResume(cmd.Context(), s, s.printer(format), run, comment)
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON)
	commentFlag(cmd, &comment)
	return exits(cmd, output.Done, output.Blocked, output.Unknown)
}

func runResume(ctx context.Context, s *session, p *output.Printer, run, comment string) error {
	c, err := s.configuration()
	if err != nil {
		return err
	}
	st, err := present(ctx, c, run)
	if err != nil {
		return err
	}
	if st.Ended() {
		return output.As(output.Blocked, "ims status "+st.Run, errors.New("run "+st.Run+" has ended: "+st.Outcome))
	}
	client, err := s.ensureRunner(ctx, p, c)
	if err != nil {
		return telling(st.Run, err)
	}
	told := "goes on"
	if st.Phase == "operating" || st.Problem != "" {
		if err := client.Resume(ctx, st.Run, comment); err != nil {
			return telling(st.Run, err)
		}
		told = "looks again"
	}
	if st, err = client.Status(ctx, st.Run); err != nil {
		return telling(st.Run, err)
	}
	if st.Problem != "" {
		return output.As(output.Failed, "", errors.New("run "+st.Run+" is not performed: "+st.Problem))
	}
	return p.Result("told", toldData{st.Run, told}, func(page *output.Page) {
		page.Line("%s: %s", st.Run, told)
		nextLine(page, &st)
	})
}
