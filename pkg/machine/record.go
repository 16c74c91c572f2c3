package machine

import (
	"slices"
	"strings"
	"time"

	"example.org/ims/pkg/facts"
)

// Record is one entry of a run's journal. Its kind is the name of an event
// kind, or one of the kinds below, which inform people and do not move the
// machine. How records are encoded and stored is the journal's affair.
type Record struct {
	Kind   string
	At     time.Time
	Event  Event // for kinds that are events
	Detail Detail
}

// Kinds of records that are no events.
const (
	Observed = "observed" // the facts changed, or a heartbeat of unchanged ones
	Asked    = "asked"    // a question was put to people
	Voted    = "voted"    // one of several approvals was given
	Noted    = "noted"    // an operator acted on queues, or left a note
	Paused   = "paused"   // an operator holds the run where it is
	Unpaused = "unpaused" // it may go on
)

// Detail is what people and reports read of a record. The machine reads none
// of it.
type Detail struct {
	State    string            `json:"state,omitempty"`
	Target   string            `json:"target,omitempty"`
	Action   ActionName        `json:"action,omitempty"`
	Key      string            `json:"key,omitempty"` // run/state/target, constant over attempts
	Undo     bool              `json:"undo,omitempty"`
	Image    string            `json:"image,omitempty"`  // intent: the value before, in the adapter's form
	Before   string            `json:"before,omitempty"` // in words
	After    string            `json:"after,omitempty"`  // in words
	By       string            `json:"by,omitempty"`     // outcome: act or observe
	Why      string            `json:"why,omitempty"`
	Fix      string            `json:"fix,omitempty"`
	Guard    string            `json:"guard,omitempty"`
	Missing  []string          `json:"missing,omitempty"` // facts that could not be observed
	Facts    map[string]string `json:"facts,omitempty"`   // evidence, or what changed
	From     time.Time         `json:"from,omitzero"`     // observed: the interval covered
	Actor    string            `json:"actor,omitempty"`
	Comment  string            `json:"comment,omitempty"`
	Choice   string            `json:"choice,omitempty"`
	Names    []string          `json:"names,omitempty"` // what a decision covers by name
	Number   int64             `json:"number,omitempty"`
	Subject  Subject           `json:"subject,omitempty"`
	Digest   string            `json:"digest,omitempty"` // asked, answered: what the decision is bound to
	Head     string            `json:"head,omitempty"`   // asked: the journal's head hash
	Runbook  string            `json:"runbook,omitempty"`
	Gateway  string            `json:"gateway,omitempty"`
	Params   map[string]string `json:"params,omitempty"`
	Targets  map[string]string `json:"targets,omitempty"` // opened: per state, comma separated
	Core     string            `json:"core,omitempty"`    // opened: version of this package
	Epoch    uint64            `json:"epoch,omitempty"`
	Outcome  string            `json:"outcome,omitempty"`
	Evidence []string          `json:"evidence,omitempty"` // lines shown to people
}

// CoreVersion changes whenever Step or the fold would read an old journal
// differently. A plan made by another version is refused.
const CoreVersion = "2"

// coreOne counts looks as attempts, and takes a guard that stays unknown for
// one that fails.
const coreOne = "1"

// Reads reports whether a journal that a core of this version began is read as
// that core read it: a run goes on under the rules that it was opened with, and
// [Def.Core] says which.
func Reads(core string) bool { return core == coreOne || core == CoreVersion }

// Visit is one stay in a state.
type Visit struct {
	State   string    `json:"state"`
	Undo    bool      `json:"undo,omitempty"` // its effect was undone
	Entered time.Time `json:"entered"`
	Left    time.Time `json:"left,omitzero"`
	Result  string    `json:"result,omitempty"` // kind of the record that ended it
	Before  string    `json:"before,omitempty"` // of several targets: joined by "; "
	After   string    `json:"after,omitempty"`

	targets []string // in order of their intents
	before  []string
	after   []string
}

// change notes the values of one target.
func (v *Visit) change(d *Detail) {
	i := slices.Index(v.targets, d.Target)
	if i < 0 {
		i = len(v.targets)
		v.targets, v.before, v.after = append(v.targets, d.Target), append(v.before, ""), append(v.after, "")
	}
	if v.before[i] == "" {
		v.before[i] = d.Before
	}
	if d.After != "" {
		v.after[i] = d.After
	}
	v.Before, v.After = strings.Join(v.before, "; "), ""
	if !slices.Contains(v.after, "") {
		v.After = strings.Join(v.after, "; ")
	}
}

// History is a run folded from its journal.
type History struct {
	def       *Def
	State     State
	Last      time.Time            // time of the last record
	Seen      time.Time            // time of the last observation
	Started   [NumTimers]time.Time // since when each armed timer runs
	Earned    time.Duration        // what the hold timer has earned by observation
	covered   time.Time
	Images    map[string]string // the value before, by Key, from the first intent
	Wrote     map[string]bool   // keys whose effect is known to be done
	Named     map[Subject]map[string]bool
	Numbers   map[Subject]int64
	Facts     map[string]string // last observed
	Visits    []Visit
	Asked     *Detail // the open question
	Votes     []Detail
	Decisions []Decision // how questions ended, oldest first
	Resumes   int
	Paused    *Pause // nil while the run may go on
}

// Pause says who holds a run where it is, and why.
type Pause struct {
	Actor  string    `json:"actor"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}

// NewHistory starts a fold.
func NewHistory(d *Def) *History {
	return &History{
		def: d, State: d.Begin(),
		Images: map[string]string{}, Wrote: map[string]bool{},
		Named: map[Subject]map[string]bool{}, Numbers: map[Subject]int64{}, Facts: map[string]string{},
	}
}

// Add folds one record. Records must come in the order of the journal.
func (h *History) Add(r Record) {
	h.Last = r.At
	switch r.Kind {
	case Observed:
		for k, v := range r.Detail.Facts {
			h.Facts[k] = v
		}
		h.Seen = r.At
		h.Cover(r.Detail.From, r.At)
		return
	case Asked:
		d := r.Detail
		h.Asked, h.Votes = &d, nil
		return
	case Voted:
		h.Votes = append(h.Votes, r.Detail)
		return
	case Noted:
		return
	case Paused:
		h.Paused = &Pause{Actor: r.Detail.Actor, Reason: r.Detail.Comment, Since: r.At}
		return
	case Unpaused:
		h.unpause(r.At)
		return
	}
	if r.Event.Kind == Abort {
		h.unpause(r.At)
	}
	h.note(r)
	before := h.State
	fresh := h.def.Restarts(before, r.Event)
	h.State, _ = h.def.Step(before, r.Event)
	for t := range NumTimers {
		if fresh&(1<<t) != 0 {
			h.Started[t] = r.At
		}
	}
	if fresh&(1<<HoldTimer) != 0 {
		h.Earned, h.covered = 0, r.At
	}
	// A question that is over takes its votes with it, also where another follows.
	if h.State.Phase != Asking || h.State.Cur != before.Cur || r.Event.Kind == Answered {
		h.Asked, h.Votes = nil, nil
	}
	h.visit(before, r)
}

// unpause lets the run go on. What it waited for by the wall clock waits on for
// as long as it was paused; what must hold for a time was observed meanwhile.
func (h *History) unpause(now time.Time) {
	if h.Paused == nil {
		return
	}
	for t := range NumTimers {
		if t == HoldTimer || !h.State.Armed(t) {
			continue
		}
		from := h.Paused.Since
		if h.Started[t].After(from) {
			from = h.Started[t]
		}
		h.Started[t] = h.Started[t].Add(now.Sub(from))
	}
	h.Paused = nil
	// What was judged before the pause, or was about to be done, is old.
	h.State = h.def.Next(h.State, Event{Kind: Resumed})
}

// note keeps what later records depend on.
func (h *History) note(r Record) {
	d := &r.Detail
	switch r.Event.Kind {
	case IntentSet:
		if _, ok := h.Images[d.Key]; !ok && !d.Undo {
			h.Images[d.Key] = d.Image
		}
	case OutcomeIs:
		if r.Event.Result == Done && !d.Undo {
			h.Wrote[d.Key] = true
		}
	case Answered:
		if r.Event.Answer != Granted {
			h.decided(&r, Rejected)
			break
		}
		h.decided(&r, OK)
		if d.Subject == "" {
			break
		}
		if h.Named[d.Subject] == nil {
			h.Named[d.Subject] = map[string]bool{}
		}
		for _, n := range d.Names {
			h.Named[d.Subject][n] = true
		}
		h.Numbers[d.Subject] = d.Number
	case Elapsed:
		if r.Event.Timer == ExpiryTimer {
			h.decided(&r, Expired)
		}
	case Resumed:
		h.Resumes++
	case Opened, Judged, Moved, Continue, Abort, ClosedRun:
	}
}

func (h *History) visit(before State, r Record) {
	entered := r.Event.Kind == Opened || h.State.Cur != before.Cur || (h.State.Undoing && !before.Undoing)
	if n := len(h.Visits); n > 0 {
		v := &h.Visits[n-1]
		if r.Detail.Before != "" || r.Detail.After != "" {
			v.change(&r.Detail)
		}
		if entered || h.State.Phase == Closed {
			v.Left, v.Result = r.At, r.Kind
		}
	}
	if entered {
		h.Visits = append(h.Visits, Visit{State: h.def.States[h.State.Cur].ID, Undo: h.State.Undoing, Entered: r.At})
	}
}

// Cover credits the hold timer with an interval that was observed. Time that
// no interval covers earns nothing.
func (h *History) Cover(from, to time.Time) {
	if !h.State.Armed(HoldTimer) {
		return
	}
	if from.Before(h.covered) {
		from = h.covered
	}
	if to.After(from) {
		h.Earned += to.Sub(from)
		h.covered = to
	}
}

// Grants puts the run's decisions into a set of facts.
func (h *History) Grants(s *facts.Set, now time.Time) {
	put := func(id facts.ID, v facts.Value) {
		s.Put(facts.Fact{ID: id, Value: v, At: now, From: now, Source: "journal", Provenance: facts.Live})
	}
	for i := range facts.GrantNames() {
		put(facts.GrantFact(i), facts.Bool(h.State.Granted(i)))
	}
	put(facts.RunMayExpire, facts.Int(h.Numbers[SubjectExpiring]))
}
