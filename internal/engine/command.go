package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/pkg/machine"
)

// Command is what a person tells a run.
type Command struct {
	Verb    Verb
	State   string // approve, reject: the state that asks
	Choice  string // approve: which answer; "" is the only one
	Actor   string
	Comment string
}

// Verb is a kind of Command.
type Verb string

// Verbs.
const (
	Approve  Verb = "approve"
	Reject   Verb = "reject"
	Continue Verb = "resume"
	Abort    Verb = "abort"
	Pause    Verb = "pause"    // the run stays where it is; the gateway is left as it is
	Unpause  Verb = "continue" // ends a pause
	Note     Verb = "note"     // what an operator did beside the run, for the journal
)

// Errors of Tell.
var (
	// ErrRefused says that a command does not fit the run's state; the text
	// says why.
	ErrRefused = errors.New("refused")
	// ErrEnded says that the engine has stopped: the run has ended, or will be
	// resumed by another.
	ErrEnded = errors.New("the run is not performed any more")
)

type command struct {
	Command
	reply chan error
}

// Tell gives a command to the run and waits until it is journalled or refused.
func (e *Engine) Tell(ctx context.Context, c Command) error {
	cmd := command{c, make(chan error, 1)}
	select {
	case e.commands <- cmd:
	case <-e.ended:
		return ErrEnded
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-cmd.reply:
		return err
	case <-e.ended:
	}
	select { // it may have been the last thing that the run was told
	case err := <-cmd.reply:
		return err
	default:
		return ErrEnded
	}
}

func (e *Engine) obey(ctx context.Context, c Command) error {
	s := e.hist.State
	d := machine.Detail{State: e.state().ID, Actor: c.Actor, Comment: c.Comment}
	if p := e.hist.Paused; p != nil && c.Verb != Unpause && c.Verb != Abort && c.Verb != Note {
		return fmt.Errorf("%w: %s paused the run at %s (%s); first: ims continue %s", ErrRefused, p.Actor,
			p.Since.UTC().Format(time.RFC3339), p.Reason, e.opts.Run.ID)
	}
	switch c.Verb {
	case Note:
		if c.Comment == "" {
			return fmt.Errorf("%w: a note says something", ErrRefused)
		}
		return e.append(ctx, machine.Record{Kind: machine.Noted, At: time.Now(), Detail: d})
	case Pause, Unpause:
		return e.pause(ctx, c, d)
	case Approve, Reject:
		return e.answer(ctx, c, d)
	case Continue:
		if s.Phase != machine.Operating {
			return fmt.Errorf("%w: the run is not waiting for an operator, it is in %s", ErrRefused, e.state().ID)
		}
		return e.append(ctx, record(machine.Continue, machine.Event{}, d))
	case Abort:
		if ok, beyond := e.opts.Book.Def.CanAbort(s); !ok {
			if beyond == "" {
				return fmt.Errorf("%w: the run has ended", ErrRefused)
			}
			return fmt.Errorf("%w: %s cannot be undone; finish with ims resume", ErrRefused, beyond)
		}
		if s.Undoing {
			return fmt.Errorf("%w: the run is being undone already", ErrRefused)
		}
		return e.append(ctx, record(machine.Abort, machine.Event{}, d))
	}
	return fmt.Errorf("%w: unknown verb %q", ErrRefused, c.Verb)
}

// pause holds the run where it is, or lets it go on. An effect under way is
// finished before.
func (e *Engine) pause(ctx context.Context, c Command, d machine.Detail) error {
	kind := machine.Paused
	switch {
	case c.Verb == Unpause && e.hist.Paused == nil:
		return fmt.Errorf("%w: the run is not paused", ErrRefused)
	case c.Verb == Unpause:
		kind = machine.Unpaused
	case c.Comment == "":
		return fmt.Errorf("%w: a pause needs a reason", ErrRefused)
	case e.hist.State.Phase == machine.Closing || e.hist.State.Phase == machine.Closed:
		return fmt.Errorf("%w: the run has ended", ErrRefused)
	}
	return e.append(ctx, machine.Record{Kind: kind, At: time.Now(), Detail: d})
}

// ask puts the question to people once, with the evidence and the digest that
// an answer is bound to, and waits.
func (e *Engine) ask(ctx context.Context) error {
	if err := e.observe(ctx); err != nil {
		return err
	}
	if e.hist.Asked == nil || e.turned() {
		return e.putQuestion(ctx)
	}
	return e.timers(ctx)
}

func (e *Engine) putQuestion(ctx context.Context) error {
	st := e.state()
	ev := e.opts.World.Evidence(ctx, e.look, st.Approve.Shows, e.subject())
	_, head, err := e.opts.Journal.Head(ctx, e.opts.Run.ID)
	if err != nil {
		return err
	}
	return e.append(ctx, machine.Record{Kind: machine.Asked, At: e.last.At, Detail: machine.Detail{
		State: st.ID, Comment: e.asks(), Evidence: append(ev.Lines, verdictLines(e.findings(st))...), Names: ev.Names,
		Number: ev.Number, Subject: e.subject(), Digest: e.digest(st, ev.Names), Head: head.String(),
	}})
}

// subject is what the answers to the current question name; choices of one
// question name one subject.
func (e *Engine) subject() machine.Subject {
	for _, c := range e.state().Approve.Choices {
		if c.Names != "" {
			return c.Names
		}
	}
	return ""
}

func (e *Engine) answer(ctx context.Context, c Command, d machine.Detail) error {
	st, asked := e.state(), e.hist.Asked
	switch {
	case e.hist.State.Phase != machine.Asking || asked == nil:
		return fmt.Errorf("%w: the run asks nothing now, it is in %s", ErrRefused, st.ID)
	case c.State != "" && c.State != st.ID:
		return fmt.Errorf("%w: the run asks about %s, not %s", ErrRefused, st.ID, c.State)
	}
	d.Subject, d.Names, d.Number, d.Digest, d.Choice = asked.Subject, asked.Names, asked.Number, asked.Digest, c.Choice
	if c.Verb == Reject {
		return e.append(ctx, record(machine.Answered, machine.Event{Answer: machine.RejectedAnswer}, d))
	}
	choice, err := pick(st.Approve.Choices, c.Choice)
	if err != nil {
		return err
	}
	if err := e.mayApprove(c.Actor, st.Approve.Choices[choice].Name, st.Approve); err != nil {
		return err
	}
	if err := e.stillTrue(ctx, asked); err != nil {
		return err
	}
	if st.Approve.Choices[choice].Names == "" {
		d.Subject, d.Number = "", 0 // the names stay, because the digest covers them
	}
	d.Choice = st.Approve.Choices[choice].Name
	if len(e.hist.Votes)+1 < int(st.Approve.Min) {
		return e.append(ctx, machine.Record{Kind: machine.Voted, At: e.last.At, Detail: d})
	}
	return e.append(ctx, record(machine.Answered, machine.Event{Choice: uint8(choice)}, d))
}

func pick(choices []machine.Choice, name string) (int, error) {
	var names []string
	for i, c := range choices {
		if c.Name == name || (name == "" && len(choices) == 1) {
			return i, nil
		}
		names = append(names, c.Name)
	}
	return 0, fmt.Errorf("%w: choose one of %s", ErrRefused, strings.Join(names, ", "))
}

func (e *Engine) mayApprove(actor, choice string, a *machine.Approve) error {
	if len(a.From) > 0 && !slices.Contains(a.From, actor) {
		return fmt.Errorf("%w: the question is for %s, not for %s", ErrRefused, strings.Join(a.From, ", "), actor)
	}
	if a.NotSelf && actor == e.opts.Opener {
		return fmt.Errorf("%w: %s opened this run, and the question must be answered by somebody else", ErrRefused, actor)
	}
	for _, v := range e.hist.Votes {
		if v.Choice != choice {
			return fmt.Errorf("%w: %s chose %s already; agree, or reject the question", ErrRefused, v.Actor, v.Choice)
		}
		if v.Actor == actor {
			return fmt.Errorf("%w: %s has approved already, and %d people must", ErrRefused, actor, a.Min)
		}
	}
	return nil
}

// stillTrue looks again before an answer counts: a question whose evidence has
// changed since it was put is put anew.
func (e *Engine) stillTrue(ctx context.Context, asked *machine.Detail) error {
	if err := e.observeNow(ctx); err != nil {
		return err
	}
	ev := e.opts.World.Evidence(ctx, e.look, e.state().Approve.Shows, e.subject())
	if e.digest(e.state(), ev.Names) == asked.Digest && ev.Number <= asked.Number {
		return nil
	}
	if err := e.putQuestion(ctx); err != nil {
		return err
	}
	if e.moot() != "" {
		return fmt.Errorf("%w: what the question was about has gone since; approve again, and the run goes on; look again: ims status", ErrRefused)
	}
	return fmt.Errorf("%w: what the question was about has changed since; look again: ims status", ErrRefused)
}

// operate waits for a person, and goes on observing meanwhile.
func (e *Engine) operate(ctx context.Context) error {
	if err := e.observe(ctx); err != nil {
		return err
	}
	return e.wait(ctx)
}
