package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/internal/runner"
)

type abortOptions struct {
	run    string
	reason string
	yes    bool
}

func newAbort(s *session) *cobra.Command {
	var opts abortOptions
	var format output.Format
	cmd := &cobra.Command{
		Use:   "abort RUN",
		Short: "Undo what a run has changed, newest first",
		Long: `Undo what a run has changed, newest first, and end it. It says before what will
be undone and what will not. Beyond the point of no return it is refused.

A value that somebody else has changed since is left alone, and waits for the
operator. On the way back, too, the gateway is never left stopped or in a mode
that sends nothing while mail or a route leads to it.`,
		Example: "  ims abort east-1 --reason 'merger is off'",
		Args:    args(cobra.ExactArgs(1), "a run"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			opts.run = argv[0]
			return runAbort(cmd.Context(), s, s.printer(format), opts)
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON, output.JSONL)
	cmd.Flags().StringVar(&opts.reason, "reason", "", "`why`; it is kept in the journal")
	cmd.Flags().BoolVar(&opts.yes, "yes", false, "do not ask")
	return exits(cmd, output.Done, output.Blocked, output.Waiting, output.Drift, output.Unknown)
}

func runAbort(ctx context.Context, s *session, p *output.Printer, opts abortOptions) error {
	c, err := s.configuration()
	if err != nil {
		return err
	}
	st, err := present(ctx, c, opts.run)
	if err != nil {
		return err
	}
	if err := abortable(&st); err != nil {
		return err
	}
	for _, u := range st.Undo.Undone {
		p.Note("will be undone: %s", u)
	}
	for _, r := range st.Undo.Remains {
		p.Note("will not be undone: %s", r)
	}
	if len(st.Undo.Undone)+len(st.Undo.Remains) == 0 {
		p.Note("nothing was changed yet, so nothing will be undone")
	}
	if err := s.confirm(p, opts); err != nil {
		return err
	}
	client, err := s.ensureRunner(ctx, p, c)
	if err != nil {
		return telling(st.Run, err)
	}
	if err := client.Abort(ctx, st.Run, opts.reason); err != nil {
		return telling(st.Run, err)
	}
	f := &follower{s: s, p: p, client: client, dir: c.StateDir, run: st.Run, undo: true}
	err = finish(ctx, f, "abort")
	if f.last.Outcome == "aborted" && f.last.Ended() {
		return nil // which is what was asked for
	}
	return err
}

func abortable(st *runner.Status) error {
	switch {
	case st.Ended():
		return output.As(output.Blocked, "ims status "+st.Run, fmt.Errorf("run %s has ended: %s", st.Run, st.Outcome))
	case st.Undo.Beyond != "":
		return output.As(output.Blocked, "ims resume "+st.Run, fmt.Errorf("run %s is beyond the point of no return, %s", st.Run, st.Undo.Beyond))
	case st.Undoing:
		return output.As(output.Blocked, "ims status "+st.Run, fmt.Errorf("run %s is being undone already", st.Run))
	}
	return nil
}

// confirm asks at a terminal for the run's name.
func (s *session) confirm(p *output.Printer, opts abortOptions) error {
	if opts.yes {
		return nil
	}
	if !s.io.InTerminal {
		return output.As(output.Usage, "ims abort "+opts.run+" --yes", errors.New("nobody can be asked here"))
	}
	p.Note("To abort it, type its name, %s:", opts.run)
	line, err := bufio.NewReader(s.io.In).ReadString('\n')
	if strings.TrimSpace(line) == opts.run {
		return nil
	}
	if err != nil && line == "" {
		err = fmt.Errorf("no answer: %w", err)
	} else {
		err = fmt.Errorf("%q is not %s", strings.TrimSpace(line), opts.run)
	}
	return output.As(output.Blocked, "", fmt.Errorf("nothing was changed: %w", err))
}
