package engine_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/journal"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
	"example.org/ims/pkg/zone"
)

// short sets the mode, watches it, and sets it again when it was changed.
const short = `
apiVersion: ims/v1
kind: Runbook
metadata: {name: short, title: A short one}
params:
  floor: {type: duration, default: 1m, doc: "as everywhere"}
  poll: {type: duration, default: 1m, doc: "as everywhere"}
defaults:
  retry: {max: 3, first: 1s, factor: 2, cap: 1m}
  poll: "${poll}"
  then: {fail: operator, unknown: operator, guard: operator, timeout: operator, stall: operator, drift: operator, rejected: operator, expired: operator}
start: mx
states:
  mx:
    title: The MX moves
    because: "S13: a test"
    do: {action: dns.rrset, with: {type: MX, successor: successor}}
    undo: {restore: true}
    then: {ok: mode}
  mode:
    title: The mode is set
    because: "S13: a test"
    do: {action: gateway.mode, with: {mode: outbound-only, refuse: rcpt, restart: true}}
    undo: {restore: true}
    then: {ok: watch}
  watch:
    title: The mode stays
    because: "S13: a test"
    wait:
      until:
        - {that: "gw.mode == 'outbound-only'", why: "it was set", fix: "ims status"}
      drift:
        - {that: "gw.mode == 'inbound-outbound'", why: "it was changed", fix: "ims status"}
      for: 30m
      timeout: 1h
      stall: {none: "a test"}
    then: {ok: done, drift: mode}
  done:
    end: succeeded
`

func newShort(t *testing.T) *rig {
	t.Helper()
	doc, mistakes := runbook.Load("short.yaml", []byte(short))
	if mistakes != nil {
		t.Fatal(mistakes)
	}
	book, mistakes := runbook.Bind(doc, worldtest.Binding(nil))
	if mistakes != nil {
		t.Fatal(mistakes)
	}
	return rigFor(t, book)
}

// accept puts the gateway back as an operator at the keyboard would.
func accept(t *testing.T, g gateway.Gateway, key string) {
	t.Helper()
	mode := gateway.InboundOutbound
	_, err := g.Apply(t.Context(), gateway.Change{
		Key: key, Actor: "bob", Reason: "test",
		Want: gateway.Want{Settings: &gateway.SettingsPatch{Mode: &mode, Restart: true}},
	})
	if err != nil {
		t.Error(err)
	}
}

// intents are the keys of the intents of a run, in order.
func (r *rig) intents(ctx context.Context) []string {
	r.t.Helper()
	j, err := journal.OpenReadOnly(ctx, r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	defer j.Close()
	var keys []string
	for _, rec := range r.records(ctx, j) {
		if rec.Event.Kind == machine.IntentSet && rec.Kind == machine.IntentSet.String() {
			keys = append(keys, rec.Detail.Key)
		}
	}
	return slices.Compact(keys)
}

// TestRevertedEffectIsMadeAgain: an effect that somebody reverted is made again
// when its state is entered again, and a crash anywhere makes it no more often.
func TestRevertedEffectIsMadeAgain(t *testing.T) {
	revert := func(t *testing.T, crash int, after bool) (end, []string) {
		r := newShort(t)
		if crash > 0 {
			r.crashAt(crash, after)
		}
		var once sync.Once
		r.watch = func(s engine.Status) {
			if s.State == "watch" {
				once.Do(func() { accept(t, r.lab.East, "keyboard") })
			}
		}
		e := finish(t, r)
		return e, r.intents(t.Context())
	}
	var keys []string
	want := inBubble(t, func(t *testing.T) (e end) { e, keys = revert(t, 0, false); return e })
	if want.Outcome != machine.Succeeded || want.Path != "mx mode watch mode watch done" {
		t.Errorf("the run ends %s: %s", want.Outcome, want.Path)
	}
	wantKeys := []string{"r1/mx/example.test", "r1/mode/east", "r1/mode/east#2"}
	if diff := cmp.Diff(wantKeys, keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	for n := 2; n < want.Commits; n++ {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			var got []string
			e := inBubble(t, func(t *testing.T) (e end) { e, got = revert(t, n, n%2 == 0); return e })
			compareEnds(t, want, e)
			if diff := cmp.Diff(wantKeys, got); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRevertedBeforeItsOutcome: an effect that was made, and reverted before
// anybody had recorded it, is somebody's decision against it: its key is used
// up, and a person is asked. Who lets the run go on has it made again.
func TestRevertedBeforeItsOutcome(t *testing.T) {
	inBubble(t, func(t *testing.T) bool {
		r := newShort(t)
		r.between = func(e engine.Effect) {
			if e.State == "mode" {
				r.between = nil
				accept(t, r.lab.East, "keyboard")
				runtime.Goexit()
			}
		}
		r.wants = operating
		r.answer = func(s engine.Status) (engine.Command, bool) {
			if s.State != "mode" || s.Why != machine.Fail.String() {
				t.Errorf("the run waits in %s because of %s", s.State, s.Why)
			}
			return engine.Command{Verb: engine.Continue, Actor: "ann"}, true
		}
		if e := finish(t, r); e.Outcome != machine.Succeeded || r.count(machine.Continue) != 1 {
			t.Errorf("the run ends %s, let go on %d times", e.Outcome, r.count(machine.Continue))
		}
		want := []string{"r1/mx/example.test", "r1/mode/east", "r1/mode/east#2"}
		if diff := cmp.Diff(want, r.intents(t.Context())); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
		return true
	})
}

// TestChangeBetweenIntentAndEffect: what an operator changed after the value
// before was recorded is not overwritten unseen, and comes back with an abort.
func TestChangeBetweenIntentAndEffect(t *testing.T) {
	inBubble(t, func(t *testing.T) bool {
		r := newShort(t)
		host := "relay.test"
		var conflicts int
		r.lab.Wrap = func(g gateway.Gateway) gateway.Gateway {
			return &meddled{Gateway: g, before: func(c gateway.Change) {
				if c.Key != "r1/mode/east" || conflicts > 0 {
					return
				}
				conflicts++
				_, err := r.lab.East.Apply(t.Context(), gateway.Change{
					Key: "keyboard", Actor: "bob", Reason: "test",
					Want: gateway.Want{Settings: &gateway.SettingsPatch{ForwardHost: &host}},
				})
				if err != nil {
					t.Error(err)
				}
			}}
		}
		if e := finish(t, r); e.Outcome != machine.Succeeded || conflicts != 1 {
			t.Errorf("the run ends %s with %d conflicts", e.Outcome, conflicts)
		}
		if keys := r.intents(t.Context()); len(keys) != 2 {
			t.Errorf("keys of the intents are %v: an attempt after a conflict keeps its key", keys)
		}
		c, err := r.lab.East.Config(t.Context())
		if err != nil || c.Stored.ForwardHost != host || c.Effective.Mode != gateway.OutboundOnly {
			t.Errorf("gateway is %+v, %v", c.Stored, err)
		}
		return true
	})
}

// meddled is a gateway that somebody changes just before a run does.
type meddled struct {
	gateway.Gateway
	before func(gateway.Change)
}

func (m *meddled) Apply(ctx context.Context, c gateway.Change) (gateway.Op, error) {
	m.before(c)
	op, err := m.Gateway.Apply(ctx, c)
	if c.IfGeneration == 0 {
		return op, errors.New("a change without a generation")
	}
	return op, err
}

// TestUndoKeepsWhatSomebodyElseAdded: the undo of an RRset that was edited
// since waits for a person, and then puts back only what the run replaced.
func TestUndoKeepsWhatSomebodyElseAdded(t *testing.T) {
	mx := func(list ...zone.MX) zone.RRset { return zone.NewMX(worldtest.Domain, 300, list...) }
	backup := zone.MX{Pref: 20, Host: "backup.example.org"}
	for _, tt := range []struct {
		name         string
		edited, want zone.RRset
	}{
		{"record added", mx(zone.MX{Pref: 10, Host: "west." + worldtest.Domain}, backup), mx(zone.MX{Pref: 10, Host: "east." + worldtest.Domain}, backup)},
		{"all replaced", mx(backup), mx(backup)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) bool {
				r := newShort(t)
				var edit sync.Once
				r.wants = func(s engine.Status) bool { return s.State == "watch" && !s.Undoing || operating(s) }
				r.answer = func(s engine.Status) (engine.Command, bool) {
					edit.Do(func() { r.lab.Zone.Set(tt.edited) })
					if operating(s) {
						if s.Why != machine.Drift.String() {
							t.Errorf("the run waits because of %s", s.Why)
						}
						return engine.Command{Verb: engine.Continue, Actor: "ann"}, true
					}
					return abort, true
				}
				if e := finish(t, r); e.Outcome != machine.Aborted || r.count(machine.Continue) != 1 {
					t.Errorf("the run ends %s, let go on %d times", e.Outcome, r.count(machine.Continue))
				}
				got, err := r.lab.Zone.Read(t.Context(), worldtest.Domain, "MX")
				if err != nil || !got.SameData(tt.want) {
					t.Errorf("MX is %s, %v; want %s", got, err, tt.want)
				}
				return true
			})
		})
	}
}

// count counts the records of a kind: what a run did, however often its
// status was seen.
func (r *rig) count(kind machine.EventKind) (n int) {
	r.t.Helper()
	for _, rec := range r.journalled() {
		if rec.Kind == kind.String() {
			n++
		}
	}
	return n
}
