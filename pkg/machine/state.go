package machine

// State is where a run stands. It is comparable and of fixed size, and holds
// no time, text or pointer: the same journal always folds to the same State.
type State struct {
	Cur     uint8 // state index
	Phase   Phase
	Why     Result // in Operating: the result that led there
	Target  uint8  // the do's target under work
	Attempt uint8  // intents for it in this visit, and values before that could not be read
	Looks   uint8  // looks in a row that told nothing, of a guard or of an effect; in Operating above 0 if it was a guard
	Grants  uint8  // bits, by facts.GrantIndex
	Timers  uint8  // bits of armed timers
	Undoing bool   // an abort or a restoration is under way; Cur is the state being undone
	Back    uint8  // of a restoration: the state that asked for it, plus one
	Changed uint64 // bits of do-states whose first intent was recorded
}

// Phase is what a run does in its state.
type Phase uint8

// Phases.
const (
	Judging   Phase = iota // a guard is to be judged
	Ready                  // the guard passed, the intent is to be recorded
	Intended               // the intent is durable, the effect may have happened
	Doubting               // an effect may or may not have happened
	Asking                 // people are asked
	Operating              // waiting for operator
	Closing                // the end is to be recorded
	Closed                 // ended
)

var phaseNames = [...]string{"judging", "ready", "intended", "doubting", "asking", "operating", "closing", "closed"}

func (p Phase) String() string { return phaseNames[p] }

// Armed reports whether a timer runs.
func (s State) Armed(t Timer) bool { return s.Timers&(1<<t) != 0 }

// Granted reports whether a decision of the kind with this index was taken.
func (s State) Granted(i int) bool { return s.Grants&(1<<i) != 0 }

// Event is what the shell tells the machine. Every event is a record of the
// journal; records that do not move the machine are not events.
type Event struct {
	Kind    EventKind   `json:"kind"`
	Guard   uint8       `json:"guard,omitempty"`   // Judged
	Verdict Verdict     `json:"verdict,omitempty"` // Judged
	Result  EffectState `json:"result,omitempty"`  // Outcome
	Timer   Timer       `json:"timer,omitempty"`   // Elapsed
	Choice  uint8       `json:"choice,omitempty"`  // Answered
	Answer  Answer      `json:"answer,omitempty"`  // Answered
}

// EventKind is a kind of Event.
type EventKind uint8

// Kinds of events.
const (
	Opened    EventKind = iota
	Resumed             // a new runner has taken over
	Judged              // a guard was evaluated on fresh facts
	IntentSet           // the intent and the value from before are durable
	OutcomeIs           // what is known of an effect
	Elapsed             // a timer ran out
	Moved               // the stall metric decreased, or is zero
	Answered            // people answered
	Continue            // the operator says: look again and go on
	Abort               // the operator says: undo everything
	ClosedRun           // the end was recorded
)

var eventKindNames = [...]string{"opened", "resumed", "judged", "intent", "outcome", "elapsed", "moved", "answered", "continue", "abort", "closed"}

func (k EventKind) String() string { return eventKindNames[k] }

// EventKindOf finds an event kind by the name of its record.
func EventKindOf(name string) (EventKind, bool) {
	for i, n := range eventKindNames {
		if n == name {
			return EventKind(i), true
		}
	}
	return 0, false
}

// Verdict is a guard's answer. Unknown never counts as pass.
type Verdict uint8

// Verdicts.
const (
	Unknown Verdict = iota
	Pass
	Fails
)

var verdictNames = [...]string{"unknown", "pass", "fail"}

func (v Verdict) String() string { return verdictNames[v] }

// EffectState is what is known of an effect.
type EffectState uint8

// What can be known of an effect. A time-out, a broken connection or a crash
// is InDoubt; only a definite answer is Refused or Transient.
const (
	InDoubt    EffectState = iota
	Done                   // the wanted value was read back at the target
	NotDone                // observed: it did not happen
	Transient              // definitely refused, worth another try
	Refused                // definitely refused
	Overridden             // undo only: the value is no longer what we wrote
)

var effectStateNames = [...]string{"in-doubt", "done", "not-done", "transient", "refused", "overridden"}

func (e EffectState) String() string { return effectStateNames[e] }

// Answer is what people said.
type Answer uint8

// Answers.
const (
	Granted Answer = iota
	RejectedAnswer
)

func (a Answer) String() string { return [...]string{"granted", "rejected"}[a] }
