package cli

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/internal/runner"
	"example.org/ims/internal/tui/feed"
	"example.org/ims/internal/tui/monitor"
	"example.org/ims/pkg/gateway"
)

// lines prints what a monitor would show, as it changes.
type lines struct {
	view    *viewer
	model   *monitor.Model
	none    runner.Status // stands for the run where there is none
	gone    bool
	lost    bool
	empty   [gateway.NumStores]bool
	counted bool
	verdict string
	clients map[string]bool
	spoke   time.Time // of the mail
}

// monitorLines follows until the run has ended, no runner came back, or ctx is
// done.
func (s *session) monitorLines(ctx context.Context, p *output.Printer, w watched) error {
	o, err := s.feeding(w)
	if err != nil {
		return err
	}
	l := &lines{view: newViewer(p), model: monitor.New(monitor.Options{}), clients: map[string]bool{}, spoke: time.Now()}
	o.Query = l.model.Query()
	f := feed.New(o)
	ctx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { f.Run(ctx) })
	defer wg.Wait()
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return l.left(p, w)
		case <-f.News():
		}
		snap := f.Take()
		for _, e := range l.model.Update(snap) {
			if q, ok := e.(monitor.Ask); ok {
				f.Ask(q.Query)
			}
		}
		if w.run != "" && snap.Run == nil && snap.RunErr == "" {
			continue // the mail alone was seen; lines name the run's state
		}
		if err := l.show(&snap); err != nil {
			return err
		}
		switch {
		case snap.Run != nil && snap.Run.Ended():
			if err := p.Result("monitor", seen(&snap), func(page *output.Page) { endPage(page, &snap.Run.Status, kindOf(&snap.Run.Status)) }); err != nil {
				return err
			}
			return output.Said(kindOf(&snap.Run.Status))
		case !snap.Gone.IsZero() && time.Since(snap.Gone) > reattach:
			return output.As(output.Unknown, "ims resume "+w.run, errors.New("no runner is alive"))
		}
	}
}

// left is the end of a view that nobody wants any more.
func (l *lines) left(p *output.Printer, w watched) error {
	snap := l.model.Snapshot()
	if w.run == "" || snap.Run == nil {
		return context.Canceled
	}
	p.Note("run %s goes on without this view; to look at it again: ims monitor %s", w.run, w.run)
	return output.Said(kindOf(&snap.Run.Status))
}

func (l *lines) line(s *monitor.Snapshot, kind, format string, args ...any) error {
	st := &l.none
	if s.Run != nil {
		st = &s.Run.Status
	}
	return l.view.line(st, s.At, kind, format, args...)
}

func (l *lines) show(s *monitor.Snapshot) error {
	for _, part := range []func(*monitor.Snapshot) error{l.showRunner, l.showRun, l.showGateway, l.showStores, l.showVerdict, l.showClients} {
		if err := part(s); err != nil {
			return err
		}
	}
	return nil
}

func (l *lines) showRunner(s *monitor.Snapshot) error {
	gone := !s.Gone.IsZero()
	if gone == l.gone {
		return nil
	}
	l.gone = gone
	if gone {
		return l.line(s, "runner", "no runner is alive: nothing happens until one is")
	}
	return l.line(s, "runner", "a runner is alive again")
}

func (l *lines) showRun(s *monitor.Snapshot) error {
	if s.Run == nil || l.gone {
		return nil
	}
	return l.view.show(&s.Run.Status)
}

func (l *lines) showGateway(s *monitor.Snapshot) error {
	lost := s.GatewayErr != ""
	if lost == l.lost {
		return nil
	}
	l.lost = lost
	if lost {
		return l.line(s, "gateway", "gateway %s does not answer: %s", s.Gateway, s.GatewayErr)
	}
	return l.line(s, "gateway", "gateway %s answers again", s.Gateway)
}

// showStores prints the counts when a store becomes empty or stops being so,
// and as a sign of life.
func (l *lines) showStores(s *monitor.Snapshot) error {
	if s.Seen.IsZero() {
		return nil
	}
	var empty [gateway.NumStores]bool
	for i, c := range s.Census.Stores {
		empty[i] = c.Messages == 0 && c.Known != gateway.Unknown
	}
	if l.counted && empty == l.empty && time.Since(l.spoke) < viewBeat {
		return nil
	}
	l.empty, l.counted, l.spoke = empty, true, time.Now()
	return l.line(s, "stores", "  %s: %s", s.Gateway, l.model.Stores())
}

// showVerdict prints the verdict when its word or its culprit changes.
func (l *lines) showVerdict(s *monitor.Snapshot) error {
	text, command, stalled := l.model.Verdict()
	key, _, _ := strings.Cut(text, " (")
	if stalled {
		key = "STALLED"
	}
	if key == l.verdict || text == "" {
		return nil
	}
	l.verdict = key
	if command != "" {
		text += "; fix: " + command
	}
	return l.line(s, "verdict", "  %s", text)
}

func (l *lines) showClients(s *monitor.Snapshot) error {
	if s.Run == nil {
		return nil
	}
	for _, c := range s.Clients {
		if l.clients[c.Host] {
			continue
		}
		l.clients[c.Host] = true
		if err := l.line(s, "client", "  late client %s %s: %d accepted, %d put off", c.Host, c.Helo, c.Accepted, c.Deferred); err != nil {
			return err
		}
	}
	return nil
}

// look reads until every part was seen once, or could not be.
func (s *session) look(ctx context.Context, w watched) (monitor.Snapshot, []string, error) {
	o, err := s.feeding(w)
	if err != nil {
		return monitor.Snapshot{}, nil, err
	}
	m := monitor.New(monitor.Options{})
	o.Query = m.Query()
	f := feed.New(o)
	ctx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { f.Run(ctx) })
	defer wg.Wait()
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return m.Snapshot(), nil, ctx.Err()
		case <-f.News():
		}
		snap := f.Take()
		m.Update(snap)
		run := o.Run == "" || snap.Run != nil || snap.RunErr != ""
		mail := o.Gateway == nil || !snap.Seen.IsZero() || snap.GatewayErr != ""
		if run && mail {
			return m.Snapshot(), m.Final(), nil
		}
	}
}
