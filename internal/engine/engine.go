// Package engine performs a run: it drives the pure machine of a runbook
// against the world, with every step in the journal before the next one is
// taken.
//
// The order is always the same. Facts are observed and a guard is judged; the
// verdict and the intent, with the value from before, become durable in one
// commit, the intent last; only then is the effect performed; what is known of
// it is recorded; and the machine moves. A time-out is unknown, never failed:
// the engine looks before it acts again. After a crash at any instant, the
// journal folds to the same state, and the same rules go on from there.
//
// The engine knows no adapter and no person's name service: the world and the
// decisions come in through World and Command.
package engine

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"example.org/ims/internal/journal"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// World is what a run observes and changes. Methods bound their own time and
// return early when ctx ends.
type World interface {
	// Observe reads every fact. What cannot be read is unknown and says why.
	Observe(ctx context.Context, look Look) Observation
	// Image reads the value that an effect is going to change, in a form that
	// Perform can write back, and in words.
	Image(ctx context.Context, e Effect) (image, words string, err error)
	// Perform makes the effect happen, or undoes it, and reads it back.
	Perform(ctx context.Context, e Effect) Result
	// Look finds out whether the effect has happened.
	Look(ctx context.Context, e Effect) Result
	// Evidence is what people are shown before they decide.
	Evidence(ctx context.Context, look Look, shows []string, names machine.Subject) Evidence
}

// Look is what an observation depends on besides the world.
type Look struct {
	Run     string
	Opened  time.Time
	Named   map[machine.Subject]map[string]bool // what decisions have named
	Memory  map[string]string                   // what the world asked to remember
	Grants  func(*facts.Set, time.Time)         // puts the run's decisions into a set
	Granted map[machine.Subject]int64
}

// Observation is one look at the world.
type Observation struct {
	At    time.Time
	Since time.Time // counts and quiet facts cover Since..At without a gap
	Facts *facts.Set
	// Memory is what the world needs to find again after a crash.
	Memory map[string]string
	// Expires is the earliest time at which the clock facts can be true: "old
	// MX may be cached until …". Zero if nothing is known.
	Expires time.Time
	// Counts are the account of messages, by the names of ledger.Ledger.
	Counts map[string]int64
	// Void are grants that do not cover by name what is there now.
	Void []facts.ID
	// Notes are lines worth showing.
	Notes []string
}

// Effect is one action on one target.
type Effect struct {
	Run    string
	State  string
	Target string
	Key    string // run/state/target, constant over the attempts of one visit
	Epoch  uint64
	Action machine.ActionName
	Args   machine.Args
	Undo   bool
	// Image is the value before: of the newest intent for an effect, of the
	// run's first for an undo.
	Image  string
	Undoes string // undo: key of the newest effect that it undoes
	// Named is what the run's decisions have named.
	Named map[machine.Subject]map[string]bool
	// Agreed says of an undo that was overridden that a person has looked at it
	// and resumed.
	Agreed bool
	Actor  string
	Reason string
}

// Result is what is known of an effect.
type Result struct {
	State  machine.EffectState
	Before string
	After  string
	Why    string
}

// Evidence is what people are shown, and what their decision covers by name.
type Evidence struct {
	Lines  []string
	Names  []string
	Number int64
}

// Options of a run.
type Options struct {
	Book    *runbook.Book
	World   World
	Journal *journal.Journal
	Run     journal.Run
	Opener  string
	Log     *slog.Logger
	// Between is called after an effect was performed and before its outcome
	// is recorded. A crash test ends its process there.
	Between func(Effect)
	// Hold, if set, is asked before every effect; while it returns true the run
	// is paused.
	Hold func() bool
	// At is the time as of which the Status of a run that nobody performs is
	// told, so that the same records give the same one; zero is the present.
	At time.Time
}

// Engine performs one run. Run may be called once; the other methods are safe
// for concurrent use while it runs.
type Engine struct {
	opts     Options
	hist     *machine.History
	visits   visits
	look     Look
	commands chan command
	told     *command      // heard during a look
	ended    chan struct{} // closed when Run returns
	last     Observation
	observed bool
	written  time.Time // of the last Observed record
	stretch  time.Time // since when time is covered that no record covers yet
	passing  bool      // the condition of the current wait held at the last look
	metric   metric
	pending  time.Time // derived time-out: last time the clock fact was false
	led      *Cause    // to where a person is waited for; nil if nobody is

	mu     sync.Mutex
	status Status
	subs   map[chan Status]bool
}

// New makes an engine for a run whose records so far are given. One that is
// only asked for its Status needs no World and no Journal.
func New(o Options, records []machine.Record) *Engine {
	e := &Engine{
		opts: o, hist: machine.NewHistory(o.Book.Def), visits: newVisits(),
		commands: make(chan command), ended: make(chan struct{}), subs: map[chan Status]bool{},
	}
	e.fold(records)
	e.look = Look{Run: o.Run.ID, Named: e.hist.Named, Granted: e.hist.Numbers, Memory: e.memory(), Grants: e.hist.Grants}
	if len(records) > 0 {
		e.look.Opened = records[0].At
	}
	e.status = e.snapshot()
	return e
}

// Run performs the run until it ends, ctx ends, or the journal cannot be
// written. It returns the outcome; Open with an error means that it has not
// ended and can be resumed.
func (e *Engine) Run(ctx context.Context) (machine.Outcome, error) {
	defer close(e.ended)
	def := e.opts.Book.Def
	for {
		if err := ctx.Err(); err != nil {
			return machine.Open, err
		}
		if e.hist.State.Phase == machine.Closed && e.hist.State != def.Begin() {
			e.publish()
			return def.Outcome(e.hist.State), nil
		}
		if e.hist.State.Phase != machine.Intended { // what is begun is finished first
			if c, ok := e.heard(); ok { // before the next effect, not only while waiting
				c.reply <- e.obey(ctx, c.Command)
				continue
			}
		}
		if err := e.turn(ctx); err != nil && !errors.Is(err, errTold) {
			return machine.Open, err
		}
	}
}

// turn performs what the machine asks for now.
func (e *Engine) turn(ctx context.Context) error {
	actions := e.opts.Book.Def.Pending(e.hist.State)
	e.publish()
	if e.hist.Paused != nil {
		return e.stay(ctx, actions)
	}
	if len(actions) == 0 {
		return e.wait(ctx)
	}
	switch a := actions[0]; a.Kind {
	case machine.Judge:
		return e.judge(ctx, actions)
	case machine.Intend:
		return e.intend(ctx, a, nil)
	case machine.Perform:
		return e.perform(ctx, a)
	case machine.Reobserve:
		return e.reobserve(ctx, a)
	case machine.Ask:
		return e.ask(ctx)
	case machine.Arm:
		return e.timers(ctx)
	case machine.Operate:
		return e.operate(ctx)
	case machine.Close:
		return e.close(ctx)
	}
	return nil
}

// append writes records in one commit and folds them.
func (e *Engine) append(ctx context.Context, recs ...machine.Record) error {
	coded, err := encode(recs)
	if err != nil {
		return err
	}
	if _, _, err := e.opts.Journal.Append(ctx, e.opts.Run.ID, e.opts.Run.Epoch, coded...); err != nil {
		return err
	}
	e.fold(recs)
	return nil
}

func (e *Engine) fold(recs []machine.Record) {
	for _, r := range recs {
		before := e.hist.State
		e.hist.Add(r)
		e.visits.follow(e.opts.Book.Def, before, e.hist.State, r)
		e.cause(before, &r)
		if e.hist.State.Cur != before.Cur {
			e.metric, e.pending = metric{}, time.Time{}
		}
		if r.Kind == machine.Unpaused || r.Event.Kind == machine.Continue { // nobody looked at it meanwhile
			e.metric = metric{}
		}
	}
}

func (e *Engine) close(ctx context.Context) error {
	outcome := e.opts.Book.Def.Outcome(e.hist.State)
	recs := []machine.Record{record(machine.ClosedRun, machine.Event{}, machine.Detail{Outcome: outcome.String()})}
	coded, err := encode(recs)
	if err != nil {
		return err
	}
	if err := e.opts.Journal.CloseRun(ctx, e.opts.Run.ID, e.opts.Run.Epoch, outcome.String(), coded...); err != nil {
		return err
	}
	e.fold(recs)
	return nil
}

// record makes a record of an event now.
func record(k machine.EventKind, ev machine.Event, d machine.Detail) machine.Record {
	ev.Kind = k
	return machine.Record{Kind: k.String(), At: time.Now(), Event: ev, Detail: d}
}
