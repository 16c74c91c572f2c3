package service

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// absent removes a gateway under a key.
func (w *world) absent(gw, key string, r gateway.Removal) (gateway.Op, error) {
	return w.gw(gw).Apply(w.t.Context(), gateway.Change{Key: key, Actor: "tester", Reason: "retired", Want: gateway.Want{Absent: &r}})
}

func (w *world) archives() []string {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(w.arch, "*.tar"))
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

func TestRemoval(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.inbound("alpha", "bob@corp.example")
		w.submit("hq", "ann@corp.example", "joe@far.example")
		pass(time.Minute)
		if op, err := w.absent("alpha", "gone", gateway.Removal{}); err != nil || !op.Done || op.After != "absent" {
			t.Fatalf("Apply() = %+v, %v", op, err)
		}
		m, err := spool.ReadArchive(w.archives()[0])
		if err != nil || m.Gateway != "alpha" || m.Events == 0 || m.Settings != 1 {
			t.Errorf("archive %+v, %v", m, err)
		}
		check := func() {
			t.Helper()
			c := w.conf("alpha")
			if c.Exists || c.Running || len(c.Leftovers) != 0 {
				t.Errorf("configuration %+v", c)
			}
			n, err := w.gw("alpha").Census(t.Context())
			if err != nil || n.Stores[gateway.Out].Known != gateway.EmptyByDesign {
				t.Errorf("census %+v, %v", n, err)
			}
			if got := w.inbound("alpha", "bob@corp.example"); got != "closed" {
				t.Errorf("its port: %s", got)
			}
			if !cmp.Equal(w.o.Gateways(), []string{"alpha", "beta"}) {
				t.Errorf("gateways %v", w.o.Gateways())
			}
			if events, err := w.gw("alpha").Track(t.Context(), 0, 0); err != nil || len(events) == 0 {
				t.Errorf("its log has %d events, %v: it proves what became of the mail", len(events), err)
			}
			id := w.submit("hq", "ann@corp.example", "sue@far.example")
			pass(time.Minute)
			if got := w.ends(id); !cmp.Equal(got, []string{" delivered sue@far.example", "beta delivered sue@far.example"}) {
				t.Errorf("mail now goes by %q", got)
			}
		}
		check()
		w.reopen()
		check()
	})
}

// TestRemovalIsRefused while anything is held, and leaves all as it was.
func TestRemovalIsRefused(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		up := w.down("far.example")
		w.submit("hq", "ann@corp.example", "joe@far.example")
		pass(time.Minute)
		if op, err := w.absent("alpha", "gone", gateway.Removal{}); !errors.Is(err, gateway.ErrRefused) {
			t.Errorf("Apply() = %+v, %v, want it refused", op, err)
		}
		w.act("alpha", gateway.Suspend, gateway.Selection{}, 1)
		if op, err := w.absent("alpha", "gone", gateway.Removal{}); !errors.Is(err, gateway.ErrRefused) {
			t.Errorf("with mail on hold: %+v, %v, want it refused", op, err)
		}
		if _, err := w.absent("alpha", "there", gateway.Removal{Archive: filepath.Dir(w.arch)}); !errors.Is(err, gateway.ErrRefused) {
			t.Errorf("archive over something that exists: %v", err)
		}
		if c := w.conf("alpha"); !c.Running || len(c.Spaces) != 1 || len(w.archives()) != 0 {
			t.Errorf("after a refusal: %+v, archives %v", c, w.archives())
		}
		up()
		w.act("alpha", gateway.Release, gateway.Selection{}, 1)
		pass(hour) // it goes on by its own schedule
		if got := w.fate("alpha", w.far); got != "delivered" {
			t.Errorf("the mail: %q", got)
		}
		if op, err := w.absent("alpha", "gone", gateway.Removal{}); err != nil || !op.Done {
			t.Errorf("the same key, now empty: %+v, %v", op, err)
		}
	})
}

// TestRemovalDiscards what is left, after it was archived, with a line for each
// message.
func TestRemovalDiscards(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.down("far.example")
		w.submit("hq", "ann@corp.example", "joe@far.example", "sue@far.example")
		pass(time.Minute)
		w.mode("alpha", gateway.None)
		w.submit("hq", "ann@corp.example", "kim@far.example")
		pass(time.Minute)
		path := filepath.Join(w.arch, "mine.tar")
		if op, err := w.absent("alpha", "gone", gateway.Removal{Archive: path, Discard: true}); err != nil || !op.Done {
			t.Fatalf("Apply() = %+v, %v", op, err)
		}
		if m, err := spool.ReadArchive(path); err != nil || m.Entries != 2 || m.Bodies != 2 {
			t.Errorf("archive %+v, %v", m, err)
		}
		events, err := w.gw("alpha").Track(t.Context(), 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if l := ledger.Compute(events, nil, "alpha"); l.Deleted != 3 || l.Accepted != 3 {
			t.Errorf("ledger %+v, want three pairs deleted", l)
		}
		w.crash()
		if w.conf("alpha").Exists {
			t.Error("the gateway is back after a crash")
		}
	})
}

// TestStaleTableNamesARemovedGateway: a site that does not know yet goes on
// choosing the removed gateway. Its mail waits at the MTA for the next copy.
func TestStaleTableNamesARemovedGateway(t *testing.T) {
	play(t, func(c *Config) { c.Replication = 15 * time.Minute }, func(t *testing.T, w *world) {
		if op, err := w.absent("alpha", "gone", gateway.Removal{}); err != nil || !op.Done {
			t.Fatalf("Apply() = %+v, %v", op, err)
		}
		w.submit("branch", "ann@corp.example", "joe@far.example", "bob@corp.example")
		pass(time.Minute)
		if c := w.conf("alpha"); len(c.Leftovers) != 1 || !strings.Contains(c.Leftovers[0], "branch") {
			t.Errorf("leftovers %q", c.Leftovers)
		}
		if n := w.o.Counts()[gateway.MTA]; n.Messages != 1 || n.Recipients != 1 || len(w.mail.letters()) != 1 {
			t.Errorf("the MTA holds %+v, mail host took %d", n, len(w.mail.letters()))
		}
		pass(20 * time.Minute)
		if c := w.conf("alpha"); len(c.Leftovers) != 0 || len(w.far.letters()) != 1 {
			t.Errorf("after replication: leftovers %q, far took %d", c.Leftovers, len(w.far.letters()))
		}
	})
}

// TestInterruptedRemoval dies at each point of a removal and goes on by asking
// again.
func TestInterruptedRemoval(t *testing.T) {
	for name, until := range map[string]func(t *testing.T, g *Gateway, r record, op operation){
		"before the archive": func(*testing.T, *Gateway, record, operation) {},
		"in the archive": func(t *testing.T, _ *Gateway, r record, _ operation) {
			if err := os.WriteFile(r.Removal.Archive, []byte("half"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"after the archive": func(t *testing.T, g *Gateway, r record, op operation) {
			if _, err := g.archive(r, op); err != nil {
				t.Fatal(err)
			}
		},
		"after the deletion": func(t *testing.T, g *Gateway, r record, op operation) {
			r, err := g.archive(r, op)
			if err == nil {
				err = g.discard(gateway.Change{Actor: "tester"}, true)
			}
			if err == nil {
				_, err = g.o.spool.Remove(g.name)
			}
			if err != nil {
				t.Fatal(err, r)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, nil, func(t *testing.T, w *world) {
				w.mode("alpha", gateway.InboundOnly)
				w.submit("hq", "ann@corp.example", "joe@far.example")
				pass(time.Minute)
				g := w.gw("alpha")
				c := gateway.Change{Key: "gone", Actor: "tester", Want: gateway.Want{Absent: &gateway.Removal{Discard: true}}}
				op := operation{Op: gateway.Op{Key: "gone", Before: "present"}, Want: c.Want, Instance: g.o.instance}
				r, err := g.beginRemoval(t.Context(), c, g.record(), op)
				if err != nil {
					t.Fatal(err)
				}
				until(t, g, r, op)
				w.crash()
				started := gateway.Started
				if conf := w.conf("alpha"); !conf.Exists || conf.Running {
					t.Errorf("half removed: %+v", conf)
				}
				if op, err := w.gw("alpha").Apply(t.Context(), gateway.Change{Key: "up", Want: gateway.Want{Running: &started}}); !errors.Is(err, gateway.ErrRefused) {
					t.Errorf("starting it: %+v, %v", op, err)
				}
				if op, err := w.absent("alpha", "gone", gateway.Removal{Discard: true}); err != nil || !op.Done {
					t.Fatalf("Apply() = %+v, %v", op, err)
				}
				found := w.archives()
				if len(found) != 1 {
					t.Fatalf("archives %v", found)
				}
				if m, err := spool.ReadArchive(found[0]); err != nil || m.Entries != 1 {
					t.Errorf("archive %+v, %v, want the one entry", m, err)
				}
			})
		})
	}
}
