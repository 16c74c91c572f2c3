package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"example.org/ims/internal/config"
	"example.org/ims/internal/output"
	"example.org/ims/internal/runner"
	"example.org/ims/internal/tui"
	"example.org/ims/internal/tui/feed"
	"example.org/ims/internal/tui/monitor"
	"example.org/ims/internal/tui/screen"
)

// screens reports whether a monitor can be shown: there is a terminal on both
// sides that can address its cells, and somebody wants to read text.
func (s *session) screens(format output.Format, plain bool) bool {
	return s.io.InTerminal && s.io.OutTerminal && !s.io.Dumb && format == output.Text && !plain
}

// watched is what a monitor is about.
type watched struct {
	config  *config.Config
	run     string // "" is the gateway alone
	gateway string
	dry     bool // nothing is changed
}

// feeding is what the feed of a monitor needs.
func (s *session) feeding(w watched) (feed.Options, error) {
	o := feed.Options{Run: w.run, Name: w.gateway, DryRun: w.dry}
	if g, ok := w.config.Gateway(w.gateway); ok {
		gw, err := s.deps.Organizations.Gateway(g)
		if err != nil {
			return o, err
		}
		o.Gateway = gw
	}
	if w.run != "" {
		o.Runs = runner.NewClient(w.config.StateDir)
		o.Journal = func(ctx context.Context) (runner.Monitor, error) {
			return runner.ReadMonitor(ctx, w.config.StateDir, w.run)
		}
	}
	return o, nil
}

// errLeft says that somebody left a monitor.
var errLeft = errors.New("left")

// show shows a monitor on the terminal, and afterwards what was seen last on
// the normal screen. The error is errLeft if somebody left before the run had
// ended.
func (s *session) show(ctx context.Context, p *output.Printer, w watched, o tui.Options) (monitor.Snapshot, error) {
	var err error
	if o.Feed, err = s.feeding(w); err != nil {
		return monitor.Snapshot{}, err
	}
	if w.run != "" {
		o.Teller = runner.NewClient(w.config.StateDir)
	}
	o.In, o.Out = s.io.In, s.io.Out
	o.Encoding = screen.Encoding{Color: !s.io.NoColor, ASCII: s.io.ASCII}
	last, final, err := tui.Run(ctx, o)
	if printErr := table(p, final); printErr != nil {
		return last, errors.Join(err, printErr)
	}
	if err == nil && (last.Run == nil || !last.Run.Ended()) {
		err = errLeft
	}
	return last, err
}

// table prints lines that are safe already.
func table(p *output.Printer, lines []string) error {
	for _, l := range lines {
		if err := p.Raw([]byte(l + "\n")); err != nil {
			return err
		}
	}
	return nil
}

// watchScreen is follow on a terminal: a monitor, beside which questions are
// answered if they may be.
func (f *follower) watchScreen(ctx context.Context) (runner.Status, error) {
	c, err := f.s.configuration()
	if err != nil {
		return f.last, err
	}
	st, err := f.client.Status(ctx, f.run)
	if err != nil {
		return st, err
	}
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	o := tui.Options{Ends: true, Leaves: "the run goes on; ims monitor " + f.run + " shows it again"}
	if f.here {
		o.Leaves = "the run stops at a commit, and can be resumed"
	}
	answered := make(chan error, 1)
	if f.yes {
		said := make(chan string, 16)
		o.Said = said
		go func() { answered <- f.answerAll(ctx, said) }()
	} else {
		answered <- nil
	}
	last, err := f.s.show(ctx, f.p, watched{config: c, run: f.run, gateway: st.Gateway}, o)
	leave()
	if answerErr := <-answered; answerErr != nil && err == nil {
		err = answerErr
	}
	if last.Run != nil {
		f.last = last.Run.Status
		f.last.Alive = f.last.Alive && last.Gone.IsZero()
	}
	if errors.Is(err, errLeft) && f.here {
		err = context.Canceled
	}
	return f.last, err
}

// answerAll answers what one person may answer, over every runner that there
// is until ctx ends.
func (f *follower) answerAll(ctx context.Context, said chan<- string) error {
	for ctx.Err() == nil {
		err := f.client.Watch(ctx, f.run, func(st runner.Status) error {
			if st.Asked == nil || st.Asked.Head == f.voted || st.Min > 1 || st.NotSelf || len(st.Choices) == 0 {
				return nil
			}
			choice := st.Choices[0].Name
			err := f.client.Approve(ctx, f.run, runner.Answer{State: st.State, Choice: choice, Comment: "answered by --yes"})
			if err == nil {
				f.voted = st.Asked.Head
				tellScreen(said, "answered by --yes: "+choice)
			}
			if errors.Is(err, runner.ErrRefused) {
				return nil
			}
			return err
		})
		switch {
		case err == nil, ctx.Err() != nil:
			return nil
		case !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, runner.ErrNoRunner):
			return fmt.Errorf("answer the questions of run %s: %w", f.run, err)
		}
		if err := pause(ctx); err != nil {
			return nil //nolint:nilerr // nobody looks any more
		}
	}
	return nil
}

// tellScreen hands a line to the monitor, or drops it: it is in the journal.
func tellScreen(said chan<- string, text string) {
	select {
	case said <- text:
	default:
	}
}
