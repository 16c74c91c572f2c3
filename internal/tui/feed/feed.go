// Package feed reads what the monitor shows: the run from its runner, or from
// the journal while none is alive, and the mail from the gateway. Each is asked
// on its own, so that one that hangs does not hide the other, and a part that
// could not be read keeps its last value and its age. It changes nothing, and
// never asks for more than one window of the queue.
package feed

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"time"

	"example.org/ims/internal/runner"
	"example.org/ims/internal/tui/monitor"
	"example.org/ims/pkg/gateway"
)

// Pace of the questions.
const (
	Every      = 200 * time.Millisecond
	oneTimeout = 5 * time.Second
	clientsAge = 5 * time.Second
	sumRest    = 20 // times as long as a summary took passes before the next, and as the journal
	mostShown  = 10 // clients
)

// Runs is where a run is read.
type Runs interface {
	// Monitor asks the runner; runner.ErrNoRunner if none is alive.
	Monitor(ctx context.Context, run, viewer string, after int64) (runner.Monitor, error)
}

// Options of a feed.
type Options struct {
	Run  string // "" watches the gateway alone
	Runs Runs
	// Journal reads the run without a runner.
	Journal func(ctx context.Context) (runner.Monitor, error)
	Name    string // of the gateway
	Gateway gateway.Gateway
	Query   gateway.SummaryQuery
	DryRun  bool // whoever watches changes nothing
}

// Feed collects snapshots. Its methods are safe for concurrent use.
type Feed struct {
	o      Options
	viewer string
	news   chan struct{}
	again  chan struct{} // the gateway is to be asked at once

	mu      sync.Mutex
	snap    monitor.Snapshot
	lines   []runner.Line // that nobody took yet
	seq     int64
	query   gateway.SummaryQuery
	clients time.Time // when they were read
	sumDue  time.Time // not before, unless another question is asked
	summed  gateway.SummaryQuery
	readDue time.Time // the journal is not read before
}

// New makes a feed; Run starts it.
func New(o Options) *Feed {
	f := &Feed{o: o, viewer: rand.Text(), news: make(chan struct{}, 1), again: make(chan struct{}, 1), query: o.Query}
	f.snap.Gateway = o.Name
	f.snap.DryRun = o.DryRun || o.Gateway != nil && o.Gateway.Caps().ReadOnly
	return f
}

// News has something in it when Take has.
func (f *Feed) News() <-chan struct{} { return f.news }

// Take returns the newest snapshot, with the lines of the journal since the
// last one that was taken.
func (f *Feed) Take() monitor.Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.snap
	if s.Run != nil {
		r := *s.Run
		r.Lines = f.lines
		s.Run, f.lines = &r, nil
	}
	return s
}

// Ask changes what is summed up, and has it read at once.
func (f *Feed) Ask(q gateway.SummaryQuery) {
	f.mu.Lock()
	f.query = q
	f.mu.Unlock()
	ring(f.again)
}

func ring(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run reads until ctx is done, and waits for the questions under way.
func (f *Feed) Run(ctx context.Context) {
	var wg sync.WaitGroup
	if f.o.Run != "" {
		wg.Go(func() { f.loop(ctx, f.readRun, nil) })
	}
	if f.o.Gateway != nil {
		wg.Go(func() { f.loop(ctx, f.readGateway, f.again) })
	}
	wg.Wait()
}

func (f *Feed) loop(ctx context.Context, read func(context.Context), again <-chan struct{}) {
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for {
		one, cancel := context.WithTimeout(ctx, oneTimeout)
		read(one)
		cancel()
		if ctx.Err() != nil {
			return
		}
		ring(f.news)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-again:
		}
	}
}

// readRun asks the runner, and the journal while there is none.
func (f *Feed) readRun(ctx context.Context) {
	f.mu.Lock()
	after, gone := f.seq, f.snap.Gone
	f.mu.Unlock()
	m, err := f.o.Runs.Monitor(ctx, f.o.Run, f.viewer, after)
	dead := errors.Is(err, runner.ErrNoRunner)
	rests := false
	if dead && f.o.Journal != nil {
		m, rests, err = f.readJournal(ctx, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.snap.At = time.Now()
	switch {
	case !dead:
		f.snap.Gone = time.Time{}
	case gone.IsZero():
		f.snap.Gone = f.snap.At
	}
	if rests {
		return
	}
	if err != nil {
		f.snap.RunErr = err.Error()
		return
	}
	f.snap.RunErr = ""
	for _, l := range m.Lines {
		if l.Seq > f.seq {
			f.lines, f.seq = append(f.lines, l), l.Seq
		}
	}
	if m.Ended() {
		f.snap.Gone = time.Time{}
	}
	f.snap.Run = &m
}

// readJournal reads the run without a runner; why there is none is the error if
// that cannot be done. The longer the journal is the longer that takes, and the
// less often it is done: rests says that it was not, this time.
func (f *Feed) readJournal(ctx context.Context, why error) (m runner.Monitor, rests bool, err error) {
	f.mu.Lock()
	due := f.readDue
	f.mu.Unlock()
	begun := time.Now()
	if begun.Before(due) {
		return m, true, nil
	}
	if m, err = f.o.Journal(ctx); err != nil {
		err = why
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readDue = time.Now().Add(sumRest * time.Since(begun))
	return m, false, err
}

// readGateway counts, sums up, and now and then lists the clients. A summary
// costs the gateway more the longer its queue is, so it is asked for less often
// the longer it takes.
func (f *Feed) readGateway(ctx context.Context) {
	f.mu.Lock()
	query, due := f.query, time.Since(f.clients) > clientsAge
	resum := f.summed != query || !time.Now().Before(f.sumDue)
	since := switched(f.snap.Run)
	f.mu.Unlock()
	config, err := f.o.Gateway.Config(ctx)
	var census gateway.Census
	if err == nil {
		census, err = f.o.Gateway.Census(ctx)
	}
	var sum *gateway.Summary
	var sumErr error
	begun := time.Now()
	if resum {
		sum, sumErr = summarize(ctx, f.o.Gateway, query)
	}
	took := time.Since(begun)
	var late []gateway.Client
	var lateErr error
	if due && err == nil {
		late, lateErr = clients(ctx, f.o.Gateway, since)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.snap.At = time.Now()
	f.snap.GatewayErr = words(err)
	if err == nil {
		f.snap.Config, f.snap.Census, f.snap.Seen = config, census, f.snap.At
	}
	if resum {
		f.snap.SummaryErr, f.summed, f.sumDue = words(sumErr), query, f.snap.At.Add(sumRest*took)
	}
	if resum && sumErr == nil && query == f.query { // else an answer to an older question
		f.snap.Summary = sum
	}
	if due && err == nil {
		f.snap.Clients, f.snap.ClientsErr, f.clients = late, words(lateErr), f.snap.At
	}
}

func words(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func summarize(ctx context.Context, gw gateway.Gateway, q gateway.SummaryQuery) (*gateway.Summary, error) {
	s, ok := gw.(gateway.Summarizer)
	if !ok {
		return nil, errors.New("the gateway cannot sum its queues up")
	}
	sum, err := s.Summarize(ctx, q)
	return &sum, err
}

// switched is when the MX were pointed elsewhere: since then a client that
// comes is late.
func switched(r *runner.Monitor) time.Time {
	if r == nil {
		return time.Time{}
	}
	for _, v := range r.Visits {
		if v.State == "move_mx" && v.After != "" {
			return v.Entered
		}
	}
	return time.Unix(1<<40, 0) // not yet: nobody is
}

// clients are the hosts that named a valid recipient since, the last first.
func clients(ctx context.Context, gw gateway.Gateway, since time.Time) ([]gateway.Client, error) {
	l, ok := gw.(gateway.ClientLog)
	if !ok {
		return nil, nil
	}
	all, err := l.Clients(ctx)
	all = slices.DeleteFunc(all, func(c gateway.Client) bool { return c.LastValid.IsZero() || !c.LastValid.After(since) })
	slices.SortFunc(all, func(a, b gateway.Client) int { return b.LastValid.Compare(a.LastValid) })
	return slices.Clip(all[:min(len(all), mostShown)]), err
}
