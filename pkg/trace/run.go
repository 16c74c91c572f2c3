package trace

import (
	"fmt"
	"slices"
	"time"

	"example.org/ims/internal/strictyaml"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// Result is how a trace went.
type Result struct {
	Name    string
	Title   string
	Pos     strictyaml.Pos
	Steps   int
	Visited []string    // the states that were entered, each once
	Differs *Divergence // nil if the run went as it was written
}

// Divergence is the first difference between a trace and the run.
type Divergence struct {
	Pos   strictyaml.Pos // in the file of traces
	State string         // where the run then was
	Step  int            // from 1; one more than there are for the outcome
	What  string         // in a sentence
	Want  []string       // the states of the step, as written
	Have  []string       // the states that were entered
	Facts []string       // what the guards of the state said, one a line
}

// Run performs every trace of a file that Load found nothing wrong with.
func Run(doc *Doc, book *runbook.Book) []Result {
	var all []Result
	for i := range doc.Traces {
		all = append(all, perform(doc, doc.Traces[i].Key, &doc.Traces[i].Value, book))
	}
	return all
}

func perform(doc *Doc, name strictyaml.Text, t *Trace, book *runbook.Book) Result {
	def := *book.Def
	if from := def.Find(t.From.Value); from >= 0 {
		def.Start = from
	}
	w := &walker{book: book, def: &def, state: def.Begin(), facts: facts.UnknownVector(), changes: slices.Concat(doc.Changes, t.Changes), effects: map[string][]string{}}
	w.see(doc.Facts)
	w.see(t.Facts)
	for _, e := range t.Effects {
		for _, r := range e.Value {
			w.effects[e.Key.Value] = append(w.effects[e.Key.Value], r.Value)
		}
	}
	res := Result{Name: name.Value, Title: t.Title.Value, Pos: name.Pos, Steps: len(t.Steps)}
	w.apply(machine.Event{Kind: machine.Opened})
	for i := range t.Steps {
		if res.Differs = w.step(i, &t.Steps[i]); res.Differs != nil {
			break
		}
	}
	if res.Differs == nil {
		res.Differs = w.ended(name, t)
	}
	for _, id := range w.visited {
		if !slices.Contains(res.Visited, id) {
			res.Visited = append(res.Visited, id)
		}
	}
	return res
}

// step performs one step and compares the states that it enters.
func (w *walker) step(i int, s *Step) *Divergence {
	if i > 0 {
		w.log = nil // the opening belongs to the first step
	}
	what := ""
	if len(s.See) > 0 {
		w.see(s.See)
	}
	w.settle()
	switch {
	case s.After.Value != "":
		d, err := duration(w.book, s.After)
		if err != nil {
			what = err.Error() // Load has refused it
		}
		w.pass(d)
	case s.Answer.Value != "":
		what = w.answer(s.Answer.Value)
	case s.Happens.Value != "":
		what = w.happens(s.Happens.Value)
	}
	w.settle()
	want := values(s.Then)
	at := s.Pos
	for n, t := range s.Then {
		if n >= len(w.log) || w.log[n] != t.Value {
			at = t.Pos
			break
		}
	}
	if what == "" && slices.Equal(want, w.log) {
		return nil
	}
	if what == "" {
		what = "the run takes another way"
	}
	return &Divergence{Pos: at, Step: i + 1, State: w.id(), What: what, Want: want, Have: slices.Clone(w.log), Facts: w.judged()}
}

// ended compares the outcome.
func (w *walker) ended(name strictyaml.Text, t *Trace) *Divergence {
	have := ""
	if w.state.Phase == machine.Closed {
		have = w.def.Outcome(w.state).String()
	}
	if have == t.Ends.Value {
		return nil
	}
	at, words := t.Ends.Pos, [2]string{"stays open", "stays open"}
	if at.Line == 0 {
		at = name.Pos
	}
	for i, o := range []string{t.Ends.Value, have} {
		if o != "" {
			words[i] = "ends: " + o
		}
	}
	return &Divergence{Pos: at, Step: len(t.Steps) + 1, State: w.id(), What: "the run comes to another end", Want: words[:1], Have: words[1:], Facts: w.judged()}
}

func values(list []strictyaml.Text) []string {
	var out []string
	for _, t := range list {
		out = append(out, t.Value)
	}
	return out
}

// answer answers the question of the current state, or says why it cannot.
func (w *walker) answer(word string) string {
	st := &w.def.States[w.state.Cur]
	if w.state.Phase != machine.Asking {
		return fmt.Sprintf("nobody is asked in %s, which is %s", st.ID, w.state.Phase)
	}
	if word == machine.RejectedAnswer.String() {
		w.apply(machine.Event{Kind: machine.Answered, Answer: machine.RejectedAnswer})
		return ""
	}
	for i, c := range st.Approve.Choices {
		if c.Name == word {
			w.apply(machine.Event{Kind: machine.Answered, Answer: machine.Granted, Choice: uint8(i)})
			return ""
		}
	}
	return fmt.Sprintf("%s has no answer %q", st.ID, word)
}

// happens lets something happen to the run, or says why it cannot.
func (w *walker) happens(word string) string {
	kind := happenings[word]
	before := w.state
	w.apply(machine.Event{Kind: kind})
	if before == w.state && kind != machine.Resumed {
		return fmt.Sprintf("%s changes nothing in %s, which is %s", word, w.id(), before.Phase)
	}
	return ""
}

// pass lets time pass: what runs out in it elapses in order.
func (w *walker) pass(d time.Duration) {
	until := w.now + d
	for range limit {
		t, due, ok := w.next(until)
		if !ok {
			break
		}
		w.advance(due)
		w.apply(machine.Event{Kind: machine.Elapsed, Timer: t})
		w.settle()
	}
	w.advance(until)
}
