package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/journal"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
	"example.org/ims/runbooks"
)

// smallSite is the organization in memory.
type smallSite struct{ lab *worldtest.Lab }

func (smallSite) Runbook(name string) (string, []byte, error) {
	src, err := fs.ReadFile(runbooks.FS, name+".yaml")
	return name + ".yaml", src, err
}

func (smallSite) Bind(_ context.Context, r Request) (runbook.Binding, []string, error) {
	return worldtest.Binding(r.Params), worldtest.Leases(), nil
}

func (smallSite) Epoch(context.Context, runbook.Binding) (uint64, error) { return 0, nil }

func (s smallSite) World(_ context.Context, book *runbook.Book) (engine.World, error) {
	return s.lab.World(book), nil
}

// disk is one that a test fills and breaks.
type disk struct {
	fault atomic.Pointer[error]
	asked atomic.Int64 // commits that it refused
}

func (d *disk) is(err error) { d.fault.Store(&err) }

func (d *disk) say() error {
	p := d.fault.Load()
	if p == nil || *p == nil {
		return nil
	}
	d.asked.Add(1)
	return *p
}

// onDisk is a runner without its socket's answers, on a disk that can fail, and
// a run that waits in its state "quiet" for days.
func onDisk(t *testing.T) (s *Server, d *disk, run string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "ims")
	if err != nil {
		t.Fatal(err)
	}
	lab := worldtest.New(300)
	if s, err = Open(t.Context(), Options{Dir: dir, Site: smallSite{lab}}); err != nil {
		t.Fatal(err)
	}
	d = &disk{}
	if err := s.journal.Close(); err != nil {
		t.Fatal(err)
	}
	if s.journal, err = journal.Open(t.Context(), dir, journal.Options{Fault: d.say}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { lab.Org.Run(ctx, 5*time.Minute) })
	t.Cleanup(func() {
		s.stopEngines()
		cancel()
		wg.Wait()
		if err := errors.Join(s.ln.Close(), s.release(), os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
	})
	run, err = s.openRun(t.Context(), Request{Runbook: "q285090", Params: map[string]string{
		"floor": "1m", "late_window": "1m", "quiet": "90h", "poll": "10m", "patience": "900h",
	}}, "ann")
	if err != nil {
		t.Fatal(err)
	}
	return s, d, run
}

// standsNow is the status of a run once nothing happens any more at this instant.
func standsNow(t *testing.T, s *Server, run string) Status {
	t.Helper()
	synctest.Wait()
	st, err := s.status(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// TestFullDiskIsTriedAgain: a run whose journal cannot be written goes on by
// itself within minutes of there being room, and says so meanwhile.
func TestFullDiskIsTriedAgain(t *testing.T) {
	for _, cause := range []error{journal.ErrFull, journal.ErrBroken} {
		t.Run(cause.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, d, run := onDisk(t)
				time.Sleep(time.Hour)
				if st := standsNow(t, s, run); st.State != "quiet" || !st.Alive || st.Problem != "" || !st.Again.IsZero() {
					t.Fatalf("before: in %s, alive %v, problem %q", st.State, st.Alive, st.Problem)
				}
				d.is(fmt.Errorf("no space: %w", cause))
				time.Sleep(40 * time.Minute)
				st := standsNow(t, s, run)
				left := time.Until(st.Again)
				if st.Alive || !strings.Contains(st.Problem, cause.Error()) || left <= 0 || left > againMost ||
					!strings.Contains(st.Problem, st.Again.UTC().Format(time.RFC3339)) || !strings.Contains(st.Problem, "ims resume "+run) {
					t.Errorf("while it stands: alive %v, problem %q, again %s", st.Alive, st.Problem, st.Again)
				}
				if !s.waiting() || s.open() != 0 {
					t.Errorf("a runner for one retirement would end, %v, or counts %d runs as performed", s.waiting(), s.open())
				}
				if n := d.asked.Load(); n < 8 || n > 16 { // one in 5 min at the end
					t.Errorf("%d commits were tried in 40m", n)
				}
				d.is(nil)
				time.Sleep(againMost)
				if st := standsNow(t, s, run); !st.Alive || st.Problem != "" || !st.Again.IsZero() || st.Resumes != 1 || st.State != "quiet" {
					t.Errorf("with room again: alive %v, problem %q, %d resumes, in %s", st.Alive, st.Problem, st.Resumes, st.State)
				}
				time.Sleep(time.Hour)
				if st := standsNow(t, s, run); st.Resumes != 1 || st.Problem != "" {
					t.Errorf("an hour later: %d resumes, problem %q", st.Resumes, st.Problem)
				}
			})
		})
	}
}

// TestPersonIsFasterThanTheRunner: who has made room need not wait for the next
// try, which then does nothing.
func TestPersonIsFasterThanTheRunner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d, run := onDisk(t)
		d.is(journal.ErrBroken)
		time.Sleep(time.Hour)
		if st := standsNow(t, s, run); st.Again.IsZero() {
			t.Fatalf("the run does not stand: %+v", st.Problem)
		}
		d.is(nil)
		if err := s.takeUp(t.Context(), run, "ann"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if st := standsNow(t, s, run); !st.Alive || st.Resumes != 1 {
			t.Errorf("alive %v after %d resumes, %s", st.Alive, st.Resumes, st.Problem)
		}
	})
}

// TestFencedIsNotTriedAgain: what another took, the runner does not take back.
func TestFencedIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d, run := onDisk(t)
		time.Sleep(time.Hour)
		if _, err := s.journal.BreakLease(t.Context(), "gateway/east", "moved"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Hour)
		st := standsNow(t, s, run)
		if st.Alive || st.Problem == "" || !st.Again.IsZero() || st.Resumes != 0 || s.waiting() {
			t.Errorf("fenced: alive %v, problem %q, again %s, %d resumes", st.Alive, st.Problem, st.Again, st.Resumes)
		}
		// Nor what it could not take back once there was room again.
		if err := s.takeUp(t.Context(), run, "ann"); err != nil {
			t.Fatal(err)
		}
		d.is(journal.ErrFull)
		time.Sleep(time.Hour)
		if st := standsNow(t, s, run); st.Again.IsZero() {
			t.Fatalf("the run does not stand: %q", st.Problem)
		}
		d.is(nil)
		other := journal.RunInfo{ID: "other", Gateway: "east", Runbook: "x", Owner: "x", Opened: time.Now()}
		if _, err := s.journal.BreakLease(t.Context(), "gateway/east", "moved"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.journal.OpenRun(t.Context(), other, []string{"gateway/east"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if st := standsNow(t, s, run); !st.Again.IsZero() || !strings.Contains(st.Problem, "is held by run") {
			t.Errorf("held by another: problem %q, again %s", st.Problem, st.Again)
		}
	})
}

// TestResumeOnAFullDisk: a runner that starts on a full disk takes its runs up
// once there is room.
func TestResumeOnAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d, run := onDisk(t)
		time.Sleep(time.Hour)
		h, ok := s.find(run)
		if !ok {
			t.Fatal("the run is not there")
		}
		h.cancel() // as the runner before was ended
		<-h.done
		d.is(journal.ErrFull)
		if err := s.resumeAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		if st := standsNow(t, s, run); st.Again.IsZero() || st.Phase == machine.Closed.String() {
			t.Errorf("problem %q, again %s", st.Problem, st.Again)
		}
		d.is(nil)
		time.Sleep(time.Minute)
		if st := standsNow(t, s, run); !st.Alive || st.Resumes != 1 {
			t.Errorf("alive %v after %d resumes, %s", st.Alive, st.Resumes, st.Problem)
		}
	})
}

func TestPauses(t *testing.T) {
	last := time.Duration(0)
	for n := range 1000 {
		d := pauseBefore(n)
		if d < last || d > againMost || n == 0 && d != againFirst {
			t.Errorf("pause %d is %s after %s", n, d, last)
		}
		last = d
	}
	if last != againMost {
		t.Errorf("the longest pause is %s", last)
	}
}
