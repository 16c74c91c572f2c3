package wire

import (
	"context"
	"fmt"
	"os"

	"example.org/ims/internal/cli"
	"example.org/ims/internal/config"
	"example.org/ims/internal/plan"
	"example.org/ims/internal/runner"
)

// runs are runs of real gateways and zones.
type runs struct{}

var _ cli.Runs = runs{}

// Runner implements cli.Runs.
func (runs) Runner(c *config.Config) (runner.Options, error) {
	people, err := peopleOf(c.People)
	return runner.Options{
		Dir: c.StateDir, Site: runSite{newSite(c)}, People: people, Targets: c.Notify.Targets, Digest: c.Notify.Digest,
	}, err
}

// Plan implements cli.Runs.
func (runs) Plan(ctx context.Context, c *config.Config, r runner.Request) (*plan.Plan, error) {
	s := runSite{newSite(c)}
	book, err := s.book(ctx, r)
	if err != nil {
		return nil, err
	}
	return s.plan(ctx, book)
}

// Program implements cli.Runs.
func (runs) Program() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	return path, nil
}
