package cli

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/internal/runner"
)

func newRunner(s *session) *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "runner",
		Short: "Perform runs in the foreground, until interrupted",
		Long: `Perform runs in the foreground, until interrupted.

One runner a state directory performs all its runs and alone writes their
journal; commands at terminals speak to it. It resumes the runs that an earlier
one left open, and stops them at a commit when it is interrupted. ims retire
starts one by itself if none is alive, so this is for service managers.`,
		Example: "  ims runner --config /etc/ims/ims.yaml",
		Args:    args(cobra.NoArgs, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runRunner(cmd.Context(), s, once)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "end when no run is open any more")
	return exits(cmd, output.Done, output.Blocked)
}

func runRunner(ctx context.Context, s *session, once bool) error {
	o, err := s.runnerOptions(slog.New(slog.NewTextHandler(s.io.Err, nil)))
	if err != nil {
		return err
	}
	o.Once = once
	r, err := runner.Open(ctx, o)
	if err != nil {
		return telling("", err)
	}
	o.Log.Info("runner serves", "dir", o.Dir)
	return r.Serve(ctx)
}

// runnerOptions are those of a runner in this process.
func (s *session) runnerOptions(log *slog.Logger) (runner.Options, error) {
	c, err := s.configuration()
	if err != nil {
		return runner.Options{}, err
	}
	o, err := s.deps.Runs.Runner(c)
	if err != nil {
		return o, err
	}
	o.Log = log
	o.FailPoint, err = runner.ParseFailPoint(s.io.FailPoint)
	return o, output.As(output.Usage, "", err)
}
