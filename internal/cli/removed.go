package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"example.org/ims/internal/config"
	"example.org/ims/internal/output"
	"example.org/ims/internal/preflight"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/facts"
)

// removedIn is the run that removed a gateway last; ok is false if none did.
func removedIn(all []runner.Summary, gateway string) (last runner.Summary, ok bool) {
	for _, one := range all {
		if one.Gateway == gateway && one.Closed != nil && (one.Outcome == "retired" || one.Outcome == "removed-release-pending") {
			if !ok || one.Closed.After(*last.Closed) {
				last, ok = one, true
			}
		}
	}
	return last, ok
}

// removedWords say which run removed a gateway.
func removedWords(run runner.Summary) string {
	return fmt.Sprintf("gateway %s was removed already, by run %s, which ended %s; there is nothing left to retire",
		run.Gateway, run.Run, moment(*run.Closed))
}

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
	run, ok := removedIn(all, name)
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
	return output.As(output.Blocked, "ims status "+run.Run, errors.New(removedWords(run)))
}

// sayRemoved says in a preflight that the gateway was removed, and by which run,
// instead of how to start what is gone.
func (s *session) sayRemoved(ctx context.Context, r *preflight.Report) error {
	c, err := s.configuration()
	if err != nil {
		return err
	}
	all, err := runner.ReadList(ctx, c.StateDir)
	if err != nil {
		return err
	}
	gone := fmt.Sprintf("%s = %s", facts.GwExists, facts.GwExists.Format(0))
	for i := range r.Checks {
		k := &r.Checks[i]
		if k.Verdict != preflight.Fail || !slices.Contains(k.Facts, gone) {
			continue
		}
		k.Reason, k.Fix = fmt.Sprintf("gateway %s was removed already; there is nothing left to retire", r.Gateway), "take it out of the configuration"
		if run, ok := removedIn(all, r.Gateway); ok {
			k.Reason, k.Fix = removedWords(run), "ims status "+run.Run
		}
	}
	return nil
}
