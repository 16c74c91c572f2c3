package world_test

import (
	"context"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/gateway/fault"
	"example.org/ims/internal/gateway/mem"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
	"example.org/ims/runbooks"
)

// bind binds a shipped runbook to the small organization.
func bind(t *testing.T, name string, params map[string]string) *runbook.Book {
	t.Helper()
	src, err := fs.ReadFile(runbooks.FS, name+".yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, mistakes := runbook.Load(name+".yaml", src)
	if mistakes != nil {
		t.Fatal(mistakes)
	}
	book, mistakes := runbook.Bind(doc, worldtest.Binding(params))
	if mistakes != nil {
		t.Fatal(mistakes)
	}
	return book
}

// stuck is an organization with two messages that wait for a host which does
// not answer.
func stuck(t *testing.T) *worldtest.Lab {
	t.Helper()
	l := worldtest.New(300)
	l.Org.OnHandover(func(h mem.Handover) mem.Answer {
		if h.Dest == "dead.test" {
			return mem.Answer{Code: 450, Text: "later"}
		}
		return mem.Answer{}
	})
	for range 2 {
		l.Org.Send(mem.Mail{From: "u@" + worldtest.Domain, Rcpts: []string{"a@dead.test", "b@dead.test"}})
	}
	l.Org.Settle()
	return l
}

// count is how many events of a kind the gateway's log has.
func count(t *testing.T, g gateway.Tracker, kind ledger.Kind) int {
	t.Helper()
	events, err := g.Track(t.Context(), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

var giveBack = engine.Effect{
	Run: "r1", State: "return_rest", Target: worldtest.East, Key: "r1/return_rest/east", Action: machine.QueueReturn, Actor: "ann", Reason: "test",
}

// TestReturnIsLookedForNotRepeated: a return whose answer was lost is found in
// the tracking log; one that did not happen is made for what is still there;
// one that left no trace is for a person.
func TestReturnIsLookedForNotRepeated(t *testing.T) {
	for _, tt := range []struct {
		name      string
		kind      fault.Kind
		blind     bool // the tracking log forgets
		look      machine.EffectState
		after     string
		finally   machine.EffectState
		generated int
	}{
		{"answer lost", fault.After, false, machine.Done, "2 returned", machine.Done, 2},
		{"request lost", fault.Before, false, machine.NotDone, "", machine.Done, 2},
		{"no trace", fault.After, true, machine.InDoubt, "", machine.Done, 2},
		{"nothing lost", fault.None, false, machine.Done, "2 returned", machine.Done, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := stuck(t)
				acts, forget := 0, false
				l.Wrap = func(g gateway.Gateway) gateway.Gateway {
					return forgetful{fault.Wrap(g, func(c fault.Call) fault.Fault {
						if c.Method != "Act" {
							return fault.Fault{}
						}
						if acts++; acts == 1 {
							return fault.Fault{Kind: tt.kind}
						}
						return fault.Fault{}
					}), &forget}
				}
				w := l.World(bind(t, "q285090", nil))
				e := image(t, w, giveBack)
				if res := w.Perform(t.Context(), e); (tt.kind != fault.None) != (res.State == machine.InDoubt) {
					t.Errorf("Perform() = %+v", res)
				}
				forget = tt.blind
				if res := w.Look(t.Context(), e); res.State != tt.look || res.After != tt.after {
					t.Errorf("Look() = %+v, want %s %q", res, tt.look, tt.after)
				}
				forget = false
				if res := w.Perform(t.Context(), image(t, w, e)); res.State != tt.finally {
					t.Errorf("Perform() again = %+v", res)
				}
				if n := count(t, l.East, ledger.Failed); n != 2 {
					t.Errorf("%d messages failed, want each of two once", n)
				}
				if n := count(t, l.East, ledger.Generated); n != tt.generated {
					t.Errorf("%d reports, want %d", n, tt.generated)
				}
			})
		})
	}
}

// image gives an effect the value before, as an intent does.
func image(t *testing.T, w engine.World, e engine.Effect) engine.Effect {
	t.Helper()
	var err error
	if e.Image, _, err = w.Image(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	return e
}

// forgetful is a gateway whose log can lose what became of messages.
type forgetful struct {
	*fault.Gateway
	forget *bool
}

func (f forgetful) Track(ctx context.Context, after uint64, limit int) ([]ledger.Event, error) {
	if *f.forget {
		return nil, ctx.Err()
	}
	return f.Gateway.Track(ctx, after, limit)
}

// TestMailThatComesLaterIsLeftAlone: only what the intent named is returned.
func TestMailThatComesLaterIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := stuck(t)
		w := l.World(bind(t, "q285090", nil))
		e := image(t, w, giveBack)
		l.Org.Send(mem.Mail{From: "u@" + worldtest.Domain, Rcpts: []string{"late@dead.test"}})
		l.Org.Settle()
		if res := w.Perform(t.Context(), e); res.State != machine.Done || res.Before != "2 messages, 2 recipients" {
			t.Errorf("Perform() = %+v", res)
		}
		out := gateway.Out
		items, err := l.East.List(t.Context(), gateway.Selection{Store: &out})
		if err != nil {
			t.Fatal(err)
		}
		var rcpts []string
		for _, it := range items {
			if it.Class != "report" {
				rcpts = append(rcpts, it.Rcpts...)
			}
		}
		if diff := cmp.Diff("late@dead.test", strings.Join(rcpts, " ")); diff != "" {
			t.Errorf("left in out (-want +got):\n%s", diff)
		}
	})
}
