package engine_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/gateway/mem"
	"example.org/ims/internal/journal"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
	"example.org/ims/pkg/zone"
)

// goal is a run of a shipped runbook from a prepared world to its end.
type goal struct {
	book    string
	alone   bool // there is no successor
	params  map[string]string
	prepare func(r *rig)
	choose  map[string]string // answers by state; else the first choice
	outcome machine.Outcome
	visits  []string // states that the run must come to
	check   func(t *testing.T, r *rig)
}

// want runs a goal, and then again and again with the runner's death between an
// effect and its outcome: it ends alike, and nothing is done twice.
func (g goal) want(t *testing.T) {
	var effects []string
	g.run(t, func(key string) bool { effects = append(effects, key); return false })
	step, _ := every()
	for i := 0; i < len(effects); i += step {
		n := 0
		t.Run("crash after "+effects[i], func(t *testing.T) {
			g.run(t, func(string) bool { n++; return n == i+1 })
		})
	}
}

// run runs a goal; dies is asked after each effect.
func (g goal) run(t *testing.T, dies func(key string) bool) {
	inBubble(t, func(t *testing.T) bool {
		r := g.rig(t)
		r.answer = func(s engine.Status) (engine.Command, bool) {
			if s.Asked.State != s.State {
				t.Errorf("%s asks the question of %s", s.State, s.Asked.State)
			}
			return g.answer(s)
		}
		r.between = func(e engine.Effect) {
			if dies(e.Key) {
				runtime.Goexit()
			}
		}
		var stuck engine.Status
		r.watch = func(s engine.Status) { stuck = s }
		ctx, cancel := context.WithTimeout(t.Context(), 90*24*time.Hour)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		if g.prepare != nil {
			g.prepare(r)
		}
		r.live(ctx, &wg)
		outcome, err := r.life(ctx)
		if errors.Is(err, errCrashed) {
			outcome, err = r.life(ctx)
		}
		if err != nil && !errors.Is(err, journal.ErrClosed) || outcome != g.outcome {
			t.Fatalf("run ends %s, %v, want %s; it stood in %s, %s %s, missing %+v, notes %q", outcome, err, g.outcome,
				stuck.State, stuck.Phase, stuck.Why, stuck.Missing, stuck.Notes)
		}
		h := r.fold()
		for _, state := range g.visits {
			if !strings.Contains(" "+path(h.Visits)+" ", " "+state+" ") {
				t.Errorf("the run does not come to %s: %s", state, path(h.Visits))
			}
		}
		if h.Facts["ledger.unaccounted"] != "0" {
			t.Errorf("ledger: %s unaccounted", h.Facts["ledger.unaccounted"])
		}
		if g.check != nil {
			g.check(t, r)
		}
		return true
	})
}

// answer is what a goal says to a question.
func (g goal) answer(s engine.Status) (engine.Command, bool) {
	c, ok := yes(s)
	if name := g.choose[s.State]; name != "" {
		c.Choice = name
	}
	return c, ok
}

// rig makes the rig of a goal, whose times are compressed.
func (g goal) rig(t *testing.T) *rig {
	t.Helper()
	r := newRig(t, g.book, nil)
	b := worldtest.Binding(g.params)
	if g.alone {
		b.Successor = ""
	}
	b.Params = map[string]string{}
	for _, p := range r.book.Doc.Params {
		if v, ok := brief()[p.Key.Value]; ok {
			b.Params[p.Key.Value] = v
		}
	}
	for k, v := range g.params {
		b.Params[k] = v
	}
	book, mistakes := runbook.Bind(r.book.Doc, b)
	if mistakes != nil {
		t.Fatal(mistakes)
	}
	r.book, r.lab.Archives = book, t.TempDir()
	return r
}

func (r *rig) rrset(name, typ string, in interface {
	Read(context.Context, string, string) (zone.RRset, error)
},
) string {
	r.t.Helper()
	rr, err := in.Read(r.t.Context(), name, typ)
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.Join(rr.Data, " | ")
}

// left is what east holds.
func (r *rig) left() int64 {
	r.t.Helper()
	c, err := r.lab.East.Census(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	n := int64(0)
	for _, s := range c.Stores {
		n += s.Messages
	}
	return n
}

func (r *rig) send(to ...string) {
	for _, rcpt := range to {
		r.lab.Org.Send(mem.Mail{From: "u@" + worldtest.Domain, Rcpts: []string{rcpt}})
	}
}

// stranded stops east with three old messages in it, and makes two new ones.
func stranded(r *rig) {
	only(r, gateway.Space{Type: "SMTP", Pattern: "*", Cost: 1})
	stop := gateway.Stopped
	if _, err := r.lab.East.Apply(r.t.Context(), gateway.Change{Key: "stop", Actor: "bob", Reason: "test", Want: gateway.Want{Running: &stop}}); err != nil {
		r.t.Fatal(err)
	}
	time.Sleep(10 * time.Minute) // the tables follow
	r.send("old1@far.test", "old2@far.test", "old3@near.test")
	time.Sleep(100 * time.Hour)
	r.send("new1@far.test", "new2@near.test")
}

// only lets everything go through east.
func only(r *rig, spaces ...gateway.Space) {
	r.t.Helper()
	for g, list := range map[*mem.Gateway][]gateway.Space{r.lab.East: spaces, r.lab.West: {}} {
		if _, err := g.Apply(r.t.Context(), gateway.Change{Key: "only", Actor: "bob", Reason: "test", Want: gateway.Want{Spaces: &list}}); err != nil {
			r.t.Fatal(err)
		}
	}
}

// single lets east do all the work.
func single(r *rig) {
	only(r, gateway.Space{Type: "SMTP", Pattern: "*", Cost: 1})
	r.send("a@far.test", "b@near.test")
}

// alone removes west.
func alone(r *rig) {
	only(r, gateway.Space{Type: "SMTP", Pattern: "*", Cost: 1})
	stop := gateway.Removal{}
	if _, err := r.lab.West.Apply(r.t.Context(), gateway.Change{Key: "gone", Actor: "bob", Reason: "test", Want: gateway.Want{Absent: &stop}}); err != nil {
		r.t.Fatal(err)
	}
	time.Sleep(10 * time.Minute)
	r.send("a@far.test", "b@near.test")
}

// TestRescue brings a gateway back that was stopped with mail of four days in
// it: what is old goes only as somebody decides, what is new goes.
func TestRescue(t *testing.T) {
	for choice, tt := range map[string]struct {
		state  string
		taken  int
		report int
		files  int
	}{
		"send":             {"release_aged", 5, 0, 0},
		"return_to_sender": {"return_aged", 2, 3, 0},
		"export":           {"export_aged", 2, 0, 3},
	} {
		t.Run(choice, func(t *testing.T) {
			goal{
				book: "rescue", alone: true, prepare: stranded, choose: map[string]string{"aged_decision": choice},
				params: map[string]string{"release_max_age": "48h"}, outcome: machine.Succeeded,
				visits: []string{"hold_aged", "aged_decision", tt.state, "both_ways", "restart"},
				check: func(t *testing.T, r *rig) {
					time.Sleep(time.Hour)
					outward, inward := 0, 0
					for _, h := range r.lab.Org.Taken() {
						if h.Inbound {
							inward++
						} else {
							outward++
						}
					}
					if outward != tt.taken || inward != tt.report || r.left() != 0 {
						t.Errorf("%d left outwards and %d inwards, %d are left; want %d and %d", outward, inward, r.left(), tt.taken, tt.report)
					}
					files, err := filepath.Glob(filepath.Join(r.lab.Archives, "east-r1-export_aged", "*.eml"))
					if err != nil || len(files) != tt.files {
						t.Errorf("%d files, %v, want %d", len(files), err, tt.files)
					}
					if tt.files > 0 {
						if _, err := os.Stat(filepath.Join(r.lab.Archives, "east-r1-export_aged", "manifest.json")); err != nil {
							t.Error(err)
						}
					}
				},
			}.want(t)
		})
	}
}

// TestMaintenance takes a gateway out of service and brings it back as it was.
func TestMaintenance(t *testing.T) {
	var before string
	goal{
		book: "maintenance", outcome: machine.Succeeded, params: map[string]string{"work_within": "2h"},
		prepare: func(r *rig) {
			r.send("a@far.test", "b@near.test")
			var err error
			if before, err = r.lab.Picture(r.t.Context()); err != nil {
				r.t.Fatal(err)
			}
		},
		visits: []string{"stop", "out_of_service", "come_back", "back"},
		check: func(t *testing.T, r *rig) {
			after, err := r.lab.Picture(t.Context())
			if err != nil || after != before {
				t.Errorf("world was\n%s\nand is, %v,\n%s", before, err, after)
			}
		},
	}.want(t)
}

// TestLastGateway removes the only gateway: its domain takes and sends no mail
// from then on, and says so.
func TestLastGateway(t *testing.T) {
	goal{
		book: "last-gateway", alone: true, outcome: machine.Retired,
		prepare: alone,
		visits:  []string{"consent_no_route", "null_mx", "spf_none", "published", "stop", "remove"},
		check: func(t *testing.T, r *rig) {
			if mx := r.rrset(worldtest.Domain, "MX", r.lab.Zone); mx != "0 ." {
				t.Errorf("MX is %s", mx)
			}
			if txt := r.rrset(worldtest.Domain, "TXT", r.lab.Zone); txt != `"v=spf1 -all"` {
				t.Errorf("SPF is %s", txt)
			}
		},
	}.want(t)
}

// TestAddSuccessor makes a second gateway share the work of the first.
func TestAddSuccessor(t *testing.T) {
	goal{
		book: "add-successor", outcome: machine.Succeeded,
		params:  map[string]string{"next_spaces": "SMTP:*.org 1, SMTP:* 20", "here_spaces": "SMTP:* 10", "next_inbound": "7", "here_outbound": "3", "verify_for": "10m"},
		prepare: single,
		visits:  []string{"next_spaces", "here_spaces", "split", "limit_here", "limit_next", "name_next", "named", "verify"},
		check: func(t *testing.T, r *rig) {
			if mx := r.rrset(worldtest.Domain, "MX", r.lab.Zone); mx != "10 east.example.test. | 10 west.example.test." {
				t.Errorf("MX is %s", mx)
			}
			east, err1 := r.lab.East.Config(t.Context())
			west, err2 := r.lab.West.Config(t.Context())
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			if len(west.Spaces) != 2 || west.Spaces[0].Pattern != "*.org" || len(east.Spaces) != 1 || east.Spaces[0].Cost != 10 {
				t.Errorf("spaces are %v and %v", east.Spaces, west.Spaces)
			}
			if west.Effective.MaxInbound != 7 || west.Effective.MaxOutbound != 30 || east.Effective.MaxOutbound != 3 {
				t.Errorf("limits are %+v and %+v", east.Effective, west.Effective)
			}
		},
	}.want(t)
}

// TestReplace gives the name of a gateway to its successor. The old machine
// sends what it has under a name of its own.
func TestReplace(t *testing.T) {
	goal{
		book: "replace", outcome: machine.ReleasePending, params: map[string]string{"drain_known": "3m"},
		prepare: func(r *rig) { r.send("a@far.test", "b@near.test", "c@slow.test") },
		visits:  []string{"drain_a", "drain_ptr", "drain_spf", "flip_a", "name_agrees", "accepting", "outbound_only", "remove"},
		check: func(t *testing.T, r *rig) {
			for _, one := range []struct{ name, typ, want string }{
				{worldtest.Domain, "MX", "10 east.example.test."},
				{"east." + worldtest.Domain, "A", "192.0.2.20"},
				{"drain." + worldtest.Domain, "A", "192.0.2.10"},
				{"drain." + worldtest.Domain, "TXT", `"v=spf1 a -all"`},
				{worldtest.Domain, "TXT", `"v=spf1 a:drain.example.test mx -all"`},
			} {
				if got := r.rrset(one.name, one.typ, r.lab.Zone); got != one.want {
					t.Errorf("%s %s is %s, want %s", one.name, one.typ, got, one.want)
				}
			}
			if ptr := r.rrset("10.2.0.192.in-addr.arpa", "PTR", r.lab.Reverse); ptr != "drain.example.test." {
				t.Errorf("PTR is %s", ptr)
			}
		},
	}.want(t)
}
