// Package gatewaytest is the conformance suite of gateway.Gateway and of the
// abilities beside it. Every adapter runs it; the in-memory one first. It tests
// the promises of the contract against whatever is behind the adapter, a
// service in another process included, and never looks at an implementation.
package gatewaytest

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/gateway"
)

// Harness is a gateway in its world, as one test of the suite finds it: it
// exists and runs, empty, in mode inbound-outbound with way to refuse rcpt, and
// has at least one address space.
type Harness struct {
	Gateway gateway.Gateway
	// Outbound makes a user of the organization send a message to one Internet
	// recipient, whom the address spaces of this gateway alone attract and
	// whose host takes everything. It returns the message's id in the tracking
	// log, or "" if that is not known.
	Outbound func(t *testing.T) string
	// Inbound makes an Internet host hand one message for a known recipient to
	// the gateway. The error says that the gateway did not take it, and must
	// not be permanent.
	Inbound func(t *testing.T) error
	// Connect makes an Internet host open a session with the gateway and keep it
	// until it is hung up. The error says that it was refused with the greeting,
	// and must not be permanent. It may be nil.
	Connect func(t *testing.T) (hangUp func(), err error)
	// Move lets the world move on a little: one step where the test drives it,
	// a few milliseconds where it moves by itself. The suite calls it until
	// what must come to pass has come to pass, up to Moves times.
	Move func(t *testing.T)
	// Moves defaults to 1000.
	Moves int
	// Blind makes a store impossible to count. It may be nil.
	Blind func(t *testing.T, s gateway.Store)
	// Reopen ends what is behind the gateway and begins it again on what it
	// stored. It may be nil.
	Reopen func(t *testing.T) gateway.Gateway
}

// Run runs the suite. setup is called for every test and makes a world of its
// own each time.
func Run(t *testing.T, setup func(t *testing.T) Harness) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *room)
	}{
		{"begin", testBegin},
		{"idempotent by key", testKey},
		{"idempotent by value", testValue},
		{"clearing lists", testClear},
		{"who may connect and relay", testAdmission},
		{"unknown operation", testUnknownOp},
		{"epoch fencing", testEpoch},
		{"if generation", testGeneration},
		{"malformed changes", testMalformed},
		{"ended context", testContext},
		{"spaces and sites", testLists},
		{"stored and effective", testStoredEffective},
		{"patch with restart", testPatchRestart},
		{"restart once a key", testRestartOnce},
		{"start and stop", testStartStop},
		{"pause", testPause},
		{"stopped", testStopped},
		{"none picks up nothing", testNone},
		{"inbound only sends nothing", testInboundOnly},
		{"outbound only refuses", testOutboundOnly},
		{"census is three-valued", testCensus},
		{"counters grow", testCounters},
		{"removal", testRemoval},
		{"removal while mail is there", testRemovalRefused},
		{"removal that discards", testDiscard},
		{"session limits", testSessions},
		{"queue list", testList},
		{"queue actions", testActions},
		{"queue summary", testSummary},
		{"one entry", testInspect},
		{"one body", testBody},
		{"tracking", testTrack},
		{"routes", testRoutes},
		{"clients", testClients},
		{"race, same key", testRaceKey},
		{"race, one generation", testRaceGeneration},
		{"race, readers and writers", testRaceReaders},
		{"reopen", testReopen},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := setup(t)
			if h.Moves == 0 {
				h.Moves = 1000
			}
			c.test(t, &room{Harness: h, gw: h.Gateway})
		})
	}
}

// room is one test's own world.
type room struct {
	Harness
	gw   gateway.Gateway
	keys int
}

func (r *room) key() string {
	r.keys++
	return fmt.Sprintf("gatewaytest/%d", r.keys)
}

// change is a change with a key of its own.
func (r *room) change(w gateway.Want) gateway.Change {
	return gateway.Change{Key: r.key(), Actor: "gatewaytest", Reason: "conformance", Want: w}
}

func (r *room) config(t *testing.T) gateway.Config {
	t.Helper()
	c, err := r.gw.Config(t.Context())
	if err != nil {
		t.Fatalf("Config() = %v", err)
	}
	return c
}

func (r *room) census(t *testing.T) gateway.Census {
	t.Helper()
	c, err := r.gw.Census(t.Context())
	if err != nil {
		t.Fatalf("Census() = %v", err)
	}
	return c
}

// do applies c and requires that it is done.
func (r *room) do(t *testing.T, c gateway.Change) gateway.Op {
	t.Helper()
	op, err := r.gw.Apply(t.Context(), c)
	if err != nil {
		t.Fatalf("Apply(%s) = %v", c.Key, err)
	}
	if !op.Done || op.Failed != "" || op.Key != c.Key || op.At.IsZero() {
		t.Fatalf("Apply(%s) = %+v, want it done under its key, with a time", c.Key, op)
	}
	return op
}

// want applies a wanted value under a new key.
func (r *room) want(t *testing.T, w gateway.Want) gateway.Op {
	t.Helper()
	return r.do(t, r.change(w))
}

// unchanged runs f and requires that the configuration stays as it is.
func (r *room) unchanged(t *testing.T, f func()) {
	t.Helper()
	before := r.config(t)
	f()
	if d := cmp.Diff(before, r.config(t), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
		t.Fatalf("configuration changed (-before +after):\n%s", d)
	}
}

// until moves the world until cond holds.
func (r *room) until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for range r.Moves {
		if cond() {
			return
		}
		r.Move(t)
	}
	t.Fatalf("%s: not after %d moves; census %+v", what, r.Moves, r.census(t))
}

// drained waits until the gateway's five stores are empty.
func (r *room) drained(t *testing.T) {
	t.Helper()
	r.until(t, "stores are empty", func() bool {
		n, ok := r.census(t).Total()
		return ok && n == 0
	})
}

// stored waits until a store holds n messages.
func (r *room) stored(t *testing.T, s gateway.Store, n int64) {
	t.Helper()
	r.until(t, fmt.Sprintf("store %s holds %d", s, n), func() bool { return r.census(t).Stores[s].Messages == n })
}

// stays moves the world a few times and requires that s goes on holding n.
func (r *room) stays(t *testing.T, s gateway.Store, n int64) {
	t.Helper()
	for range 5 {
		r.Move(t)
		if got := r.census(t).Stores[s].Messages; got != n {
			t.Fatalf("store %s holds %d messages, want %d to stay", s, got, n)
		}
	}
}

// after moves the world until its clock is past at.
func (r *room) after(t *testing.T, at time.Time) {
	t.Helper()
	r.until(t, "time passes", func() bool { return r.census(t).At.After(at) })
}

// Wanted values.
func size(n int64) gateway.Want {
	return gateway.Want{Settings: &gateway.SettingsPatch{MaxSize: &n}}
}

func mode(m gateway.Mode) gateway.Want {
	return gateway.Want{Settings: &gateway.SettingsPatch{Mode: &m}}
}

func modeNow(m gateway.Mode) gateway.Want {
	return gateway.Want{Settings: &gateway.SettingsPatch{Mode: &m, Restart: true}}
}

func running(s gateway.RunState) gateway.Want { return gateway.Want{Running: &s} }

func spaces(list ...gateway.Space) gateway.Want { return gateway.Want{Spaces: &list} }

func sites(list ...gateway.Site) gateway.Want { return gateway.Want{Sites: &list} }

func absent(r gateway.Removal) gateway.Want { return gateway.Want{Absent: &r} }
