package machine

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// sample is a small runbook with every kind of state:
//
//	ask → change → watch → check → remove → done
func sample() *Def {
	retry := Retry{Max: 2, First: time.Second, Factor: 2, Cap: time.Minute}
	then := func(pairs ...any) (t [numResults]Target) {
		for i := range t {
			t[i] = ToOperator
		}
		for i := 0; i < len(pairs); i += 2 {
			t[pairs[i].(Result)] = Target(pairs[i+1].(int))
		}
		return t
	}
	return &Def{
		Name: "sample", Start: 0, Guards: []string{"ask.when", "change.pre", "watch.until", "watch.drift", "check", "remove.pre"},
		States: []StateDef{
			{ID: "ask", Kind: KindApprove, Approve: &Approve{When: 0, Min: 1, Expires: time.Hour, Choices: []Choice{{Name: "granted", Target: 1, Grants: 1}}}, Then: then(OK, 1)},
			{ID: "change", Kind: KindDo, Do: &Do{Action: GatewayMode, Pre: 1, Targets: []string{"a", "b"}, Retry: retry}, Then: then(OK, 2)},
			{ID: "watch", Kind: KindWait, Wait: &Wait{Until: 2, Drift: 3, For: time.Minute, Timeout: time.Hour, Metric: "gw.q.total", Stall: time.Minute}, Then: then(OK, 3)},
			{ID: "check", Kind: KindAssert, Assert: 4, Then: then(OK, 4)},
			{ID: "remove", Kind: KindDo, Do: &Do{Action: GatewayAbsent, Pre: 5, Targets: []string{"a"}, Retry: retry, Risk: true, Undo: Undo{Kind: UndoImpossible}}, Then: then(OK, 5, GuardFails, 2)},
			{ID: "done", Kind: KindEnd, End: Retired},
		},
	}
}

func judged(g uint8, v Verdict) Event { return Event{Kind: Judged, Guard: g, Verdict: v} }
func outcome(r EffectState) Event     { return Event{Kind: OutcomeIs, Result: r} }

var (
	backedOff = Event{Kind: Elapsed, Timer: BackoffTimer}

	opened = Event{Kind: Opened}
	intent = Event{Kind: IntentSet}
	done   = outcome(Done)
)

// blind are as many looks in a row at which a guard is unknown as the sample has.
func blind(g uint8) []Event { return []Event{judged(g, Unknown), backedOff, judged(g, Unknown)} }

// upTo are the events that lead to a state of the sample.
func upTo(state string) []Event {
	all := map[string][]Event{
		"ask":    {opened},
		"change": {judged(0, Fails)},
		"watch":  {judged(1, Pass), intent, done, judged(1, Pass), intent, done},
		"check":  {judged(2, Pass), {Kind: Elapsed, Timer: HoldTimer}},
		"remove": {judged(4, Pass)},
		"done":   {judged(5, Pass), intent, done},
	}
	var events []Event
	for _, s := range []string{"ask", "change", "watch", "check", "remove", "done"} {
		events = append(events, all[s]...)
		if s == state {
			break
		}
	}
	return events
}

func run(d *Def, events []Event) State {
	s := d.Begin()
	for _, e := range events {
		s, _ = d.Step(s, e)
	}
	return s
}

func kinds(actions []Action) []string {
	var out []string
	for _, a := range actions {
		name := a.Kind.String()
		if a.Kind == Arm {
			name += " " + a.Timer.String()
		}
		if a.Undo {
			name += " undo"
		}
		out = append(out, name)
	}
	return out
}

func TestStep(t *testing.T) {
	tests := []struct {
		name   string
		from   string
		events []Event
		state  string
		phase  Phase
		asks   []string
	}{
		{"a question that does not apply is skipped", "ask", []Event{judged(0, Fails)}, "change", Judging, []string{"judge"}},
		{"not knowing whether it applies means looking again", "ask", []Event{judged(0, Unknown)}, "ask", Judging, []string{"judge"}},
		{"not knowing does not last for ever", "ask", []Event{judged(0, Unknown), judged(0, Unknown), judged(0, Unknown), judged(0, Unknown), judged(0, Unknown)}, "ask", Operating, []string{"operate"}},
		{"granted", "ask", []Event{judged(0, Pass), {Kind: Answered}}, "change", Judging, []string{"judge"}},
		{"rejected waits for the operator", "ask", []Event{judged(0, Pass), {Kind: Answered, Answer: RejectedAnswer}}, "ask", Operating, []string{"operate"}},
		{"expired waits for the operator", "ask", []Event{judged(0, Pass), {Kind: Elapsed, Timer: ExpiryTimer}}, "ask", Operating, []string{"operate"}},
		{"continue asks again", "ask", []Event{judged(0, Pass), {Kind: Elapsed, Timer: ExpiryTimer}, {Kind: Continue}}, "ask", Judging, []string{"judge"}},

		{"nothing is performed before the intent", "change", []Event{judged(1, Pass)}, "change", Ready, []string{"intend"}},
		{"intent before effect", "change", []Event{judged(1, Pass), intent}, "change", Intended, []string{"perform"}},
		{"one target after the other, each guarded", "change", []Event{judged(1, Pass), intent, done}, "change", Judging, []string{"judge"}},
		{"a guard that fails", "change", []Event{judged(1, Fails)}, "change", Operating, []string{"operate"}},
		{"unknown is looked at again", "change", []Event{judged(1, Unknown)}, "change", Judging, []string{"arm backoff"}},
		{"unknown does not last for ever", "change", blind(1), "change", Operating, []string{"operate"}},
		{"what a person lets go on is judged again", "change", append(blind(1), Event{Kind: Continue}), "change", Judging, []string{"judge"}},
		{"unknown in a row, not in all", "change", []Event{judged(1, Unknown), backedOff, judged(1, Pass), intent, outcome(InDoubt), outcome(NotDone), judged(1, Unknown)}, "change", Judging, []string{"arm backoff"}},
		{"looks are no attempts", "change", []Event{judged(1, Unknown), backedOff, judged(1, Pass), intent, outcome(Transient)}, "change", Judging, []string{"arm backoff"}},
		{"nor are looks at an effect", "change", []Event{judged(1, Pass), intent, outcome(InDoubt), outcome(InDoubt), backedOff, outcome(NotDone)}, "change", Judging, []string{"judge"}},
		{"an effect that was tried is looked at first", "change", append([]Event{judged(1, Pass), intent, outcome(Transient), backedOff}, append(blind(1), Event{Kind: Continue})...), "change", Doubting, []string{"reobserve"}},
		{"so is one in doubt", "change", []Event{judged(1, Pass), intent, outcome(InDoubt), outcome(InDoubt), backedOff, outcome(InDoubt), {Kind: Continue}}, "change", Doubting, []string{"reobserve"}},
		{"doubt is looked at, never repeated blindly", "change", []Event{judged(1, Pass), intent, outcome(InDoubt)}, "change", Doubting, []string{"reobserve"}},
		{"not done is judged again", "change", []Event{judged(1, Pass), intent, outcome(InDoubt), outcome(NotDone)}, "change", Judging, []string{"judge"}},
		{"transient is tried again later", "change", []Event{judged(1, Pass), intent, outcome(Transient)}, "change", Judging, []string{"arm backoff"}},
		{"refused", "change", []Event{judged(1, Pass), intent, outcome(Refused)}, "change", Operating, []string{"operate"}},

		{"crash before the intent: the guard is void", "change", []Event{judged(1, Pass), {Kind: Resumed}}, "change", Judging, []string{"judge"}},
		{"crash after the intent: it is in doubt", "change", []Event{judged(1, Pass), intent, {Kind: Resumed}}, "change", Doubting, []string{"reobserve"}},
		{"crash after the outcome: nothing to do again", "change", []Event{judged(1, Pass), intent, done, {Kind: Resumed}}, "change", Judging, []string{"judge"}},

		{"a wait judges and is bounded", "watch", nil, "watch", Judging, []string{"judge", "judge", "arm timeout", "arm stall"}},
		{"true must stay true", "watch", []Event{judged(2, Pass)}, "watch", Judging, []string{"judge", "judge", "arm hold", "arm timeout", "arm stall"}},
		{"not true any more", "watch", []Event{judged(2, Pass), judged(2, Fails)}, "watch", Judging, []string{"judge", "judge", "arm timeout", "arm stall"}},
		{"unknown is not true", "watch", []Event{judged(2, Unknown)}, "watch", Judging, []string{"judge", "judge", "arm timeout", "arm stall"}},
		{"nor is it false", "watch", []Event{judged(2, Pass), judged(2, Unknown)}, "watch", Judging, []string{"judge", "judge", "arm hold", "arm timeout", "arm stall"}},
		{"drift", "watch", []Event{judged(3, Pass)}, "watch", Operating, []string{"operate"}},
		{"stall", "watch", []Event{{Kind: Elapsed, Timer: StallTimer}}, "watch", Operating, []string{"operate"}},
		{"a timer that does not run cannot run out", "watch", []Event{{Kind: Elapsed, Timer: HoldTimer}}, "watch", Judging, []string{"judge", "judge", "arm timeout", "arm stall"}},

		{"a destructive guard sends back to a state that drains", "remove", []Event{judged(5, Fails)}, "watch", Judging, []string{"judge", "judge", "arm timeout", "arm stall"}},
		{"a destructive guard that is unknown sends nowhere", "remove", blind(5), "remove", Operating, []string{"operate"}},
		{"nor does it once it is looked at again", "remove", append(blind(5), Event{Kind: Continue}), "remove", Judging, []string{"judge"}},
		{"the end is recorded", "done", nil, "done", Closing, []string{"close"}},
		{"and then nothing is left", "done", []Event{{Kind: ClosedRun}}, "done", Closed, nil},

		{"abort undoes the newest target first", "watch", []Event{{Kind: Abort}}, "change", Ready, []string{"intend undo"}},
		{"undo is an effect like any other", "watch", []Event{{Kind: Abort}, intent}, "change", Intended, []string{"perform undo"}},
		{"a crash while undoing", "watch", []Event{{Kind: Abort}, intent, {Kind: Resumed}}, "change", Doubting, []string{"reobserve undo"}},
		{"somebody else's value is not overwritten", "watch", []Event{{Kind: Abort}, intent, outcome(Overridden)}, "change", Operating, []string{"operate"}},
		{"undone", "watch", []Event{{Kind: Abort}, intent, done, intent, done}, "change", Closing, []string{"close"}},
		{"an abort with nothing done", "ask", []Event{{Kind: Abort}}, "ask", Closing, []string{"close"}},
		{"no abort beyond the point of no return", "remove", []Event{judged(5, Pass), intent, {Kind: Abort}}, "remove", Intended, []string{"perform"}},
	}
	d := sample()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := run(d, append(upTo(tt.from), tt.events...))
			if id := d.States[s.Cur].ID; id != tt.state || s.Phase != tt.phase {
				t.Errorf("state = %s %v, want %s %v", id, s.Phase, tt.state, tt.phase)
			}
			if diff := cmp.Diff(tt.asks, kinds(d.Pending(s))); diff != "" {
				t.Errorf("actions (-want +got):\n%s", diff)
			}
		})
	}
}

// TestUnknownSaysSo: a run that waits for a person because a guard is unknown
// says that, and not that the guard failed.
func TestUnknownSaysSo(t *testing.T) {
	d := sample()
	for from, g := range map[string]uint8{"change": 1, "remove": 5} {
		if s := run(d, append(upTo(from), blind(g)...)); s.Why != Unsure {
			t.Errorf("%s waits because of %q, want %q", from, s.Why, Unsure)
		}
	}
}

// TestEveryVisitCountsAnew: what a visit of a state used up of its attempts and
// looks is not missing in the next.
func TestEveryVisitCountsAnew(t *testing.T) {
	d := sample()
	for name, events := range map[string][]Event{
		"continue after a refusal": {judged(1, Unknown), backedOff, judged(1, Pass), intent, outcome(Refused), {Kind: Continue}},
		"continue after a guard":   {judged(1, Unknown), backedOff, judged(1, Fails), {Kind: Continue}},
		"the next target":          {judged(1, Pass), intent, outcome(InDoubt), outcome(InDoubt), backedOff, done},
	} {
		if s := run(d, append(upTo("change"), events...)); s.Phase != Judging || s.Attempt != 0 || s.Looks != 0 {
			t.Errorf("%s: %+v", name, s)
		}
	}
	again := append(upTo("remove"), judged(5, Unknown), backedOff, judged(5, Fails), judged(2, Pass), Event{Kind: Elapsed, Timer: HoldTimer}, judged(4, Pass))
	if s := run(d, again); d.States[s.Cur].ID != "remove" || s.Attempt != 0 || s.Looks != 0 {
		t.Errorf("a later visit: %+v", s)
	}
}

// TestAnOlderCoreIsReadAsItWas: a run goes on under the rules that it was opened
// with, so that its journal leads where it led then.
func TestAnOlderCoreIsReadAsItWas(t *testing.T) {
	d := sample()
	d.Core = coreOne
	if s := run(d, append(upTo("remove"), blind(5)...)); d.States[s.Cur].ID != "watch" || s.Looks != 0 {
		t.Errorf("core %s goes to %s: %+v", d.Core, d.States[s.Cur].ID, s)
	}
	for core, want := range map[string]bool{"1": true, CoreVersion: true, "": false, "none": false} {
		if Reads(core) != want {
			t.Errorf("Reads(%q) = %v", core, !want)
		}
	}
}

func TestOutcome(t *testing.T) {
	d := sample()
	if got := d.Outcome(run(d, upTo("done"))); got != Retired {
		t.Errorf("outcome = %v, want retired", got)
	}
	aborted := append(upTo("watch"), Event{Kind: Abort}, intent, done, intent, done)
	if got := d.Outcome(run(d, aborted)); got != Aborted {
		t.Errorf("outcome = %v, want aborted", got)
	}
	if ok, beyond := d.CanAbort(run(d, append(upTo("remove"), judged(5, Pass), intent))); ok || beyond != "remove" {
		t.Errorf("CanAbort = %v beyond %q, want false beyond remove", ok, beyond)
	}
}

// anyEvent draws events that a shell could send, and many that it never would.
func anyEvent(t *rapid.T) Event {
	return Event{
		Kind:    EventKind(rapid.IntRange(0, int(ClosedRun)).Draw(t, "kind")),
		Guard:   uint8(rapid.IntRange(0, 6).Draw(t, "guard")),
		Verdict: Verdict(rapid.IntRange(0, 2).Draw(t, "verdict")),
		Result:  EffectState(rapid.IntRange(0, 5).Draw(t, "result")),
		Timer:   Timer(rapid.IntRange(0, int(NumTimers)-1).Draw(t, "timer")),
		Choice:  uint8(rapid.IntRange(0, 2).Draw(t, "choice")),
		Answer:  Answer(rapid.IntRange(0, 1).Draw(t, "answer")),
	}
}

func TestStepIsTotal(t *testing.T) {
	d := sample()
	rapid.Check(t, func(t *rapid.T) {
		s := d.Begin()
		for _, e := range rapid.SliceOfN(rapid.Custom(anyEvent), 1, 60).Draw(t, "events") {
			before := s
			next, actions := d.Step(s, e)
			if diff := cmp.Diff(d.Pending(next), actions); diff != "" {
				t.Fatalf("Step(%+v, %+v) asks for other actions than Pending:\n%s", s, e, diff)
			}
			if again, _ := d.Step(before, e); again != next {
				t.Fatalf("Step(%+v, %+v) is not a function", before, e)
			}
			if len(actions) == 0 && next.Phase != Closed {
				t.Fatalf("Step(%+v, %+v) = %+v asks for nothing and has not ended", before, e, next)
			}
			if performs(actions) && !intended(before, e) {
				t.Fatalf("Step(%+v, %+v) performs without an intent", before, e)
			}
			s = next
		}
	})
}

func performs(actions []Action) bool {
	return len(actions) > 0 && actions[0].Kind == Perform
}

func intended(before State, e Event) bool { return e.Kind == IntentSet || before.Phase == Intended }

// A question that expired is asked anew, and nobody's vote of then counts.
func TestExpiredQuestionTakesItsVotes(t *testing.T) {
	h := NewHistory(sample())
	add := func(e Event) { h.Add(Record{Kind: e.Kind.String(), Event: e}) }
	for _, e := range []Event{{Kind: Opened}, judged(0, Pass)} {
		add(e)
	}
	h.Add(Record{Kind: Asked, Detail: Detail{State: "ask", Digest: "d"}})
	h.Add(Record{Kind: Voted, Detail: Detail{Actor: "ann"}})
	add(Event{Kind: Resumed})
	if h.Asked == nil || len(h.Votes) != 1 {
		t.Errorf("after a crash: asked %v, votes %v", h.Asked, h.Votes)
	}
	for _, e := range []Event{{Kind: Elapsed, Timer: ExpiryTimer}, {Kind: Continue}, judged(0, Pass)} {
		add(e)
	}
	if h.State.Phase != Asking || h.Asked != nil || len(h.Votes) != 0 {
		t.Errorf("asked anew: phase %s, asked %v, votes %v", h.State.Phase, h.Asked, h.Votes)
	}
}

func TestHistoryEarnsOnlyWhatWasObserved(t *testing.T) {
	d := sample()
	h := NewHistory(d)
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	add := func(after time.Duration, r Record) {
		r.At = at.Add(after)
		h.Add(r)
	}
	for _, e := range upTo("watch") {
		add(0, Record{Kind: e.Kind.String(), Event: e})
	}
	seen := func(from, to time.Duration) {
		add(to, Record{Kind: Observed, Detail: Detail{From: at.Add(from)}})
	}
	pass := judged(2, Pass)
	seen(0, 5*time.Second) // before the condition held: earns nothing
	add(5*time.Second, Record{Kind: Judged.String(), Event: pass})
	seen(5*time.Second, 15*time.Second)
	seen(12*time.Second, 20*time.Second) // overlaps
	seen(50*time.Second, 55*time.Second) // a gap before it
	if want := 20 * time.Second; h.Earned != want {
		t.Errorf("earned %v, want %v", h.Earned, want)
	}
	add(56*time.Second, Record{Kind: Judged.String(), Event: judged(2, Fails)})
	add(57*time.Second, Record{Kind: Judged.String(), Event: pass})
	if h.Earned != 0 {
		t.Errorf("earned %v after the condition failed, want nothing", h.Earned)
	}
}
