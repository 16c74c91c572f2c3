package preflight

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/plan"
	"example.org/ims/internal/verdict"
	"example.org/ims/pkg/facts"
)

// TestOfWhatIsGoneOneThingIsSaid wants of a gateway that was removed that, and by
// which run, live and from a file, instead of checks of what exists no more.
func TestOfWhatIsGoneOneThingIsSaid(t *testing.T) {
	s := serving(map[facts.ID]facts.Value{facts.GwExists: 0, facts.GwRunning: 0, facts.NextDiffers: facts.Unknown})
	s.Notes = []string{"old MX of example.test may be cached until tomorrow"}
	for _, tt := range []struct {
		name    string
		by      *Removal
		open    []string
		wrong   []string
		reason  string
		fix     string
		offline bool
	}{
		{"a run did", &Removal{"east-1", now.Add(-time.Hour)}, nil, []string{"fail removed"}, "by run east-1, which ended 2026-11-22T07:00:00Z", "ims status east-1", false},
		{"from a file", &Removal{"east-1", now.Add(-time.Hour)}, nil, []string{"fail removed"}, "by run east-1, which ended 2026-11-22T07:00:00Z", "ims status east-1", true},
		{"nobody knows who", nil, nil, []string{"fail removed"}, "by no run that is known here", "ims status", false},
		{"a run is open", &Removal{"east-1", now.Add(-time.Hour)}, []string{"east-2"}, []string{"fail removed", "fail open-run.east-2"}, "removed already", "ims status", false},
	} {
		s.Removed, s.Runs = tt.by, tt.open
		r := report(t, Input{Snapshot: s, Offline: tt.offline, Waivers: []Waiver{{ID: "cover.in.tls", Reason: "no", By: "anna", Expires: now.Add(time.Hour)}}})
		if diff := cmp.Diff(tt.wrong, wrong(r)); diff != "" || r.Verdict != verdict.Blocked || len(r.Questions)+len(r.Approvals) > 0 {
			t.Errorf("%s: %s (-want +got):\n%s", tt.name, r.Verdict, diff)
		}
		c := find(t, r, plan.Removed)
		if !strings.Contains(c.Reason, tt.reason) || !strings.HasPrefix(c.Reason, "gateway east was removed already") || c.Fix != tt.fix {
			t.Errorf("%s: %+v", tt.name, c)
		}
		if len(r.Later) < 20 || r.Removed == nil || len(r.Waivers) != 1 || len(r.Notes) < 2 || strings.Contains(strings.Join(r.Notes, "\n"), "cached") {
			t.Errorf("%s: removed %+v, waivers %+v, notes %q, %d not judged", tt.name, r.Removed, r.Waivers, r.Notes, len(r.Later))
		}
	}
	unknown := report(t, Input{Snapshot: s, Offline: true, Made: now.Add(48 * time.Hour), MaxAge: time.Hour})
	if unknown.Removed != nil || unknown.Verdict != verdict.Blocked { // by the open run
		t.Errorf("what was seen two days ago is said of now: %s, %+v", unknown.Verdict, unknown.Removed)
	}
}

// TestApprovalsAreNoQuestions wants what a run asks in any case told apart from
// what is asked because of what was found.
func TestApprovalsAreNoQuestions(t *testing.T) {
	r := report(t, Input{Snapshot: serving(nil)})
	if diff := cmp.Diff([]string{"confirm"}, r.Approvals); diff != "" || len(r.Questions) > 0 || r.Counts.Questions > 0 {
		t.Errorf("questions %+v, approvals (-want +got):\n%s", r.Questions, diff)
	}
}

// TestAWaiverForAnotherPairIsShown wants it to waive nothing, and said why.
func TestAWaiverForAnotherPairIsShown(t *testing.T) {
	aside := "it is for west -> east"
	s := serving(map[facts.ID]facts.Value{facts.NextDiffers: 1, facts.RouteUncovered: 1})
	s.Compared = []Setting{{ID: "compare:retry", Title: "retry intervals"}}
	all := []Waiver{
		{ID: "compare:retry", By: "anna", Expires: now.Add(time.Hour), Aside: aside},
		{ID: "consent_no_route.when[0]", By: "anna", Expires: now.Add(time.Hour), Aside: aside},
		{ID: "cover.in.tls", By: "anna", Expires: now.Add(-time.Hour), Aside: aside},
	}
	r := report(t, Input{Snapshot: s, Offline: true, Waivers: all, Known: []string{"compare:retry"}})
	if diff := cmp.Diff([]string{"ask consent_no_route.when[0]", "ask settings_decision.when[0]"}, wrong(r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, w := range r.Waivers {
		if w.Used || w.Note != "not used: "+aside {
			t.Errorf("%+v", w)
		}
	}
	if len(r.Waivers) != len(all) {
		t.Errorf("%d waivers are shown, want %d", len(r.Waivers), len(all))
	}
}
