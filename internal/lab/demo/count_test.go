package demo

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/lab/senders"
	"example.org/ims/pkg/ledger"
)

// log is a tracking log: one event a second.
func log(events ...ledger.Event) []ledger.Event {
	for i := range events {
		events[i].Seq, events[i].At = uint64(i+1), at(i)
	}
	return events
}

func at(second int) time.Time { return time.Unix(int64(second), 0) }

func event(kind ledger.Kind, message, store, reason string, rcpts ...string) ledger.Event {
	return ledger.Event{Kind: kind, Message: message, Store: store, Reason: reason, Rcpts: rcpts}
}

// day is a message to two destinations, one of which is slow, and one that
// expires.
func day() []ledger.Event {
	return log(
		event(ledger.Accepted, "m1", "mta", "", "a@fast.test", "b@slow.test"), // 0
		event(ledger.Accepted, "m2", "mta", "", "c@down.test"),                // 1
		event(ledger.Moved, "m1", "mts-out", "", "a@fast.test", "b@slow.test"),
		event(ledger.Moved, "m2", "mts-out", "", "c@down.test"), // 3
		event(ledger.Moved, "m1", "out", "", "a@fast.test", "b@slow.test"),
		event(ledger.Delivered, "m1", "out", "", "a@fast.test"), // 5
		event(ledger.Attempted, "m1", "out", "451 later", "b@slow.test"),
		event(ledger.Moved, "m2", "out", "", "c@down.test"), // 7
		event(ledger.Delivered, "m1", "out", "", "b@slow.test"),
		event(ledger.Failed, "m2", "out", "expired: refused", "c@down.test"), // 9
		event(ledger.Accepted, "m3", "in", "", "d@example.test"),
		event(ledger.Failed, "m3", "mts-in", "550 no", "d@example.test"),
	)
}

func TestTrace(t *testing.T) {
	got := trace(day())
	want := flow{
		most:     map[string]int{"mta": 3, "mts-out": 3, "out": 2, "in": 1},
		deferred: 1, rejected: 1, expired: 1, split: map[string]bool{"m1": true},
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(flow{})); d != "" {
		t.Errorf("trace (-want +got):\n%s", d)
	}
}

func TestHeldCountsMessagesAtAMoment(t *testing.T) {
	for second, want := range map[int]map[string]int{
		0: {"mta": 1}, 2: {"mta": 1, "mts-out": 1}, 3: {"mts-out": 2}, 5: {"mts-out": 1, "out": 1}, 7: {"out": 2}, 9: {}, 10: {"in": 1}, 60: {},
	} {
		if d := cmp.Diff(want, held(day(), at(second))); d != "" {
			t.Errorf("after %d s (-want +got):\n%s", second, d)
		}
	}
}

// TestEffective finds the moment of a restart, when mts-out fills up.
func TestEffective(t *testing.T) {
	if got := effective(day(), at(1), at(6)); !got.Equal(at(3)) {
		t.Errorf("most in mts-out at %v, want %v", got.Unix(), 3)
	}
	if got := effective(day(), at(8), at(9)); !got.Equal(at(8)) {
		t.Errorf("without any move: %v, want the beginning, %v", got.Unix(), 8)
	}
}

func TestThin(t *testing.T) {
	r := Result{Runbook: "q285090", Outward: map[string]int{"mx_switch": 3, "mode_change": 0}, Stores: map[string]int{"mta": 1, "mts-out": 1, "out": 1, "in": 1}}
	r.Traffic = Traffic{EastAfterSwitch: 20, WestAfterSwitch: 19, DeferredDelivered: 1, Rejected: 1, Expired: 1, SplitRecipients: 1, MTSOutAtModeChange: 1}
	r.thin()
	want := []string{"accepted by the successor after the switch: 19, want 20", "outbound at mode_change: 0, want 1", "ever in mts-in: 0, want 1"}
	if d := cmp.Diff(want, r.Thin); d != "" {
		t.Errorf("thin (-want +got):\n%s", d)
	}
}

func TestEachIgnoresALineThatIsBeingWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.jsonl")
	if err := os.WriteFile(path, []byte("{\"id\":\"a\"}\n{\"id\":\"b\"}\n{\"id\":"), 0o600); err != nil {
		t.Fatal(err)
	}
	var ids []string
	if err := each(path, func(r senders.Record) { ids = append(ids, r.ID) }); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"a", "b"}, ids); d != "" {
		t.Errorf("ids (-want +got):\n%s", d)
	}
	if err := os.WriteFile(path, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if each(path, func(senders.Record) {}) == nil {
		t.Error("a damaged file was read without an error")
	}
}

func TestCaughtNamesGuardsAndFacts(t *testing.T) {
	got := caught(Status{
		State: "watch", Why: "drift", Missing: []string{"!mx.here && !route.here (fail): nothing may lead here any more"},
		Facts: map[string]string{"mx.here": "true", "route.here": "false"}, Notes: []string{"a note"},
	})
	want := "drift in watch: !mx.here && !route.here (fail): nothing may lead here any more [mx.here = true, route.here = false]; a note"
	if got != want {
		t.Errorf("caught = %q, want %q", got, want)
	}
}

func TestFirstVisits(t *testing.T) {
	got := firstVisits([]string{"a", "b", "c", "b", "c", "d"})
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, got); diff != "" {
		t.Errorf("first visits (-want +got):\n%s", diff)
	}
}
