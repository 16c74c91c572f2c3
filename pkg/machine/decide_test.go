package machine

import (
	"testing"
	"time"
)

// asking is a runbook with two questions before what cannot be undone, a third
// that is not always asked, and a wait:
//
//	early → watch → sure → stop → check → remove → done
func asking() *Def {
	question := func(id string, when int, to Target) StateDef {
		st := StateDef{ID: id, Kind: KindApprove, Approve: &Approve{When: when, Min: 1, Expires: time.Hour, Choices: []Choice{{Name: "granted", Target: to}}}}
		st.Then[OK], st.Then[Rejected], st.Then[Expired] = to, ToOperator, ToOperator
		return st
	}
	do := func(id string, a ActionName, to Target) StateDef {
		st := StateDef{ID: id, Kind: KindDo, Do: &Do{Action: a, Pre: Here, Targets: []string{"a"}, Retry: Retry{Max: 1}}}
		st.Then[OK] = to
		return st
	}
	watch := StateDef{ID: "watch", Kind: KindWait, Wait: &Wait{Until: 0, Drift: Here}}
	watch.Then[OK] = 2
	check := StateDef{ID: "check", Kind: KindAssert, Assert: 1}
	check.Then[OK] = 5
	return &Def{Name: "asking", Guards: []string{"watch.until", "check", "maybe.when"}, States: []StateDef{
		question("early", Here, 1), watch, question("sure", Here, 3), do("stop", GatewayRunning, 4), check,
		do("remove", GatewayAbsent, 6),
		{ID: "done", Kind: KindEnd, End: Retired},
		question("maybe", 2, 5), question("circle", Here, 9), do("round", QueueRetry, 9),
	}}
}

// What an answer decides is what it leads straight to.
func TestDecides(t *testing.T) {
	d := asking()
	for state, want := range map[string]int{
		"early":  Here, // a wait lies between
		"sure":   5,
		"maybe":  Here, // it is not always asked
		"circle": Here,
		"watch":  Here,
	} {
		if got := d.Decides(d.Find(state), 0); got != want {
			t.Errorf("an answer to %s decides %d, want %d", state, got, want)
		}
	}
	if got := d.Decides(d.Find("sure"), 1); got != Here {
		t.Errorf("an answer that there is not decides %d", got)
	}
}

// The last word counts: an answer about something else leaves a decision as it
// is, a no voids it, and so does the end of the time for an answer.
func TestTheLastWordCounts(t *testing.T) {
	granted := func(q string) Decision { return Decision{State: asking().Find(q)} }
	no := func(q string, r Result) Decision { return Decision{State: asking().Find(q), Result: r} }
	for _, tt := range []struct {
		name string
		all  []Decision
		want int // index of the last word, or -1
		ok   bool
	}{
		{"nobody was asked", nil, -1, false},
		{"only about something else", []Decision{granted("early"), granted("maybe")}, -1, false},
		{"agreed", []Decision{granted("early"), granted("sure")}, 1, true},
		{"and then something else", []Decision{granted("sure"), granted("maybe"), granted("early")}, 0, true},
		{"and then a no", []Decision{granted("sure"), no("sure", Rejected)}, 1, true},
		{"a no to something else", []Decision{granted("sure"), no("maybe", Rejected), granted("early")}, 1, true},
		{"no answer in time", []Decision{granted("sure"), no("early", Expired)}, 1, true},
		{"agreed after all", []Decision{no("sure", Rejected), granted("sure")}, 1, true},
	} {
		h := NewHistory(asking())
		h.Decisions = tt.all
		d, ok := h.Decision(5)
		switch {
		case tt.want < 0 && d != nil, tt.want >= 0 && d != &h.Decisions[tt.want], ok != tt.ok:
			t.Errorf("%s: %+v, %t", tt.name, d, ok)
		case d != nil && d.No() != (d.Result != OK):
			t.Errorf("%s: no is %t", tt.name, d.No())
		}
	}
	h := NewHistory(asking())
	h.Decisions = []Decision{granted("sure")}
	if d, ok := h.Decision(3); d == nil || ok {
		t.Errorf("a decision about remove counts for stop: %+v, %t", d, ok)
	}
}

// The fold of a journal keeps how questions ended, and nothing that was answered
// when nothing was asked.
func TestHistoryKeepsTheNo(t *testing.T) {
	h := NewHistory(asking())
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for i, e := range []Event{
		opened,
		{Kind: Elapsed, Timer: ExpiryTimer},
		{Kind: Answered},
		{Kind: Continue},
		{Kind: Answered, Answer: RejectedAnswer},
		{Kind: Elapsed, Timer: ExpiryTimer},
		{Kind: Continue},
		{Kind: Answered},
	} {
		h.Add(Record{Kind: e.Kind.String(), At: at.Add(time.Duration(i) * time.Minute), Event: e, Detail: Detail{Actor: "ann"}})
	}
	var got []Result
	for _, d := range h.Decisions {
		got = append(got, d.Result)
		if d.State != 0 || d.At.Before(at) || d.Detail.Actor != "ann" {
			t.Errorf("%+v", d)
		}
	}
	if len(got) != 3 || got[0] != Expired || got[1] != Rejected || got[2] != OK || !h.Decisions[2].At.Equal(at.Add(7*time.Minute)) {
		t.Errorf("questions ended %v", got)
	}
}
