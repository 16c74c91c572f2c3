package world_test

import (
	"strings"
	"testing"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/gateway/fault"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

var redirect = engine.Effect{
	Run: "r1", State: "move_dependents", Target: worldtest.East, Key: "r1/move_dependents/east", Action: machine.GatewayDependents, Actor: "ann", Reason: "test",
}

// dependent is an organization whose west sends everything through east.
func dependent(t *testing.T) *worldtest.Lab {
	t.Helper()
	l := worldtest.New(300)
	through := "east." + worldtest.Domain
	change(t, l.West, gateway.SettingsPatch{ForwardHost: &through, Restart: true})
	return l
}

func change(t *testing.T, g gateway.Gateway, p gateway.SettingsPatch) {
	t.Helper()
	c, err := g.Config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key := t.Name() + "/" + c.StartedAt.String() + "/" + string(rune('a'+c.Generation))
	if _, err := g.Apply(t.Context(), gateway.Change{Key: key, Want: gateway.Want{Settings: &p}}); err != nil {
		t.Fatal(err)
	}
}

func forwards(t *testing.T, g gateway.Gateway) string {
	t.Helper()
	c, err := g.Config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c.Effective.ForwardHost
}

func TestDependentsAreMovedAndPutBack(t *testing.T) {
	l := dependent(t)
	w := l.World(bind(t, "q285090", nil))
	if v, _ := value(w.Observe(t.Context(), engine.Look{}), facts.RouteDependents); v != facts.Int(1) {
		t.Errorf("route.dependents = %v, want 1", v)
	}
	e := redirect
	var words string
	var err error
	if e.Image, words, err = w.Image(t.Context(), e); err != nil || !strings.Contains(words, "west: forward-host is east.") {
		t.Fatalf("Image() = %q, %v", words, err)
	}
	if res := w.Look(t.Context(), e); res.State != machine.NotDone {
		t.Errorf("before: Look = %+v", res)
	}
	for range 2 {
		if res := w.Perform(t.Context(), e); res.State != machine.Done {
			t.Fatalf("Perform = %+v", res)
		}
	}
	if to := forwards(t, l.West); to != "" {
		t.Errorf("west forwards to %q, want what east does: nowhere", to)
	}
	if v, _ := value(w.Observe(t.Context(), engine.Look{}), facts.RouteDependents); v != facts.Int(0) {
		t.Errorf("route.dependents = %v, want 0", v)
	}
	undo := e
	undo.Undo, undo.Key, undo.Undoes = true, e.Key+"/undo", e.Key
	if res := w.Perform(t.Context(), undo); res.State != machine.Done {
		t.Fatalf("undo = %+v", res)
	}
	if to := forwards(t, l.West); to != "east."+worldtest.Domain {
		t.Errorf("west forwards to %q after the undo", to)
	}
}

func TestDependentsOfSomebodyElse(t *testing.T) {
	l := dependent(t)
	w := l.World(bind(t, "q285090", nil))
	e := redirect
	e.Image, _, _ = w.Image(t.Context(), e)
	size := int64(7)
	change(t, l.West, gateway.SettingsPatch{MaxSize: &size})
	if res := w.Perform(t.Context(), e); res.State != machine.Transient {
		t.Errorf("Perform over somebody else's change = %+v, want another look", res)
	}
	e.Image, _, _ = w.Image(t.Context(), e)
	if res := w.Perform(t.Context(), e); res.State != machine.Done {
		t.Fatalf("Perform = %+v", res)
	}
	third := "third.test"
	change(t, l.West, gateway.SettingsPatch{ForwardHost: &third})
	undo := e
	undo.Undo, undo.Key = true, e.Key+"/undo"
	if res := w.Perform(t.Context(), undo); res.State != machine.Overridden {
		t.Errorf("undo of what somebody changed = %+v, want it overridden", res)
	}
	if to := forwards(t, l.West); to == "east."+worldtest.Domain {
		t.Error("somebody else's change was overwritten")
	}
}

// TestDependentsOverLostAnswers: every call may be cut off before or after it
// arrives, and be asked again, and the outcome is the same.
func TestDependentsOverLostAnswers(t *testing.T) {
	for _, point := range []fault.Kind{fault.Before, fault.After} {
		l := dependent(t)
		broken := true
		l.Wrap = func(g gateway.Gateway) gateway.Gateway {
			return fault.Wrap(g, func(c fault.Call) fault.Fault {
				if !broken || c.Method != "Apply" {
					return fault.Fault{}
				}
				broken = false
				return fault.Fault{Kind: point}
			})
		}
		w := l.World(bind(t, "q285090", nil))
		e := redirect
		e.Image, _, _ = w.Image(t.Context(), e)
		if res := w.Perform(t.Context(), e); res.State != machine.InDoubt {
			t.Errorf("%v: Perform whose answer is lost = %+v, want it in doubt", point, res)
		}
		if res := w.Look(t.Context(), e); (res.State == machine.Done) != (point == fault.After) {
			t.Errorf("%v: Look = %+v", point, res)
		}
		if res := w.Perform(t.Context(), e); res.State != machine.Done {
			t.Errorf("%v: Perform again = %+v", point, res)
		}
	}
}

func value(o engine.Observation, id facts.ID) (facts.Value, string) {
	for _, f := range o.Facts {
		if f.ID == id {
			return f.Value, f.Why
		}
	}
	return facts.Unknown, "not observed"
}

func TestWhatTheSuccessorLacks(t *testing.T) {
	l := worldtest.New(300)
	w := l.World(bind(t, "q285090", nil))
	size := int64(1 << 20)
	differs := func(look engine.Look) facts.Value {
		v, _ := value(w.Observe(t.Context(), look), facts.NextDiffers)
		return v
	}
	if v := differs(engine.Look{}); v != facts.Int(0) {
		t.Errorf("of two alike: next.differs = %v", v)
	}
	smart := "smart.test"
	change(t, l.East, gateway.SettingsPatch{ForwardHost: &smart})
	seen := w.Observe(t.Context(), engine.Look{})
	change(t, l.West, gateway.SettingsPatch{MaxSize: &size, Restart: true})
	if v := differs(engine.Look{}); v != facts.Int(2) {
		t.Errorf("without the forward host, and with a limit: next.differs = %v", v)
	}
	look := engine.Look{Named: map[machine.Subject]map[string]bool{machine.SubjectDiffers: {"max-size": true}}}
	if v := differs(look); v != facts.Int(1) {
		t.Errorf("with a decision on the limit: next.differs = %v", v)
	}
	none := ""
	change(t, l.East, gateway.SettingsPatch{ForwardHost: &none}) // as a run changes what it retires
	look.Memory = seen.Memory
	if v := differs(look); v != facts.Int(1) {
		t.Errorf("of what was set when the run began: next.differs = %v", v)
	}
	ev := w.Evidence(t.Context(), engine.Look{Memory: seen.Memory}, nil, machine.SubjectDiffers)
	if len(ev.Names) != 2 || ev.Names[0] != "max-size" || ev.Names[1] != "forward-host" {
		t.Errorf("a decision would name %v", ev.Names)
	}
	if !strings.Contains(strings.Join(ev.Lines, "\n"), "ims gateway set west --forward-host smart.test --restart") {
		t.Errorf("evidence without the command that transfers:\n%s", strings.Join(ev.Lines, "\n"))
	}
}
