package engine_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"example.org/ims/internal/conformance"
	"example.org/ims/internal/gateway/mem"
	"example.org/ims/internal/journal"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/machine"
)

// followed are runs whose journals the abstract world of the proofs must be able
// to follow: one of each shipped runbook, the state in which it is aborted, and
// how it ends.
var followed = []struct {
	goal
	from string
}{
	{goal{book: "q285090", outcome: machine.Retired}, "watch"},
	{goal{book: "eleven-steps", outcome: machine.Retired}, "watch"},
	{goal{book: "maintenance", outcome: machine.Succeeded, params: map[string]string{"work_within": "2h"}}, "out_of_service"},
	{goal{book: "replace", outcome: machine.ReleasePending}, "watch"},
	{goal{book: "last-gateway", alone: true, outcome: machine.Retired, prepare: alone}, "watch"},
	{goal{book: "rescue", alone: true, outcome: machine.Succeeded, prepare: stranded, params: map[string]string{"release_max_age": "48h"}}, "aged_decision"},
	{goal{
		book: "add-successor", outcome: machine.Succeeded, prepare: single,
		params: map[string]string{"next_spaces": "SMTP:*.org 1, SMTP:* 20", "here_spaces": "SMTP:* 10", "next_inbound": "7", "here_outbound": "3", "verify_for": "10m"},
	}, "verify"},
}

// TestModelFollowsRuns: the abstract world of the proofs can follow what was
// journalled of runs in the small organization, with mail, a crash and an abort.
func TestModelFollowsRuns(t *testing.T) {
	for _, g := range followed {
		for _, tt := range []struct {
			name    string
			disturb func(r *rig)
			outcome machine.Outcome
		}{
			{"undisturbed", func(*rig) {}, g.outcome},
			{"crash", func(r *rig) { r.crashAt(20, true) }, g.outcome},
			{"abort", func(r *rig) { r.enter(g.from, false, nil) }, machine.Aborted},
		} {
			t.Run(g.book+"/"+tt.name, func(t *testing.T) {
				inBubble(t, func(t *testing.T) bool {
					r := g.rig(t)
					<-time.After(time.Minute) // until the second name server has the zone
					tt.disturb(r)
					if outcome := r.traffic(g.prepare); outcome != tt.outcome {
						t.Errorf("the run ends %s, want %s", outcome, tt.outcome)
					}
					records := r.journalled()
					if err := conformance.Accept(r.book.Def, records, conformance.Around{}); err != nil {
						t.Errorf("%d records: %v", len(records), err)
					}
					return true
				})
			})
		}
	}
}

// traffic performs the run in as many lives as it takes, while users and hosts
// on the Internet write: also to one that defers.
func (r *rig) traffic(prepare func(*rig)) machine.Outcome {
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
	for range 3 {
		outcome, err := r.life(ctx)
		if errors.Is(err, errCrashed) {
			continue
		}
		if err != nil && !errors.Is(err, journal.ErrClosed) {
			r.t.Fatalf("run: %v", err)
		}
		return outcome
	}
	r.t.Fatal("the run does not end")
	return machine.Open
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
