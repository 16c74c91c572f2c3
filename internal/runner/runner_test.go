package runner_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/access"
	"example.org/ims/internal/journal"
	"example.org/ims/internal/runner"
)

func TestRetires(t *testing.T) {
	for _, name := range []string{"q285090", "eleven-steps"} {
		t.Run(name, func(t *testing.T) {
			dir := shortDir(t)
			c, end := serve(t, runner.Options{Dir: dir, Site: site{live(t)}, People: people()})
			run, err := c.Open(t.Context(), retire(name))
			if err != nil {
				t.Fatal(err)
			}
			last, err := approve(t.Context(), c, run)
			if err != nil || last.Outcome != "retired" || !last.Ended() {
				t.Fatalf("run ends %q in %s, %v", last.Outcome, last.State, err)
			}
			end()
			alone, err := runner.Read(t.Context(), dir, "")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(path(last), path(alone)); diff != "" || alone.Outcome != "retired" || alone.Run != run || alone.Alive {
				t.Errorf("from the journal: %s of %s, alive %v, path (-runner +journal):\n%s", alone.Outcome, alone.Run, alone.Alive, diff)
			}
			if alone.Ledger["unaccounted"] != 0 || alone.Ledger == nil {
				t.Errorf("ledger = %v", alone.Ledger)
			}
		})
	}
}

// TestStopsAndGoesOn ends the runner again and again; runs go on with the next.
func TestStopsAndGoesOn(t *testing.T) {
	dir, lab := shortDir(t), live(t)
	o := runner.Options{Dir: dir, Site: site{lab}, People: people()}
	c, end := serve(t, o)
	run, err := c.Open(t.Context(), retire(""))
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{"accepting", "refusing", "confirm"} {
		err := c.Watch(t.Context(), run, func(s runner.Status) error {
			if strings.Contains(path(s), state) {
				return io.EOF
			}
			return nil
		})
		if !errors.Is(err, io.EOF) {
			t.Fatalf("watch until %s: %v", state, err)
		}
		end()
		if _, err := c.Status(t.Context(), run); !errors.Is(err, runner.ErrNoRunner) {
			t.Errorf("status without a runner: %v", err)
		}
		c, end = serve(t, o)
	}
	last, err := approve(t.Context(), c, run)
	if err != nil || last.Outcome != "retired" || last.Resumes != 3 {
		t.Errorf("run ends %q after %d resumes, %v", last.Outcome, last.Resumes, err)
	}
}

func TestHeld(t *testing.T) {
	c, _ := serve(t, runner.Options{Dir: shortDir(t), Site: site{live(t)}, People: people()})
	r := retire("")
	r.Params["quiet"] = "1h"
	run, err := c.Open(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Open(t.Context(), r)
	held, ok := errors.AsType[*runner.HeldError](err)
	if !ok || held.Run != run || held.Resource != "gateway/east" || held.Since.IsZero() || !strings.Contains(err.Error(), run) {
		t.Errorf("second run on a gateway: %v, %+v", err, held)
	}
}

func TestOneRunnerADirectory(t *testing.T) {
	o := runner.Options{Dir: shortDir(t), Site: site{live(t)}, People: people()}
	serve(t, o)
	_, err := runner.Open(t.Context(), o)
	if locked, ok := errors.AsType[*journal.LockedError](err); !ok || locked.Holder.PID != os.Getpid() {
		t.Errorf("second runner: %v", err)
	}
}

func TestAccess(t *testing.T) {
	me := uint32(os.Getuid())
	dir := shortDir(t)
	o := runner.Options{Dir: dir, Site: site{live(t)}, People: access.People{me: {Name: "bob", May: access.Operate}}}
	c, _ := serve(t, o)
	run, err := c.Open(t.Context(), retire(""))
	if err != nil {
		t.Fatal(err)
	}
	wait := waitFor(t, c, run, func(s runner.Status) bool { return s.Asked != nil })
	if wait.Opener != "bob" || wait.Asked.Head == "" || wait.Asked.Digest == "" {
		t.Errorf("opened by %q, asked %+v", wait.Opener, wait.Asked)
	}
	if err := c.Approve(t.Context(), run, runner.Answer{}); !errors.Is(err, access.ErrDenied) {
		t.Errorf("approve without the right: %v", err)
	}
	if err := c.Reject(t.Context(), run, runner.Answer{}); !errors.Is(err, access.ErrDenied) {
		t.Errorf("reject without the right: %v", err)
	}
	if err := c.Abort(t.Context(), run, "enough"); err != nil {
		t.Errorf("abort with the right: %v", err)
	}
	if last := waitFor(t, c, run, func(s runner.Status) bool { return s.Ended() }); last.Outcome != "aborted" {
		t.Errorf("run ends %s", last.Outcome)
	}
}

func TestBadRequests(t *testing.T) {
	c, _ := serve(t, runner.Options{Dir: shortDir(t), Site: site{live(t)}, People: people()})
	for _, tt := range []struct {
		name string
		call func() error
		want error
	}{
		{"no such gateway", func() error { _, err := c.Open(t.Context(), runner.Request{Gateway: "north"}); return err }, runner.ErrUsage},
		{"no such parameter", func() error {
			_, err := c.Open(t.Context(), runner.Request{Gateway: "east", Params: map[string]string{"quite": "1h"}})
			return err
		}, runner.ErrUsage},
		{"no such run", func() error { _, err := c.Status(t.Context(), "east-9"); return err }, runner.ErrNoRun},
		{"no such run to abort", func() error { return c.Abort(t.Context(), "east-9", "") }, runner.ErrNoRun},
		{"no such run to watch", func() error { return c.Watch(t.Context(), "east-9", func(runner.Status) error { return nil }) }, runner.ErrNoRun},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.call(); !errors.Is(err, tt.want) {
				t.Errorf("error = %v, want %v", err, tt.want)
			}
		})
	}
}

// TestOnce: a runner that was started for one retirement ends with it.
func TestOnce(t *testing.T) {
	s, err := runner.Open(t.Context(), runner.Options{Dir: shortDir(t), Site: site{live(t)}, People: people(), Once: true})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(t.Context()) }()
	c := s.Client()
	run, err := c.Open(t.Context(), retire(""))
	if err != nil {
		t.Fatal(err)
	}
	if last, err := approve(t.Context(), c, run); err != nil || last.Outcome != "retired" {
		t.Errorf("run ends %q, %v", last.Outcome, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestReadWithoutAJournal(t *testing.T) {
	if _, err := runner.Read(t.Context(), shortDir(t), ""); !errors.Is(err, runner.ErrNoRun) {
		t.Errorf("status where nothing ever ran: %v", err)
	}
	if all, err := runner.ReadList(t.Context(), shortDir(t)+"/none"); err != nil || len(all) != 0 {
		t.Errorf("list where nothing ever ran: %v, %v", all, err)
	}
}

// waitFor watches a run until it is as wanted.
func waitFor(t *testing.T, c *runner.Client, run string, want func(runner.Status) bool) (got runner.Status) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), tooLong)
	defer cancel()
	enough := errors.New("enough")
	err := c.Watch(ctx, run, func(s runner.Status) error {
		got = s
		if want(s) {
			return enough
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		t.Fatalf("watch: %v; in %s %s", err, got.State, got.Phase)
	}
	return got
}
