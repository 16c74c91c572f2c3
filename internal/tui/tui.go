// Package tui shows a monitor on a terminal. It is the shell around the pure
// model of internal/tui/monitor: it feeds it keys, sizes, time and snapshots,
// performs what the model asks for, and has github.com/charmbracelet/bubbletea
// put its picture on the screen, whose renderer and key parser are its subject
// and not ours. Only this room imports bubbletea.
//
// It refuses to start without a terminal on both sides, and owns no signal:
// main does. Leaving a monitor ends nothing but the monitor.
package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.org/ims/internal/runner"
	"example.org/ims/internal/tui/feed"
	"example.org/ims/internal/tui/monitor"
	_ "example.org/ims/internal/tui/preset" // before bubbletea
	"example.org/ims/internal/tui/screen"
	"example.org/ims/pkg/gateway"
)

// Teller tells a run what a person decides.
type Teller interface {
	Approve(ctx context.Context, run string, a runner.Answer) error
	Reject(ctx context.Context, run string, a runner.Answer) error
	Resume(ctx context.Context, run, comment string) error
	Abort(ctx context.Context, run, reason string) error
}

// Pauser is a Teller that can also hold a run where it is.
type Pauser interface {
	Pause(ctx context.Context, run, reason string) error
	Unpause(ctx context.Context, run, comment string) error
}

// Noter is a Teller that writes down what was done beside the run.
type Noter interface {
	Note(ctx context.Context, run, text string) error
}

// Options of a monitor.
type Options struct {
	In       io.Reader // a terminal
	Out      io.Writer // a terminal
	Encoding screen.Encoding
	Feed     feed.Options
	Teller   Teller // nil without a run
	Ends     bool   // leave when the run has ended
	Leaves   string // what leaving means, in words
	// Said are lines of whoever prints while the monitor is shown; nil is
	// nobody.
	Said <-chan string
}

// tickEvery is how often the picture is drawn while nothing happens.
const tickEvery = time.Second

// shell is the tea.Model around a model. It is used by bubbletea's loop alone.
type shell struct {
	o     Options
	model *monitor.Model
	feed  *feed.Feed
	ctx   context.Context //nolint:containedctx // commands outlive the call that makes them, and end with the program
}

var _ tea.Model = (*shell)(nil)

type tick time.Time

// Run shows the monitor until somebody leaves, the run ends if Options.Ends
// says so, or ctx is done. It returns what was seen last; the terminal is as it
// was before. The error is ctx's, or the terminal's.
func Run(ctx context.Context, o Options) (monitor.Snapshot, []string, error) {
	_, pauses := o.Teller.(Pauser)
	m := monitor.New(monitor.Options{Pauses: pauses, Ends: o.Ends, Leaves: o.Leaves})
	o.Feed.Query = m.Query()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	sh := &shell{o: o, model: m, feed: feed.New(o.Feed), ctx: ctx}
	// Signals are main's: bubbletea's own handler beside a context that ends at
	// the same signal locks up at the end.
	p := tea.NewProgram(sh, tea.WithContext(ctx), tea.WithoutSignalHandler(), tea.WithInput(o.In), tea.WithOutput(o.Out), tea.WithAltScreen())
	var feeding sync.WaitGroup
	feeders, ended := context.WithCancel(ctx)
	feeding.Go(func() { guarded(stop, func() { sh.feed.Run(feeders) }) })
	feeding.Go(func() { guarded(stop, func() { deliver(feeders, p, sh.feed, o.Said) }) })
	_, err := p.Run()
	ended()
	feeding.Wait()
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	} else if errors.Is(err, tea.ErrProgramKilled) {
		err = fmt.Errorf("show monitor: %w", err)
	}
	return m.Snapshot(), m.Final(), err
}

// guarded turns a panic of a goroutine into the end of the program, so that the
// terminal is restored first.
func guarded(stop context.CancelCauseFunc, f func()) {
	defer func() {
		if v := recover(); v != nil {
			stop(fmt.Errorf("show monitor: panic: %v", v))
		}
	}()
	f()
}

// deliver hands the newest snapshot to the loop, which takes one at a time.
func deliver(ctx context.Context, p *tea.Program, f *feed.Feed, said <-chan string) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.News():
			p.Send(f.Take())
		case text, ok := <-said:
			if !ok {
				said = nil
				continue
			}
			p.Send(monitor.Said{At: time.Now(), Text: text})
		}
	}
}

// Init is for bubbletea.
func (s *shell) Init() tea.Cmd { return tea.Batch(next(), func() tea.Msg { return tick(time.Now()) }) }

func next() tea.Cmd { return tea.Tick(tickEvery, func(t time.Time) tea.Msg { return tick(t) }) }

// Update is for bubbletea.
func (s *shell) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		return s, s.fold(monitor.Size{W: msg.Width, H: msg.Height})
	case tick:
		return s, tea.Batch(s.fold(monitor.Tick{Now: time.Time(msg)}), next())
	case tea.KeyMsg:
		return s, s.keys(msg)
	case monitor.Message:
		return s, s.fold(msg)
	}
	return s, nil
}

// View is for bubbletea.
func (s *shell) View() string { return s.model.Draw().Text(s.o.Encoding) }

// keys folds a key. Bytes that arrive in one read come as one message; each is
// a key of its own, an escape before another one too, which bubbletea takes for
// Alt. A paste goes only where text is typed, which is the same.
func (s *shell) keys(msg tea.KeyMsg) tea.Cmd {
	var all []tea.Cmd
	if msg.Alt {
		all = append(all, s.fold(monitor.Key{Name: "esc"}))
		msg.Alt = false
	}
	if msg.Type != tea.KeyRunes {
		return tea.Sequence(append(all, s.fold(monitor.Key{Name: keyName(msg)}))...)
	}
	for _, r := range msg.Runes {
		all = append(all, s.fold(monitor.Key{Name: string(r)}))
	}
	return tea.Sequence(all...)
}

func keyName(msg tea.KeyMsg) string {
	if msg.Type == tea.KeySpace {
		return "space"
	}
	return msg.String()
}

// fold gives the model a message, and makes commands of what it asks for.
func (s *shell) fold(msg monitor.Message) tea.Cmd {
	var all []tea.Cmd
	for _, e := range s.model.Update(msg) {
		all = append(all, s.command(e))
	}
	return tea.Batch(all...)
}

func (s *shell) command(e monitor.Effect) tea.Cmd {
	switch e := e.(type) {
	case monitor.Quit:
		return tea.Quit
	case monitor.Ask:
		s.feed.Ask(e.Query)
	case monitor.FetchLetters:
		return func() tea.Msg { return s.letters(e.Of) }
	case monitor.FetchLetter:
		return func() tea.Msg { return s.letter(e.Entry) }
	case monitor.Act:
		return func() tea.Msg { return s.act(e) }
	case monitor.Tell:
		return func() tea.Msg { return s.tell(e) }
	}
	return nil
}

// mostLetters is how many messages of a row are listed.
const mostLetters = 200

func (s *shell) letters(of monitor.Place) tea.Msg {
	out := monitor.Letters{Of: of}
	q, ok := s.o.Feed.Gateway.(gateway.Queues)
	if !ok {
		out.Err = "the gateway cannot list its queues"
		return out
	}
	items, err := q.List(s.ctx, gateway.Selection{Store: &of.Store, Dest: of.Dest, Limit: mostLetters})
	if err != nil {
		out.Err = err.Error()
	}
	out.Items = items
	return out
}

func (s *shell) letter(entry string) tea.Msg {
	out := monitor.Letter{Entry: entry}
	r, ok := s.o.Feed.Gateway.(gateway.Summarizer)
	if !ok {
		out.Err = "the gateway cannot show a message"
		return out
	}
	var err error
	if out.Letter, err = r.Inspect(s.ctx, entry); err != nil {
		out.Err = err.Error()
	}
	return out
}
