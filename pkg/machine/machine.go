// Package machine is the core: a runbook as a state machine, and the one pure
// function that moves it.
//
//	next, actions := def.Step(state, event)
//
// Nothing here reads a clock, a file or a socket. Time is a timer that the
// shell arms when asked and answers with Elapsed; a guard is a question
// (Judge) that the shell answers with Judged; an effect is an action that the
// shell performs after it has made the intent durable. The actions are always
// exactly d.Pending(next), so a shell that lost them asks again.
//
// The loop of a shell:
//
//	for each action of d.Pending(s):
//	    Judge      observe, evaluate the guard, and record Judged
//	    Intend     read the value before, and record Intended (last in its commit)
//	    Perform    do it, and record Outcome; a time-out is Unknown, never Refused
//	    Reobserve  look whether it happened, and record Outcome by observation
//	    Ask        show the evidence to a person, and record Answered
//	    Arm        answer with Elapsed when the time is over
//	    Close      record the outcome of the run and release its leases
//
// After a crash the shell folds the journal, records Resumed (which voids what
// was judged but not yet intended, and turns an open intent into a question),
// and goes on.
package machine

import "time"

// Limits of a definition.
const (
	MaxStates = 64 // a State holds one undo bit a state
	Here      = -1 // no state
)

// Def is a compiled runbook, bound to its parameters and targets. It is
// immutable once built and safe for concurrent use.
type Def struct {
	Name   string
	States []StateDef
	Start  int
	Guards []string // names, by index; their meaning is the shell's
	Begins Begins   // the worlds that it is for
	Core   string   // of a run that an earlier core opened: its version; "" is CoreVersion
}

// Begins names the worlds in which a run of a runbook may begin. The machine
// does not read it; the checker does.
type Begins string

// Worlds in which a run may begin.
const (
	BeginsServing Begins = "serving" // the gateway serves, and has a successor
	BeginsStopped Begins = "stopped" // the gateway is stopped, Inbound Only or None, with mail in it
	BeginsAlone   Begins = "alone"   // the gateway serves, and there is no other
	BeginsJoining Begins = "joining" // the gateway serves, and a second one is to serve beside it
)

// AllBegins lists the worlds in which a run may begin.
func AllBegins() []Begins {
	return []Begins{BeginsServing, BeginsStopped, BeginsAlone, BeginsJoining}
}

// StateDef is one state of a runbook.
type StateDef struct {
	ID      string
	Title   string
	Sources []string // the historical steps it encodes, "eleven-steps.5"
	Because string   // the property that made us add it
	Kind    Kind
	Do      *Do
	Wait    *Wait
	Approve *Approve
	Assert  int // guard index
	End     Outcome
	Then    [numResults]Target
}

// Kind is what a state does. Each state does exactly one thing.
type Kind uint8

// Kinds of states.
const (
	KindDo Kind = iota
	KindWait
	KindApprove
	KindAssert
	KindEnd
)

func (k Kind) String() string {
	return [...]string{"do", "wait", "approve", "assert", "end"}[k]
}

// Outcome is how a run ended.
type Outcome uint8

// Outcomes of a run.
const (
	Open Outcome = iota
	Retired
	ReleasePending // removed; names and addresses are still to be released
	Succeeded      // a runbook that does not remove anything
	Aborted
	FailedRun
)

var outcomeNames = [...]string{"open", "retired", "removed-release-pending", "succeeded", "aborted", "failed"}

func (o Outcome) String() string { return outcomeNames[o] }

// ParseOutcome reads an outcome's name.
func ParseOutcome(s string) (Outcome, bool) {
	for i, n := range outcomeNames {
		if n == s {
			return Outcome(i), i != 0
		}
	}
	return 0, false
}

// Do is an effect on the world.
type Do struct {
	Action  ActionName
	Args    Args
	Pre     int // guard index or Here
	Targets []string
	Retry   Retry
	Undo    Undo
	Risk    bool // destructive
}

// Retry is how often a transient refusal is tried again.
type Retry struct {
	Max    uint8 // attempts in all
	First  time.Duration
	Factor float64
	Cap    time.Duration
}

// Delay is the pause before the given attempt (1 is the first retry).
func (r Retry) Delay(attempt uint8) time.Duration {
	d := r.First
	for range max(int(attempt), 1) - 1 {
		d = min(time.Duration(float64(d)*r.Factor), r.Cap)
	}
	return d
}

// UndoKind says how an effect is undone.
type UndoKind uint8

// Kinds of undo.
const (
	UndoRestore    UndoKind = iota // write the value from before back
	UndoNothing                    // nothing is left to undo, Why says why
	UndoImpossible                 // the point of no return
)

// Undo says how an effect is undone.
type Undo struct {
	Kind UndoKind
	Why  string
}

// Wait is a condition that must become true and stay so.
type Wait struct {
	Until   int // guard index
	Drift   int // guard index or Here: passing means drift
	For     time.Duration
	Poll    time.Duration
	Timeout time.Duration // beyond For
	Derived string        // the clock fact that the time-out follows instead, "mx.expired"
	Metric  string        // the fact whose standstill is a stall, or ""
	Stall   time.Duration
}

// Approve is a question to people.
type Approve struct {
	When    int // guard index or Here: when it fails, nobody is asked and OK follows
	Ask     string
	Min     uint8
	From    []string
	NotSelf bool
	Expires time.Duration
	Shows   []string
	Choices []Choice
}

// Choice is one answer to an Approve.
type Choice struct {
	Name   string
	Title  string
	Target Target
	Grants uint8   // bits, by facts.GrantIndex
	Names  Subject // what the decision covers by name, and nothing else; or ""
}

// Subject is what a decision names, so that it covers that and nothing else.
type Subject string

// Subjects of decisions.
const (
	SubjectLate     Subject = "late"     // clients that do not follow MX
	SubjectAbsorbed Subject = "absorbed" // pairs nobody could be told of
	SubjectExpiring Subject = "expiring" // how many recipients short time-outs return
	SubjectNoRoute  Subject = "no_route" // address spaces that lose their last route
	SubjectSide     Subject = "side"     // messages in side stores
	SubjectAged     Subject = "aged"     // messages that a queue.hold of the run moved to hold
	SubjectDiffers  Subject = "differs"  // settings that the successor has not taken over
)

// Result is how the work of a state ended; Then maps each to a target.
type Result uint8

// Results, by kind of state: do has OK, Fail, Unsure and GuardFails; wait has
// OK, Timeout, Stall and Drift; assert has OK and Fail; approve has OK
// (granted), Rejected and Expired, and its choices.
const (
	OK Result = iota
	Fail
	Unsure
	GuardFails
	Timeout
	Stall
	Drift
	Rejected
	Expired
	numResults
)

var resultNames = [...]string{"ok", "fail", "unknown", "guard", "timeout", "stall", "drift", "rejected", "expired"}

func (r Result) String() string { return resultNames[r] }

// Target is where a result leads: a state's index, or one of these.
type Target int8

// Reserved targets.
const (
	ToOperator  Target = -1 // wait for a person: ims resume, ims abort
	ToReobserve Target = -2 // look again, then decide again
	ToNowhere   Target = -3 // the state's kind does not have this result
)

// Results lists the results a kind of state can have.
func (k Kind) Results() []Result {
	switch k {
	case KindDo:
		return []Result{OK, Fail, Unsure, GuardFails}
	case KindWait:
		return []Result{OK, Timeout, Stall, Drift}
	case KindApprove:
		return []Result{OK, Rejected, Expired}
	case KindAssert:
		return []Result{OK, Fail}
	case KindEnd:
	}
	return nil
}

// Number is how people count the states: that of an index, from 1. Whoever shows
// a state with a number has it from here, so that a plan, the status of the run
// that performs it and the runbook speak of one state by one number.
func (d *Def) Number(state int) int { return state + 1 }

// Find returns the index of a state, or Here.
func (d *Def) Find(id string) int {
	for i := range d.States {
		if d.States[i].ID == id {
			return i
		}
	}
	return Here
}
