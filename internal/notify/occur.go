package notify

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/ledger"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// Story folds a run's journal into what people are told of it. The same records
// give the same notifications. It is not safe for concurrent use.
type Story struct {
	book   *runbook.Book
	run    string
	hist   *machine.History
	n      int  // records so far
	asked  bool // the open question was told
	late   int64
	digest time.Duration // how often a soak is told of; 0 is never
	told   int           // digests of the current visit
	reset  *reset        // what ended the quiet of the current visit last
}

// reset is an end of a quiet that was not over.
type reset struct {
	at  time.Time
	why string
}

// NewStory begins the story of a run. While it soaks, a digest is told every so
// often.
func NewStory(book *runbook.Book, run string, digest time.Duration) *Story {
	return &Story{book: book, run: run, hist: machine.NewHistory(book.Def), digest: digest}
}

// Add folds a record and returns what people are told of it.
func (s *Story) Add(r machine.Record) []Notification {
	before, visits := s.hist.State, len(s.hist.Visits)
	s.hist.Add(r)
	s.n++
	if len(s.hist.Visits) != visits {
		s.told, s.reset = 0, nil
	} else if before.Armed(machine.HoldTimer) && r.Kind == machine.Judged.String() && r.Event.Verdict == machine.Fails && !s.hist.State.Armed(machine.HoldTimer) {
		s.reset = &reset{r.At, r.Detail.Why}
	}
	if s.hist.State.Phase != machine.Asking {
		s.asked = false
	}
	return append(s.happened(r, before), s.stopped(r, before)...)
}

// stopped tells that the run waits for its operator from now on, whatever else
// is told of what led there: who wants to hear of nothing else must hear of it.
func (s *Story) stopped(r machine.Record, before machine.State) []Notification {
	if s.hist.State.Phase != machine.Operating || before.Phase == machine.Operating {
		return nil
	}
	text := "the run waits for its operator: " + s.hist.State.Why.String()
	if r.Detail.Why != "" {
		text += ", " + r.Detail.Why
	}
	return s.tell(Operator, r, s.hist.State, text, "ims status "+s.run)
}

// happened tells what a record means beside that.
func (s *Story) happened(r machine.Record, before machine.State) []Notification {
	left := &s.book.Def.States[before.Cur]
	switch {
	case r.Kind == machine.Asked:
		if s.asked { // put anew, because its evidence changed
			return nil
		}
		s.asked = true
		command, choices := s.answers(r.Detail.State, s.book.Def.States[s.hist.State.Cur].Approve)
		return s.tell(Approval, r, before, "somebody has to answer: "+r.Detail.Comment, command, append(choices, r.Detail.Evidence...)...)
	case r.Kind == machine.Observed:
		return s.client(r)
	case r.Kind == machine.Paused:
		s.told = 0
		return s.tell(Operator, r, before, fmt.Sprintf("%s paused the run: %s", r.Detail.Actor, r.Detail.Comment), "ims continue "+s.run)
	case r.Event.Kind == machine.ClosedRun && r.Kind == machine.ClosedRun.String():
		return s.tell(Finished, r, before, "the run has ended: "+r.Detail.Outcome, "ims status "+s.run, s.ledger()...)
	case r.Kind == machine.Elapsed.String() && left.Wait != nil && (r.Event.Timer == machine.StallTimer || r.Event.Timer == machine.TimeoutTimer):
		return s.tell(Stalled, r, before, s.stalled(left, r.Event.Timer), "ims status "+s.run, s.held()...)
	case r.Kind == machine.Judged.String() && left.Wait != nil && int(r.Event.Guard) == left.Wait.Drift && r.Event.Verdict == machine.Pass:
		return s.tell(Drift, r, before, "somebody changed what the run had set: "+s.why(left.Wait.Drift), "ims status "+s.run)
	}
	return nil
}

// answers is the command that answers a question; of one with choices, the
// command that shows it, and a line for each choice.
func (s *Story) answers(state string, ask *machine.Approve) (command string, lines []string) {
	command = fmt.Sprintf("ims approve %s %s", s.run, state)
	if ask == nil || len(ask.Choices) < 2 {
		return command, nil
	}
	for _, c := range ask.Choices {
		line := command + " --choice " + c.Name
		if c.Title != "" {
			line += "   " + c.Title
		}
		lines = append(lines, line)
	}
	return "ims status " + s.run, lines
}

// Tick returns the digest that is due, if the run soaks, whether anything is
// earned or not, or is paused.
func (s *Story) Tick(now time.Time) []Notification {
	st := s.hist.State
	paused, soak := s.hist.Paused, s.soak()
	if s.digest <= 0 || len(s.hist.Visits) == 0 || soak == nil && paused == nil {
		return nil
	}
	since := s.hist.Visits[len(s.hist.Visits)-1].Entered
	if paused != nil {
		since = paused.Since
	}
	due := int(now.Sub(since) / s.digest)
	if due <= s.told {
		return nil
	}
	s.told = due
	r := machine.Record{At: since.Add(time.Duration(due) * s.digest)}
	text := ""
	if paused != nil {
		text = fmt.Sprintf("%s paused the run %s ago (%s), and it goes on only when somebody lets it", paused.Actor, now.Sub(since).Round(time.Second), paused.Reason)
	} else {
		text = s.quiet(soak)
	}
	n := s.tell(Digest, r, st, text, "ims status "+s.run, append(s.held(), s.ledger()...)...)
	n[0].ID = fmt.Sprintf("%s/%s/%d.%d", s.run, Digest, since.UnixMilli(), due)
	return n
}

// soak is the wait in which a condition must stay true for a time, nil if the
// run is in none.
func (s *Story) soak() *machine.Wait {
	st := s.hist.State
	if w := s.book.Def.States[st.Cur].Wait; w != nil && w.For > 0 && st.Phase == machine.Judging && !st.Undoing {
		return w
	}
	return nil
}

// quiet says how much of a soak is earned, what keeps it from earning, and what
// took away what was earned before.
func (s *Story) quiet(w *machine.Wait) string {
	earned, why := s.hist.Earned.Round(time.Second), ""
	if !s.hist.State.Armed(machine.HoldTimer) {
		earned, why = 0, ": "+s.why(w.Until)
	}
	text := fmt.Sprintf("%s: quiet for %s of %s%s", s.book.Def.States[s.hist.State.Cur].Title, earned, w.For, why)
	if s.reset != nil {
		text += fmt.Sprintf("; last reset %s: %s", s.reset.at.UTC().Format(time.DateTime+"Z"), s.reset.why)
	}
	return text
}

// mostLines is how many lines of evidence people are told; the status has all.
const mostLines = 50

func (s *Story) tell(k Kind, r machine.Record, at machine.State, text, command string, lines ...string) []Notification {
	st := &s.book.Def.States[at.Cur]
	if more := len(lines) - mostLines; more > 0 {
		lines = append(lines[:mostLines:mostLines], fmt.Sprintf("and %d lines more: ims status %s", more, s.run))
	}
	return []Notification{{
		ID: fmt.Sprintf("%s/%s/%d", s.run, k, s.n), Kind: k, Run: s.run, Runbook: s.book.Def.Name,
		Gateway: s.book.Bound.Gateway, Successor: s.book.Bound.Successor, State: st.ID, Title: st.Title,
		At: r.At, Text: text, Command: command, Lines: lines,
	}}
}

// client tells of clients that do not follow MX, as more of them come.
func (s *Story) client(r machine.Record) []Notification {
	n, err := strconv.ParseInt(r.Detail.Facts[facts.LateNeverFollow.String()], 10, 64)
	if err != nil {
		return nil // not observed, or not changed
	}
	before := s.late
	s.late = n
	if n <= before {
		return nil
	}
	text := fmt.Sprintf("%d clients came back after the old MX had expired, so they do not follow MX", n)
	if n == 1 {
		text = "a client came back after the old MX had expired, so it does not follow MX"
	}
	return s.tell(LateClient, r, s.hist.State, text, "ims gateway clients "+s.book.Bound.Gateway, r.Detail.Evidence...)
}

func (s *Story) stalled(st *machine.StateDef, t machine.Timer) string {
	if t == machine.TimeoutTimer {
		return fmt.Sprintf("%s takes longer than foreseen: %s", st.ID, s.why(st.Wait.Until))
	}
	return fmt.Sprintf("%s has not fallen for %s: %s", st.Wait.Metric, st.Wait.Stall, s.why(st.Wait.Until))
}

// why is the first condition of a guard that does not hold, or that does for a
// guard that says what must not be.
func (s *Story) why(g int) string {
	if g < 0 {
		return "for no reason that is known"
	}
	v := facts.UnknownVector()
	for _, id := range facts.All() {
		if value, err := id.Parse(s.hist.Facts[id.String()]); err == nil {
			v[id] = value
		}
	}
	all := s.book.Guards[g]
	for _, f := range all.Findings(&v) {
		if f.Verdict != machine.Pass {
			return f.Guard.Why
		}
	}
	if len(all) > 0 {
		return all[0].Why
	}
	return "for no reason that is known"
}

// held says what the stores hold.
func (s *Story) held() []string {
	var words []string
	for _, id := range []facts.ID{facts.GwQMTA, facts.GwQMTSOut, facts.GwQOut, facts.GwQIn, facts.GwQMTSIn, facts.GwSideHold, facts.GwSideBad} {
		if v, ok := s.hist.Facts[id.String()]; ok {
			words = append(words, id.String()+" "+v)
		}
	}
	return []string{strings.Join(words, ", ")}
}

// ledger is the account of messages.
func (s *Story) ledger() []string {
	var words []string
	for _, name := range ledger.Sets() {
		if v, ok := s.hist.Facts["count."+name]; ok {
			words = append(words, name+" "+v)
		}
	}
	if len(words) == 0 {
		return nil
	}
	return []string{"ledger: " + strings.Join(words, ", ")}
}
