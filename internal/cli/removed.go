package cli

import (
	"context"
	"errors"

	"example.org/ims/internal/config"
	"example.org/ims/internal/output"
	"example.org/ims/internal/preflight"
	"example.org/ims/internal/runner"
)

// refuseRemoved refuses to open a run on a gateway that a run has removed. One
// that cannot be asked, or was installed again, is not refused here.
func (s *session) refuseRemoved(ctx context.Context, c *config.Config, name string) error {
	all, err := runner.ReadList(ctx, c.StateDir)
	if err != nil {
		return err
	}
	if name == "" {
		name = c.Retire.Default
	}
	run, ok := runner.RemovedIn(all, name)
	found, known := c.Gateway(name)
	if !ok || !known {
		return nil
	}
	gw, err := s.deps.Organizations.Gateway(found)
	if err != nil {
		return err
	}
	if now, err := gw.Config(ctx); err != nil || now.Exists {
		return nil //nolint:nilerr // whoever opens the run asks again, and says it
	}
	gone := preflight.Removal{Run: run.Run, Ended: *run.Closed}
	return output.As(output.Blocked, gone.Look(), errors.New(gone.Words(name)))
}
