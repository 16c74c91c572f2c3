package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/internal/runner"
)

// follower watches a run to its end, or until it needs somebody who is not
// here.
type follower struct {
	s      *session
	p      *output.Printer
	client *runner.Client
	dir    string
	run    string
	yes    bool // answer what one person may answer
	here   bool // this process performs the run, which stops with the view
	plain  bool // lines on a terminal, too
	undo   bool // the run was told to abort: what it waited for before is over
	view   *viewer
	last   runner.Status
	voted  string // the question that was answered, by its place in the journal
}

// errEnough ends a watch that came as far as it can.
var errEnough = errors.New("enough")

// reattach is how long a viewer waits for a runner that is gone.
const reattach = 15 * time.Second

// follow returns the last status of the run. Its errors: the end of ctx, or
// what the runner says.
func (f *follower) follow(ctx context.Context) (runner.Status, error) {
	f.view = newViewer(f.p)
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	if f.s.io.InTerminal {
		go quits(f.s.io.In, leave) // it ends with the process: a terminal cannot be told to stop
	}
	for {
		err := f.client.Watch(ctx, f.run, func(st runner.Status) error { return f.see(ctx, st) })
		switch {
		case err == nil, errors.Is(err, errEnough):
			return f.last, nil
		case ctx.Err() != nil:
			return f.last, ctx.Err()
		case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, runner.ErrNoRunner):
			if err := f.await(ctx); err != nil {
				return f.last, err
			}
			if f.last.Ended() {
				return f.last, nil
			}
		default:
			return f.last, err
		}
	}
}

// quits calls leave at the end of input, or at a line that says q.
func quits(in io.Reader, leave func()) {
	defer leave()
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if strings.TrimSpace(lines.Text()) == "q" {
			return
		}
	}
}

// see prints a status, answers its question if it may, and decides whether to
// go on watching.
func (f *follower) see(ctx context.Context, st runner.Status) error {
	f.last = st
	if err := f.view.show(&st); err != nil {
		return err
	}
	switch {
	case st.Problem != "":
		return fmt.Errorf("run %s is not performed: %s", st.Run, st.Problem)
	case f.undo && !st.Undoing && !st.Ended(): // of before it was told
		return nil
	case st.Phase == "operating":
		return errEnough
	case st.Asked == nil || st.Asked.Head == f.voted:
		return nil
	case f.yes && st.Min <= 1 && !st.NotSelf && len(st.Choices) > 0:
		return f.answer(ctx, &st)
	case !f.s.io.InTerminal:
		return errEnough
	}
	return nil
}

func (f *follower) answer(ctx context.Context, st *runner.Status) error {
	choice := st.Choices[0].Name
	err := f.client.Approve(ctx, f.run, runner.Answer{State: st.State, Choice: choice, Comment: "answered by --yes"})
	if errors.Is(err, runner.ErrRefused) { // what was shown is over; a newer status follows
		f.p.Note("not answered: %v", err)
		return nil
	}
	if err != nil {
		return err
	}
	f.voted = st.Asked.Head
	return f.view.line(st, time.Now(), "answered", "  answered by --yes: %s", choice)
}

// await waits for the next runner, or for the end of a run whose runner is
// gone.
func (f *follower) await(ctx context.Context) error {
	if f.ended(ctx) {
		return nil
	}
	f.p.Note("the runner is gone; waiting for the next one")
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for begin := time.Now(); time.Since(begin) < reattach; {
		if _, err := f.client.Info(ctx); !errors.Is(err, runner.ErrNoRunner) {
			return err
		}
		if f.ended(ctx) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return fmt.Errorf("%w for run %s", runner.ErrNoRunner, f.run)
}

// ended reads from the journal whether the run has ended.
func (f *follower) ended(ctx context.Context) bool {
	st, err := runner.Read(ctx, f.dir, f.run)
	if err != nil || !st.Ended() {
		return false
	}
	f.last = st
	return f.view.show(&st) == nil
}
