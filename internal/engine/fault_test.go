package engine_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/journal"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// caught are the faults of an engine, and what notices each. Without its fault,
// an engine passes the same judge.
var caught = []struct {
	fault engine.Fault
	state string
	judge func(r *rig) error
}{
	{engine.EffectFirst, "outbound_only", (*rig).judgeOrder},
	{engine.EffectFirst, "move_mx", (*rig).judgeCrashBeforeIntent},
	{engine.StaleGuard, "remove", (*rig).judgeGuards},
	{engine.SkipUndo, "outbound_only", (*rig).judgeAbort},
	{engine.SkipUndo, "move_mx", (*rig).judgeAbort},
	{engine.SkipUndo, "remove_spaces", (*rig).judgeAbort},
}

func TestEngineFaultsAreCaught(t *testing.T) {
	for _, tt := range caught {
		for _, broken := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/%s/broken=%v", tt.fault, tt.state, broken), func(t *testing.T) {
				err := inBubble(t, func(t *testing.T) error {
					r := newRig(t, "q285090", brief())
					r.answer = yes
					if broken {
						r.run = func(ctx context.Context, e *engine.Engine) (machine.Outcome, error) {
							return e.RunFaulty(ctx, tt.fault, tt.state)
						}
					}
					return tt.judge(r)
				})
				switch {
				case broken && err == nil:
					t.Errorf("nothing notices %s", tt.fault)
				case broken:
					t.Log(err)
				case err != nil:
					t.Errorf("an engine without fault: %v", err)
				}
			})
		}
	}
}

// journalled are the records of the run so far.
func (r *rig) journalled() []machine.Record {
	r.t.Helper()
	j, err := journal.OpenReadOnly(context.Background(), r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = j.Close() }() // it was only read
	return r.records(context.Background(), j)
}

// witness sees every effect, and looks whether its intent is durable.
type witness struct {
	engine.World
	r   *rig
	err *error
}

func (w witness) Perform(ctx context.Context, e engine.Effect) engine.Result {
	records := w.r.journalled()
	if last := records[len(records)-1]; last.Kind != machine.IntentSet.String() || last.Detail.Key != e.Key {
		*w.err = errors.Join(*w.err, fmt.Errorf("%s is performed after a record %q of %q", e.Key, last.Kind, last.Detail.Key))
	}
	return w.World.Perform(ctx, e)
}

// lives performs the run in as many lives as it takes, at most for hours.
func (r *rig) lives() (outcome machine.Outcome, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Hour)
	var wg sync.WaitGroup
	r.live(ctx, &wg)
	defer wg.Wait()
	defer cancel()
	for range 5 {
		if outcome, err = r.life(ctx); !errors.Is(err, errCrashed) {
			return outcome, err
		}
	}
	return outcome, err
}

// judgeOrder: no effect happens whose intent is not the last of the journal.
func (r *rig) judgeOrder() error {
	var wrong error
	r.around = func(w engine.World) engine.World { return witness{w, r, &wrong} }
	if outcome, err := r.lives(); err != nil || outcome != machine.Retired {
		return errors.Join(wrong, fmt.Errorf("the run ends %s, %w", outcome, err))
	}
	return wrong
}

// judgeCrashBeforeIntent: an abort after a crash right after an effect undoes
// the effect.
func (r *rig) judgeCrashBeforeIntent() error {
	before := r.picture()
	r.between = func(e engine.Effect) {
		if e.State == "move_mx" {
			r.between, r.first = nil, &abort
			runtime.Goexit()
		}
	}
	return r.restored(before)
}

// judgeAbort: an abort leaves what was there before.
func (r *rig) judgeAbort() error {
	before := r.picture()
	r.enter("watch", false, nil)
	return r.restored(before)
}

func (r *rig) picture() string {
	r.t.Helper()
	p, err := r.lab.Picture(context.Background())
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

// restored lets the run end aborted, and compares.
func (r *rig) restored(before string) error {
	if outcome, err := r.lives(); err != nil || outcome != machine.Aborted {
		return fmt.Errorf("the abort ends %s, %w", outcome, err)
	}
	if after := r.picture(); after != before {
		return fmt.Errorf("after the abort (-before +after):\n%s", cmp.Diff(strings.Split(before, ","), strings.Split(after, ",")))
	}
	return nil
}

// judgeGuards: what falsifies the guard of the removal while no runner is alive
// keeps the next one from it, even after an intent.
func (r *rig) judgeGuards() error {
	r.crash = func(_ int, after bool) {
		if !after {
			return
		}
		if records := r.journalled(); records[len(records)-1].Kind != machine.IntentSet.String() || records[len(records)-1].Detail.State != "remove" {
			return
		}
		r.crash = nil
		if _, err := r.lab.East.Apply(context.Background(), gateway.Change{
			Key: "back", Actor: "eve", Reason: "test", Want: gateway.Want{Spaces: &[]gateway.Space{{Type: "SMTP", Pattern: "*", Cost: 1}}},
		}); err != nil {
			r.t.Error(err)
		}
		runtime.Goexit()
	}
	outcome, err := r.lives()
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	c, err := r.lab.East.Config(context.Background())
	if err == nil && !c.Exists {
		err = fmt.Errorf("%s was removed (%s) after an address space had come back", worldtest.East, outcome)
	}
	return err
}
