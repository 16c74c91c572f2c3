package check_test

import (
	"slices"
	"strings"
	"testing"

	"example.org/ims/pkg/check"
	"example.org/ims/pkg/machine"
)

// Faults in the machine and the shell around it, seeded on purpose.
var faults = []struct {
	name    string
	breakIt func(*machine.Def) check.Step
	want    string
}{
	{"effect before intent", func(d *machine.Def) check.Step {
		return func(s machine.State, e machine.Event) machine.State {
			n := d.Next(s, e)
			if n.Phase == machine.Ready && !n.Undoing {
				n.Phase = machine.Intended
			}
			return n
		}
	}, "S5"},
	{"guard not judged again after a crash", func(d *machine.Def) check.Step {
		return func(s machine.State, e machine.Event) machine.State {
			if e.Kind == machine.Resumed && s.Phase == machine.Ready {
				return s
			}
			return d.Next(s, e)
		}
	}, "S5"},
	{"abort skips the undo of the mode", func(d *machine.Def) check.Step {
		return func(s machine.State, e machine.Event) machine.State {
			if e.Kind == machine.Abort {
				s.Changed &^= 1 << d.Find("outbound_only")
			}
			return d.Next(s, e)
		}
	}, "S12"},
	{"abort skips the undo of the MX", func(d *machine.Def) check.Step {
		return func(s machine.State, e machine.Event) machine.State {
			if e.Kind == machine.Abort {
				s.Changed &^= 1 << d.Find("move_mx")
			}
			return d.Next(s, e)
		}
	}, "S12"},
	{"an intent is taken for an effect after a crash", func(d *machine.Def) check.Step {
		return func(s machine.State, e machine.Event) machine.State {
			if e.Kind == machine.Resumed && s.Phase == machine.Intended {
				return d.Next(s, machine.Event{Kind: machine.OutcomeIs, Result: machine.Done})
			}
			return d.Next(s, e)
		}
	}, "L6"},
	{"the configuration since the decision is not compared", func(d *machine.Def) check.Step {
		return func(s machine.State, e machine.Event) machine.State {
			if st := &d.States[s.Cur]; e.Kind == machine.Judged && st.Do != nil && st.Do.Risk && e.Verdict == machine.Fails {
				e.Verdict = machine.Pass
			}
			return d.Next(s, e)
		}
	}, "S8"},
	{"a wait forgets its stall", func(d *machine.Def) check.Step {
		return func(s machine.State, e machine.Event) machine.State {
			n := d.Next(s, e)
			n.Timers &^= 1 << machine.StallTimer
			return n
		}
	}, "L4"},
	{"nobody notices that a question was answered", func(d *machine.Def) check.Step {
		return func(s machine.State, e machine.Event) machine.State {
			if e.Kind == machine.Answered || e.Kind == machine.Abort {
				return s
			}
			return d.Next(s, e)
		}
	}, "L3"},
}

func TestFaultsAreCaught(t *testing.T) {
	for i, tt := range faults {
		if raced && i != 0 {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := shipped(t, "q285090")
			res, err := check.Run(t.Context(), b, check.Broken(check.Options{Bounds: brief(), Until: []string{tt.want}}, tt.breakIt))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range res.Properties {
				if f.Verdict == check.Violated {
					got = append(got, f.ID)
				}
			}
			t.Logf("%d states, violated %v", res.States, got)
			if !slices.Contains(got, tt.want) {
				t.Errorf("violated are %v, want at least %s", got, tt.want)
			}
		})
	}
}

const head = `apiVersion: ims/v1
kind: Runbook
metadata: {name: NAME, title: a test, origin: a test}
defaults:
  retry: {max: 5, first: 1s}
  then: {fail: operator, unknown: operator, guard: operator, timeout: operator, stall: operator, drift: operator, rejected: operator, expired: operator}
`

// small are runbooks that break what the others keep.
var small = []struct {
	name, states, want string
	action             machine.ActionName // of the first state, if no runbook may use it
	breakIt            func(*machine.Def) check.Step
}{
	{name: "twice", want: "S7", action: machine.ProbeSend, breakIt: func(d *machine.Def) check.Step {
		return func(s machine.State, e machine.Event) machine.State {
			if e.Kind == machine.OutcomeIs && e.Result == machine.InDoubt { // it is simply tried again
				s.Phase, s.Attempt = machine.Ready, 0
				return s
			}
			return d.Next(s, e)
		}
	}, states: `
start: send
states:
  send: {because: a test, do: {action: queue.retry}, undo: {nothing: it was sent}, then: {ok: done}}
  done: {end: succeeded}
`},
	{name: "back", want: "S9", action: machine.QueueRedirect, states: `
start: redirect
states:
  redirect: {because: a test, do: {action: queue.retry}, undo: {nothing: it was sent}, then: {ok: done}}
  done: {end: succeeded}
`},
	{name: "nameless", want: "S15", states: `
start: forbid
states:
  forbid: {because: a test, do: {action: dns.rrset, with: {type: TXT, spf: none}}, undo: {restore: true}, then: {ok: done}}
  done: {end: succeeded}
`},
	{name: "circle", want: "L2", states: `
start: one
states:
  one:
    because: a test
    assert: [{that: "!gw.exists", why: a test, fix: none}]
    then: {ok: done, fail: two}
  two:
    because: a test
    assert: [{that: "!gw.exists", why: a test, fix: none}]
    then: {ok: done, fail: one}
  done: {end: succeeded}
`},
	{name: "spin", want: "L2", states: `
start: one
states:
  one:
    because: a test
    assert: [{that: "!gw.exists", why: a test, fix: none}]
    then: {ok: done, fail: reobserve}
  done: {end: succeeded}
`},
}

func TestSmallRunbooks(t *testing.T) {
	for i, tt := range small {
		if raced && i%2 != 0 {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			b := load(t, tt.name+".yaml", []byte(strings.Replace(head, "NAME", tt.name, 1)+tt.states))
			if tt.action != "" {
				b.Def.States[0].Do.Action = tt.action
			}
			t.Parallel()
			o := check.Options{Bounds: brief(), Until: []string{tt.want}}
			o.Bounds.Plain = false // a dependent gateway is one of the specialities
			if tt.breakIt != nil {
				o = check.Broken(o, tt.breakIt)
			}
			res, err := check.Run(t.Context(), b, o)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range res.Properties {
				if f.ID == tt.want && f.Verdict != check.Violated {
					t.Errorf("%s is %s, want violated", f.ID, f.Verdict)
				}
			}
		})
	}
}

// TestEveryPropertyCanFail checks that no property is proved because nothing
// could violate it.
func TestEveryPropertyCanFail(t *testing.T) {
	killed := map[string]bool{}
	for _, ids := range knownBad {
		for _, id := range ids {
			killed[id] = true
		}
	}
	for _, m := range mutants {
		for _, id := range m.want {
			killed[id] = true
		}
	}
	for _, f := range faults {
		killed[f.want] = true
	}
	for _, s := range small {
		killed[s.want] = true
	}
	res, err := check.Run(t.Context(), known(t, "folk-stop-delete"), check.Options{Bounds: brief(), MaxStates: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range res.Properties {
		if !killed[f.ID] {
			t.Errorf("nothing seeded violates %s", f.ID)
		}
	}
}

func TestPool(t *testing.T) {
	for _, name := range []string{"maintenance", "replace", "last-gateway", "rescue", "add-successor"} {
		if f := check.Pool(shipped(t, name), true); f.Verdict != check.Proved {
			t.Errorf("%s with leases: %s, %s, %v", name, f.Verdict, f.Note, f.Trace)
		}
	}
	for _, name := range []string{"q285090", "eleven-steps"} {
		if f := check.Pool(shipped(t, name), true); f.Verdict != check.Proved {
			t.Errorf("%s with leases: %s, %v", name, f.Verdict, f.Trace)
		}
		f := check.Pool(shipped(t, name), false)
		if f.Verdict != check.Violated {
			t.Errorf("%s without leases: %s, want violated: both runs see the other's route", name, f.Verdict)
		}
		t.Logf("%s without leases: %d steps", name, len(f.Trace))
	}
}
