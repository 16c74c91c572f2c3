package engine_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/gateway/mem"
	"example.org/ims/internal/journal"
	"example.org/ims/pkg/machine"
)

// end is where a run and its world ended.
type end struct {
	Outcome machine.Outcome
	Path    string
	World   string
	Changes int // of the zone
	Starts  int // of east
	Taken   []string
	Commits int
	Resumes int
}

// finish performs a run to its end over as many lives as it takes.
func finish(t *testing.T, r *rig) end {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	r.live(ctx, &wg)
	defer wg.Wait()
	defer cancel()
	for _, to := range []string{"a@far.test", "b@near.test", "c@slow.test"} {
		r.lab.Org.Send(mem.Mail{From: "u@example.test", Rcpts: []string{to}})
	}
	for range 3 {
		_, err := r.life(ctx)
		if errors.Is(err, errCrashed) {
			continue
		}
		if err != nil && !errors.Is(err, journal.ErrClosed) {
			t.Fatalf("run: %v", err)
		}
		return r.end(ctx)
	}
	t.Fatal("the run does not end")
	return end{}
}

func (r *rig) end(ctx context.Context) end {
	r.t.Helper()
	j, err := journal.OpenReadOnly(ctx, r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	defer j.Close()
	if err := j.Verify(ctx); err != nil {
		r.t.Error(err)
	}
	h := machine.NewHistory(r.book.Def)
	for _, rec := range r.records(ctx, j) {
		h.Add(rec)
	}
	picture, err := r.lab.Picture(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	e := end{
		Outcome: r.book.Def.Outcome(h.State), Path: path(h.Visits), World: picture, Changes: len(r.lab.Zone.Applied()),
		Starts: r.lab.East.Starts(), Commits: r.commits, Resumes: h.Resumes,
	}
	for _, h := range r.lab.Org.Taken() {
		e.Taken = append(e.Taken, fmt.Sprintf("%s %s", h.Message, h.Rcpt))
	}
	return e
}

// TestCrashAtEveryCommit ends the engine before and after every commit, and
// between act and outcome of every effect: the next life reaches the same end,
// and nothing is done twice.
func TestCrashAtEveryCommit(t *testing.T) {
	for _, name := range books {
		t.Run(name, func(t *testing.T) {
			want := inBubble(t, func(t *testing.T) end { return finish(t, newRig(t, name, brief())) })
			if want.Outcome != machine.Retired {
				t.Fatalf("without a crash the run ends %s: %s", want.Outcome, want.Path)
			}
			t.Logf("%d commits", want.Commits)
			atCommits(t, 1, want.Commits, func(t *testing.T, n int, after bool) { crashAt(t, name, want, n, after) })
		})
	}
}

func crashAt(t *testing.T, name string, want end, n int, after bool) {
	got := inBubble(t, func(t *testing.T) end {
		r := newRig(t, name, brief())
		r.crashAt(n, after)
		return finish(t, r)
	})
	compareEnds(t, want, got)
	if got.Resumes == 0 && n > 1 && n < want.Commits {
		t.Error("no resume is recorded")
	}
}

func compareEnds(t *testing.T, want, got end) {
	t.Helper()
	want.Commits, got.Commits, want.Resumes, got.Resumes = 0, 0, 0, 0
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("end (-without crash +with):\n%s", diff)
	}
}

func TestCrashBetweenActAndOutcome(t *testing.T) {
	for _, name := range books {
		t.Run(name, func(t *testing.T) {
			var effects []string
			want := inBubble(t, func(t *testing.T) end {
				r := newRig(t, name, brief())
				r.between = func(e engine.Effect) { effects = append(effects, e.Key) }
				return finish(t, r)
			})
			for _, key := range some(effects) {
				t.Run(key, func(t *testing.T) {
					got := inBubble(t, func(t *testing.T) end {
						r := newRig(t, name, brief())
						r.between = func(e engine.Effect) {
							if e.Key == key {
								r.between = nil
								runtime.Goexit()
							}
						}
						return finish(t, r)
					})
					compareEnds(t, want, got)
				})
			}
		})
	}
}

// inBubble runs f under a clock that jumps.
func inBubble[T any](t *testing.T, f func(t *testing.T) T) (out T) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { out = f(t) })
	return out
}

// TestResumeCoversDowntime: time in which nobody looked is quiet time only if
// the counters of the same gateway instance say so.
func TestResumeCoversDowntime(t *testing.T) {
	for _, tt := range []struct {
		name  string
		reset bool
	}{{"same counters", false}, {"new counters", true}} {
		t.Run(tt.name, func(t *testing.T) {
			took := inBubble(t, func(t *testing.T) time.Duration {
				r := newRig(t, "q285090", soak("72h"))
				ctx, cancel := context.WithCancel(t.Context())
				var wg sync.WaitGroup
				r.live(ctx, &wg)
				defer wg.Wait()
				defer cancel()
				// The first life ends an hour into the soak of three days.
				first, stop := context.WithCancel(ctx)
				var begin time.Time
				r.watch = func(s engine.Status) {
					if s.State == "watch" && begin.IsZero() {
						begin = time.Now()
					}
					if !begin.IsZero() && time.Since(begin) > time.Hour {
						stop()
					}
				}
				if _, err := r.life(first); !errors.Is(err, context.Canceled) {
					t.Fatalf("first life: %v", err)
				}
				r.watch = nil
				time.Sleep(48 * time.Hour)
				if tt.reset {
					r.lab.East.Reset()
				}
				if outcome, err := r.life(ctx); err != nil || outcome != machine.Retired {
					t.Fatalf("second life: %s, %v", outcome, err)
				}
				return time.Since(begin)
			})
			low, high := 72*time.Hour, 73*time.Hour
			if tt.reset {
				low, high = 119*time.Hour, 121*time.Hour
			}
			if took < low || took > high {
				t.Errorf("the soak took %s, want between %s and %s", took, low, high)
			}
		})
	}
}
