package service

import (
	"testing"
	"time"

	"example.org/ims/pkg/gateway"
)

// TestReportsAreLeftAlone: what is given up without the reports tells its
// senders; the reports go on by their own clock. What is chosen by the reason
// for which it is held is chosen before it is counted.
func TestReportsAreLeftAlone(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.down("far.example")
		w.mail.say(say550)
		w.inbound("alpha", "bob@corp.example") // fails, and its report waits for far
		w.submit("hq", "ann@corp.example", "joe@far.example")
		pass(time.Minute)
		g, out := w.gw("alpha"), gateway.Out
		list := func(sel gateway.Selection) []gateway.Item {
			t.Helper()
			items, err := g.List(t.Context(), sel)
			if err != nil {
				t.Fatal(err)
			}
			return items
		}
		all := list(gateway.Selection{Store: &out})
		if len(all) != 2 {
			t.Fatalf("%d entries wait, want a message and a report: %+v", len(all), all)
		}
		only := list(gateway.Selection{Store: &out, NoReports: true, Limit: 1})
		if len(only) != 1 || only[0].Class == "report" || only[0].From != "ann@corp.example" {
			t.Errorf("without reports: %+v", only)
		}
		if n, err := g.Act(t.Context(), gateway.Return, gateway.Selection{Store: &out, NoReports: true, Expect: 1}, "tester", "gone"); n != 1 || err != nil {
			t.Errorf("returned %d, %v", n, err)
		}
		if left := list(gateway.Selection{Store: &out, ID: only[0].Message}); len(left) != 0 {
			t.Errorf("what was returned is still there: %+v", left)
		}
		reports := list(gateway.Selection{Store: &out})
		if len(reports) != 1 || reports[0].Class != "report" {
			t.Fatalf("what is left is not the report: %+v", reports)
		}
		if n, err := g.Act(t.Context(), gateway.Suspend, gateway.Selection{ID: reports[0].Entry}, "tester", "a loop"); n != 1 || err != nil {
			t.Errorf("held %d, %v", n, err)
		}
		for held, want := range map[string]int{"loop": 1, "legal": 0} {
			if got := list(gateway.Selection{Held: held, Limit: 1}); len(got) != want {
				t.Errorf("held for %q: %+v", held, got)
			}
		}
	})
}
