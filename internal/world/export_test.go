package world_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/gateway/fault"
	"example.org/ims/internal/gateway/mem"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
	"example.org/ims/pkg/machine"
)

// effect is one on the mail of east in a state of run r1.
func effect(action machine.ActionName, state string, args machine.Args, named map[string]bool) engine.Effect {
	return engine.Effect{
		Run: "r1", State: state, Target: worldtest.East, Key: "r1/" + state + "/east", Action: action, Args: args, Actor: "ann",
		Reason: engine.ReasonOf("r1") + state, Named: map[machine.Subject]map[string]bool{machine.SubjectAged: named},
	}
}

// aged is an organization in which two messages have waited for three days and
// one has just come; what is old is held. It also gives the names of the old.
func aged(t *testing.T, spoil func(fault.Call) fault.Fault) (*worldtest.Lab, engine.World, map[string]bool) {
	t.Helper()
	l := worldtest.New(300)
	l.Archives = t.TempDir()
	l.Wrap = func(g gateway.Gateway) gateway.Gateway { return fault.Wrap(g, spoil) }
	none := []gateway.Space{}
	if _, err := l.West.Apply(t.Context(), gateway.Change{Key: "k", Actor: "bob", Reason: "test", Want: gateway.Want{Spaces: &none}}); err != nil {
		t.Fatal(err)
	}
	stop := gateway.Stopped
	if _, err := l.East.Apply(t.Context(), gateway.Change{Key: "s", Actor: "bob", Reason: "test", Want: gateway.Want{Running: &stop}}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Hour)
	for _, to := range []string{"a@far.test", "b@far.test"} {
		l.Org.Send(mem.Mail{From: "u@" + worldtest.Domain, Rcpts: []string{to}})
	}
	time.Sleep(72 * time.Hour)
	l.Org.Send(mem.Mail{From: "u@" + worldtest.Domain, Rcpts: []string{"new@far.test"}})
	w := l.World(bind(t, "rescue", nil))
	hold := effect(machine.QueueHold, "hold_aged", machine.Args{OlderThan: 48 * time.Hour}, nil)
	if res := w.Perform(t.Context(), image(t, w, hold)); res.State != machine.Done || res.After != "2 messages, 2 recipients held" {
		t.Fatalf("hold: %+v", res)
	}
	ev := w.Evidence(t.Context(), engine.Look{Run: "r1"}, nil, machine.SubjectAged)
	named := map[string]bool{}
	for _, n := range ev.Names {
		named[n] = true
	}
	if len(named) != 2 || len(ev.Lines) != 2 {
		t.Fatalf("evidence is %+v", ev)
	}
	return l, w, named
}

func held(t *testing.T, l *worldtest.Lab) int64 {
	t.Helper()
	c, err := l.East.Census(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c.Stores[gateway.Hold].Messages
}

// TestExportIsReadBackBeforeItCounts: what cannot be read stays in the gateway;
// what is taken out is in files whose hashes the manifest has.
func TestExportIsReadBackBeforeItCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bodies := 0
		l, w, named := aged(t, func(c fault.Call) fault.Fault {
			if c.Method == "Body" {
				if bodies++; bodies == 2 {
					return fault.Fault{Kind: fault.Before}
				}
			}
			return fault.Fault{}
		})
		e := image(t, w, effect(machine.QueueExport, "export_aged", machine.Args{Select: machine.SelectHeld}, named))
		if res := w.Perform(t.Context(), e); res.State != machine.Transient || held(t, l) != 2 {
			t.Errorf("export with a message that cannot be read: %+v, %d are held", res, held(t, l))
		}
		dir := filepath.Join(l.Archives, "east-r1-export_aged")
		if _, err := os.Stat(filepath.Join(dir, "manifest.json")); err == nil {
			t.Error("there is a manifest of half an export")
		}
		if res := w.Perform(t.Context(), image(t, w, e)); res.State != machine.Done || held(t, l) != 0 {
			t.Errorf("export: %+v, %d are held", res, held(t, l))
		}
		if n := count(t, l.East, ledger.Deleted); n != 2 {
			t.Errorf("%d messages were taken out, want 2", n)
		}
		raw, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			Schema string
			Files  []struct {
				File, SHA256, From, Message string
				Rcpts                       []string
			}
		}
		if err := json.Unmarshal(raw, &m); err != nil || m.Schema != "ims/export/v1" || len(m.Files) != 2 {
			t.Fatalf("manifest is %s, %v", raw, err)
		}
		for _, f := range m.Files {
			text, err := os.ReadFile(filepath.Join(dir, f.File))
			sum := sha256.Sum256(text)
			if err != nil || hex.EncodeToString(sum[:]) != f.SHA256 || len(f.Rcpts) != 1 || !named[f.Message] {
				t.Errorf("file %+v, %v", f, err)
			}
		}
		if res := w.Look(t.Context(), e); res.State != machine.Done {
			t.Errorf("Look() = %+v", res)
		}
	})
}

// TestHeldMailGoesOnlyAsNamed: what no decision names stays held, and an undo
// releases what this run holds and nothing else.
func TestHeldMailGoesOnlyAsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, w, named := aged(t, func(fault.Call) fault.Fault { return fault.Fault{} })
		for n := range named {
			delete(named, n)
			break
		}
		release := effect(machine.QueueRelease, "release_aged", machine.Args{Select: machine.SelectHeld}, named)
		if res := w.Perform(t.Context(), image(t, w, release)); res.State != machine.Done || held(t, l) != 1 {
			t.Errorf("release: %+v, %d are held", res, held(t, l))
		}
		if _, err := l.East.Act(t.Context(), gateway.Suspend, gateway.Selection{}, "bob", "mine"); err != nil {
			t.Fatal(err)
		}
		if n := held(t, l); n != 3 {
			t.Fatalf("%d are held, want 3", n)
		}
		undo := effect(machine.QueueHold, "hold_aged", machine.Args{OlderThan: 48 * time.Hour}, named)
		undo.Undo = true
		if res := w.Perform(t.Context(), undo); res.State != machine.Done || held(t, l) != 2 {
			t.Errorf("undo: %+v, %d are held, want the two of bob", res, held(t, l))
		}
	})
}
