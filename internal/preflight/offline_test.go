package preflight

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/verdict"
	"example.org/ims/pkg/facts"
)

// saved is a snapshot as a file holds it.
func saved(t *testing.T, s *Snapshot) []byte {
	t.Helper()
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte(`{"schema":"ims/facts/v1",`), raw[1:]...)
}

func TestOfflineGivesTheSameVerdicts(t *testing.T) {
	live := serving(map[facts.ID]facts.Value{facts.RouteUncovered: 1, facts.GwSideCorrupt: facts.Unknown})
	read, err := Read(saved(t, live))
	if err != nil {
		t.Fatal(err)
	}
	a := report(t, Input{Snapshot: live})
	b := report(t, Input{Snapshot: read, Offline: true, Made: now.Add(time.Hour)})
	if diff := cmp.Diff(wrong(a), wrong(b)); diff != "" || a.Verdict != b.Verdict {
		t.Errorf("verdicts differ (-live +recorded):\n%s", diff)
	}
	if !b.Now.Equal(now) || !b.Ends.Equal(a.Ends) {
		t.Errorf("now is %s, ends %s: want the time of the facts, and an end from there", b.Now, b.Ends)
	}
	for _, c := range b.Checks {
		if want := facts.Recorded; c.Verdict != Unknown && c.Provenance != want || c.Age != 3600 && c.Verdict != Unknown {
			t.Errorf("%s has provenance %s and age %d", c.ID, c.Provenance, c.Age)
		}
	}
}

func TestOldFactsAreUnknown(t *testing.T) {
	r := report(t, Input{Snapshot: serving(nil), Offline: true, Made: now.Add(time.Hour), MaxAge: time.Hour})
	if r.Verdict != verdict.Ready {
		t.Errorf("facts that are just young enough: %s, %q", r.Verdict, wrong(r))
	}
	r = report(t, Input{Snapshot: serving(nil), Offline: true, Made: now.Add(2 * time.Hour), MaxAge: time.Hour})
	if r.Verdict != verdict.NotKnown {
		t.Errorf("verdict = %s", r.Verdict)
	}
	for _, c := range r.Checks {
		if c.Verdict != Unknown || !strings.Contains(c.Reason+strings.Join(c.Missing, ""), "2h0m0s ago") {
			t.Errorf("%s: %s, %s %q", c.ID, c.Verdict, c.Reason, c.Missing)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	good := serving(nil)
	for name, data := range map[string][]byte{
		"not JSON":     []byte("facts"),
		"other schema": []byte(`{"schema":"ims/plan/v1"}`),
		"no gateway":   []byte(`{"schema":"ims/facts/v1"}`),
		"bad value":    []byte(strings.Replace(string(saved(t, good)), `"value":"inbound-outbound"`, `"value":"both"`, 1)),
	} {
		if _, err := Read(data); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := Read([]byte(strings.Replace(string(saved(t, good)), `"name":"gw.exists"`, `"name":"gw.of_tomorrow"`, 1))); err != nil {
		t.Errorf("a fact of another version: %v", err)
	}
}

func TestWaivers(t *testing.T) {
	world := serving(map[facts.ID]facts.Value{facts.RouteUncovered: 1})
	w := Waiver{ID: "consent_no_route.when[0]", Reason: "nobody writes there", By: "anna", Expires: now.Add(time.Hour)}
	r := report(t, Input{Snapshot: world, Waivers: []Waiver{w}})
	if r.Verdict != verdict.Ready || len(r.Waivers) != 1 || !r.Waivers[0].Used || find(t, r, w.ID).Verdict != Ask {
		t.Errorf("waived: %s, %+v", r.Verdict, r.Waivers)
	}
	r = report(t, Input{Snapshot: world, Waivers: []Waiver{w}, Made: w.Expires})
	if c := find(t, r, "waiver."+w.ID); r.Verdict != verdict.Blocked || !strings.Contains(c.Reason, "by anna") || find(t, r, w.ID).Waived != nil {
		t.Errorf("expired: %s, %+v", r.Verdict, c)
	}
	r = report(t, Input{Snapshot: serving(nil), Waivers: []Waiver{w}})
	if r.Verdict != verdict.Ready || r.Waivers[0].Used || r.Waivers[0].Note == "" {
		t.Errorf("not needed: %s, %+v", r.Verdict, r.Waivers)
	}
	w.ID = "consent_no_rout.when[0]"
	if _, err := Make(Input{Snapshot: world, Book: book(t, "q285090"), Made: now, Waivers: []Waiver{w}}); err == nil || !strings.Contains(err.Error(), `did you mean "consent_no_route.when[0]"?`) {
		t.Errorf("unknown check: %v", err)
	}
	if r, err := Make(Input{Snapshot: world, Book: book(t, "q285090"), Made: now, Waivers: []Waiver{w}, Known: []string{w.ID}}); err != nil || r.Verdict != verdict.Asks {
		t.Errorf("check of another runbook: %v, %v", r, err)
	}
}

// TestSettingsAreWaivedWhereTheyAreJudged: what was waived when the facts were
// observed is not, once nobody waives it.
func TestSettingsAreWaivedWhereTheyAreJudged(t *testing.T) {
	world := serving(nil)
	world.Compared = []Setting{{ID: "compare:retry", Title: "retry intervals", Why: "longer"}, {ID: "compare:max-size", Title: "size limit"}}
	world.Notes = []string{"west has not taken over: something else", "a note"}
	both := []Waiver{{ID: "compare:retry", By: "anna", Expires: now.Add(2 * time.Hour)}, {ID: "compare:max-size", By: "anna", Expires: now.Add(time.Hour)}}
	known := []string{"compare:retry", "compare:max-size"}
	for _, tt := range []struct {
		name    string
		waivers []Waiver
		made    time.Time
		want    verdict.Whole
		notes   []string
	}{
		{"both", both, now, verdict.Ready, []string{"a note"}},
		{"one", both[:1], now, verdict.Asks, []string{"a note", "west has not taken over: size limit"}},
		{"none", nil, now, verdict.Asks, []string{"a note", "west has not taken over: retry intervals, longer", "west has not taken over: size limit"}},
		{"one has expired since", both, now.Add(time.Hour), verdict.Blocked, []string{"a note", "west has not taken over: size limit"}},
	} {
		r := report(t, Input{Snapshot: world, Offline: true, Made: tt.made, Waivers: tt.waivers, Known: known})
		if diff := cmp.Diff(tt.notes, r.Notes); diff != "" || r.Verdict != tt.want {
			t.Errorf("%s: %s, want %s; notes (-want +got)\n%s", tt.name, r.Verdict, tt.want, diff)
		}
		for _, w := range r.Waivers {
			if !w.Expired && (!w.Used || !strings.Contains(w.Note, "west has not taken over: ")) {
				t.Errorf("%s: %+v does not say what it waives", tt.name, w)
			}
		}
	}
	world.Compared = nil
	if r := report(t, Input{Snapshot: world, Offline: true}); r.Verdict != verdict.Ready || len(r.Notes) != 2 {
		t.Errorf("facts that do not say what differs: %s, %q", r.Verdict, r.Notes)
	}
	world.Compared = []Setting{{ID: "compare:retry"}}
	if r := report(t, Input{Snapshot: world, Offline: true, Made: now.Add(time.Hour), MaxAge: time.Minute}); r.Verdict != verdict.NotKnown {
		t.Errorf("old facts: %s", r.Verdict)
	}
}

func TestBaseline(t *testing.T) {
	one := serving(map[facts.ID]facts.Value{facts.RouteUncovered: 1, facts.GwSideCorrupt: facts.Unknown})
	before := report(t, Input{Snapshot: one})
	data, err := json.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	before, err = ReadReport(append([]byte(`{"schema":"ims/preflight/v1",`), data[1:]...))
	if err != nil {
		t.Fatal(err)
	}
	r := report(t, Input{Snapshot: one, Baseline: before})
	if r.Verdict != verdict.Ready || len(r.Baseline.Old) != 2 || len(r.Baseline.New) > 0 {
		t.Errorf("the same again: %s, %+v", r.Verdict, r.Baseline)
	}
	worse := serving(map[facts.ID]facts.Value{facts.RouteUncovered: 1, facts.GwSideCorrupt: 2})
	r = report(t, Input{Snapshot: worse, Baseline: before})
	want := &Baseline{Made: now, Runbook: "q285090", Old: []string{"consent_no_route.when[0]"}, New: []string{"ready.assert[2]"}, Gone: []string{}}
	if diff := cmp.Diff(want, r.Baseline); diff != "" || r.Verdict != verdict.Blocked {
		t.Errorf("unknown has become a failure: %s (-want +got)\n%s", r.Verdict, diff)
	}
	r = report(t, Input{Snapshot: serving(nil), Baseline: before})
	if !slices.Equal(r.Baseline.Gone, []string{"ready.assert[2]", "consent_no_route.when[0]"}) || r.Verdict != verdict.Ready {
		t.Errorf("all is well: %s, %+v", r.Verdict, r.Baseline)
	}
	waived := report(t, Input{Snapshot: one, Waivers: []Waiver{{ID: "consent_no_route.when[0]", Expires: now.Add(time.Hour)}}})
	if r = report(t, Input{Snapshot: one, Baseline: waived}); r.Verdict != verdict.Asks {
		t.Errorf("what was waived in the baseline, and is no more, is %s", r.Verdict)
	}
	for what, change := range map[string]func(*Report){
		"gateway": func(r *Report) { r.Gateway = "west" }, "successor": func(r *Report) { r.Successor = "south" },
		"runbook": func(r *Report) { r.Runbook = "eleven-steps" },
	} {
		of := *before
		change(&of)
		if _, err := Make(Input{Snapshot: one, Book: book(t, "q285090"), Made: now, Baseline: &of}); err == nil || !strings.Contains(err.Error(), "baseline is of "+what) {
			t.Errorf("the baseline of another %s: %v", what, err)
		}
	}
	if _, err := ReadReport([]byte(`{"schema":"ims/facts/v1"}`)); err == nil {
		t.Error("a file of another schema is accepted")
	}
}

// TestFactsOfTheFutureAreUnknown: an age that is negative is no young age, but a
// clock that is wrong.
func TestFactsOfTheFutureAreUnknown(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ahead time.Duration
		max   time.Duration
		want  verdict.Whole
	}{
		{"within the skew", 2 * time.Minute, time.Hour, verdict.Ready},
		{"beyond it", 2*time.Minute + time.Second, time.Hour, verdict.NotKnown},
		{"without a limit", 48 * time.Hour, 0, verdict.NotKnown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := report(t, Input{Snapshot: serving(nil), Offline: true, Made: now.Add(-tt.ahead), MaxAge: tt.max})
			if r.Verdict != tt.want {
				t.Fatalf("verdict = %s, want %s: %q", r.Verdict, tt.want, wrong(r))
			}
			for _, c := range r.Checks {
				if tt.want == verdict.NotKnown && (!strings.Contains(c.Reason+strings.Join(c.Missing, ""), "the clocks do not agree: ") || !strings.HasPrefix(c.Fix, "set the clock")) {
					t.Errorf("%s: %s %q, fix %q", c.ID, c.Reason, c.Missing, c.Fix)
				}
			}
		})
	}
}

// TestAgesAreTrueWords: what is more than a limit is not printed as the limit.
func TestAgesAreTrueWords(t *testing.T) {
	if got, want := untimely(now, now.Add(-1200*time.Millisecond), time.Second), "it was observed 2s ago, and older than 1s does not count"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestBaselineHidesNothingWorse: a check that did not pass before is new once it
// names more, or counts more of what is configured.
func TestBaselineHidesNothingWorse(t *testing.T) {
	world := func(settings, spaces []string) *Snapshot {
		s := serving(map[facts.ID]facts.Value{facts.NextDiffers: facts.Int(int64(len(settings))), facts.RouteUncovered: facts.Int(int64(len(spaces))), facts.GwExpiring: 7})
		s.Compared, s.Outbound.Parts = []Setting{}, nil
		for _, one := range settings {
			s.Compared = append(s.Compared, Setting{ID: "compare:" + one, Title: one})
		}
		for _, one := range spaces {
			s.Outbound.Parts = append(s.Outbound.Parts, Part{Name: "SMTP:" + one, From: "hq", Verdict: "uncovered", Why: "no route", Fix: "ims route add"})
		}
		return s
	}
	before := func() *Report {
		return report(t, Input{Snapshot: world([]string{"retry", "relay"}, []string{"*.test"})})
	}
	bare := before() // as an earlier version saved it
	for i := range bare.Checks {
		bare.Checks[i].Members = nil
	}
	const settings, spaces = "settings_decision.when[0]", "consent_no_route.when[0]"
	for _, tt := range []struct {
		name     string
		baseline *Report
		now      *Snapshot
		want     []string
	}{
		{"the same", before(), world([]string{"retry", "relay"}, []string{"*.test"}), []string{}},
		{"fewer", before(), world([]string{"retry"}, []string{"*.test"}), []string{}},
		{"one more setting", before(), world([]string{"retry", "relay", "etrn"}, []string{"*.test"}), []string{settings}},
		{"as many, of which one is another", before(), world([]string{"retry", "etrn"}, []string{"*.test"}), []string{settings}},
		{"another space", before(), world([]string{"retry", "relay"}, []string{"*.other"}), []string{spaces, "cover.out.SMTP:*.other@hq"}},
		{"of a version without names, as many", bare, world([]string{"retry", "etrn"}, []string{"*.test"}), []string{}},
		{"of a version without names, more", bare, world([]string{"retry", "relay", "etrn"}, []string{"*.test"}), []string{settings}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := report(t, Input{Snapshot: tt.now, Baseline: tt.baseline})
			got := slices.DeleteFunc(slices.Clone(r.Baseline.New), func(id string) bool { return strings.HasPrefix(id, "remove") })
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("new (-want +got):\n%s", diff)
			}
			if (r.Verdict == verdict.Ready) != (len(tt.want) == 0) {
				t.Errorf("verdict %s: %q", r.Verdict, r.Baseline.New)
			}
		})
	}
}
