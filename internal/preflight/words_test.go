package preflight

import (
	"slices"
	"strings"
	"testing"

	"example.org/ims/internal/verdict"
	"example.org/ims/pkg/facts"
)

// TestOneFactIsAskedOrBlocks: what the run asks people about is no blocker of a
// later state, also where a dry run does not come so far.
func TestOneFactIsAskedOrBlocks(t *testing.T) {
	r := report(t, Input{Snapshot: serving(map[facts.ID]facts.Value{facts.NextDiffers: 1, facts.NextAccepts: 0})})
	if c := find(t, r, "settings_decision.when[0]"); c.Verdict != Ask {
		t.Errorf("settings_decision: %s", c.Verdict)
	}
	i := slices.IndexFunc(r.Later, func(l Later) bool { return l.ID == "remove.pre[6]" })
	if i < 0 || !strings.Contains(r.Later[i].Why, "next.differs: the run asks people about it in settings_decision") {
		t.Errorf("remove.pre[6] is judged, or not for that reason: %+v", wrong(r))
	}
	if r.Verdict != verdict.Blocked {
		t.Errorf("verdict %s: what is not asked about blocks all the same", r.Verdict)
	}
}

// TestWordsStandOnOneLine: an error of several lines is printed as one sentence, a
// note once, and who may not look was refused no change.
func TestWordsStandOnOneLine(t *testing.T) {
	s := serving(nil)
	s.Notes = []string{"a\nb", "c", "a\nb"}
	s.Inbound.MX[0].Err = "first\nsecond: access denied: gateway refused the change"
	r := report(t, Input{Snapshot: s})
	if got, want := find(t, r, "cover.in.mx.example.test").Reason, "first; second: access denied"; got != want {
		t.Errorf("reason %q, want %q", got, want)
	}
	if !slices.Equal(r.Notes, []string{"a; b", "c"}) {
		t.Errorf("notes %q", r.Notes)
	}
}
