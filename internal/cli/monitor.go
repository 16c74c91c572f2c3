package cli

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.org/ims/internal/config"
	"example.org/ims/internal/output"
	"example.org/ims/internal/runner"
	"example.org/ims/internal/tui"
	"example.org/ims/internal/tui/monitor"
)

type monitorOptions struct {
	what  string
	plain bool
	once  bool
	dry   bool
}

func newMonitor(s *session) *cobra.Command {
	var opts monitorOptions
	var format output.Format
	cmd := &cobra.Command{
		Use:   "monitor [RUN|GATEWAY]",
		Short: "Watch a run and the mail of its gateway",
		Long: `Watch a run and the mail of its gateway: what the run waits for, what every
store holds, which destinations hinder the drain and which verb resolves it, the
account of messages, DNS, and who still connects. Without an argument, the open
run that was opened last; for a gateway without an open run, its mail alone.

On a terminal it fills the screen: ? lists the keys, q leaves, and leaving ends
nothing but the view. With --dry-run no key changes anything: neither mail nor
the run, as for a screen that everybody walks by. Elsewhere, and with --plain,
it prints a line for what changes. NO_COLOR and TERM=dumb are obeyed.

With no runner alive it says so, and shows what the journal says last.`,
		Example: "  ims monitor\n  ims monitor east-1\n  ims monitor east --once\n  ims monitor east --dry-run\n  ims monitor east-1 -o jsonl >>east-1.log",
		Args:    args(cobra.MaximumNArgs(1), "at most one run or gateway"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			opts.what = strings.Join(argv, "")
			return runMonitor(cmd.Context(), s, s.printer(format), opts)
		},
	}
	formatFlag(cmd, &format, output.Text, output.JSON, output.JSONL)
	cmd.Flags().BoolVar(&opts.plain, "plain", false, "print lines on a terminal, too")
	cmd.Flags().BoolVar(&opts.dry, "dry-run", false, "only look: no key changes mail or the run")
	cmd.Flags().BoolVar(&opts.once, "once", false, "look once, and print what is seen")
	return exits(cmd, output.Done, output.Blocked, output.Waiting, output.Stalled, output.Drift, output.Unknown)
}

func runMonitor(ctx context.Context, s *session, p *output.Printer, opts monitorOptions) error {
	c, err := s.configuration()
	if err != nil {
		return err
	}
	w, err := s.find(ctx, c, opts.what)
	if err != nil {
		return err
	}
	w.dry = opts.dry
	if w.run != "" {
		_, err := runner.NewClient(c.StateDir).Info(ctx)
		st, readErr := runner.Read(ctx, c.StateDir, w.run)
		gone := errors.Is(err, runner.ErrNoRunner)
		switch {
		case readErr == nil && st.Ended():
			return s.lookOnce(ctx, p, w)
		case gone:
			p.Note("no runner is alive: nothing happens in run %s until one is; this is what its journal says last", w.run)
			if err := s.lookOnce(ctx, p, w); err != nil && output.KindOf(err) != output.Unknown {
				return err
			}
			return output.As(output.Unknown, "ims resume "+w.run, errors.New("no runner is alive"))
		case err != nil:
			return telling(w.run, err)
		}
	}
	switch {
	case opts.once:
		return s.lookOnce(ctx, p, w)
	case s.screens(p.Format(), opts.plain):
		return s.monitorScreen(ctx, p, w)
	}
	return s.monitorLines(ctx, p, w)
}

// find is what a word means: a run, a gateway's open run, or a gateway.
func (s *session) find(ctx context.Context, c *config.Config, what string) (watched, error) {
	names := gatewayNames(c)
	all, err := runner.ReadList(ctx, c.StateDir)
	if errors.Is(err, fs.ErrPermission) && slices.Contains(names, what) { // the gateway itself may still be looked at
		return watched{config: c, gateway: what}, nil
	}
	if err != nil {
		return watched{}, err
	}
	if what == "" && len(all) == 0 {
		what = cmp.Or(c.Retire.Default, names[0])
	}
	if slices.Contains(names, what) {
		w := watched{config: c, gateway: what}
		for _, r := range all {
			if r.Gateway == what && r.Closed == nil {
				w.run = r.Run
			}
		}
		return w, nil
	}
	st, err := runner.Read(ctx, c.StateDir, what)
	if errors.Is(err, runner.ErrNoRun) {
		return watched{}, noRun(ctx, c, what)
	}
	return watched{config: c, run: st.Run, gateway: st.Gateway}, err
}

// lookOnce prints what is seen at one look.
func (s *session) lookOnce(ctx context.Context, p *output.Printer, w watched) error {
	snap, final, err := s.look(ctx, w)
	if err != nil {
		return err
	}
	if p.Format() == output.Text {
		err = table(p, final)
	} else {
		err = p.Result("monitor", seen(&snap), func(*output.Page) {})
	}
	switch {
	case err != nil:
		return err
	case snap.Run != nil:
		return output.Said(kindOf(&snap.Run.Status))
	case snap.Seen.IsZero():
		return output.As(output.Unknown, "ims gateway run", errors.New(cmp.Or(snap.GatewayErr, "the gateway was not seen")))
	}
	return nil
}

// monitorScreen fills the terminal.
func (s *session) monitorScreen(ctx context.Context, p *output.Printer, w watched) error {
	leaves := "nothing but this view ends"
	if w.run != "" {
		leaves = "the run goes on; ims monitor " + w.run + " shows it again"
	}
	last, err := s.show(ctx, p, w, tui.Options{Leaves: leaves})
	switch {
	case errors.Is(err, errLeft) || errors.Is(err, context.Canceled):
	case err != nil:
		return err
	}
	if last.Run == nil {
		return nil
	}
	if !last.Run.Ended() {
		p.Note("run %s goes on without this view; to look at it again: ims monitor %s", w.run, w.run)
	}
	st := last.Run.Status
	st.Alive = st.Alive && last.Gone.IsZero()
	return output.Said(kindOf(&st))
}

// pause waits a moment.
func pause(ctx context.Context) error {
	t := time.NewTimer(time.Second)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// monitorData is a snapshot as data.
type monitorData struct {
	At      time.Time       `json:"at"`
	Gateway string          `json:"gateway"`
	Run     *runner.Monitor `json:"run,omitempty"`
	Config  any             `json:"config,omitempty"`
	Census  any             `json:"census,omitempty"`
	Summary any             `json:"summary,omitempty"`
	Clients any             `json:"clients,omitempty"`
	Errors  []string        `json:"errors,omitempty"`
}

func seen(s *monitor.Snapshot) monitorData {
	d := monitorData{At: s.At, Gateway: s.Gateway, Run: s.Run}
	if !s.Seen.IsZero() {
		d.Config, d.Census, d.Clients = s.Config, s.Census, s.Clients
	}
	if s.Summary != nil {
		d.Summary = s.Summary
	}
	for _, e := range []string{s.RunErr, s.GatewayErr, s.SummaryErr, s.ClientsErr} {
		if e != "" {
			d.Errors = append(d.Errors, e)
		}
	}
	return d
}
