// Package preflight answers "is it safe?" before anything is touched: every
// guard of a runbook that can be judged now, the cover of what the gateway
// carries outward and takes inward, and whoever still names it.
//
// It is pure: what was observed comes in as a [Snapshot], live or from a file,
// and the same snapshot gives the same [Report]. It refuses to guess: a guard
// about what the run itself will change, or wait for, is "not judged yet", and
// what could not be observed is unknown, which never passes. What does not hold
// fails, unless the runbook puts it to people: then it is a question.
package preflight

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/verdict"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/runbook"
)

// Verdict of a check.
type Verdict = verdict.Check

// Verdicts of a check, mildest first.
const (
	Pass    = verdict.Pass
	Unknown = verdict.Unknown
	Ask     = verdict.Ask
	Fail    = verdict.Fail
)

// Groups of checks.
const (
	GroupGuard      = "guard"      // of the runbook
	GroupOutbound   = "outbound"   // cover of what the gateway carries
	GroupInbound    = "inbound"    // cover of what it accepts
	GroupSuccessor  = "successor"  // how it stands
	GroupDependents = "dependents" // who else names it
	GroupDNS        = "dns"        // servers of the zones
	GroupRun        = "run"        // runs that are open
	GroupPeople     = "people"     // who may answer
	GroupNotify     = "notify"     // who is told what happens
	GroupWaiver     = "waiver"     // waivers that have expired
)

// Check is one verdict.
type Check struct {
	ID         string           `json:"id"` // stable; waivers and baselines name it
	Group      string           `json:"group"`
	State      string           `json:"state,omitempty"`    // of the runbook, for guards
	Asked      string           `json:"asked_in,omitempty"` // the state in which the run asks people, of verdict Ask
	That       string           `json:"that"`               // what is wanted
	Verdict    Verdict          `json:"verdict"`
	Reason     string           `json:"reason"`
	Fix        string           `json:"fix,omitempty"` // the command or edit that helps; empty if it passes
	Provenance facts.Provenance `json:"provenance"`
	At         time.Time        `json:"at"`                // when the oldest thing that it relies on was observed
	Age        int64            `json:"age_seconds"`       // at the time of the report
	Facts      []string         `json:"facts,omitempty"`   // what it relies on, with values
	Missing    []string         `json:"missing,omitempty"` // what could not be observed, and why
	Members    []string         `json:"members,omitempty"` // the settings, domains, spaces or sites that do not hold, by name
	Worse      string           `json:"worse,omitempty"`   // what the baseline did not have, if the check did not pass there either
	Waived     *Waiver          `json:"waived,omitempty"`
	Old        bool             `json:"in_baseline,omitempty"` // no better in the baseline
}

// Open reports whether a check stands in the way.
func (c *Check) Open() bool { return c.Verdict != Pass && c.Waived == nil && !c.Old }

// Later is a guard that cannot be judged yet.
type Later struct {
	ID    string `json:"id"`
	State string `json:"state"`
	That  string `json:"that"`
	Why   string `json:"why"`
}

// Report is the answer.
type Report struct {
	Gateway   string             `json:"gateway"`
	Successor string             `json:"successor"`
	Runbook   string             `json:"runbook"`
	Verdict   verdict.Whole      `json:"verdict"`
	Counts    verdict.Tally      `json:"counts"` // of what is neither waived nor in the baseline
	Offline   bool               `json:"offline"`
	Now       time.Time          `json:"now"`  // the time that was reasoned about: of the facts, if they are recorded
	Made      time.Time          `json:"made"` // the time that the report was made
	Ends      time.Time          `json:"ends_not_before"`
	Checks    []Check            `json:"checks"`
	Questions []verdict.Question `json:"questions"` // that the run would put as things are now
	Later     []Later            `json:"not_judged_yet"`
	Waivers   []WaiverUse        `json:"waivers"`
	Baseline  *Baseline          `json:"baseline,omitempty"`
	Notes     []string           `json:"notes"`
	Removed   *Removal           `json:"removed,omitempty"` // if the gateway exists no more
	// Approvals are the states in which the run asks people whatever it finds.
	// They are no questions: nothing that was found raises them.
	Approvals []string `json:"approvals"`

	asked map[facts.ID]string // what the run asks people about, by the state that asks
}

// Input is what a report is made from.
type Input struct {
	Snapshot *Snapshot
	Book     *runbook.Book
	Made     time.Time     // the present
	Offline  bool          // the snapshot comes from a file
	MaxAge   time.Duration // older facts are unknown; 0 for no limit
	Waivers  []Waiver
	Known    []string // ids of checks that waivers may name although this report has none
	Baseline *Report  // an earlier report, or nil
}

// Make judges. An error says what is wrong with the input: a waiver or a
// baseline that does not fit.
func Make(in Input) (*Report, error) {
	s := in.Snapshot
	if in.Offline {
		s = s.recorded().waived(in.Waivers, in.Made)
	}
	s = s.within(in.Made, in.MaxAge)
	s.differs = s.open(in.Waivers, in.Made)
	if next := in.Book.Bound.Successor; next != s.Successor { // recorded for another runbook
		c := *s
		c.Successor, s = next, &c
		if c.Next != nil && c.Next.Name != next {
			c.Next = nil
		}
	}
	r := &Report{
		Gateway: s.Gateway, Successor: s.Successor, Runbook: in.Book.Def.Name, Offline: in.Offline,
		Now: s.Made, Made: in.Made,
		Checks: []Check{}, Questions: []verdict.Question{}, Later: []Later{}, Approvals: []string{}, Waivers: []WaiverUse{}, Notes: lines(s.Notes),
		asked: map[facts.ID]string{},
	}
	r.judged(s, in.Book)
	if err := r.waive(in.Waivers, in.Known, in.Book, s); err != nil {
		return nil, err
	}
	if err := r.compare(in.Baseline); err != nil {
		return nil, err
	}
	r.conclude(in.Book)
	return r, nil
}

// judged makes every check, unless the gateway is gone: then there is one thing
// to say.
func (r *Report) judged(s *Snapshot, book *runbook.Book) {
	if set, err := s.Set(); err == nil && set[facts.GwExists].Value == 0 {
		r.gone(s, set, book)
		return
	}
	r.guards(s, book)
	r.outbound(s, book)
	r.inbound(s, book)
	r.restarts(s)
	r.dependents(s, book)
	r.runs(s)
	r.held(s)
	r.servers(s, book)
	r.updates(s, book)
	r.people(s, book)
	r.told(s)
}

// conclude counts what stands in the way, and says what the run would ask.
func (r *Report) conclude(book *runbook.Book) {
	worst, asked := Pass, map[string]bool{}
	for i := range r.Checks {
		c := &r.Checks[i]
		c.Reason = line(c.Reason)
		for j := range c.Missing {
			c.Missing[j] = line(c.Missing[j])
		}
		if !c.At.IsZero() {
			c.Age = max(0, int64(r.Made.Sub(c.At)/time.Second))
		}
		if c.Verdict == Pass {
			c.Fix = ""
		}
		if c.Verdict == Unknown {
			c.aged(r.Gateway)
		}
		if c.Open() {
			worst, asked[c.Asked] = verdict.Worse(worst, c.Verdict), true
		}
		if c.Open() || c.Verdict == Pass {
			r.Counts.Add(c.Verdict, c.Asked)
		}
	}
	r.Verdict = worst.Whole()
	for i := range book.Def.States {
		if st := &book.Def.States[i]; st.Approve != nil && asked[st.ID] {
			r.Questions = append(r.Questions, verdict.QuestionOf(st))
		}
	}
}

// line is the words of an error on one line. Who may not look was refused, but not
// a change.
func line(words string) string {
	words = strings.Join(strings.FieldsFunc(words, func(c rune) bool { return c == '\n' || c == '\r' }), "; ")
	return strings.ReplaceAll(words, "access denied: "+gateway.ErrRefused.Error(), "access denied")
}

// lines are notes on one line each, and each once.
func lines(notes []string) []string {
	out := []string{}
	for _, n := range notes {
		if n = line(n); !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

func (r *Report) add(c Check) { r.Checks = append(r.Checks, c) }

// longestPatience is the longest that one wait of a runbook may take beyond its
// own time before a person is asked.
func longestPatience(book *runbook.Book) time.Duration {
	var d time.Duration
	for i := range book.Def.States {
		if w := book.Def.States[i].Wait; w != nil {
			d = max(d, w.Timeout)
		}
	}
	return d
}

// runs makes every open run on the gateway a blocker.
func (r *Report) runs(s *Snapshot) {
	for _, run := range s.Runs {
		r.add(Check{
			ID: "open-run." + run, Group: GroupRun, That: "no run is open on gateway " + s.Gateway, Verdict: Fail,
			Reason: fmt.Sprintf("run %s is open on gateway %s, so this looks at the middle of it", run, s.Gateway),
			Fix:    "ims status " + run, Provenance: s.provenance(), At: s.Made,
		})
	}
}
