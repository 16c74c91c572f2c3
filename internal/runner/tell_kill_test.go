package runner_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/gateway/mem"
	"example.org/ims/internal/notify"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// hunted is a stage whose runner is killed by the webhook, at the first thing of
// each kind, when it has taken it and the runner does not know that yet; and at
// fail points.
type hunted struct {
	*stage
	t    *testing.T
	prog string
	hook told

	mu    sync.Mutex
	now   *exec.Cmd
	shot  map[notify.Kind]bool
	kills int

	came, drifted, mended, rejected bool // what its people did
}

// take is the webhook.
func (h *hunted) take(_ http.ResponseWriter, r *http.Request) {
	var n notify.Notification
	if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
		h.t.Error(err)
	}
	h.hook.add(n)
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.shot[n.Kind] {
		err := h.now.Process.Kill()
		h.shot[n.Kind] = err == nil
		if err != nil && !errors.Is(err, os.ErrProcessDone) { // a fail point was faster
			h.t.Error(err)
		}
	}
}

// live performs the run to its end, in one process after the other.
func (h *hunted) live(ctx context.Context) error {
	fails := []string{"after:4", "between:move_mx", "before:5", "between:remove", "after:1"}
	for {
		h.child.Fail = ""
		if len(fails) > 0 {
			h.child.Fail, fails = fails[0], fails[1:]
		}
		spec, err := json.Marshal(h.child)
		if err != nil {
			return err
		}
		var out bytes.Buffer
		cmd := exec.CommandContext(ctx, h.prog)
		cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), childEnv+"="+string(spec)), &out, &out
		h.mu.Lock()
		h.now = cmd
		err = cmd.Start()
		h.mu.Unlock()
		if err == nil {
			err = cmd.Wait()
		}
		exit, ok := errors.AsType[*exec.ExitError](err)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case ok && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL:
			h.kills++
		default:
			return fmt.Errorf("runner: %w: %s", err, out.Bytes())
		}
	}
}

// act is what people do when they see a run. What is done is not done again if
// the runner dies before it says so.
func (h *hunted) act(ctx context.Context, c *runner.Client, s *runner.Status) error {
	operating := s.Phase == "operating"
	switch {
	case s.State == "quiet" && !h.came:
		h.came = true
		_, err := h.lab.East.Arrive("printer.example.test", mem.Mail{From: "p@example.test", Rcpts: []string{"u@example.test"}})
		return err
	case s.State == "drain_help" && s.Asked != nil:
		h.lab.Org.OnHandover(func(mem.Handover) mem.Answer { return mem.Answer{} })
		return c.Approve(ctx, s.Run, runner.Answer{State: s.State, Choice: "return_rest"})
	case s.State == "watch" && !h.drifted:
		h.drifted = true
		return h.set(gateway.InboundOutbound)
	case operating && h.drifted && !h.mended: // wherever the run has noticed
		h.mended = true
		return errors.Join(h.set(gateway.OutboundOnly), c.Resume(ctx, s.Run, ""))
	case operating:
		h.rejected = h.rejected || s.State == "confirm"
		return c.Resume(ctx, s.Run, "")
	case s.State == "confirm" && s.Asked != nil && !h.rejected:
		return c.Reject(ctx, s.Run, runner.Answer{State: s.State})
	case s.Asked != nil:
		return c.Approve(ctx, s.Run, runner.Answer{State: s.State, Choice: s.Choices[0].Name})
	}
	return nil
}

// set is somebody who changes the gateway behind the run's back.
func (h *hunted) set(m gateway.Mode) error {
	_, err := h.lab.East.Apply(h.t.Context(), gateway.Change{
		Key: "somebody/" + m.String(), Actor: "bob", Reason: "test", Want: gateway.Want{Settings: &gateway.SettingsPatch{Mode: &m, Restart: true}},
	})
	if err != nil {
		h.t.Error(err)
	}
	return err
}

// TestPeopleAreToldOverKills leads a run through everything that people are told
// of, and kills its runner at the first thing of each kind: a program and a
// webhook are told each thing that the journal knows of once, and what they are
// told twice says that it may be a repetition.
func TestPeopleAreToldOverKills(t *testing.T) {
	stage, end := newStage(t, "q285090")
	defer end()
	h := &hunted{stage: stage, t: t, prog: program(t), hook: told{all: map[string]notify.Notification{}}, shot: map[notify.Kind]bool{}}
	srv := httptest.NewServer(http.HandlerFunc(h.take))
	defer srv.Close()
	h.child.File, h.child.Hook, h.child.Watches = filepath.Join(t.TempDir(), "told"), srv.URL, true
	h.child.Digest, h.child.Params = 60*time.Millisecond, map[string]string{"stalled_after": "1500ms", "quiet": "1s", "watch": "1s"}
	h.lab.Org.OnHandover(func(d mem.Handover) mem.Answer {
		if d.Inbound {
			return mem.Answer{}
		}
		return mem.Answer{Code: 450, Text: "later"}
	})
	h.lab.Org.Send(mem.Mail{From: "u@example.test", Rcpts: []string{"stays@far.test"}}) // what the stage sent may have left before
	ctx, cancel := context.WithTimeout(t.Context(), tooLong)
	defer cancel()
	over := make(chan error, 1)
	go func() { over <- h.live(ctx) }()
	c := runner.NewClient(h.child.Dir)
	for done := false; !done; {
		select {
		case err := <-over:
			if err != nil {
				st, readErr := runner.Read(t.Context(), h.child.Dir, "")
				t.Fatalf("%v; in %s %s, %v, after %d kills, %v", err, st.State, st.Phase, st.Missing, h.kills, readErr)
			}
			done = true
		case <-time.After(5 * time.Millisecond):
			// It is not up, is killed, or refuses what is over: the next look says more.
			_ = c.Watch(ctx, "east-1", func(s runner.Status) error { return h.act(ctx, c, &s) })
		}
	}
	h.judge()
}

// judge compares what was told with the journal.
func (h *hunted) judge() {
	t := h.t
	e, err := runner.ReadEvidence(t.Context(), h.child.Dir, "east-1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	want := occurred(&e)
	t.Logf("%d kills; the journal knows of %v", h.kills, want)
	if len(want) != len(notify.Kinds())-1 || e.Status.Outcome != "retired" || h.kills < len(notify.Kinds()) {
		t.Errorf("the run ends %s after %d kills, and comes through %v", e.Status.Outcome, h.kills, want)
	}
	lasted := e.Status.Closed.Sub(e.Status.Opened)
	program := readTold(t, h.child.File)
	for name, l := range map[string]*told{"program": program, "webhook": &h.hook} {
		kinds := l.kinds()
		if digests := kinds[notify.Digest]; digests == 0 || time.Duration(digests)*h.child.Digest > lasted {
			t.Errorf("the %s was told %d digests in %s", name, digests, lasted)
		}
		delete(kinds, notify.Digest)
		if diff := cmp.Diff(want, kinds); diff != "" {
			t.Errorf("the %s was told, of each kind (-journal +told):\n%s", name, diff)
		}
		if len(l.bad) > 0 {
			t.Errorf("the %s was told twice without being told so: %v", name, l.bad)
		}
	}
	for id := range h.hook.all {
		if _, ok := program.all[id]; !ok {
			t.Errorf("only the webhook was told %s", id)
		}
	}
	if len(program.all) != len(h.hook.all) {
		t.Errorf("the program was told %d things, the webhook %d", len(program.all), len(h.hook.all))
	}
}

// occurred counts in a journal what people are told of, but for digests. Every
// question of the run was answered, and every wait for its operator ended.
func occurred(e *runner.Evidence) map[notify.Kind]int {
	n, late := map[notify.Kind]int{}, "0"
	for _, r := range e.Records {
		i := e.Book.Def.Find(r.Detail.State)
		switch {
		case r.Kind == machine.Answered.String():
			n[notify.Approval]++
		case r.Kind == machine.Continue.String():
			n[notify.Operator]++
		case r.Kind == machine.ClosedRun.String():
			n[notify.Finished]++
		case r.Kind == machine.Elapsed.String() && (r.Event.Timer == machine.StallTimer || r.Event.Timer == machine.TimeoutTimer):
			n[notify.Stalled]++
		case r.Kind == machine.Judged.String() && r.Event.Verdict == machine.Pass && i != machine.Here &&
			e.Book.Def.States[i].Wait != nil && e.Book.Def.States[i].Wait.Drift == int(r.Event.Guard):
			n[notify.Drift]++
		case r.Kind == machine.Observed:
			if v := r.Detail.Facts["late.never_follow"]; v > late && v != "unknown" {
				n[notify.LateClient]++
				late = v
			}
		}
	}
	return n
}
