package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/internal/runner"
)

func newLease(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lease",
		Short: "See what runs hold alone, and take it away from one",
		Long: `See what runs hold alone: the gateway, its successor, its address spaces. Two
runs cannot hold the same, so nobody retires what another run counts on.`,
		Example: "  ims lease list",
	}
	return group(cmd, newLeaseList(s), newLeaseBreak(s))
}

func newLeaseList(s *session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List what runs hold alone",
		Example: "  ims lease list\n  ims lease list -o json",
		Args:    args(cobra.NoArgs, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.configuration()
			if err != nil {
				return err
			}
			all, err := runner.ReadLeases(cmd.Context(), c.StateDir)
			if err != nil {
				return err
			}
			return s.printer(format).Result("leases", leasesData{all}, func(page *output.Page) {
				if len(all) == 0 {
					page.Line("nothing is held: no run is open")
					return
				}
				table := output.Table{Columns: output.Columns("RESOURCE", "RUN", "SINCE", "TAKEN BY"), Fold: true}
				for _, l := range all {
					table.Add(l.Resource, l.Run, page.Time(l.Since), l.Owner)
				}
				page.Table(table)
			})
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON)
	return exits(cmd, output.Done)
}

type leasesData struct {
	Leases []runner.Lease `json:"leases"`
}

func newLeaseBreak(s *session) *cobra.Command {
	var reason string
	var format output.Format
	cmd := &cobra.Command{
		Use:   "break RESOURCE",
		Short: "Take a resource away from the run that holds it",
		Long: `Take a resource away from the run that holds it. The run gets a record that says
so and stops where it is, because what it counted on may change now. It can be
resumed once the resource is free for it again.

Look first whether the run can be paused or aborted instead.`,
		Example: "  ims lease break gateway/west --reason 'the run of east is stuck, and west must move tonight'",
		Args:    args(cobra.ExactArgs(1), "a resource"),
		ValidArgsFunction: func(cmd *cobra.Command, argv []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return completeLeases(s, cmd, argv)
		},
		RunE: func(cmd *cobra.Command, argv []string) error {
			if err := checkReason(cmd, reason); err != nil {
				return err
			}
			return runLeaseBreak(cmd.Context(), s, s.printer(format), runner.Break{Resource: argv[0], Reason: reason})
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON)
	reasonFlag(cmd, &reason)
	return exits(cmd, output.Done, output.Blocked)
}

func runLeaseBreak(ctx context.Context, s *session, p *output.Printer, b runner.Break) error {
	c, err := s.configuration()
	if err != nil {
		return err
	}
	all, err := runner.ReadLeases(ctx, c.StateDir)
	if err != nil {
		return err
	}
	var names []string
	held := false
	for _, l := range all {
		names = append(names, l.Resource)
		held = held || l.Resource == b.Resource
	}
	if !held {
		return output.As(output.Usage, "ims lease list", fmt.Errorf("nobody holds %q%s", b.Resource, didYouMean(b.Resource, names)))
	}
	l, err := runner.NewClient(c.StateDir).BreakLease(ctx, b)
	if errors.Is(err, runner.ErrNoRunner) {
		l, err = runner.BreakLease(ctx, c.StateDir, b)
	}
	if err != nil {
		return telling("", err)
	}
	return p.Result("lease", l, func(page *output.Page) {
		page.Line("%s was held by run %s since %s, and is free", l.Resource, l.Run, page.Time(l.Since))
		page.Line("run %s has stopped; once %s is free again: ims resume %s", l.Run, l.Resource, l.Run)
	})
}

// completeLeases completes what runs hold.
func completeLeases(s *session, cmd *cobra.Command, argv []string) ([]cobra.Completion, cobra.ShellCompDirective) {
	c, err := s.configuration()
	if err != nil || len(argv) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	all, err := runner.ReadLeases(cmd.Context(), c.StateDir)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []cobra.Completion
	for _, l := range all {
		names = append(names, cobra.CompletionWithDesc(l.Resource, "held by "+l.Run))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
