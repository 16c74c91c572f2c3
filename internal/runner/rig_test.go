package runner_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/ims/internal/access"
	"example.org/ims/internal/engine"
	"example.org/ims/internal/runner"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/runbook"
	"example.org/ims/runbooks"
)

// tooLong bounds what hangs. It is far more than anything takes on a busy
// machine with the race detector.
const tooLong = 5 * time.Minute

// quick lets everything that takes days take milliseconds, by parameters alone.
func quick() map[string]string {
	return map[string]string{
		"floor": "0s", "late_window": "20ms", "quiet": "20ms", "settle": "20ms", "drained": "20ms", "refuse_for": "20ms",
		"watch": "20ms", "poll": "10ms",
	}
}

// site is the organization in memory as a configuration would make it.
type site struct{ lab *worldtest.Lab }

func (s site) Runbook(name string) (string, []byte, error) {
	if name == "" {
		name = "q285090"
	}
	src, err := fs.ReadFile(runbooks.FS, name+".yaml")
	return name + ".yaml", src, err
}

func (s site) Bind(_ context.Context, r runner.Request) (runbook.Binding, []string, error) {
	if r.Gateway != worldtest.East {
		return runbook.Binding{}, nil, errors.New("no such gateway")
	}
	return worldtest.Binding(r.Params), worldtest.Leases(), nil
}

func (s site) Epoch(ctx context.Context, _ runbook.Binding) (uint64, error) {
	c, err := s.lab.East.Config(ctx)
	return c.Epoch, err
}

func (s site) World(_ context.Context, book *runbook.Book) (engine.World, error) {
	return s.lab.World(book), nil
}

// people lets the user of the test approve.
func people() access.People {
	return access.People{uint32(os.Getuid()): {Name: "ann", May: access.Approve}}
}

// shortDir is a folder whose path leaves room for a socket's name.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ims")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// serve runs a runner until the test or end ends it.
func serve(t *testing.T, o runner.Options) (c *runner.Client, end func()) {
	t.Helper()
	s, err := runner.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	end = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("runner: %v", err)
		}
	})
	t.Cleanup(end)
	return runner.NewClient(o.Dir), end
}

// live lets the organization move until the test ends.
func live(t *testing.T) *worldtest.Lab {
	t.Helper()
	lab := worldtest.Quick()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { lab.Org.Run(ctx, 2*time.Millisecond) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	return lab
}

func retire(name string) runner.Request {
	return runner.Request{Gateway: worldtest.East, Runbook: name, Params: quick()}
}

// path is the states that a run came through.
func path(s runner.Status) string {
	var ids []string
	for _, v := range s.Visits {
		ids = append(ids, v.State)
	}
	return strings.Join(ids, " ")
}

// approve answers every question of a run with its first choice, until it has
// ended, and returns how.
func approve(ctx context.Context, c *runner.Client, run string) (last runner.Status, err error) {
	err = c.Watch(ctx, run, func(s runner.Status) error {
		last = s
		if s.Asked == nil {
			return nil
		}
		err := c.Approve(ctx, run, runner.Answer{State: s.State, Choice: s.Choices[0].Name})
		if errors.Is(err, runner.ErrRefused) { // what was shown is over
			return nil
		}
		return err
	})
	return last, err
}
