package runner_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/dns/dnstest"
	"example.org/ims/internal/dns/server"
	"example.org/ims/internal/gateway/mem"
	"example.org/ims/internal/mail/control"
	"example.org/ims/internal/runner"
	"example.org/ims/internal/world/worldtest"
	"example.org/ims/pkg/gateway"
)

const zoneText = `$ORIGIN example.test.
$TTL 0
@    IN SOA ns1 hostmaster 1 3600 600 86400 0
     IN NS  ns1
     IN MX  10 east
ns1  IN A   127.0.0.1
east IN A   192.0.2.10
west IN A   192.0.2.20
`

// stage is an organization that outlives the runners that are killed.
type stage struct {
	lab    *worldtest.Lab
	server *server.Server
	child  child
}

func newStage(t *testing.T, book string) (s *stage, end func()) {
	t.Helper()
	key, err := updateKey()
	if err != nil {
		t.Fatal(err)
	}
	dir := shortDir(t)
	zone, stopZone := dnstest.StartStoppable(t, server.Config{
		Zone: "example.test.", Text: zoneText, Keys: []server.Grant{{Key: key, Update: true}},
	})
	s = &stage{lab: worldtest.Quick(), server: zone}
	s.child = child{Dir: filepath.Join(dir, "state"), Socket: filepath.Join(dir, "run", "s"), Server: zone.Addr(), Runbook: book}
	ln, err := control.Listen(s.child.Socket)
	if err != nil {
		t.Fatal(err)
	}
	srv := control.NewServer(control.Options{People: people(), Gateways: map[string]gateway.Gateway{
		worldtest.East: s.lab.East, worldtest.West: s.lab.West,
	}})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := srv.Serve(ctx, ln); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() { s.lab.Org.Run(ctx, 2*time.Millisecond) })
	s.lab.Org.Send(mem.Mail{From: "u@example.test", Rcpts: []string{"a@far.test"}})
	s.lab.Org.Send(mem.Mail{From: "u@example.test", Rcpts: []string{"b@near.test"}})
	return s, func() { cancel(); wg.Wait(); stopZone() }
}

// life is one process: it performs the run to its end, or kills itself.
func (s *stage) life(t *testing.T, program, fail string) (killed bool) {
	t.Helper()
	s.child.Fail = fail
	spec, err := json.Marshal(s.child)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), tooLong)
	defer cancel()
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(os.Environ(), childEnv+"="+string(spec))
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && ctx.Err() == nil {
		if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() && ws.Signal() == syscall.SIGKILL {
			return true
		}
	}
	if err != nil {
		t.Fatalf("runner with fail point %q: %v\n%s", fail, err, bytes.TrimSpace(out))
	}
	return false
}

// curtain is how the stage looks in the end.
type curtain struct {
	Outcome, Path, World string
	Serial               uint32 // of the zone: each change counts
	Starts               int    // of east
	Taken                map[string]int
}

func (s *stage) curtain(t *testing.T) curtain {
	t.Helper()
	st, err := runner.Read(t.Context(), s.child.Dir, "")
	if err != nil {
		t.Fatal(err)
	}
	world, err := s.lab.Picture(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := curtain{
		Outcome: st.Outcome, Path: path(st), World: world, Serial: s.server.Serial(), Starts: s.lab.East.Starts(), Taken: map[string]int{},
	}
	for _, h := range s.lab.Org.Taken() {
		c.Taken[h.Rcpt]++
	}
	return c
}

// program is the program of the child: this one, or if it is slowed down by the
// race detector, the same without.
func program(t *testing.T) string {
	t.Helper()
	if !raceEnabled {
		path, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := filepath.Join(t.TempDir(), "child.test")
	cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the child: %v\n%s", err, out)
	}
	return path
}

// TestKilledProcess kills the runner's process around the commits of its
// journal, and between act and outcome of every effect, while gateways and zone
// live on: the next process reaches the same end, and nothing was done twice.
// That every single commit may be the last is what the engine's own crash test
// shows; here one in stride is taken, in turn before and after it, because a
// process is dear. IMS_TEST_KILL_ALL=1 takes every one, both ways.
func TestKilledProcess(t *testing.T) {
	prog, step := program(t), stride
	if everyCommit() {
		step = 1
	}
	for _, book := range []string{"q285090", "eleven-steps"} {
		t.Run(book, func(t *testing.T) {
			s, end := newStage(t, book)
			defer end()
			s.life(t, prog, "")
			want := s.curtain(t)
			if want.Outcome != "retired" {
				t.Fatalf("without a kill the run ends %s: %s", want.Outcome, want.Path)
			}
			kills := sync.Map{}
			var lane sync.WaitGroup // not t.Parallel: they wait more than they compute
			for k := range lanes {
				lane.Go(func() {
					t.Run(fmt.Sprintf("lane%d", k), func(t *testing.T) {
						for n := 1 + k*step; killed(t, prog, want, &kills, book, n); n += lanes * step {
						}
					})
				})
			}
			lane.Go(func() {
				t.Run("between", func(t *testing.T) {
					for _, state := range effects(t, s) {
						kill(t, prog, want, &kills, book, "between:"+state)
					}
				})
			})
			lane.Wait()
			n := 0
			kills.Range(func(any, any) bool { n++; return true })
			t.Logf("%d kills", n)
			if least := 60 / step; n < least {
				t.Errorf("only %d fail points were reached", n)
			}
		})
	}
}

const (
	lanes  = 5 // how many stages are played on at the same time
	stride = 3 // odd, so that before and after take turns
)

func everyCommit() bool { return os.Getenv("IMS_TEST_KILL_ALL") == "1" }

// killed kills a runner before or after its nth commit, or both if every commit
// is asked for; false if there is none.
func killed(t *testing.T, prog string, want curtain, kills *sync.Map, book string, n int) bool {
	points := []string{"before", "after"}
	if !everyCommit() {
		points = points[n%2 : n%2+1]
	}
	all := true
	for _, p := range points {
		all = kill(t, prog, want, kills, book, fmt.Sprintf("%s:%d", p, n)) && all
	}
	return all && !t.Failed()
}

// kill kills a runner at a fail point and lets the next one go on.
func kill(t *testing.T, prog string, want curtain, kills *sync.Map, book, fail string) bool {
	t.Helper()
	s, end := newStage(t, book)
	defer end()
	reached := s.life(t, prog, fail)
	if reached {
		kills.Store(fail, true)
		s.life(t, prog, "")
	}
	if diff := cmp.Diff(want, s.curtain(t)); diff != "" {
		t.Errorf("killed %s: end (-without kill +with):\n%s", fail, diff)
	}
	return reached
}

// effects are the states whose effect a run performed.
func effects(t *testing.T, s *stage) []string {
	t.Helper()
	st, err := runner.Read(t.Context(), s.child.Dir, "")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, v := range st.Visits {
		if v.Kind == "do" {
			all = append(all, v.State)
		}
	}
	return all
}
