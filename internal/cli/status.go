package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/ledger"
)

func newStatus(s *session) *cobra.Command {
	var format output.Format
	var follow, account bool
	cmd := &cobra.Command{
		Use:   "status [RUN]",
		Short: "Say what a run needs next, and whether it is finished",
		Long: `Say what a run needs next, and whether it is finished. Without RUN, the open
run that was opened last, or the last one of all.

The first line is the next thing that a person has to do, and when at the
earliest. The status is read from the journal if no runner is alive.

With --ledger, what the run's gateway lost sight of or gave up, message by
message, from its tracking log: exit 0 if every message is accounted for, 2 if
one is not, 6 if the gateway's service does not answer.`,
		Example: "  ims status\n  ims status east-1 -o json\n  ims status east-1 --follow\n  ims status --ledger",
		Args:    args(cobra.MaximumNArgs(1), "at most one run"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			return runStatus(cmd.Context(), s, s.printer(format), strings.Join(argv, ""), follow, account)
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON, output.JSONL)
	cmd.Flags().BoolVar(&follow, "follow", false, "view the run as it goes on")
	cmd.Flags().BoolVar(&account, "ledger", false, "list what is unaccounted for or was given up, by message")
	cmd.MarkFlagsMutuallyExclusive("follow", "ledger")
	return exits(cmd, output.Done, output.Blocked, output.Waiting, output.Stalled, output.Drift, output.Unknown)
}

func runStatus(ctx context.Context, s *session, p *output.Printer, run string, follow, account bool) error {
	c, err := s.configuration()
	if err != nil {
		return err
	}
	st, err := present(ctx, c, run)
	switch {
	case run == "" && errors.Is(err, runner.ErrNoRun):
		return p.Result("status", struct {
			Run string `json:"run"`
		}{}, func(page *output.Page) {
			page.Line("Next: nothing; there is no run. To see what one would do: ims retire --dry-run")
		})
	case err != nil:
		return err
	case account:
		return statusLedger(ctx, s, p, c, &st)
	}
	if follow && st.Alive {
		return finish(ctx, &follower{s: s, p: p, client: runner.NewClient(c.StateDir), dir: c.StateDir, run: st.Run}, "status")
	}
	if err := p.Result("status", &st, func(page *output.Page) { statusPage(page, &st) }); err != nil {
		return err
	}
	return output.Said(kindOf(&st))
}

func statusPage(page *output.Page, s *runner.Status) {
	nextLine(page, s)
	if !s.Ended() && !s.Alive && s.Problem == "" { // only a runner knows of a problem
		page.Line("NO RUNNER IS ALIVE: nothing happens until one is.")
	}
	if s.Problem != "" {
		page.Words("NOT PERFORMED: %s", s.Problem)
	}
	if s.Paused != nil {
		page.Words("PAUSED by %s since %s: %s", s.Paused.Actor, page.Time(s.Paused.Since), s.Paused.Reason)
	}
	page.Blank()
	page.Words("run %s: %s -> %s by %s, opened %s by %s", s.Run, s.Gateway, cmp.Or(s.Next, "no successor"), s.Runbook, page.Time(s.Opened), s.Opener)
	switch {
	case s.Ended():
		page.Line("ended: %s", s.Outcome)
	case s.Undoing:
		page.Line("being undone: %s", s.State)
	default:
		page.Words("state %d of %d: %s, %s", s.Index, s.States, s.State, s.Title)
		page.Words("last observed: %s", observed(page.Time(s.Seen), s, time.Now()))
	}
	waitLines(page, s)
	questionLines(page, s)
	ledgerLine(page, s)
	for _, n := range s.Notes {
		page.Words("note: %s", n)
	}
	page.Blank()
	table := output.Table{Columns: output.Columns("STATE", "SOURCE", "ENTERED", "BEFORE -> AFTER"), Fold: true}
	for _, v := range s.Visits {
		name, change := v.State, ""
		if v.Undo {
			name = "undo " + name
		}
		if v.After != "" {
			change = effect(&v)
		}
		table.Add(name, strings.Join(v.Source, " "), page.Time(v.Entered), change)
	}
	page.Table(table)
}

// nextLine is the next human action and its earliest wall-clock time.
func nextLine(page *output.Page, s *runner.Status) {
	line := "Next: " + s.Action.What
	if s.Action.Verb != "" {
		line = fmt.Sprintf("Next: %s %s, %s: %s", s.Action.Verb, s.Action.State, due(s, time.Now()), s.Action.What)
	} else if s.Action.At.After(time.Now()) {
		line += ", not before " + clock(s.Action.At)
	}
	page.Words("%s", line)
	then := ""
	if s.Action.Verb == "approve" && s.Asked == nil { // until it is asked, an answer is refused
		then = "then: "
	}
	for _, c := range s.Action.Commands {
		page.Line("      %s%s", then, c)
	}
}

// due is when a person is to act. Of a question that the run has not come to, the
// time says only how soon that can be; what is in between may take as long as it
// takes.
func due(s *runner.Status, now time.Time) string {
	when := "now"
	if s.Action.At.After(now) {
		when = "not before " + clock(s.Action.At)
	}
	if s.Action.Verb != "approve" || s.Asked != nil {
		return when
	}
	there := "once it is asked"
	if s.Action.State != s.State {
		there = "once the run comes there from " + s.State
	}
	if when == "now" {
		return there
	}
	return there + ", " + when
}

// observed is when the world was observed last, and that it was long ago if looks
// were due since.
func observed(at string, s *runner.Status, now time.Time) string {
	if !s.Alive || s.Stale.IsZero() || now.Before(s.Stale) {
		return at
	}
	return fmt.Sprintf("%s, %s ago: NO LOOK HAS ENDED SINCE; what it looks at answers slowly, or hangs", at, output.Duration(now.Sub(s.Seen)))
}

func waitLines(page *output.Page, s *runner.Status) {
	if s.Phase == "operating" {
		page.Words("waiting for operator: %s", s.Why)
		if c := s.Because(); c != nil {
			page.Words("  because: %s", c.Words())
			if c.Fix != "" {
				page.Line("  fix: %s", c.Fix)
			}
		}
	}
	for _, m := range s.Missing {
		page.Words("%s: %s (%s)", map[string]string{"unknown": "unknown"}[m.Verdict]+map[string]string{"fail": "not yet"}[m.Verdict], m.That, m.Why)
		page.Line("  fix: %s", m.Fix)
	}
	if !s.Ends.IsZero() && !s.Ended() {
		page.Words("waits until %s at the earliest; a person is asked after %s", clock(s.Ends), clock(s.Limit))
	}
}

func questionLines(page *output.Page, s *runner.Status) {
	if s.Asked == nil {
		return
	}
	for _, e := range s.Asked.Evidence {
		page.Words("  %s", e)
	}
	for _, c := range s.Choices {
		if c.Title != "" {
			page.Words("  %s: %s", c.Name, c.Title)
		}
	}
	if s.Min > 1 {
		page.Words("  %s", strings.TrimSuffix(fmt.Sprintf("%d of %d have approved: %s", len(s.Votes), s.Min, strings.Join(s.Votes, ", ")), ": "))
	}
	page.Words("  evidence %s, journal head %s", s.Asked.Digest, s.Asked.Head)
}

func ledgerLine(page *output.Page, s *runner.Status) {
	if l := s.Ledger; l != nil {
		page.Words("ledger: %s", ledger.Law(l))
	}
}
