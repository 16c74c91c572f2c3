package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/internal/journal"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// Status is where a run stands.
type Status struct {
	engine.Status
	Visits  []Visit    `json:"visits"` // the states so far, with what they encode
	Choices []Choice   `json:"choices,omitempty"`
	Opener  string     `json:"opener"`
	Undo    Undo       `json:"undo"`
	Closed  *time.Time `json:"closed,omitempty"`
	// Alive says that a runner performs the run. A run that has ended needs
	// none.
	Alive   bool   `json:"alive"`
	PID     int    `json:"pid,omitempty"`     // of the runner
	Problem string `json:"problem,omitempty"` // why an open run is not performed
	// Again is when the runner by itself tries to perform a run that it could
	// not; zero if a person has to see to it.
	Again time.Time `json:"again,omitzero"`
}

// Visit is one stay in a state.
type Visit struct {
	machine.Visit
	Number  int      `json:"number"` // machine.Def.Number
	Title   string   `json:"title"`
	Kind    string   `json:"kind"`
	Source  []string `json:"source"`
	Because string   `json:"because,omitempty"`
}

// Choice is one answer to an open question.
type Choice struct {
	Name  string `json:"name"`
	Title string `json:"title,omitempty"`
}

// Undo is what an abort would do now.
type Undo struct {
	Possible bool     `json:"possible"`
	Beyond   string   `json:"beyond,omitempty"`  // the state that was the point of no return
	Undone   []string `json:"undone,omitempty"`  // the effects that would be undone, newest first
	Remains  []string `json:"remains,omitempty"` // the effects that would not be, and why
}

// Ended reports whether the run has ended.
func (s *Status) Ended() bool {
	return s.Outcome != machine.Open.String() && s.Phase == machine.Closed.String()
}

// Summary is a run in a list.
type Summary struct {
	Run     string     `json:"run"`
	Gateway string     `json:"gateway"`
	Runbook string     `json:"runbook"`
	Opened  time.Time  `json:"opened"`
	Closed  *time.Time `json:"closed,omitempty"`
	Outcome string     `json:"outcome"`         // "open" while it lasts
	Nonce   string     `json:"nonce,omitempty"` // of the saved plan that it performs
}

func summary(s journal.Summary) Summary {
	out := Summary{Run: s.ID, Gateway: s.Gateway, Runbook: s.Runbook, Opened: s.Opened, Outcome: s.Outcome, Nonce: s.Nonce}
	if s.Closed.IsZero() {
		out.Outcome = machine.Open.String()
	} else {
		out.Closed = &s.Closed
	}
	return out
}

// describe adds to a status what its runbook says of the states.
func describe(es engine.Status, book *runbook.Book) Status {
	s := Status{Status: es, Visits: make([]Visit, 0, len(es.Visits)), Undo: Undo{}}
	for _, v := range es.Visits {
		i := book.Def.Find(v.State)
		if i == machine.Here { // cannot be: the history comes from the same book
			continue
		}
		st := &book.Def.States[i]
		out := Visit{Visit: v, Number: book.Def.Number(i), Title: st.Title, Kind: st.Kind.String(), Source: st.Sources, Because: st.Because}
		if out.Source == nil {
			out.Source = []string{}
		}
		s.Visits = append(s.Visits, out)
	}
	for _, c := range es.Choices {
		s.Choices = append(s.Choices, Choice{c.Name, c.Title})
	}
	s.undo(book)
	return s
}

// undo says what an abort would do. A state whose guard let nothing happen is
// not among the effects.
func (s *Status) undo(book *runbook.Book) {
	s.Undo.Possible = s.Phase != machine.Closing.String() && s.Phase != machine.Closed.String() && !s.Undoing
	for i := len(book.Def.States) - 1; i >= 0; i-- {
		st := &book.Def.States[i]
		if !slices.Contains(s.Changed, st.ID) {
			continue
		}
		switch st.Do.Undo.Kind {
		case machine.UndoRestore:
			s.Undo.Undone = append(s.Undo.Undone, fmt.Sprintf("%s: %s", st.ID, st.Title))
		case machine.UndoNothing:
			s.Undo.Remains = append(s.Undo.Remains, fmt.Sprintf("%s: %s", st.ID, st.Do.Undo.Why))
		case machine.UndoImpossible:
			s.Undo.Possible, s.Undo.Beyond = false, st.ID
			s.Undo.Remains = append(s.Undo.Remains, fmt.Sprintf("%s: %s", st.ID, st.Do.Undo.Why))
		}
	}
}

// fromJournal is the status of a run that nobody performs: what it waits for
// first is somebody who does, unless people paused it.
func fromJournal(ctx context.Context, r *journal.Reader, id string) (Status, error) {
	sum, err := r.Run(ctx, id)
	if err != nil {
		return Status{}, err
	}
	records, err := read(ctx, r, id)
	if err != nil {
		return Status{}, err
	}
	st, book, err := bound(sum)
	if err != nil {
		return Status{}, err
	}
	s := folded(sum, st, book, records, time.Now())
	if !s.Ended() && s.Paused == nil {
		s.Action = engine.Action{Verb: engine.Continue, State: s.State, What: "let the run be performed", Commands: []string{"ims resume " + s.Run}}
	}
	return s, nil
}

// folded is the status that the records of a run lead to, as of at.
func folded(sum journal.Summary, st stored, book *runbook.Book, records []machine.Record, at time.Time) Status {
	e := engine.New(engine.Options{Book: book, Run: journal.Run{ID: sum.ID, Epoch: sum.Epoch}, Opener: st.Opener, At: at}, records)
	s := describe(e.Status(), book)
	s.Opener, s.Opened = st.Opener, sum.Opened
	if !sum.Closed.IsZero() {
		s.Closed = &sum.Closed
	}
	return s
}

// ErrNoRun says that there is no such run.
var ErrNoRun = errors.New("no such run")

// Read reads the status of a run from the journal of a state directory, without
// a runner; "" is the last run that is open, or else the last. Who may not read
// the journal is told by the runner, if one is alive, as everywhere here.
// Errors: ErrNoRun.
func Read(ctx context.Context, dir, id string) (Status, error) {
	return readOrAsk(ctx, dir, id, fromJournal, func(c *Client, id string) (Status, error) { return c.Status(ctx, id) })
}

// readOrAsk reads of a run in the journal, or asks the runner for who may not.
func readOrAsk[T any](ctx context.Context, dir, id string, read func(context.Context, *journal.Reader, string) (T, error), ask func(*Client, string) (T, error)) (T, error) {
	var v T
	err := readingRun(ctx, dir, id, func(r *journal.Reader, id string) (err error) {
		v, err = read(ctx, r, id)
		return err
	})
	if !errors.Is(err, fs.ErrPermission) {
		return v, err
	}
	c := NewClient(dir)
	if id, err = c.named(ctx, id, err); err != nil {
		return v, err
	}
	return ask(c, id)
}

// named is the run that people mean who may not read the journal, which is what
// unreadable says.
func (c *Client) named(ctx context.Context, id string, unreadable error) (string, error) {
	all, err := c.List(ctx)
	if err != nil {
		return "", errors.Join(unreadable, err)
	}
	if id != "" {
		return id, nil
	}
	return lastOf(all)
}

// ReadList lists the runs in the journal of a state directory, oldest first.
func ReadList(ctx context.Context, dir string) ([]Summary, error) {
	var all []Summary
	err := reading(ctx, dir, func(r *journal.Reader) (err error) {
		all, err = list(ctx, r)
		return err
	})
	switch {
	case errors.Is(err, ErrNoRun):
		return nil, nil
	case errors.Is(err, fs.ErrPermission):
		asked, askErr := NewClient(dir).List(ctx)
		if askErr == nil {
			return asked, nil
		}
		err = errors.Join(err, askErr)
	}
	return all, err
}

func reading(ctx context.Context, dir string, f func(*journal.Reader) error) error {
	r, err := journal.OpenReadOnly(ctx, dir)
	if errors.Is(err, journal.ErrNoJournal) {
		return fmt.Errorf("%w: nothing was ever run in %s", ErrNoRun, dir)
	}
	if err != nil {
		return err
	}
	err = f(r)
	if errors.Is(err, journal.ErrNoRun) {
		err = fmt.Errorf("%w: %w", ErrNoRun, err)
	}
	return errors.Join(err, r.Close())
}

// readingRun is reading about one run; "" is the last that is open, or else the
// last.
func readingRun(ctx context.Context, dir, id string, f func(r *journal.Reader, id string) error) error {
	return reading(ctx, dir, func(r *journal.Reader) (err error) {
		if id == "" {
			if id, err = last(ctx, r); err != nil {
				return err
			}
		}
		return f(r, id)
	})
}

func list(ctx context.Context, r *journal.Reader) ([]Summary, error) {
	runs, err := r.Runs(ctx, journal.RunFilter{})
	if err != nil {
		return nil, err
	}
	all := make([]Summary, len(runs))
	for i, run := range runs {
		all[i] = summary(run)
	}
	return all, nil
}

// last is the run that people mean when they name none: the open one that was
// opened last, or else the one that was opened last.
func last(ctx context.Context, r *journal.Reader) (string, error) {
	all, err := list(ctx, r)
	if err != nil {
		return "", err
	}
	return lastOf(all)
}

func lastOf(all []Summary) (string, error) {
	id := ""
	open := false
	for _, s := range all {
		if s.Closed == nil || !open {
			id, open = s.Run, s.Closed == nil
		}
	}
	if id == "" {
		return "", fmt.Errorf("%w: nothing was ever run here", ErrNoRun)
	}
	return id, nil
}
