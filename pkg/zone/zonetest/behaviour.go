package zonetest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"example.org/ims/pkg/zone"
)

func testOutside(t *testing.T, r *room) {
	other := func(data ...string) zone.RRset { return zone.NewRRset("mail.elsewhere.invalid.", "MX", 300, data...) }
	r.apply(t, r.change(other(), other(gw)), zone.NotInZone)
	in := r.change(r.mx(0), r.mx(300, gw))
	in.Zone = r.name
	r.apply(t, in, zone.NotAuthZone)
	r.holds(t, r.mx(0))
}

func testPreflight(t *testing.T, r *room) {
	if !r.w.Caps().Preflight {
		t.Skip("writer has no preflight")
	}
	r.seed(t, r.mx(300, gw))
	for _, c := range []zone.Change{
		r.change(r.mx(300, gw), r.mx(300, succ)),
		r.change(r.mx(60, back), r.mx(300, succ)), // a later step of a plan
		r.change(r.mx(300, gw), r.mx(0)),
	} {
		o := r.w.Preflight(t.Context(), c)
		if o.Kind != zone.Ready || !o.Got.Equal(r.mx(300, gw)) {
			t.Errorf("preflight of %v: %v, got %v", c, o, o.Got)
		}
		r.holds(t, r.mx(300, gw))
	}
}

func testReadOnly(t *testing.T, r *room) {
	r.seed(t, r.mx(300, gw))
	g := zone.ReadOnly(r.w)
	c := r.change(r.mx(300, gw), r.mx(300, succ))
	if o := g.Apply(t.Context(), c); o.Kind != zone.Unsupported || !o.Got.Equal(r.mx(300, gw)) {
		t.Errorf("apply through a read-only writer: %v", o)
	}
	if o := g.Preflight(t.Context(), c); o.Kind != zone.Unsupported {
		t.Errorf("preflight through a read-only writer: %v", o)
	}
	if o := g.Apply(t.Context(), r.change(r.mx(300, succ), r.mx(300, gw))); o.Kind != zone.AlreadyApplied {
		t.Errorf("nothing to do: %v", o)
	}
	if o := g.Apply(t.Context(), r.change(r.mx(300, back), r.mx(300, succ))); o.Kind != zone.Conflict {
		t.Errorf("stale change: %v", o)
	}
	if got := g.Refused(); len(got) != 1 || !got[0].New.Equal(c.New) {
		t.Errorf("recorded %v, want the one change that would have been sent", got)
	}
	if !g.Caps().ReadOnly {
		t.Error("caps do not say read-only")
	}
	if o := zone.ReadOnlyProbing(r.w).Preflight(t.Context(), c); r.w.Caps().Preflight && o.Kind != zone.Ready {
		t.Errorf("probing preflight: %v", o)
	}
	r.holds(t, r.mx(300, gw))
}

func testContext(t *testing.T, r *room) {
	r.seed(t, r.mx(300, gw))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.w.Read(ctx, r.name, "MX"); err == nil {
		t.Error("read with an ended context succeeds")
	}
	c := r.change(r.mx(300, gw), r.mx(300, succ))
	if o := r.w.Apply(ctx, c); o.Kind != zone.Unreachable && o.Kind != zone.Unknown {
		t.Errorf("apply with an ended context: %v", o)
	}
	r.holds(t, r.mx(300, gw))
}

const (
	racers = 8
	rounds = 10
)

// race applies one change per racer at once.
func (r *room) race(ctx context.Context, old zone.RRset, new func(i int) zone.RRset) [racers]zone.Outcome {
	var out [racers]zone.Outcome
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range racers {
		wg.Go(func() {
			<-start
			out[i] = r.Writers[i%len(r.Writers)].Apply(ctx, r.change(old, new(i)))
		})
	}
	close(start)
	wg.Wait()
	return out
}

func testRace(t *testing.T, r *room) {
	cur := r.mx(300, gw)
	r.seed(t, cur)
	for n := range rounds {
		cur = r.oneWins(t, n, cur)
	}
}

// testRaceCreate has nothing to compare with but absence.
func testRaceCreate(t *testing.T, r *room) {
	for n := range rounds {
		won := r.oneWins(t, n, r.mx(0))
		r.apply(t, r.change(won, r.mx(0)), zone.Applied)
	}
}

// oneWins races to replace cur with different values and requires that exactly
// one writer is Applied and that all see what it wrote.
func (r *room) oneWins(t *testing.T, n int, cur zone.RRset) zone.RRset {
	t.Helper()
	if !r.w.Caps().Conditional {
		t.Skip("writer cannot compare inside the server")
	}
	value := func(i int) zone.RRset { return r.mx(300, fmt.Sprintf("%d w%d.example.net.", n+1, i)) }
	out := r.race(t.Context(), cur, value)
	winner := -1
	for i, o := range out {
		switch {
		case o.Kind == zone.Applied && winner < 0:
			winner = i
		case o.Kind == zone.Applied:
			t.Fatalf("round %d: both %d and %d applied", n, winner, i)
		case o.Kind != zone.Conflict:
			t.Fatalf("round %d: writer %d: %v", n, i, o)
		}
	}
	if winner < 0 {
		t.Fatalf("round %d: nobody won", n)
	}
	for i, o := range out {
		if !o.Got.Equal(value(winner)) {
			t.Fatalf("round %d: writer %d saw %v, winner wrote %v", n, i, o.Got, value(winner))
		}
	}
	r.holds(t, value(winner))
	return value(winner)
}

func testRaceSame(t *testing.T, r *room) {
	if !r.w.Caps().Conditional {
		t.Skip("writer cannot compare inside the server")
	}
	cur := r.mx(300, gw)
	r.seed(t, cur)
	for n := range rounds {
		next := r.mx(300, fmt.Sprintf("%d same.example.net.", n+1))
		applied := 0
		for i, o := range r.race(t.Context(), cur, func(int) zone.RRset { return next }) {
			if !o.Done() {
				t.Fatalf("round %d: writer %d: %v", n, i, o)
			}
			if o.Kind == zone.Applied {
				applied++
			}
		}
		if applied != 1 {
			t.Fatalf("round %d: %d writers say they did it", n, applied)
		}
		r.holds(t, next)
		cur = next
	}
}
