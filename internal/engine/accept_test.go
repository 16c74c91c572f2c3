package engine_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"example.org/ims/internal/conformance"
	"example.org/ims/internal/engine"
	"example.org/ims/internal/gateway/mem"
	"example.org/ims/internal/journal"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/machine"
)

// followed are runs whose journals the abstract world of the proofs must be able
// to follow: of each shipped runbook, and of those that hold old mail by what
// becomes of it.
var followed = []goal{
	{book: "q285090", outcome: machine.Retired},
	{book: "eleven-steps", outcome: machine.Retired},
	{book: "maintenance", outcome: machine.Succeeded, params: map[string]string{"work_within": "20m"}},
	{book: "replace", outcome: machine.ReleasePending, params: map[string]string{"drain_known": "3m"}},
	{book: "last-gateway", alone: true, outcome: machine.Retired, prepare: alone},
	{book: "rescue", alone: true, outcome: machine.Succeeded, prepare: stranded, params: old("48h")},
	{
		book: "add-successor", outcome: machine.Succeeded, prepare: single,
		params: map[string]string{"next_spaces": "SMTP:*.org 1, SMTP:* 20", "here_spaces": "SMTP:* 10", "next_inbound": "7", "here_outbound": "3", "verify_for": "10m"},
	},
	{book: "rescue", alone: true, outcome: machine.Succeeded, prepare: waiting, params: old("48h"), choose: aged("return_to_sender")},
	{book: "rescue", alone: true, outcome: machine.Succeeded, prepare: waiting, params: old("48h"), choose: aged("export")},
	{book: "q285090", outcome: machine.Retired, params: old("5m")},
	{book: "eleven-steps", outcome: machine.Retired, params: old("5m"), choose: aged("return_to_sender")},
	{book: "last-gateway", alone: true, outcome: machine.Retired, prepare: alone, params: old("5m"), choose: aged("export")},
}

func old(age string) map[string]string { return map[string]string{"release_max_age": age} }

func aged(choice string) map[string]string { return map[string]string{"aged_decision": choice} }

// waiting strands mail, and lets the MTA hand it over.
func waiting(r *rig) {
	stranded(r)
	r.lab.Org.Settle()
}

func (g goal) name() string {
	name := g.book
	for _, more := range []string{g.params["release_max_age"], g.choose["aged_decision"]} {
		if more != "" {
			name += "," + more
		}
	}
	return name
}

// TestModelFollowsRuns: the abstract world of the proofs can follow what was
// journalled of runs in the small organization, with mail: undisturbed, with a
// runner that dies again and again, and aborted in each state.
func TestModelFollowsRuns(t *testing.T) {
	step, both := every()
	for i, g := range followed {
		var visits []machine.Visit
		t.Run(g.name()+"/undisturbed", func(t *testing.T) {
			visits = g.followed(t, func(*rig) {}, g.outcome)
		})
		if !both && i >= 7 { // its runbook was disturbed before
			continue
		}
		t.Run(g.name()+"/crashes", func(t *testing.T) {
			g.followed(t, (*rig).dieOften, g.outcome)
		})
		if end := slices.IndexFunc(visits, func(v machine.Visit) bool { return v.State == "remove" }); end >= 0 {
			visits = visits[:end]
		}
		for n := i % step; n < len(visits); n += 2*step - 1 {
			for _, doubt := range []bool{false, true} {
				if !both && doubt != (n%2 == 0) {
					continue
				}
				t.Run(fmt.Sprintf("%s/abort in %s,doubt=%v", g.name(), visits[n].State, doubt), func(t *testing.T) {
					g.followed(t, func(r *rig) { r.enter(visits[n].State, doubt, nil) }, machine.Aborted, g.outcome)
				})
			}
		}
	}
}

// followed runs a goal that is disturbed somehow, and has the model follow it.
func (g goal) followed(t *testing.T, disturb func(r *rig), outcomes ...machine.Outcome) (visits []machine.Visit) {
	inBubble(t, func(t *testing.T) bool {
		r := g.rig(t)
		r.answer = g.answer
		<-time.After(time.Minute) // until the second name server has the zone
		disturb(r)
		r.traffic(g.prepare)
		h := r.fold()
		if outcome := r.book.Def.Outcome(h.State); !slices.Contains(outcomes, outcome) {
			t.Errorf("the run ends %s, want %v", outcome, outcomes)
		}
		records := r.journalled()
		if err := conformance.Accept(r.book.Def, records, conformance.Around{}); err != nil {
			t.Errorf("%d records: %v", len(records), err)
		}
		visits = h.Visits
		return true
	})
	return visits
}

// dieOften ends the engine's goroutine after each effect, and before or after
// every fifth commit; where only some crashes are tried, after each second effect
// and every 35th commit.
func (r *rig) dieOften() {
	step, both := every()
	effects := 0
	died := map[string]bool{}
	r.between = func(e engine.Effect) {
		if key := fmt.Sprint(e.Key, e.Undo); !died[key] {
			died[key] = true
			if effects++; both || effects%2 == 0 {
				runtime.Goexit()
			}
		}
	}
	r.crash = func(n int, after bool) {
		if n%(5*step) == 0 && after == (n%2 == 0) {
			runtime.Goexit()
		}
	}
}

// traffic performs the run in as many lives as it takes, while users and hosts
// on the Internet write: also to one that defers.
func (r *rig) traffic(prepare func(*rig)) {
	r.t.Helper()
	r.lab.Org.OnHandover(func(h mem.Handover) mem.Answer {
		if h.Dest == "slow.test" && h.Attempt < 2 {
			return mem.Answer{Code: 450, Text: "later"}
		}
		return mem.Answer{}
	})
	if prepare != nil {
		prepare(r)
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), 90*24*time.Hour)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	r.live(ctx, &wg)
	wg.Go(func() { r.strangers(ctx) })
	for range 300 {
		_, err := r.life(ctx)
		if errors.Is(err, errCrashed) {
			continue
		}
		if err != nil && !errors.Is(err, journal.ErrClosed) {
			r.t.Fatalf("run: %v", err)
		}
		return
	}
	r.t.Fatal("the run does not end")
}

// strangers lets users and a host on the Internet write until ctx ends, often in
// the first half hour; nothing comes at the instant of a look.
func (r *rig) strangers(ctx context.Context) {
	wait := time.Second
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		r.send([]string{"a@far.test", "b@near.test", "c@slow.test"}[i%3])
		_, _ = r.lab.East.Arrive("192.0.2.99", mem.Mail{From: "x@far.test", Rcpts: []string{"u@" + worldtest.Domain}}) // it may refuse
		if wait = 71 * time.Second; i > 25 {
			wait = 37 * time.Minute
		}
	}
}
