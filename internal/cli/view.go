package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/output"
	"example.org/ims/internal/runner"
)

// viewer prints what changes in a run, as plain lines.
type viewer struct {
	p       *output.Printer
	visits  int // states that were printed
	told    int // states whose effect was printed
	missing []string
	waits   string // the wait that was printed
	asked   string // the question that was printed, by its place in the journal
	operate string
	notes   map[string]bool
	resumes int
	spoke   time.Time
}

// viewBeat is how long nothing may be printed.
const viewBeat = 30 * time.Second

func newViewer(p *output.Printer) *viewer {
	return &viewer{p: p, notes: map[string]bool{}, spoke: time.Now()}
}

// viewEvent is a line in a stream of JSON.
type viewEvent struct {
	At    time.Time `json:"at"`
	Run   string    `json:"run"`
	State string    `json:"state"`
	Kind  string    `json:"kind"`
	Text  string    `json:"text"`
}

func (v *viewer) line(s *runner.Status, at time.Time, kind, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	v.spoke = time.Now()
	return v.p.Event("run-event", viewEvent{at, s.Run, s.State, kind, text}, "%s  %s", at.Local().Format("15:04:05"), text)
}

// show prints what is new in a status.
func (v *viewer) show(s *runner.Status) error {
	for _, part := range []func(*runner.Status) error{
		v.showResumes, v.showStates, v.showNotes, v.showMissing, v.showWait, v.showQuestion, v.showOperate, v.showBeat,
	} {
		if err := part(s); err != nil {
			return err
		}
	}
	return nil
}

func (v *viewer) showResumes(s *runner.Status) error {
	if s.Resumes > v.resumes && v.visits > 0 {
		if err := v.line(s, time.Now(), "resumed", "resumed by runner %d", s.PID); err != nil {
			return err
		}
	}
	v.resumes = s.Resumes
	return nil
}

// showStates prints the states that were entered since, and the effect of each
// once it is known.
func (v *viewer) showStates(s *runner.Status) error {
	for v.told < len(s.Visits) {
		visit := &s.Visits[v.told]
		if v.told == v.visits {
			v.visits++
			v.missing, v.waits = nil, ""
			if err := v.line(s, visit.Entered, "entered", "%s", entered(s, visit)); err != nil {
				return err
			}
		}
		switch {
		case visit.After != "":
			if err := v.line(s, cmp.Or(visit.Left, time.Now()), "effect", "  %s", effect(visit)); err != nil {
				return err
			}
		case visit.Left.IsZero() && v.told == len(s.Visits)-1:
			return nil // its effect may still come
		}
		v.told++
	}
	return nil
}

func entered(s *runner.Status, v *runner.Visit) string {
	verb := v.State
	if v.Undo {
		verb = "undo " + v.State
	}
	text := fmt.Sprintf("%s: %s", verb, cmp.Or(v.Title, "the end"))
	if len(v.Source) > 0 {
		text += " [" + strings.Join(v.Source, ", ") + "]"
	}
	if s.Ended() && v.Title == "" {
		return "ended: " + s.Outcome
	}
	return text
}

func effect(v *runner.Visit) string {
	if v.Before == "" || v.Before == v.After {
		return "now " + v.After
	}
	return v.Before + " -> " + v.After
}

func (v *viewer) showNotes(s *runner.Status) error {
	for _, n := range s.Notes {
		key, _, _ := strings.Cut(n, ",") // counts and times follow
		if v.notes[key] {
			continue
		}
		v.notes[key] = true
		if err := v.line(s, time.Now(), "note", "  note: %s", n); err != nil {
			return err
		}
	}
	return nil
}

// showMissing prints each condition that does not hold, once while it does not.
func (v *viewer) showMissing(s *runner.Status) error {
	var now []string
	for _, m := range s.Missing {
		now = append(now, m.That)
		if slices.Contains(v.missing, m.That) || s.Phase == "closed" {
			continue
		}
		word := "not yet"
		if m.Verdict == "unknown" {
			word = "unknown"
		}
		if err := v.line(s, time.Now(), "missing", "  %s: %s (%s)", word, m.That, m.Why); err != nil {
			return err
		}
	}
	if len(now) == 0 && len(v.missing) > 0 && !s.Ends.IsZero() && s.Ends.After(time.Now()) {
		if err := v.line(s, time.Now(), "holds", "  all conditions hold"); err != nil {
			return err
		}
	}
	v.missing = now
	return nil
}

func (v *viewer) showWait(s *runner.Status) error {
	if s.Limit.IsZero() || s.Ends.IsZero() || v.waits == s.State {
		return nil
	}
	v.waits = s.State
	return v.line(s, time.Now(), "waits", "  waits until %s at the earliest; a person is asked after %s", clock(s.Ends), clock(s.Limit))
}

func (v *viewer) showQuestion(s *runner.Status) error {
	if s.Asked == nil || s.Asked.Head == v.asked {
		return nil
	}
	v.asked = s.Asked.Head
	lines := []string{"QUESTION: " + strings.TrimSpace(s.Asked.Comment)}
	for _, e := range s.Asked.Evidence {
		lines = append(lines, "    "+e)
	}
	for _, c := range s.Choices {
		if c.Title != "" {
			lines = append(lines, "  "+c.Name+": "+c.Title)
		}
	}
	for _, c := range s.Action.Commands {
		lines = append(lines, "  answer: "+c)
	}
	lines = append(lines, "  journal head "+s.Asked.Head[:min(16, len(s.Asked.Head))])
	for _, l := range lines {
		if err := v.line(s, time.Now(), "question", "%s", l); err != nil {
			return err
		}
	}
	return nil
}

func (v *viewer) showOperate(s *runner.Status) error {
	key := ""
	if s.Phase == "operating" {
		key = s.State + s.Why
	}
	if key == v.operate {
		return nil
	}
	v.operate = key
	if key == "" {
		return nil
	}
	if err := v.line(s, time.Now(), "operator", "WAITING FOR OPERATOR in %s (%s): ims resume %s, or ims abort %s", s.State, s.Why, s.Run, s.Run); err != nil {
		return err
	}
	c := s.Because()
	if c == nil {
		return nil
	}
	text := "  because: " + c.Words()
	if c.Fix != "" {
		text += "; fix: " + c.Fix
	}
	return v.line(s, time.Now(), "operator", "%s", text)
}

func (v *viewer) showBeat(s *runner.Status) error {
	if time.Since(v.spoke) < viewBeat || s.Ended() {
		return nil
	}
	text := fmt.Sprintf("  still in %s, %s queued", s.State, cmp.Or(s.Facts["gw.q.total"], "unknown"))
	if !s.Ends.IsZero() {
		text += ", not over before " + clock(s.Ends)
	}
	return v.line(s, time.Now(), "alive", "%s", text)
}

// clock is a wall-clock time, with the day if it is not today.
func clock(t time.Time) string {
	t = t.Local()
	if t.Format(time.DateOnly) == time.Now().Format(time.DateOnly) {
		return t.Format("15:04:05")
	}
	return t.Format("2006-01-02 15:04:05")
}
