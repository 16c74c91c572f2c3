package wire

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"example.org/ims/internal/plan"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/runbook"
)

var _ runner.Planner = runSite{}

// ReadPlan implements runner.Planner.
func (s runSite) ReadPlan(saved []byte) (runner.Planned, error) {
	p, err := plan.Read(saved)
	switch {
	case errors.Is(err, plan.ErrVersion):
		return runner.Planned{}, fmt.Errorf("%w: %w", runner.ErrDrift, err)
	case err != nil:
		return runner.Planned{}, err
	case !p.Complete():
		return runner.Planned{}, fmt.Errorf("%w: the plan is %s and comes to no end, so it cannot be performed: "+
			"mend what it names, and make it anew", runner.ErrRefused, p.Verdict)
	}
	keep, err := p.Keep()
	return runner.Planned{
		Request: runner.Request{Gateway: p.Gateway, Successor: p.Next, Runbook: p.Definition.File, Params: p.Params},
		File:    p.Definition.File, Source: []byte(p.Definition.Source), Nonce: p.Nonce, Hash: p.ID.Hash, Keep: keep,
	}, err
}

// Holds implements runner.Planner.
func (s runSite) Holds(ctx context.Context, saved []byte, book *runbook.Book, actor string) error {
	old, err := plan.Read(saved)
	if err != nil {
		return err
	}
	look := *s.readOnly() // one look: who is silent is asked once
	look.opens = actor
	now, err := look.plan(ctx, book)
	if err != nil {
		return err
	}
	if err := look.judge(ctx, book, now); err != nil {
		return err
	}
	all := slices.Concat(old.Differences(now), old.Worse(now))
	switch {
	case len(all) == 0:
		return nil
	case plan.NotKnown(all):
		not := all[slices.IndexFunc(all, plan.Difference.NotKnown)]
		return fmt.Errorf("%w: the plan relies on %s, which cannot be read now: %s", runner.ErrUnknown, not.Name, not.Why)
	}
	drift := &runner.DriftError{Plan: old.ID.Hash}
	for _, d := range all {
		drift.Differences = append(drift.Differences, runner.Difference(d))
	}
	return drift
}
