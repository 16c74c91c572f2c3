package ledger_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"example.org/ims/pkg/ledger"
)

// ev is an event of gateway G; more sets what is left.
func ev(seq uint64, k ledger.Kind, message string, rcpts ...string) ledger.Event {
	return ledger.Event{Seq: seq, Gateway: "G", Kind: k, Message: message, Rcpts: rcpts, Store: "out"}
}

func with(e ledger.Event, report, reason string) ledger.Event {
	e.Report, e.Reason = report, reason
	return e
}

func held(message, rcpt string) ledger.Item {
	return ledger.Item{Message: message, Rcpt: rcpt, Store: "out"}
}

func TestCompute(t *testing.T) {
	accepted := ev(1, ledger.Accepted, "m", "a", "b")
	report := []ledger.Event{
		accepted, ev(2, ledger.Delivered, "m", "b"),
		with(ev(3, ledger.Failed, "m", "a"), "r", "550 no"), with(ev(4, ledger.Generated, "r", "s"), "m", ""),
	}
	tests := []struct {
		name    string
		events  []ledger.Event
		present []ledger.Item
		want    ledger.Ledger // Why of findings is compared as a part
	}{
		{name: "nothing"},
		{
			name: "another gateway", events: []ledger.Event{{Seq: 1, Gateway: "H", Kind: ledger.Accepted, Message: "m", Rcpts: []string{"a"}}},
			want: ledger.Ledger{Seq: 1},
		},
		{
			name: "one here, one gone", present: []ledger.Item{held("m", "a")},
			events: []ledger.Event{accepted, ev(2, ledger.Delivered, "m", "b")},
			want:   ledger.Ledger{Seq: 2, Accepted: 2, Delivered: 1, Present: 1},
		},
		{
			name: "recipient named twice", present: []ledger.Item{held("m", "a")},
			events: []ledger.Event{ev(1, ledger.Accepted, "m", "a", "a")},
			want:   ledger.Ledger{Seq: 1, Accepted: 1, Present: 1},
		},
		{
			name: "events without numbers", events: []ledger.Event{ev(0, ledger.Accepted, "m", "a"), ev(0, ledger.Deleted, "m", "a")},
			want: ledger.Ledger{Accepted: 1, Deleted: 1},
		},
		{
			name: "report on its way", events: report, present: []ledger.Item{held("r", "s")},
			want: ledger.Ledger{Seq: 4, Accepted: 2, Generated: 1, Delivered: 1, Present: 2, Pending: 1},
		},
		{
			name: "report taken", events: append(report[:4:4], ev(5, ledger.Delivered, "r", "s")),
			want: ledger.Ledger{Seq: 5, Accepted: 2, Generated: 1, Delivered: 2, Returned: 1},
		},
		{
			name: "report redirected", events: append(report[:4:4], with(ev(5, ledger.Redirected, "r", "s"), "r2", "")),
			want: ledger.Ledger{Seq: 5, Accepted: 2, Generated: 1, Delivered: 1, Returned: 1, Redirected: 1},
		},
		{
			name: "report absorbed", events: append(report[:4:4], with(ev(5, ledger.Absorbed, "r", "s"), "", "no report on a report")),
			want: ledger.Ledger{Seq: 5, Accepted: 2, Generated: 1, Delivered: 1, Absorbed: 2, AbsorbedPairs: []ledger.Finding{
				{Item: held("m", "a"), Why: "550 no; its report r was absorbed: no report on a report", Seq: 3},
				{Item: held("r", "s"), Why: "no report on a report", Seq: 5},
			}},
		},
		{
			name: "report deleted", events: append(report[:4:4], with(ev(5, ledger.Deleted, "r", "s"), "", "spam")),
			want: ledger.Ledger{Seq: 5, Accepted: 2, Generated: 1, Delivered: 1, Absorbed: 1, Deleted: 1, AbsorbedPairs: []ledger.Finding{
				{Item: held("m", "a"), Why: "its report r was deleted: spam", Seq: 3},
			}},
		},
		{
			name: "failed, nobody to tell", events: []ledger.Event{accepted, with(ev(2, ledger.Failed, "m", "a", "b"), "", "null sender")},
			want: ledger.Ledger{Seq: 2, Accepted: 2, Absorbed: 2, AbsorbedPairs: []ledger.Finding{
				{Item: held("m", "a"), Why: "null sender", Seq: 2}, {Item: held("m", "b"), Why: "null sender", Seq: 2},
			}},
		},
		{
			name: "there and back", present: []ledger.Item{held("m", "a"), held("m", "b")},
			events: []ledger.Event{accepted, with(ev(2, ledger.Redirected, "m", "a"), "m", ""), ev(3, ledger.Accepted, "m", "a")},
			want:   ledger.Ledger{Seq: 3, Accepted: 2, Present: 2},
		},

		{
			name: "lost", events: []ledger.Event{accepted}, present: []ledger.Item{held("m", "a")},
			want: ledger.Ledger{Seq: 1, Accepted: 2, Present: 1, UnaccountedPairs: []ledger.Finding{
				{Item: held("m", "b"), Why: "does not hold it", Seq: 1},
			}},
		},
		{
			name: "held, never logged", present: []ledger.Item{held("x", "a")},
			want: ledger.Ledger{UnaccountedPairs: []ledger.Finding{{Item: held("x", "a"), Why: "never entered"}}},
		},
		{
			name: "held, logged as delivered", present: []ledger.Item{held("m", "a"), held("m", "b")},
			events: []ledger.Event{accepted, ev(2, ledger.Delivered, "m", "b")},
			want: ledger.Ledger{Seq: 2, Accepted: 2, Present: 1, UnaccountedPairs: []ledger.Finding{
				{Item: held("m", "b"), Why: "says it was delivered", Seq: 2},
			}},
		},
		{
			name: "held, logged as absorbed", present: []ledger.Item{held("m", "a")},
			events: []ledger.Event{ev(1, ledger.Accepted, "m", "a"), ev(2, ledger.Absorbed, "m", "a")},
			want: ledger.Ledger{Seq: 2, Accepted: 1, UnaccountedPairs: []ledger.Finding{
				{Item: held("m", "a"), Why: "says it was absorbed", Seq: 2},
			}},
		},
		{
			name: "delivered, never accepted", events: []ledger.Event{ev(1, ledger.Delivered, "m", "a")},
			want: ledger.Ledger{Seq: 1, UnaccountedPairs: []ledger.Finding{
				{Item: held("m", "a"), Why: "delivered, but it never entered", Seq: 1},
			}},
		},
		{
			name: "report never written", events: report[:3],
			want: ledger.Ledger{Seq: 3, Accepted: 2, Delivered: 1, UnaccountedPairs: []ledger.Finding{
				{Item: held("m", "a"), Why: "report r never entered", Seq: 3},
			}},
		},
		{
			name: "two wrong counts that add up", present: []ledger.Item{held("x", "a"), held("m", "b")},
			events: []ledger.Event{accepted},
			want: ledger.Ledger{Seq: 1, Accepted: 2, Present: 1, UnaccountedPairs: []ledger.Finding{
				{Item: held("x", "a"), Why: "never entered"},
				{Item: held("m", "a"), Why: "does not hold it", Seq: 1},
			}},
		},
		{
			name:   "two ends",
			events: []ledger.Event{ev(1, ledger.Accepted, "m", "a"), ev(2, ledger.Delivered, "m", "a"), ev(3, ledger.Deleted, "m", "a")},
			want: ledger.Ledger{Seq: 3, Accepted: 1, Delivered: 1, Conflicts: []ledger.Finding{
				{Item: held("m", "a"), Why: "deleted after it was delivered", Seq: 3},
			}},
		},
		{
			name: "accepted twice", events: []ledger.Event{ev(1, ledger.Accepted, "m", "a"), ev(2, ledger.Accepted, "m", "a")},
			present: []ledger.Item{held("m", "a")},
			want: ledger.Ledger{Seq: 2, Accepted: 1, Present: 1, Conflicts: []ledger.Finding{
				{Item: held("m", "a"), Why: "accepted again while it is here", Seq: 2},
			}},
		},
		{
			name: "held twice", events: []ledger.Event{ev(1, ledger.Accepted, "m", "a")},
			present: []ledger.Item{held("m", "a"), {Message: "m", Rcpt: "a", Store: "hold"}},
			want: ledger.Ledger{Seq: 1, Accepted: 1, Present: 1, Conflicts: []ledger.Finding{
				{Item: ledger.Item{Message: "m", Rcpt: "a", Store: "hold"}, Why: "in out and in hold"},
			}},
		},
		{
			name: "unknown kind", events: []ledger.Event{ev(1, ledger.Accepted, "m", "a"), ev(2, "eaten", "m", "a")},
			present: []ledger.Item{held("m", "a")},
			want: ledger.Ledger{Seq: 2, Accepted: 1, Present: 1, Conflicts: []ledger.Finding{
				{Item: held("m", "a"), Why: `"eaten"`, Seq: 2},
			}},
		},
	}
	whyPart := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Why" },
		cmp.Comparer(func(a, b string) bool { return strings.Contains(a, b) || strings.Contains(b, a) }))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.Gateway = "G"
			tt.want.Unaccounted = len(tt.want.UnaccountedPairs)
			got := ledger.Compute(tt.events, tt.present, "G")
			if diff := cmp.Diff(tt.want, got, whyPart, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Compute() -want +got:\n%s", diff)
			}
			err := got.Balance()
			if good := got.Unaccounted == 0 && len(got.Conflicts) == 0; good != (err == nil) {
				t.Errorf("Balance() = %v", err)
			}
			for _, f := range append(got.UnaccountedPairs, got.Conflicts...) {
				if !strings.Contains(err.Error(), f.String()) {
					t.Errorf("Balance() = %v does not name %v", err, f)
				}
			}
		})
	}
}

func TestBalanceDoesNotBelieveCounts(t *testing.T) {
	for name, l := range map[string]ledger.Ledger{
		"too few":          {Accepted: 2, Delivered: 1},
		"too many":         {Generated: 1, Delivered: 1, Present: 1},
		"list left out":    {Unaccounted: 1},
		"conflict with ok": {Accepted: 1, Delivered: 1, Conflicts: []ledger.Finding{{}}},
	} {
		if l.Balance() == nil {
			t.Errorf("%s: Balance() = nil", name)
		}
	}
	many := ledger.Ledger{Unaccounted: 5, UnaccountedPairs: make([]ledger.Finding, 5)}
	if err := many.Balance(); !strings.Contains(err.Error(), "and 2 more") {
		t.Errorf("Balance() = %v, want a clipped list", err)
	}
}

// TestWhileItMoves lists the stores between two readings of the log.
func TestWhileItMoves(t *testing.T) {
	b := ledger.NewBook("G")
	b.Add(ev(1, ledger.Accepted, "old", "a"), ev(2, ledger.Accepted, "lost", "a"), ev(3, ledger.Accepted, "stays", "a"))
	taken := b.Seq()
	present := []ledger.Item{held("old", "a"), held("new", "a"), held("stays", "a")}
	b.Add(ev(4, ledger.Delivered, "old", "a"), ev(5, ledger.Accepted, "new", "a"), ev(6, ledger.Accepted, "newer", "a"))
	l := b.Ledger(present, taken)
	if l.Delivered != 1 || l.Present != 3 || l.Unaccounted != 1 || l.UnaccountedPairs[0].Message != "lost" {
		t.Errorf("ledger = %+v, want only the lost one unaccounted", l)
	}
	if strict := b.Ledger(present, b.Seq()); strict.Unaccounted != 3 {
		t.Errorf("at rest %d are unaccounted, want 3", strict.Unaccounted)
	}
}

func TestBookIsIdempotentAndSeesGaps(t *testing.T) {
	b := ledger.NewBook("G")
	first := []ledger.Event{ev(1, ledger.Accepted, "m", "a"), ev(2, ledger.Delivered, "m", "a")}
	b.Add(first...)
	b.Add(first...)
	if err := b.Ledger(nil, b.Seq()).Balance(); err != nil || len(b.Gaps()) > 0 {
		t.Errorf("Balance() = %v, gaps %v", err, b.Gaps())
	}
	b.Add(ledger.Event{Seq: 5, Gateway: "H"})
	if diff := cmp.Diff([]ledger.Gap{{First: 3, Last: 4}}, b.Gaps()); diff != "" {
		t.Errorf("Gaps() -want +got:\n%s", diff)
	}
}

func TestJSON(t *testing.T) {
	b, err := json.Marshal(ledger.Compute([]ledger.Event{ev(1, ledger.Accepted, "m", "a")}, nil, "G"))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"gateway":"G","seq":1,"accepted":1,"generated":0,"delivered":0,"returned":0,"absorbed":0,"deleted":0,` +
		`"redirected":0,"present":0,"pending":0,"unaccounted":1,"unaccounted_pairs":[{"message":"m","rcpt":"a","store":"out",` +
		`"why":"the log says it is here, but the spool does not hold it","seq":1}]}`
	if string(b) != want {
		t.Errorf("JSON = %s\nwant   %s", b, want)
	}
}
