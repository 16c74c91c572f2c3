package plan_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/plan"
	"example.org/ims/internal/verdict"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/runbook"
)

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func book(t *testing.T, name string) *runbook.Book {
	t.Helper()
	file := filepath.Join("../../runbooks", name+".yaml")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc, mistakes := runbook.Load(file, data)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	b, mistakes := runbook.Bind(doc, runbook.Binding{Gateway: "east", Successor: "west", Domains: []string{"example.test"}})
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	return b
}

// live is a gateway in service with mail in every store.
func live(change map[facts.ID]facts.Value) *facts.Set {
	s := facts.NewSet()
	for _, id := range facts.All() {
		s.Put(facts.Fact{ID: id, At: now, Provenance: facts.Live, Source: "test"})
	}
	base := map[facts.ID]facts.Value{
		facts.GwExists: 1, facts.GwRunning: 1, facts.GwAccepts: 1, facts.RouteHere: 1, facts.RouteSites: 1,
		facts.MxHere: 1, facts.MxAgree: 1, facts.NextAccepts: 1, facts.NextSends: 1, facts.NextCoversIn: 1, facts.NextCoversOut: 1, facts.LateQuiet: 1,
		facts.GwQMTA: 1, facts.GwQMTSOut: 2, facts.GwQOut: 3, facts.GwQIn: 1, facts.GwQMTSIn: 1, facts.GwQTotal: 8,
		facts.LedgerPresent: 8,
	}
	for _, m := range []map[facts.ID]facts.Value{base, change} {
		for id, v := range m {
			s.Put(facts.Fact{ID: id, Value: v, At: now, Provenance: facts.Live, Source: "test", Why: "why it is so"})
		}
	}
	return s
}

func TestPath(t *testing.T) {
	want := map[string][]string{
		"q285090": {
			"ready", "consent_no_route", "consent_inbound", "move_dependents", "move_mx", "mx_agrees", "accepting", "late_decision",
			"quiet", "hold_aged", "aged_decision", "outbound_only", "refusing", "remove_spaces", "remove_sites", "settle", "drain",
			"refuse_on", "close", "watch", "absorbed_decision", "settings_decision", "confirm", "remove", "gone", "done",
		},
		"eleven-steps": {
			"ready", "consent_no_route", "consent_inbound", "move_dependents", "move_mx", "mx_agrees", "accepting", "late_decision",
			"quiet", "remove_spaces", "remove_sites", "settle", "hold_aged", "aged_decision", "outbound_only", "refusing", "drain_mts",
			"flush_consent", "flush_settings", "restart", "empty", "refuse_on", "stop", "watch", "absorbed_decision",
			"settings_decision", "confirm", "remove", "gone", "done",
		},
	}
	for name, path := range want {
		t.Run(name, func(t *testing.T) {
			p := plan.Make(plan.Input{Book: book(t, name), Facts: live(nil), Now: now, Before: before()})
			if diff := cmp.Diff(path, p.Path()); diff != "" {
				t.Errorf("path (-want +got):\n%s", diff)
			}
			if p.Verdict != plan.Ready {
				t.Errorf("verdict = %s, want ready; checks %+v", p.Verdict, failing(p))
			}
			if p.NoReturn != "remove" {
				t.Errorf("point of no return = %q, want remove", p.NoReturn)
			}
		})
	}
}

func failing(p *plan.Plan) []plan.Check {
	return slices.DeleteFunc(slices.Clone(p.Checks), func(c plan.Check) bool { return c.Verdict == "pass" })
}

func TestVerdict(t *testing.T) {
	tests := []struct {
		name   string
		change map[facts.ID]facts.Value
		want   plan.Verdict
		check  string // that fails or is unknown
	}{
		{"no other route", map[facts.ID]facts.Value{facts.RouteUncovered: 1, facts.NextCoversOut: 0}, plan.Asks, "consent_no_route.when[0]"},
		{"successor refuses a domain", map[facts.ID]facts.Value{facts.NextCoversIn: 0}, plan.Asks, "consent_inbound.when[0]"},
		{"gateway stopped", map[facts.ID]facts.Value{facts.GwRunning: 0}, plan.Blocked, "ready.assert[0]"},
		{"mode none", map[facts.ID]facts.Value{facts.GwMode: 3}, plan.Blocked, "ready.assert[1]"},
		{"successor cannot be read", map[facts.ID]facts.Value{facts.NextAccepts: facts.Unknown}, plan.Unknown, "ready.assert[3]"},
		{"a fail beats an unknown", map[facts.ID]facts.Value{facts.NextAccepts: facts.Unknown, facts.GwRunning: 0}, plan.Blocked, "ready.assert[0]"},
		{"a fail beats a question", map[facts.ID]facts.Value{facts.RouteUncovered: 1, facts.NextAccepts: 0}, plan.Blocked, "ready.assert[3]"},
		{"a question beats an unknown", map[facts.ID]facts.Value{facts.RouteUncovered: 1, facts.GwSideHold: facts.Unknown}, plan.Asks, "consent_no_route.when[0]"},
		{"mail on hold needs a decision", map[facts.ID]facts.Value{facts.GwSideHold: 1}, plan.Asks, "aged_decision.when[0]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := plan.Make(plan.Input{Book: book(t, "q285090"), Facts: live(tt.change), Now: now, Before: before()})
			if p.Verdict != tt.want {
				t.Errorf("verdict = %s, want %s", p.Verdict, tt.want)
			}
			if !slices.ContainsFunc(failing(p), func(c plan.Check) bool { return c.ID == tt.check }) {
				t.Errorf("check %s does not fail; failing: %+v", tt.check, failing(p))
			}
		})
	}
}

func TestHash(t *testing.T) {
	make := func(change map[facts.ID]facts.Value) string {
		return plan.Make(plan.Input{Book: book(t, "q285090"), Facts: live(change), Now: now, Before: before()}).ID.Hash
	}
	base := make(nil)
	if got := make(map[facts.ID]facts.Value{facts.GwQOut: 999, facts.GwQTotal: 1004, facts.GwArrivals: 5}); got != base {
		t.Error("a count that moved changed the hash")
	}
	for _, id := range []facts.ID{facts.GwModeSet, facts.RouteDependents, facts.RouteSites} {
		if make(map[facts.ID]facts.Value{id: 2}) == base {
			t.Errorf("%s changed and the hash did not", id)
		}
	}
}

// TestAQuestionBlocksNothing wants a plan that asks told apart from one that is
// blocked: the run goes on once it is answered, and then asks the next.
func TestAQuestionBlocksNothing(t *testing.T) {
	p := plan.Make(plan.Input{Book: book(t, "q285090"), Facts: live(map[facts.ID]facts.Value{facts.RouteUncovered: 1, facts.NextCoversIn: 0}), Now: now, Before: before()})
	if got := p.Counts().String(); !strings.HasPrefix(got, "0 blockers, 2 questions, 0 unknown, ") || !p.Performable() {
		t.Errorf("%s; performable is %t, path %v", got, p.Performable(), p.Path())
	}
	for _, s := range p.States {
		if s.ID == "consent_no_route" && (s.Asks.When != plan.Now || s.Asks.State != s.ID || s.Asks.Min != 1) {
			t.Errorf("the step does not say that it asks now: %+v", s.Asks)
		}
	}
	unsure := plan.Make(plan.Input{Book: book(t, "q285090"), Facts: live(map[facts.ID]facts.Value{facts.RouteUncovered: 1}), Now: now})
	if unsure.Verdict != plan.Asks || unsure.Counts().Unknown+unsure.Counts().Predicted.Unknown == 0 || unsure.Performable() {
		t.Errorf("a plan that asks and relies on what is unknown: %s, %s; performable is %t", unsure.Verdict, unsure.Counts(), unsure.Performable())
	}
	if blocked := plan.Make(plan.Input{Book: book(t, "q285090"), Facts: live(map[facts.ID]facts.Value{facts.GwRunning: 0}), Now: now, Before: before()}); blocked.Performable() {
		t.Error("a plan that is blocked can be performed")
	}
}

// TestJudge wants what was judged of now counted as it was, and what the run
// judges for itself unmoved by waivers.
// TestUnreadIsNotReady: what cannot be read before it is changed cannot be
// shown, nor put back.
func TestUnreadIsNotReady(t *testing.T) {
	in := plan.Input{Book: book(t, "q285090"), Facts: live(nil), Now: now, Before: before()}
	in.Before.Zones = nil
	in.Before.Words = map[string]string{"hold_aged/east": "unknown: the spool does not answer"}
	p := plan.Make(in)
	want := map[string]string{"move_mx.before.example.test": "it could not be read", "hold_aged.before.east": "the spool does not answer"}
	got := map[string]string{}
	for _, c := range failing(p) {
		got[c.ID] = c.Why
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
	if p.Verdict != plan.Unknown || p.Performable() {
		t.Errorf("verdict = %s, performable %t; want unknown, and not performable", p.Verdict, p.Performable())
	}
}

func TestJudge(t *testing.T) {
	make := func() *plan.Plan {
		return plan.Make(plan.Input{Book: book(t, "q285090"), Facts: live(map[facts.ID]facts.Value{facts.RouteUncovered: 1, facts.GwSideHold: 2}), Now: now, Before: before()})
	}
	p := make()
	now0 := []plan.Check{
		{ID: "ready.assert[0]", Verdict: verdict.Pass},
		{ID: "consent_no_route.when[0]", Verdict: verdict.Ask, Asked: "consent_no_route", Waived: "nobody writes there (anna)"},
		{ID: "cover.out.SMTP:*@hq", Verdict: verdict.Ask, Asked: "consent_no_route"},
	}
	p.Judge(now0)
	if got := p.Counts().String(); !strings.HasPrefix(got, "0 blockers, 1 question, 0 unknown, 1 ok; predicted: 0 blockers, 1 question, ") || p.Verdict != plan.Asks {
		t.Errorf("%s: %s", p.Verdict, got)
	}
	p = make()
	p.Judge(append(now0, plan.Check{ID: "cover.in.tls", Verdict: verdict.Fail}, plan.Check{ID: "notify", Verdict: verdict.Fail, Waived: "we look every hour (anna)"}))
	if got := p.Counts().String(); !strings.HasPrefix(got, "1 blocker, 1 question, ") || p.Verdict != plan.Blocked || p.Performable() {
		t.Errorf("%s: %s; performable is %t", p.Verdict, got, p.Performable())
	}
	short := plan.Make(plan.Input{Book: book(t, "q285090"), Facts: live(map[facts.ID]facts.Value{facts.GwRunning: 0}), Now: now})
	short.Judge(now0)
	if len(short.States) != 1 || len(short.Questions) != 1 || short.Questions[0].State != "consent_no_route" {
		t.Errorf("what is asked further on than the prediction comes is not told: %+v", short.Questions)
	}
}
