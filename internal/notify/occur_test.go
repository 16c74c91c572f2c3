package notify

import (
	"strings"
	"testing"
	"time"

	"example.org/ims/pkg/machine"
)

// TestDigestOfAQuietThatEarnsNothing: a soak that late mail resets again and
// again is told of, too, and what resets it.
func TestDigestOfAQuietThatEarnsNothing(t *testing.T) {
	book := shipped(t, "q285090")
	s := NewStory(book, "east-1", 24*time.Hour)
	from := time.Date(2026, 6, 16, 12, 0, 0, 0, time.UTC)
	at := func(hours int) time.Time { return from.Add(time.Duration(hours) * time.Hour) }
	watch := book.Def.Find("watch")
	s.hist.State.Cur, s.hist.State.Phase = uint8(watch), machine.Judging
	s.hist.Visits = []machine.Visit{{State: "watch", Entered: from}}
	until := uint8(book.Def.States[watch].Wait.Until)
	judged := func(hours int, v machine.Verdict, why string) machine.Record {
		return machine.Record{Kind: machine.Judged.String(), At: at(hours), Event: machine.Event{Kind: machine.Judged, Guard: until, Verdict: v}, Detail: machine.Detail{Why: why}}
	}
	observed := func(hours int, arrivals string) machine.Record {
		return machine.Record{Kind: machine.Observed, At: at(hours), Detail: machine.Detail{From: from, Facts: map[string]string{
			"gw.reply": "closed", "gw.arrivals": arrivals,
		}}}
	}
	for _, tt := range []struct {
		record machine.Record
		hours  int
		want   string // of the digest
	}{
		{observed(1, "2"), 23, ""},
		{observed(2, "2"), 24, "Monitor for a few days: quiet for 0s of 72h0m0s: mail still arrives"},
		{judged(30, machine.Pass, ""), 47, ""},
		{observed(36, "0"), 48, "Monitor for a few days: quiet for 6h0m0s of 72h0m0s"},
		{judged(50, machine.Fails, "mail still arrives"), 71, ""},
		{observed(51, "1"), 72, "quiet for 0s of 72h0m0s: mail still arrives; last reset 2026-06-18 14:00:00Z: mail still arrives"},
		{judged(73, machine.Pass, ""), 96, "quiet for 0s of 72h0m0s; last reset 2026-06-18 14:00:00Z: mail still arrives"},
	} {
		if notes := s.Add(tt.record); notes != nil {
			t.Errorf("hour %d: told %+v", tt.hours, notes)
		}
		got := s.Tick(at(tt.hours))
		if (tt.want == "") != (got == nil) || got != nil && !strings.HasSuffix(got[0].Text, tt.want) {
			t.Errorf("hour %d: %+v, want %q", tt.hours, got, tt.want)
		}
	}
}

// TestQuestionWithChoices: what people are told to do to answer can be pasted,
// one command for each choice.
func TestQuestionWithChoices(t *testing.T) {
	book := shipped(t, "q285090")
	s := NewStory(book, "east-1", 0)
	asking := book.Def.Find("late_decision")
	s.hist.State.Cur, s.hist.State.Phase = uint8(asking), machine.Asking
	notes := s.Add(machine.Record{Kind: machine.Asked, Detail: machine.Detail{State: "late_decision", Comment: "What about them?"}})
	if len(notes) != 1 || notes[0].Command != "ims status east-1" {
		t.Fatalf("told %+v", notes)
	}
	for i, c := range book.Def.States[asking].Approve.Choices {
		if want := "ims approve east-1 late_decision --choice " + c.Name; !strings.HasPrefix(notes[0].Lines[i], want) {
			t.Errorf("line %d is %q, want %q", i+1, notes[0].Lines[i], want)
		}
	}
	if strings.Contains(strings.Join(notes[0].Lines, "\n"), "|") {
		t.Errorf("a shell takes %q apart", notes[0].Lines)
	}
}
