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
