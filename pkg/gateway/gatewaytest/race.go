package gatewaytest

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/gateway"
)

const racers = 8

// race runs f in several goroutines at once.
func race(f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range racers {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

func testRaceKey(t *testing.T, r *room) {
	before := r.config(t)
	r.after(t, before.StartedAt)
	c := r.change(running(gateway.Restarted))
	var ops [racers]gateway.Op
	var errs [racers]error
	race(func(i int) { ops[i], errs[i] = r.gw.Apply(t.Context(), c) })
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	for i := range ops {
		if d := cmp.Diff(ops[0], ops[i]); d != "" {
			t.Fatalf("one key, two operations:\n%s", d)
		}
	}
	if !r.config(t).Running {
		t.Error("the service does not run after its restart")
	}
}

func testRaceGeneration(t *testing.T, r *room) {
	for round := range 5 {
		gen := r.config(t).Generation
		var changes [racers]gateway.Change
		for i := range changes {
			changes[i] = r.change(size(int64(7000 + 100*round + i)))
			changes[i].IfGeneration = gen
		}
		var errs [racers]error
		race(func(i int) { _, errs[i] = r.gw.Apply(t.Context(), changes[i]) })
		winner := -1
		for i, err := range errs {
			switch {
			case err == nil && winner >= 0:
				t.Fatalf("round %d: both %d and %d changed generation %d", round, winner, i, gen)
			case err == nil:
				winner = i
			case !errors.Is(err, gateway.ErrConflict):
				t.Fatalf("round %d: %v, want ErrConflict", round, err)
			}
		}
		if winner < 0 {
			t.Fatalf("round %d: nobody won", round)
		}
		if got := r.config(t).Stored.MaxSize; got != int64(7000+100*round+winner) {
			t.Fatalf("round %d: largest size is %d, which is not the winner's", round, got)
		}
	}
}

func testRaceReaders(t *testing.T, r *room) {
	var changes [racers]gateway.Change
	for i := range changes {
		m := gateway.InboundOutbound
		if i%2 == 0 {
			m = gateway.OutboundOnly
		}
		n := int64(8000 + i)
		changes[i] = r.change(gateway.Want{Settings: &gateway.SettingsPatch{Mode: &m, MaxSize: &n}})
	}
	var errs [racers]error
	race(func(i int) {
		_, errs[i] = r.gw.Apply(t.Context(), changes[i])
		for range 5 {
			c, err := r.gw.Config(t.Context())
			if err != nil {
				errs[i] = errors.Join(errs[i], err)
				return
			}
			// Both settings come from the same change: a snapshot is one moment.
			if odd := c.Stored.MaxSize%2 == 1; c.Stored.MaxSize >= 8000 && odd != (c.Stored.Mode == gateway.InboundOutbound) {
				errs[i] = errors.Join(errs[i], errors.New("torn snapshot: "+c.Stored.Mode.String()))
			}
			_, err = r.gw.Census(t.Context())
			errs[i] = errors.Join(errs[i], err)
		}
	})
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		if op, err := r.gw.Op(t.Context(), c.Key); err != nil || !op.Done {
			t.Errorf("Op(%s) = %+v, %v", c.Key, op, err)
		}
	}
}
