package feed_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.org/ims/internal/gateway/mem"
	"example.org/ims/internal/mail/routing"
	"example.org/ims/internal/runner"
	"example.org/ims/internal/tui/feed"
	"example.org/ims/internal/tui/monitor"
	"example.org/ims/pkg/gateway"
)

// runs is a runner that can die.
type runs struct {
	mu   sync.Mutex
	dead bool
	said []runner.Line
	last int64 // the after of the last question
	n    int   // questions
}

func (r *runs) Monitor(_ context.Context, _, _ string, after int64) (runner.Monitor, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = after
	r.n++
	if r.dead {
		return runner.Monitor{}, runner.ErrNoRunner
	}
	return r.answer(after), nil
}

func (r *runs) answer(after int64) runner.Monitor {
	var m runner.Monitor
	m.Run, m.Outcome, m.Alive = "east-1", "open", !r.dead
	for _, l := range r.said {
		if l.Seq > after {
			m.Lines = append(m.Lines, l)
		}
	}
	return m
}

func (r *runs) set(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// follow runs a feed inside a bubble, and ends it.
func follow(t *testing.T, o feed.Options, test func(f *feed.Feed)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := feed.New(o)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { f.Run(ctx) })
		test(f)
		cancel()
		wg.Wait()
	})
}

// wait lets time pass, and everybody finish.
func wait(d time.Duration) {
	time.Sleep(d) // of a bubble
	synctest.Wait()
}

func seqs(s monitor.Snapshot) []int64 {
	var list []int64
	for _, l := range s.Run.Lines {
		list = append(list, l.Seq)
	}
	return list
}

// TestLinesAreTakenOnce: no line of the journal is lost when a snapshot is
// replaced before anybody took it, and none comes twice.
func TestLinesAreTakenOnce(t *testing.T) {
	r := &runs{said: []runner.Line{{Seq: 1}, {Seq: 2}}}
	follow(t, feed.Options{Run: "east-1", Runs: r}, func(f *feed.Feed) {
		wait(time.Second)
		r.set(func() { r.said = append(r.said, runner.Line{Seq: 3}) })
		wait(2 * time.Second)
		if got := seqs(f.Take()); !slices.Equal(got, []int64{1, 2, 3}) {
			t.Errorf("lines %v, want 1 2 3", got)
		}
		r.set(func() { r.said = append(r.said, runner.Line{Seq: 4}) })
		wait(time.Second)
		if got := seqs(f.Take()); !slices.Equal(got, []int64{4}) {
			t.Errorf("lines %v, want 4", got)
		}
		r.set(func() {
			if r.last != 4 {
				t.Errorf("asked for what comes after %d, want 4", r.last)
			}
		})
	})
}

// TestARunnerThatDies: the journal speaks meanwhile, since when is kept, and
// what comes after is seen.
func TestARunnerThatDies(t *testing.T) {
	r := &runs{said: []runner.Line{{Seq: 1}}}
	read := func(context.Context) (runner.Monitor, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.answer(0), nil
	}
	follow(t, feed.Options{Run: "east-1", Runs: r, Journal: read}, func(f *feed.Feed) {
		wait(time.Second)
		if s := f.Take(); !s.Gone.IsZero() || !s.Run.Alive {
			t.Errorf("a live runner: gone %v, alive %v", s.Gone, s.Run.Alive)
		}
		r.set(func() { r.dead = true })
		died := time.Now()
		wait(10 * time.Second)
		if s := f.Take(); s.Gone.Before(died) || s.Gone.After(died.Add(time.Second)) || s.Run.Alive || s.RunErr != "" {
			t.Errorf("died at %v: gone %v, alive %v, %q", died, s.Gone, s.Run.Alive, s.RunErr)
		}
		r.set(func() { r.dead, r.said = false, append(r.said, runner.Line{Seq: 2}) })
		wait(time.Second)
		if s := f.Take(); !s.Gone.IsZero() || !slices.Equal(seqs(s), []int64{2}) {
			t.Errorf("back: gone %v, lines %v", s.Gone, seqs(s))
		}
	})
}

// TestPace: a runner is asked five times a second, and a journal the less often
// the longer it takes to read.
func TestPace(t *testing.T) {
	r := &runs{}
	reads := 0
	read := func(context.Context) (runner.Monitor, error) {
		time.Sleep(100 * time.Millisecond) // of a bubble
		r.mu.Lock()
		defer r.mu.Unlock()
		reads++
		return r.answer(0), nil
	}
	follow(t, feed.Options{Run: "east-1", Runs: r, Journal: read}, func(*feed.Feed) {
		wait(10*time.Second - time.Millisecond)
		r.set(func() {
			if r.n != 50 {
				t.Errorf("%d questions in 10s, want 50", r.n)
			}
			r.dead = true
		})
		wait(10 * time.Second)
		r.set(func() {
			if reads < 4 || reads > 6 {
				t.Errorf("a journal that takes 100ms was read %d times in 10s, want about 5", reads)
			}
		})
	})
}

// deaf is a gateway that can stop answering.
type deaf struct {
	gateway.Gateway
	mu   sync.Mutex
	deaf bool
}

func (g *deaf) Census(ctx context.Context) (gateway.Census, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.deaf {
		return gateway.Census{}, errors.New("no answer")
	}
	return g.Gateway.Census(ctx)
}

// TestAGatewayThatIsDeaf keeps its last counts, with their age and the reason.
func TestAGatewayThatIsDeaf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := mem.New(mem.Options{Domains: []string{"org.example"}, Sites: []routing.Site{{Name: "HQ"}}},
			mem.Spec{Name: "east", Site: "HQ", Spaces: []gateway.Space{{Type: "SMTP", Pattern: "*", Cost: 1}}})
		g := &deaf{Gateway: o.Gateway("east")}
		f := feed.New(feed.Options{Name: "east", Gateway: g})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { f.Run(ctx) })
		o.Send(mem.Mail{From: "u@org.example", Rcpts: []string{"x@remote.example"}})
		wait(time.Second)
		if s := f.Take(); s.GatewayErr != "" || s.Config.Name != "east" || s.Census.Stores[gateway.MTA].Entered+s.Census.Routed == 0 {
			t.Errorf("seen: %q, %+v", s.GatewayErr, s.Census)
		}
		seen := f.Take().Seen
		g.mu.Lock()
		g.deaf = true
		g.mu.Unlock()
		wait(10 * time.Second)
		if s := f.Take(); s.GatewayErr == "" || s.Seen.Sub(seen) > time.Second || s.Config.Name != "east" {
			t.Errorf("deaf: %q, seen %v after", s.GatewayErr, s.Seen.Sub(seen))
		}
		if s := f.Take(); s.SummaryErr == "" {
			t.Errorf("a gateway that cannot sum up: %q", s.SummaryErr)
		}
		cancel()
		wg.Wait()
	})
}
