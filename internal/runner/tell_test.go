package runner_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/ims/internal/gateway/mem"
	"example.org/ims/internal/notify"
	"example.org/ims/internal/runner"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/zone"
)

// told is what one target was told, by id.
type told struct {
	mu  sync.Mutex
	all map[string]notify.Notification
	bad []string // ids that were told again without saying so
}

func (l *told) add(n notify.Notification) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, again := l.all[n.ID]; again && n.Attempt < 2 {
		l.bad = append(l.bad, n.ID)
	}
	l.all[n.ID] = n
}

func (l *told) kinds() map[notify.Kind]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	kinds := map[notify.Kind]int{}
	for _, n := range l.all {
		kinds[n.Kind]++
	}
	return kinds
}

func readTold(t *testing.T, path string) *told {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l := &told{all: map[string]notify.Notification{}}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var n notify.Notification
		if err := json.Unmarshal(lines.Bytes(), &n); err != nil {
			t.Fatal(err)
		}
		l.add(n)
	}
	return l
}

// TestPeopleAreTold leads a run through everything that people are told of, over
// two lives of the runner, and compares what a program and a webhook were told.
func TestPeopleAreTold(t *testing.T) {
	hooked, url := webhook(t)
	dir, lab := shortDir(t), live(t)
	out := filepath.Join(t.TempDir(), "told")
	o := runner.Options{Dir: dir, Site: site{lab}, People: people(), Digest: 30 * time.Millisecond, Targets: []notify.Target{
		{Name: "program", Exec: []string{"sh", "-c", `cat >>"$0"`, out}},
		{Name: "hook", Webhook: url},
	}}
	c, end := serve(t, o)
	lab.Org.OnHandover(func(h mem.Handover) mem.Answer {
		if h.Inbound {
			return mem.Answer{}
		}
		return mem.Answer{Code: 450, Text: "later"}
	})
	lab.Org.Send(mem.Mail{From: "u@example.test", Rcpts: []string{"a@far.test"}})
	r := retire("")
	r.Params["stalled_after"], r.Params["watch"] = "50ms", "100ms"
	run, err := c.Open(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	at := func(state string) func(runner.Status) bool {
		return func(s runner.Status) bool { return s.State == state && (s.Asked != nil || s.Phase == "operating") }
	}
	answer := func(state, choice string) {
		t.Helper()
		s := waitFor(t, c, run, at(state))
		if s.State != state {
			t.Fatalf("in %s %s, want %s", s.State, s.Phase, state)
		}
		if err := c.Approve(t.Context(), run, runner.Answer{State: state, Choice: choice}); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, c, run, at("drain_help")) // after a stall
	end()
	c, end = serve(t, o)
	lab.Org.OnHandover(func(mem.Handover) mem.Answer { return mem.Answer{} })
	waitFor(t, c, run, func(s runner.Status) bool {
		if s.State == "drain_help" && s.Asked != nil { // and again, on a machine that is slow
			err := c.Approve(t.Context(), run, runner.Answer{State: "drain_help", Choice: "return_rest"})
			if err != nil && !errors.Is(err, runner.ErrRefused) {
				t.Error(err)
			}
		}
		return at("confirm")(s)
	})
	if err := c.Reject(t.Context(), run, runner.Answer{State: "confirm"}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, c, run, func(s runner.Status) bool { return s.Phase == "operating" })
	if err := c.Resume(t.Context(), run, ""); err != nil {
		t.Fatal(err)
	}
	answer("confirm", "")
	if s := waitFor(t, c, run, func(s runner.Status) bool { return s.Ended() }); s.Outcome != "retired" {
		t.Errorf("run ends %s", s.Outcome)
	}
	end() // which waits until everybody was told

	program := readTold(t, out)
	for _, l := range []*told{program, hooked} {
		kinds := l.kinds()
		if len(l.bad) > 0 {
			t.Errorf("told twice: %v", l.bad)
		}
		if kinds[notify.Approval] < 3 || kinds[notify.Operator] != 1 || kinds[notify.Stalled] == 0 || kinds[notify.Finished] != 1 || kinds[notify.Digest] == 0 {
			t.Errorf("told of %v", kinds)
		}
	}
	for id := range hooked.all {
		if _, ok := program.all[id]; !ok {
			t.Errorf("only the webhook was told %s", id)
		}
	}
	if len(program.all) != len(hooked.all) {
		t.Errorf("the program was told %d things, the webhook %d", len(program.all), len(hooked.all))
	}
}

// TestPeopleAreToldOfOthers has a client that does not follow MX, and puts the
// old MX back in the last soak.
func TestPeopleAreToldOfOthers(t *testing.T) {
	out := filepath.Join(t.TempDir(), "told")
	hooked, url := webhook(t)
	lab := live(t)
	c, end := serve(t, runner.Options{Dir: shortDir(t), Site: site{lab}, People: people(), Targets: []notify.Target{
		{Name: "program", Exec: []string{"sh", "-c", `cat >>"$0"`, out}, On: []notify.Kind{notify.Drift, notify.LateClient}},
		{Name: "hook", Webhook: url, On: []notify.Kind{notify.Drift, notify.LateClient}},
	}})
	r := retire("")
	r.Params["quiet"], r.Params["watch"] = "300ms", "1h"
	run, err := c.Open(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, c, run, func(s runner.Status) bool {
		if s.State == "quiet" { // the old MX has expired
			if _, err := lab.East.Arrive("printer.example.test", mem.Mail{From: "p@example.test", Rcpts: []string{"u@example.test"}}); err != nil {
				t.Error(err)
			}
		}
		return s.State == "late_decision" && s.Asked != nil
	})
	if err := c.Approve(t.Context(), run, runner.Answer{State: "late_decision", Choice: "accept_loss"}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, c, run, func(s runner.Status) bool { return s.State == "watch" })
	lab.Zone.Set(zone.NewMX(worldtest.Domain, 0, zone.MX{Pref: 10, Host: "east." + worldtest.Domain}))
	waitFor(t, c, run, func(s runner.Status) bool { return s.Phase == "operating" })
	end()
	for _, l := range []*told{readTold(t, out), hooked} {
		if kinds := l.kinds(); kinds[notify.LateClient] == 0 || kinds[notify.Drift] == 0 || len(l.bad) > 0 {
			t.Errorf("told of %v, twice without saying so: %v", kinds, l.bad)
		}
	}
}

// webhook is a server that takes notifications.
func webhook(t *testing.T) (*told, string) {
	t.Helper()
	l := &told{all: map[string]notify.Notification{}}
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var n notify.Notification
		if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
			t.Error(err)
		}
		l.add(n)
	}))
	t.Cleanup(srv.Close)
	return l, srv.URL
}

// TestPeopleAreToldOverKills kills the runner's process again and again: both
// targets are told the same, and what is told twice says that it may be.
func TestPeopleAreToldOverKills(t *testing.T) {
	prog := program(t)
	s, end := newStage(t, "q285090")
	defer end()
	hooked, url := webhook(t)
	s.child.File, s.child.Hook = filepath.Join(t.TempDir(), "told"), url
	kills := 0
	for _, fail := range []string{"between:move_mx", "after:4", "between:outbound_only", "before:5", "between:remove", "after:1", ""} {
		if s.life(t, prog, fail) {
			kills++
		} else if fail != "" && fail != "after:1" {
			t.Errorf("%s was not reached", fail)
		}
	}
	program := readTold(t, s.child.File)
	for _, l := range []*told{program, hooked} {
		if kinds := l.kinds(); len(l.bad) > 0 || kinds[notify.Approval] == 0 || kinds[notify.Finished] != 1 {
			t.Errorf("after %d kills: told of %v, twice without saying so: %v", kills, kinds, l.bad)
		}
	}
	for id := range hooked.all {
		if _, ok := program.all[id]; !ok {
			t.Errorf("only the webhook was told %s", id)
		}
	}
	if len(program.all) != len(hooked.all) {
		t.Errorf("the program was told %d things, the webhook %d", len(program.all), len(hooked.all))
	}
}

// TestUntoldIsSaid: whoever looks at a run sees whom it cannot tell, as long as
// it cannot.
func TestUntoldIsSaid(t *testing.T) {
	var mended atomic.Bool
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !mended.Load() {
			http.Error(w, "no such channel", http.StatusBadRequest)
		}
	}))
	t.Cleanup(srv.Close)
	dir := shortDir(t)
	c, end := serve(t, runner.Options{Dir: dir, Site: site{live(t)}, People: people(), Targets: []notify.Target{{Name: "hook", Webhook: srv.URL}}})
	run, err := c.Open(t.Context(), retire(""))
	if err != nil {
		t.Fatal(err)
	}
	said := func(s runner.Status) bool {
		return slices.ContainsFunc(s.Notes, func(note string) bool {
			return strings.HasPrefix(note, "notify: hook is not told since ") && strings.HasSuffix(note, "tell webhook: 400 Bad Request: no such channel")
		})
	}
	waitFor(t, c, run, said)
	m, err := c.Monitor(t.Context(), run, "test", 0)
	if err != nil || !said(m.Status) {
		t.Errorf("the monitor says %q, %v", m.Notes, err)
	}
	mended.Store(true)
	waitFor(t, c, run, func(s runner.Status) bool { return !said(s) })
	end()
}
