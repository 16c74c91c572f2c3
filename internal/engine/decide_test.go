package engine_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/gateway/mem"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// until performs a run until a status is as wanted, with questions answered as
// the rig does; it returns the status and the running engine's Tell.
func (r *rig) until(want func(engine.Status) bool, then func(e *engine.Engine, s engine.Status)) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	var wg sync.WaitGroup
	r.live(ctx, &wg)
	wants, reached := r.wants, false
	defer func() { r.wants = wants }()
	r.wants = func(s engine.Status) bool { return wants(s) && !want(s) } // an answer would be faster than then
	r.started = func(e *engine.Engine) {
		wg.Go(func() {
			defer cancel()
			statuses, end := e.Subscribe()
			defer end()
			for {
				select {
				case <-ctx.Done():
					return
				case s := <-statuses:
					if want(s) {
						reached = true
						then(e, s)
						return
					}
				}
			}
		})
	}
	outcome, err := r.life(ctx)
	cancel()
	wg.Wait()
	if !reached {
		r.t.Errorf("the run ends %s, %v before it comes there", outcome, err)
	}
}

// settled is the status once nothing happens any more at this instant.
func settled(e *engine.Engine) engine.Status {
	time.Sleep(time.Nanosecond)
	synctest.Wait()
	return e.Status()
}

func asks(state string) func(engine.Status) bool {
	return func(s engine.Status) bool { return s.State == state && s.Asked != nil }
}

func operating(s engine.Status) bool { return s.Phase == machine.Operating.String() }

// exceptAt answers all questions but one.
func exceptAt(state string) func(engine.Status) (engine.Command, bool) {
	return func(s engine.Status) (engine.Command, bool) {
		if s.State == state {
			return engine.Command{}, false
		}
		return yes(s)
	}
}

func TestRejectedAndExpiredWaitForTheOperator(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(ctx context.Context, e *engine.Engine) error
		why  string
		led  string
	}{
		{"rejected", func(ctx context.Context, e *engine.Engine) error {
			return e.Tell(ctx, engine.Command{Verb: engine.Reject, State: "confirm", Actor: "ann", Comment: "not in this week"})
		}, "rejected", "ann rejected what was asked: not in this week"},
		{"expired", func(context.Context, *engine.Engine) error { time.Sleep(73 * time.Hour); return nil }, "expired", "nobody answered the question within 72h0m0s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) bool {
				params := brief()
				params["poll"] = "15m"
				r := newRig(t, "q285090", params)
				r.answer = exceptAt("confirm")
				r.until(asks("confirm"), func(e *engine.Engine, _ engine.Status) {
					if err := tt.do(t.Context(), e); err != nil {
						t.Fatal(err)
					}
					s := settled(e)
					if !operating(s) || s.Why != tt.why || s.State != "confirm" || s.Action.Verb != engine.Continue {
						t.Errorf("phase %s, why %s, next %+v", s.Phase, s.Why, s.Action)
					}
					if c := s.Because(); c == nil || c.Words() != tt.led {
						t.Errorf("what led there is %+v, want %s", c, tt.led)
					}
					time.Sleep(48 * time.Hour)
					if s := settled(e); !operating(s) || s.State != "confirm" {
						t.Errorf("two days later: %s %s", s.State, s.Phase)
					}
					if c, err := r.lab.East.Config(t.Context()); err != nil || c.Stored.Refuse != gateway.RefuseClosed {
						t.Errorf("something was undone: refuse %s, %v", c.Stored.Refuse, err)
					}
					// The operator asks again, and somebody agrees.
					if err := e.Tell(t.Context(), engine.Command{Verb: engine.Continue, Actor: "ann"}); err != nil {
						t.Fatal(err)
					}
					if s := settled(e); s.Asked == nil || s.State != "confirm" || s.Cause != nil {
						t.Errorf("after resume: %s %s, %+v", s.State, s.Phase, s.Cause)
					}
				})
				return true
			})
		})
	}
}

// TestDecisionsAreBound: an answer counts for what was shown, and no more.
func TestDecisionsAreBound(t *testing.T) {
	inBubble(t, func(t *testing.T) bool {
		r := newRig(t, "q285090", brief())
		r.answer = exceptAt("confirm")
		r.until(asks("confirm"), func(e *engine.Engine, s engine.Status) {
			mode := gateway.InboundOutbound
			if _, err := r.lab.East.Apply(t.Context(), gateway.Change{
				Key: "somebody", Actor: "eve", Reason: "r", Want: gateway.Want{Settings: &gateway.SettingsPatch{Mode: &mode}},
			}); err != nil {
				t.Fatal(err)
			}
			say := engine.Command{Verb: engine.Approve, State: "confirm", Actor: "ann"}
			err := e.Tell(t.Context(), say)
			if !errors.Is(err, engine.ErrRefused) || !strings.Contains(err.Error(), "changed") {
				t.Errorf("an answer to what is not true any more: %v", err)
			}
			now := settled(e)
			if now.Asked == nil || now.Asked.Digest == s.Asked.Digest {
				t.Errorf("the question was not put anew: %+v", now.Asked)
			}
			if err := e.Tell(t.Context(), say); err != nil {
				t.Errorf("an answer to the new question: %v", err)
			}
		})
		return true
	})
}

// TestFlushCoversOnlyTheNumberShown: mail that comes after the decision is not
// covered by it.
func TestFlushCoversOnlyTheNumberShown(t *testing.T) {
	inBubble(t, func(t *testing.T) bool {
		params := brief()
		params["stalled_after"], params["patience"] = "4h", "8h"
		r := newRig(t, "eleven-steps", params)
		r.lab.Org.OnHandover(func(h mem.Handover) mem.Answer {
			if h.Dest == "slow.test" {
				return mem.Answer{Code: 450, Text: "later"}
			}
			return mem.Answer{}
		})
		send := func(n int) {
			for range n {
				r.lab.Org.Send(mem.Mail{From: "u@example.test", Rcpts: []string{"c@slow.test"}})
			}
		}
		send(4)
		r.answer = exceptAt("flush_consent")
		r.until(asks("flush_consent"), func(_ *engine.Engine, s engine.Status) {
			if s.Asked.Number != 2 || len(s.Asked.Evidence) == 0 { // half of it goes by west
				t.Errorf("asked for %d: %q", s.Asked.Number, s.Asked.Evidence)
			}
		})
		return true
	})
}

func TestManyMustAgree(t *testing.T) {
	inBubble(t, func(t *testing.T) bool {
		r := rigFor(t, bindAnew(t, "q285090", brief()))
		i := r.book.Def.Find("confirm")
		ask := *r.book.Def.States[i].Approve
		ask.Min, ask.NotSelf, ask.From = 2, true, []string{"ann", "bob", "cyd"}
		r.book.Def.States[i].Approve = &ask
		r.answer = exceptAt("confirm")
		r.until(asks("confirm"), func(e *engine.Engine, _ engine.Status) {
			for _, v := range []struct {
				actor string
				ok    bool
				says  string
			}{
				{"ann", false, "somebody else"}, // she opened the run
				{"dan", false, "is for"},
				{"bob", true, ""},
				{"bob", false, "already"},
			} {
				err := e.Tell(t.Context(), engine.Command{Verb: engine.Approve, State: "confirm", Actor: v.actor})
				if (err == nil) != v.ok || (err != nil && !strings.Contains(err.Error(), v.says)) {
					t.Errorf("%s approves: %v", v.actor, err)
				}
			}
			if s := settled(e); s.State != "confirm" || len(s.Votes) != 1 {
				t.Errorf("after one vote of two: %s, votes %v", s.State, s.Votes)
			}
			if err := e.Tell(t.Context(), engine.Command{Verb: engine.Approve, State: "confirm", Actor: "cyd"}); err != nil {
				t.Error(err)
			}
			if s := settled(e); s.State == "confirm" {
				t.Errorf("after two votes of two: %s %s", s.State, s.Phase)
			}
		})
		return true
	})
}

func TestStall(t *testing.T) {
	inBubble(t, func(t *testing.T) bool {
		params := brief()
		params["stalled_after"], params["patience"] = "2h", "24h"
		r := newRig(t, "q285090", params)
		r.lab.Org.OnHandover(func(h mem.Handover) mem.Answer {
			if h.Inbound {
				return mem.Answer{}
			}
			return mem.Answer{Code: 450, Text: "later"}
		})
		r.lab.Org.Send(mem.Mail{From: "u@example.test", Rcpts: []string{"a@far.test"}})
		r.lab.Org.Send(mem.Mail{From: "u@example.test", Rcpts: []string{"b@far.test"}})
		r.answer = exceptAt("drain_help")
		var began time.Time
		r.watch = func(s engine.Status) {
			if s.State == "drain" && began.IsZero() {
				began = time.Now()
			}
		}
		r.until(asks("drain_help"), func(e *engine.Engine, s engine.Status) {
			if took := time.Since(began); took < 2*time.Hour || took > 3*time.Hour {
				t.Errorf("the stall is noticed after %s, want 2h", took)
			}
			if s.Asked.Number == 0 {
				t.Errorf("nobody is told how much does not move: %+v", s.Asked)
			}
			if err := e.Tell(t.Context(), engine.Command{Verb: engine.Approve, State: "drain_help", Choice: "return_rest", Actor: "ann"}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			if n := settled(e).Facts["gw.q.total"]; n != "0" {
				t.Errorf("%s messages are still queued after they were returned", n)
			}
		})
		return true
	})
}

// TestUnknownIsRaised: what cannot be observed is for a person, by name.
func TestUnknownIsRaised(t *testing.T) {
	inBubble(t, func(t *testing.T) bool {
		r := newRig(t, "q285090", brief())
		r.lab.East.Blind(gateway.Corrupt, "the index is damaged")
		r.until(operating, func(_ *engine.Engine, s engine.Status) {
			if s.State != "ready" || s.Why != "unknown" || len(s.Missing) != 1 || s.Missing[0].Verdict != "unknown" {
				t.Errorf("in %s, why %s, missing %+v", s.State, s.Why, s.Missing)
			}
		})
		return true
	})
}

// TestUnknownPausesASoak: a server that does not answer once neither counts as
// quiet time nor throws three days away.
func TestUnknownPausesASoak(t *testing.T) {
	inBubble(t, func(t *testing.T) bool {
		r := newRig(t, "q285090", soak("72h"))
		r.answer = exceptAt("confirm")
		var began, paused time.Time
		r.watch = func(s engine.Status) {
			if s.State != "watch" {
				return
			}
			if began.IsZero() {
				began = time.Now()
			}
			if since := time.Since(began); since > 24*time.Hour && paused.IsZero() {
				paused = time.Now()
				r.lab.Zone.Down(r.lab.Zone.Primary(), true)
			} else if !paused.IsZero() && time.Since(paused) > 6*time.Hour {
				r.lab.Zone.Down(r.lab.Zone.Primary(), false)
			}
		}
		r.until(asks("confirm"), func(*engine.Engine, engine.Status) {
			if took := time.Since(began); took < 78*time.Hour || took > 79*time.Hour {
				t.Errorf("a soak of 72h with 6h of silence took %s", took)
			}
		})
		return true
	})
}
