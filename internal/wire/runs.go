package wire

import (
	"context"
	"fmt"
	"os"
	"time"

	"example.org/ims/internal/cli"
	"example.org/ims/internal/config"
	"example.org/ims/internal/patience"
	"example.org/ims/internal/plan"
	"example.org/ims/internal/preflight"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/runbook"
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
func (runs) Plan(ctx context.Context, c *config.Config, look cli.Look) (*plan.Plan, error) {
	s := runSite{newSite(c).look(look.Probe)}
	book, err := s.book(look.Request)
	if err != nil {
		return nil, err
	}
	ctx = patience.Look(ctx) // both look once
	pl, err := s.plan(ctx, book)
	if err != nil {
		return nil, err
	}
	return pl, s.judge(ctx, book, pl)
}

// judge adds to a plan what a preflight finds, so that both say the same of the
// same gateway.
func (s *site) judge(ctx context.Context, book *runbook.Book, pl *plan.Plan) error {
	snap, err := s.readOnly().snapshot(ctx, book)
	if err != nil {
		return err
	}
	in := preflight.Input{Snapshot: snap, Book: book, Made: time.Now(), Waivers: s.waivers(book)}
	for _, w := range in.Waivers {
		in.Known = append(in.Known, w.ID) // whether there is such a check at all, ims preflight says
	}
	r, err := preflight.Make(in)
	if err != nil {
		return err
	}
	var now []plan.Check
	for i := range r.Checks {
		c := &r.Checks[i]
		one := plan.Check{
			ID: c.ID, That: c.That, Verdict: c.Verdict, Asked: c.Asked, Why: c.Reason, Fix: c.Fix, Provenance: c.Provenance, Missing: c.Missing,
			Binds: binds(c, book, snap),
		}
		if c.Waived != nil {
			one.Waived = c.Waived.String()
		}
		now = append(now, one)
	}
	pl.Judge(now)
	pl.Approvers = approvers(snap)
	if r.Removed != nil { // what else was observed is about nothing that is left
		pl.Notes, pl.Unread = r.Notes, []string{}
	}
	return nil
}

// Program implements cli.Runs.
func (runs) Program() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	return path, nil
}
