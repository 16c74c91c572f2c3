package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/plan"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/runbook"
	"example.org/ims/pkg/zone"
)

func handOf(t *testing.T, p *plan.Plan, by plan.Begun, state string, back bool) plan.Hand {
	t.Helper()
	all := p.ByHand(by)
	i := slices.IndexFunc(all, func(h plan.Hand) bool { return h.State == state && h.Back == back })
	if i < 0 {
		t.Fatalf("the plan has no step %s: %v", state, p.Path())
	}
	return all[i]
}

// TestByHandReleasesOnlyWhatItHeld: what somebody holds on purpose stays, and no
// answer to a question is taken for people.
func TestByHandReleasesOnlyWhatItHeld(t *testing.T) {
	p := plan.Make(input(t, map[facts.ID]facts.Value{facts.GwSideHold: 1}))
	mine := "--held-for 'plan " + p.ID.Hash[7:19] + ", hold_aged, by hand'"
	hold := handOf(t, p, plan.Begun{}, "hold_aged", false)
	if len(hold.Do) != 3 || len(hold.Undo) != 1 || !strings.Contains(hold.Undo[0], mine) {
		t.Errorf("hold %q, undo %q", hold.Do, hold.Undo)
	}
	for _, c := range hold.Do { // by that reason it is found again
		if !strings.HasSuffix(c, " --reason"+strings.TrimPrefix(mine, "--held-for")) {
			t.Errorf("%s gives another reason than %s looks for", c, mine)
		}
	}
	asked := handOf(t, p, plan.Begun{}, "aged_decision", false)
	want := map[string]string{"send": "ims queue release ", "return_to_sender": "ims queue return ", "export": "(set -e; dir="}
	for _, c := range asked.Choices {
		if len(c.Do) != 1 || !strings.HasPrefix(c.Do[0], want[c.Name]) || !strings.Contains(c.Do[0], mine) {
			t.Errorf("choice %s: %q", c.Name, c.Do)
		}
		delete(want, c.Name)
	}
	if len(want) > 0 || len(asked.Do) > 0 || !strings.Contains(asked.Mind, "somebody else holds") {
		t.Errorf("no commands for %v; and without an answer: %q", want, asked.Do)
	}
	if h := handOf(t, p, plan.Begun{}, "release_aged", false); h.If != "send" {
		t.Errorf("what follows from an answer does not say so: %+v", h)
	}
	run := handOf(t, p, plan.Begun{Run: "east-1", States: []string{"hold_aged"}}, "hold_aged", false)
	if !strings.Contains(run.Undo[0], "--held-for 'run east-1, hold_aged'") {
		t.Errorf("what the run holds: %q", run.Undo)
	}
}

// TestByHandGoesBack: a state whose effect is undone on the path has the commands
// that undo it.
func TestByHandGoesBack(t *testing.T) {
	p := plan.Make(inputOf(book(t, "maintenance"), nil))
	for _, state := range []string{"stop", "outbound_only", "hold_aged", "remove_sites", "remove_spaces", "move_mx"} {
		there, back := handOf(t, p, plan.Begun{}, state, false), handOf(t, p, plan.Begun{}, state, true)
		if diff := cmp.Diff(there.Undo, back.Do); diff != "" || len(back.Do) == 0 || len(back.Undo) > 0 {
			t.Errorf("%s (-undo +back):\n%s", state, diff)
		}
	}
	if h := handOf(t, p, plan.Begun{}, "stop", true); !strings.HasPrefix(h.Do[0], "ims gateway start east ") {
		t.Errorf("the service is not started again: %q", h.Do)
	}
	if h := handOf(t, p, plan.Begun{}, "come_back", false); len(h.Do) > 0 || len(h.Nothing) != 1 {
		t.Errorf("come_back = %+v", h)
	}
	if h := handOf(t, p, plan.Begun{}, "accepting", false); !strings.Contains(h.Cached, "5m0s, its TTL") || !strings.Contains(h.Cached, "and 1h longer") {
		t.Errorf("for how long the old MX may be cached: %q", h.Cached)
	}
}

// TestByHandFollowsThePrediction: a condition that is not to hold is not
// demanded.
func TestByHandFollowsThePrediction(t *testing.T) {
	p := plan.Make(inputOf(book(t, "rescue"), map[facts.ID]facts.Value{facts.GwRunning: 0}))
	if h := handOf(t, p, plan.Begun{}, "direction", false); h.Else != "both_ways" {
		t.Errorf("direction = %+v, path %v", h, p.Path())
	}
	p = plan.Make(inputOf(book(t, "rescue"), map[facts.ID]facts.Value{facts.GwRunning: 0, facts.MxHere: 0, facts.MxExpired: 1}))
	if h := handOf(t, p, plan.Begun{}, "direction", false); h.Else != "" {
		t.Errorf("direction = %+v, path %v", h, p.Path())
	}
}

// TestByHandShares: the second gateway's commands name it, add before they take
// away, keep scopes, and go back to what was.
func TestByHandShares(t *testing.T) {
	in := inputOf(sharing(t), map[facts.ID]facts.Value{facts.NextCoversIn: 1})
	in.Before.Gateway.Spaces = []gateway.Space{{Type: "SMTP", Pattern: "*", Cost: 1, Scope: gateway.ScopeSite}, {Type: "X400", Pattern: "*", Cost: 3}}
	in.Before.Successor = &gateway.Config{Name: "west", Exists: true, Running: true, Stored: gateway.Settings{MaxInbound: 7}}
	p := plan.Make(in)
	reason := func(state string) string { return " --reason 'plan " + p.ID.Hash[7:19] + ", " + state + ", by hand'" }
	for state, want := range map[string][2][]string{
		"next_spaces": {
			{"ims route add west --type SMTP --pattern '*.org' --cost 2 --scope site" + reason("next_spaces")},
			{"ims route remove west --type SMTP --pattern '*.org'" + reason("next_spaces")},
		},
		"here_spaces": {
			{
				"ims route add east --type SMTP --pattern '*' --cost 5 --scope site" + reason("here_spaces"),
				"ims route remove east --type X400 --pattern '*'" + reason("here_spaces"),
			},
			{
				"ims route add east --type SMTP --pattern '*' --cost 1 --scope site" + reason("here_spaces"),
				"ims route add east --type X400 --pattern '*' --cost 3 --scope organization" + reason("here_spaces"),
			},
		},
		"limit_next": {
			{"ims gateway set west --max-inbound 30 --max-outbound 30 --restart" + reason("limit_next")},
			{"ims gateway set west --max-inbound 7 --max-outbound 0 --restart" + reason("limit_next")},
		},
	} {
		h := handOf(t, p, plan.Begun{}, state, false)
		if diff := cmp.Diff(want, [2][]string{h.Do, h.Undo}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", state, diff)
		}
	}
}

// sharing is add-successor with a split of its own.
func sharing(t *testing.T) *runbook.Book {
	t.Helper()
	b, mistakes := runbook.Bind(book(t, "add-successor").Doc, runbook.Binding{
		Gateway: "east", Successor: "west", Domains: []string{"example.test"},
		Params: map[string]string{"next_spaces": "SMTP:*.org 2", "here_spaces": "SMTP:* 5"},
	})
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	return b
}

// TestRecords: what a plan shows of records is read back whole, whatever stands
// in a TXT record.
func TestRecords(t *testing.T) {
	sets := []zone.RRset{
		zone.NewRRset("east.example.test", "A", 300, "192.0.2.1", "192.0.2.2"),
		zone.NewRRset("east.example.test", "AAAA", 0),
		zone.NewRRset("example.test", "TXT", 60, `"v=spf1 a; b | c -all" "two"`, `"say \"hi\"; | \\"`),
		zone.NewMX("example.test", 3, zone.MX{Pref: 10, Host: "east.example.test"}),
	}
	var lines []string
	for _, s := range sets {
		lines = append(lines, s.String())
	}
	got, err := plan.Records(strings.Join(lines, "; "))
	if diff := cmp.Diff(sets, got); diff != "" || err != nil {
		t.Errorf("records (-want +got), %v:\n%s", err, diff)
	}
	for _, bad := range []string{"", "unknown: it could not be read", "east.example.test. soon A 192.0.2.1"} {
		if got, err := plan.Records(bad); err == nil {
			t.Errorf("%q is %v", bad, got)
		}
	}
}
