package cli

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/ledger"
	"example.org/ims/pkg/machine"
)

// TestAStatusSaysWhyItWaits: whoever looks at a run that waits for its operator
// is told why in the words of what led there, whatever is looked with.
func TestAStatusSaysWhyItWaits(t *testing.T) {
	const why = "address space SMTP:*@fast.test would be taken from west and given to nobody"
	const guard = "inbound mail needs somewhere to go before its MX is moved"
	const led = `"cause":{"why":"` + guard + `","fix":"ims gateway start west"}`
	for _, tt := range []struct {
		name  string
		json  string   // what the runner says beside the rest
		why   string   // of the cause
		lines []string // of the page
		view  string   // the last line of the view
	}{
		{"an effect failed", `"cause":{"target":"west","why":"` + why + `"}`, why, []string{"waiting for operator: fail\n  because: west: " + why + "\n"}, "  because: west: " + why},
		{
			"a guard does not hold", `"missing":[{"that":"next.accepts","verdict":"fail","why":"` + guard + `","fix":"ims gateway start west"}],` + led, guard,
			[]string{"waiting for operator: fail\nnot yet: next.accepts (" + guard + ")\n  fix: ims gateway start west\n"},
			"WAITING FOR OPERATOR in split (fail): ims resume east-1, or ims abort east-1",
		},
		{
			"a guard that holds again", led, guard,
			[]string{"  because: " + guard + "\n  fix: ims gateway start west\n"},
			"  because: " + guard + "; fix: ims gateway start west",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := new(runner.Status)
			if err := json.Unmarshal([]byte(`{"run":"east-1","gateway":"east","successor":"west","state":"split","title":"Split","phase":"operating",`+
				`"outcome":"open","why":"fail","alive":true,`+tt.json+`}`), s); err != nil {
				t.Fatal(err)
			}
			var page, raw, lines strings.Builder
			if err := output.New(&page, io.Discard, output.Options{}).Result("status", s, func(p *output.Page) { statusPage(p, s) }); err != nil {
				t.Fatal(err)
			}
			for _, l := range tt.lines {
				if !strings.Contains(page.String(), l) {
					t.Errorf("the page has no %q:\n%s", l, &page)
				}
			}
			if strings.Contains(page.String(), "because") != strings.Contains(tt.lines[0], "because") {
				t.Errorf("the page says the same twice:\n%s", &page)
			}
			if err := output.New(&raw, io.Discard, output.Options{Format: output.JSON}).Result("status", s, nil); err != nil || !strings.Contains(raw.String(), `"cause":{`) || !strings.Contains(raw.String(), tt.why) {
				t.Errorf("the JSON is %s, %v", &raw, err)
			}
			if err := newViewer(output.New(&lines, io.Discard, output.Options{})).show(s); err != nil || !strings.HasSuffix(lines.String(), "  "+tt.view+"\n") {
				t.Errorf("the view does not end with %q, %v:\n%s", tt.view, err, &lines)
			}
		})
	}
}

// TestAStatusSaysWhenAndHowOldItIs: a question of a later state is not due now,
// and what was seen long ago is said to be old.
func TestAStatusSaysWhenAndHowOldItIs(t *testing.T) {
	now := time.Now()
	later, old := now.Add(time.Hour), now.Add(-time.Minute)
	for _, tt := range []struct {
		name   string
		status runner.Status
		due    string
		seen   string
	}{
		{"a question of a later state", of("accepting", "confirm", now, false), "once the run comes there from accepting", "at"},
		{"and not before", of("accepting", "confirm", later, false), "once the run comes there from accepting, not before " + clock(later), "at"},
		{"a question that is to be put", of("confirm", "confirm", now, false), "once it is asked", "at"},
		{"a question", of("confirm", "confirm", now, true), "now", "at"},
		{
			"an old look", stale(of("accepting", "confirm", now, false), old, true), "once the run comes there from accepting",
			"at, 1m ago: NO LOOK HAS ENDED SINCE; what it looks at answers slowly, or hangs",
		},
		{"of no runner", stale(of("accepting", "confirm", now, false), old, false), "once the run comes there from accepting", "at"},
	} {
		if got := due(&tt.status, now); got != tt.due {
			t.Errorf("%s: due %q, want %q", tt.name, got, tt.due)
		}
		if got := observed("at", &tt.status, now); got != tt.seen {
			t.Errorf("%s: observed %q, want %q", tt.name, got, tt.seen)
		}
	}
}

// of is a run in a state whose next action is a question.
func of(state, question string, at time.Time, asked bool) (s runner.Status) {
	s.State, s.Alive = state, true
	s.Action.Verb, s.Action.State, s.Action.At = "approve", question, at
	if asked {
		s.Asked = &machine.Detail{State: question}
	}
	return s
}

// stale is a status whose look is a minute old, and old.
func stale(s runner.Status, seen time.Time, alive bool) runner.Status {
	s.Seen, s.Stale, s.Alive = seen, seen.Add(time.Second), alive
	return s
}

// TestALedgerNamesMessages: each that is in no set, or was given up, by id, with
// its store and why.
func TestALedgerNamesMessages(t *testing.T) {
	at := time.Unix(0, 0)
	events := []ledger.Event{
		{Seq: 1, At: at, Gateway: "east", Kind: ledger.Accepted, Message: "lost", Rcpts: []string{"a@a.test"}, Store: "in"},
		{Seq: 2, At: at, Gateway: "east", Kind: ledger.Accepted, Message: "gone", Rcpts: []string{"b@b.test"}, Store: "out"},
		{Seq: 3, At: at, Gateway: "east", Kind: ledger.Absorbed, Message: "gone", Rcpts: []string{"b@b.test"}, Reason: "nobody may be told"},
	}
	for _, tt := range []struct {
		name    string
		present []ledger.Item
		lines   []string
	}{
		{"lost", nil, []string{"unaccounted  lost", "a@a.test", "the log says it is here, but the spool does not hold it", "absorbed", "gone", "b@b.test", "nobody may be told", "ims track --gateway east --message MESSAGE"}},
		{"here", []ledger.Item{{Message: "lost", Rcpt: "a@a.test", Store: "in"}}, []string{"absorbed", "nobody may be told"}},
	} {
		data := statusLedgerData{"east-1", ledger.Compute(events, tt.present, "east")}
		var page strings.Builder
		if err := output.New(&page, io.Discard, output.Options{}).Result("ledger", data, data.page); err != nil {
			t.Fatal(err)
		}
		for _, l := range tt.lines {
			if !strings.Contains(page.String(), l) {
				t.Errorf("%s: the page has no %q:\n%s", tt.name, l, &page)
			}
		}
		if strings.Contains(page.String(), "unaccounted  ") != (tt.present == nil) {
			t.Errorf("%s: the page is\n%s", tt.name, &page)
		}
	}
	var page strings.Builder
	data := statusLedgerData{"east-1", ledger.Compute(nil, nil, "east")}
	if err := output.New(&page, io.Discard, output.Options{}).Result("ledger", data, data.page); err != nil || !strings.Contains(page.String(), "Every message is accounted for") {
		t.Errorf("of nothing, the page is %v\n%s", err, &page)
	}
}
