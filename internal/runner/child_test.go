package runner_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"testing"
	"time"

	"example.org/ims/internal/dns/rfc2136"
	"example.org/ims/internal/dns/tsig"
	"example.org/ims/internal/dns/watch"
	"example.org/ims/internal/engine"
	"example.org/ims/internal/gateway/embedded"
	"example.org/ims/internal/journal"
	"example.org/ims/internal/notify"
	"example.org/ims/internal/runner"
	"example.org/ims/internal/world"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/runbook"
)

// childEnv makes this test's program a runner in a process of its own.
const childEnv = "IMS_RUNNER_TEST_CHILD"

// child is what such a process is told.
type child struct {
	Dir     string // state directory
	Socket  string // of the gateways
	Server  string // of the zone
	Runbook string
	Fail    string
	File    string // "" or a file that a program appends to what it is told
	Hook    string // and the URL of a webhook
	Digest  time.Duration
	Params  map[string]string // beside the quick ones
	Watches bool              // it answers no question: somebody else does
}

// targets are who the child tells what happens.
func (c child) targets() []notify.Target {
	if c.File == "" {
		return nil
	}
	return []notify.Target{{Name: "program", Exec: []string{"sh", "-c", `cat >>"$0"`, c.File}}, {Name: "hook", Webhook: c.Hook}}
}

const updateSecret = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

func updateKey() (tsig.Key, error) { return tsig.NewKey("update", "hmac-sha256", updateSecret) }

func TestMain(m *testing.M) {
	if spec := os.Getenv(childEnv); spec != "" {
		if err := performed(spec); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// opened opens a runner. A program that the one before had just begun to start
// when it was killed holds its lock for a moment more.
func opened(ctx context.Context, o runner.Options) (*runner.Server, error) {
	for {
		r, err := runner.Open(ctx, o)
		if _, locked := errors.AsType[*journal.LockedError](err); !locked {
			return r, err
		}
		<-time.After(5 * time.Millisecond)
	}
}

// performed opens the run, or resumes it, and performs it to its end.
func performed(spec string) error {
	var c child
	if err := json.Unmarshal([]byte(spec), &c); err != nil {
		return err
	}
	fail, err := runner.ParseFailPoint(c.Fail)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, err := opened(ctx, runner.Options{Dir: c.Dir, Site: remoteSite{child: c}, People: people(), FailPoint: fail, Targets: c.targets(), Digest: c.Digest})
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- r.Serve(ctx) }()
	err = c.retire(ctx, r.Client())
	cancel()
	return errors.Join(err, <-served)
}

func (c child) retire(ctx context.Context, client *runner.Client) error {
	all, err := client.List(ctx)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		r := retire(c.Runbook)
		maps.Copy(r.Params, c.Params)
		if _, err := client.Open(ctx, r); err != nil {
			return err
		}
	}
	if c.Watches {
		return client.Watch(ctx, "east-1", func(runner.Status) error { return nil })
	}
	last, err := approve(ctx, client, "east-1")
	if err == nil && last.Outcome != "retired" {
		err = fmt.Errorf("run ends %s in %s", last.Outcome, last.State)
	}
	return err
}

// remoteSite is an organization in another process.
type remoteSite struct {
	site
	child child
}

func (s remoteSite) Epoch(ctx context.Context, _ runbook.Binding) (uint64, error) {
	c, err := embedded.New(s.child.Socket, worldtest.East).Config(ctx)
	return c.Epoch, err
}

func (s remoteSite) World(_ context.Context, book *runbook.Book) (engine.World, error) {
	key, err := updateKey()
	if err != nil {
		return nil, err
	}
	w, err := rfc2136.New(rfc2136.Config{Zone: worldtest.Domain, Server: s.child.Server, Key: &key})
	if err != nil {
		return nil, err
	}
	watcher, err := watch.New(watch.Config{Zone: worldtest.Domain, Authorities: []string{s.child.Server}})
	if err != nil {
		return nil, err
	}
	return worldtest.Parts{
		East: embedded.New(s.child.Socket, worldtest.East), West: embedded.New(s.child.Socket, worldtest.West),
		Writer: w, Watch: watcher, Zones: []world.Zone{{Name: worldtest.Domain, Writer: w, Watch: watcher}},
	}.World(book), nil
}
