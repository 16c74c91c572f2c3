package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.org/ims/internal/access"
	"example.org/ims/internal/config"
	"example.org/ims/internal/output"
	"example.org/ims/internal/plan"
	"example.org/ims/internal/runner"
)

// Runs are what the commands about runs need.
type Runs interface {
	// Runner is what a runner of a configuration needs; its log, its fail point
	// and how long it lives are the command's.
	Runner(c *config.Config) (runner.Options, error)
	// Plan predicts a run and changes nothing. Its errors are the request's.
	Plan(ctx context.Context, c *config.Config, look Look) (*plan.Plan, error)
	// Program is the path of this program, to start a runner with.
	Program() (string, error)
}

// ensureRunner starts a runner in a session of its own if none is alive.
func (s *session) ensureRunner(ctx context.Context, p *output.Printer, c *config.Config) (*runner.Client, error) {
	client := runner.NewClient(c.StateDir)
	_, err := client.Info(ctx)
	if !errors.Is(err, runner.ErrNoRunner) {
		return client, err
	}
	program, err := s.deps.Runs.Program()
	if err != nil {
		return nil, err
	}
	file, err := filepath.Abs(s.config)
	if err != nil {
		return nil, fmt.Errorf("find configuration: %w", err)
	}
	if err := runner.Spawn(ctx, c.StateDir, []string{program, "runner", "--once", "--config", file}); err != nil {
		return nil, err
	}
	info, err := client.Info(ctx)
	if err == nil {
		p.Note("started a runner, process %d; its log is %s", info.PID, filepath.Join(c.StateDir, runner.LogName))
	}
	return client, err
}

// present is the status of a run, from its runner or from the journal; "" is
// the run that was opened last.
func present(ctx context.Context, c *config.Config, run string) (runner.Status, error) {
	st, err := runner.Read(ctx, c.StateDir, run)
	if run != "" && errors.Is(err, runner.ErrNoRun) {
		return st, noRun(ctx, c, run)
	}
	if err != nil || st.Ended() {
		return st, telling(st.Run, err)
	}
	live, err := runner.NewClient(c.StateDir).Status(ctx, st.Run)
	if errors.Is(err, runner.ErrNoRunner) {
		return st, nil
	}
	return live, telling(st.Run, err)
}

// noRun is the mistake of naming a run that does not exist.
func noRun(ctx context.Context, c *config.Config, run string) error {
	all, err := runner.ReadList(ctx, c.StateDir)
	if err != nil {
		return err
	}
	return output.As(output.Usage, "ims status", fmt.Errorf("there is no run %q%s", run, meant(run, all)))
}

// meant is the end of a sentence about a run that nobody knows. Whoever names
// a gateway means its last run.
func meant(run string, all []runner.Summary) string {
	var ids []string
	var last runner.Summary
	for _, one := range all {
		ids = append(ids, one.Run)
		if one.Gateway == run && one.Opened.After(last.Opened) {
			last = one
		}
	}
	if last.Run != "" {
		return fmt.Sprintf("; the last run of gateway %s is %s", run, last.Run)
	}
	return didYouMean(run, ids)
}

// telling gives an error of a request to the runner its kind.
func telling(run string, err error) error {
	if held, ok := errors.AsType[*runner.HeldError](err); ok {
		return output.As(output.Blocked, "ims status "+held.Run, fmt.Errorf("%s is held by run %s, which is open since %s",
			strings.Replace(held.Resource, "/", " ", 1), held.Run, held.Since.UTC().Format(time.RFC3339)))
	}
	if locked, ok := errors.AsType[*runner.LockedError](err); ok {
		return output.As(output.Blocked, "ims status", locked)
	}
	if used, ok := errors.AsType[*runner.UsedError](err); ok {
		return output.As(output.Blocked, "ims status "+used.Run, used)
	}
	switch {
	case errors.Is(err, runner.ErrDrift):
		return output.As(output.Drift, "ims retire --dry-run --out FILE", err)
	case errors.Is(err, runner.ErrNoRunner):
		if request, ok := errors.AsType[*url.Error](err); ok {
			err = request.Err // without the address, which nobody typed
		}
		return output.As(output.Unknown, strings.TrimSpace("ims resume "+run), err)
	case errors.Is(err, runner.ErrNoRun):
		return output.As(output.Usage, "ims status", err)
	case errors.Is(err, runner.ErrUsage):
		return output.As(output.Usage, "", err)
	case errors.Is(err, runner.ErrUnknown):
		return output.As(output.Unknown, "ims gateway show", err)
	case errors.Is(err, access.ErrDenied): // people in ims.yaml decides who may
		return output.As(output.Blocked, "", err)
	case errors.Is(err, runner.ErrRefused):
		return output.As(output.Blocked, strings.TrimSpace("ims status "+run), err)
	}
	return err
}

// kindOf is what the state of a run means to whoever asks whether it is done.
func kindOf(s *runner.Status) output.Kind {
	switch {
	case s.Ended() && (s.Outcome == "retired" || s.Outcome == "removed-release-pending" || s.Outcome == "succeeded"):
		return output.Done
	case s.Ended():
		return output.Failed
	case !s.Alive:
		return output.Unknown
	case s.Phase != "operating":
		return output.Waiting
	}
	switch s.Why {
	case "drift":
		return output.Drift
	case "stall", "timeout":
		return output.Stalled
	case "unknown":
		return output.Unknown
	case "rejected", "expired":
		return output.Waiting
	}
	return output.Blocked
}

// completeRuns completes the ids of open runs, and after them, the last first,
// of ended ones where those are of use.
func (s *session) completeRuns(cmd *cobra.Command, argv []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(argv) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	c, err := s.configuration()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	all, err := runner.ReadList(cmd.Context(), c.StateDir)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var open, ended []cobra.Completion
	for _, r := range slices.Backward(all) {
		what := r.Runbook + ", opened " + r.Opened.Format("2006-01-02 15:04")
		if r.Closed == nil {
			open = append(open, cobra.CompletionWithDesc(r.Run, what))
		} else {
			ended = append(ended, cobra.CompletionWithDesc(r.Run, what+", "+r.Outcome))
		}
	}
	if slices.Contains([]string{"status", "monitor", "report"}, cmd.Name()) {
		open = append(open, ended...)
	}
	return open, cobra.ShellCompDirectiveNoFileComp
}
