// Package demo retires a gateway of a lab while everybody sends, and judges
// what came out of it: whether the run went as the dry run had said, whether
// every message is accounted for, and whether there was enough mail at the
// moments that matter for the result to mean anything. On request it kills
// processes, or breaks the world behind the run's back.
//
// It is a user like any other: it speaks to the runner and to the gateways
// over their sockets, and counts from the tracking log and from the senders'
// files. It decides nothing that a person at a terminal could not.
package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"example.org/ims/internal/lab"
	"example.org/ims/internal/mail/control"
)

// Options of a demonstration.
type Options struct {
	Lab      lab.Options
	Messages int // to send at least; 0 means 1000
	Keep     bool
	Yes      bool   // answer every question
	Crash    bool   // kill the runner and the gateways' process
	Sabotage string // what to break
	Say      func(Line)
	// Opened, if not nil, is told of the run once it is open.
	Opened func(ctx context.Context, config, run string)
	// Control connects to the runner of a configuration.
	Control func(config string) Control
	// FailAt is the environment that makes a runner kill itself between the act
	// of a state and its outcome.
	FailAt func(state string) []string
}

// Control is what a demonstration needs of the run's side.
type Control interface {
	// Predict makes a dry run.
	Predict(ctx context.Context) (Prediction, error)
	// Open begins a run and says its name.
	Open(ctx context.Context) (run string, err error)
	// Status fails while no runner answers.
	Status(ctx context.Context, run string) (Status, error)
	// Answer grants what a state asks; choice is "" if there is none.
	Answer(ctx context.Context, run, state, choice string) error
}

// Prediction is what a dry run said.
type Prediction struct {
	Verdict string
	Counts  string // of what stands in the way
	Path    []string
	Open    []string // what stands in the way, one line each
}

// Status is where a run stands.
type Status struct {
	State, Title, Phase, Why string
	Resumes                  int
	Missing, Notes           []string
	Asked                    *Question
	Facts                    map[string]string
	Visits                   []Visit
	Ended                    bool
	Outcome                  string
}

// Question is what a state asks.
type Question struct {
	State, Text string
	Evidence    []string
	Choices     []string
}

// Visit is one stay in a state.
type Visit struct {
	State, Title  string
	Number        int      // of the state in the runbook, as everywhere
	Source        []string // the historical steps it encodes
	Because       string   // or why it was added
	Entered, Left time.Time
	Before, After string
}

// Line is something that happened.
type Line struct {
	After time.Duration // since the start
	Kind  string
	Text  string
}

// show is one demonstration under way.
type show struct {
	Options
	begin   time.Time
	lab     *lab.Lab
	control Control
	mail    *control.Client
	res     *Result

	run      string
	failed   bool                 // the runner was made to fail already
	killed   bool                 // so was the gateways' process
	broken   bool                 // the world was sabotaged
	moments  map[string]time.Time // what happened when, by the state it belongs to
	switched *mxWatch
}

// warmUp is how long mail flows before the run begins.
const warmUp = 4 * time.Second

// Run performs a demonstration. The error says that it could not be performed;
// that it went badly is in the result.
func Run(ctx context.Context, o Options) (res *Result, err error) {
	o.Messages = cmp.Or(o.Messages, 1000)
	o.Lab.Traffic.Messages = o.Messages * 3 / 2 // a minute, so that most runs need not be waited for
	if o.Yes {
		o.Lab.DecideWithin = time.Minute // what cannot be answered is to come to an end
	}
	s := &show{Options: o, begin: time.Now(), res: &Result{Runbook: o.Lab.Runbook}, moments: map[string]time.Time{}}
	s.say("lab", "starting a lab on loopback")
	if s.lab, err = lab.Start(ctx, o.Lab); err != nil {
		return nil, err
	}
	if o.Keep || o.Lab.Dir != "" {
		s.lab.Keep()
		s.res.Dir = s.lab.Dir
	}
	defer func() { err = errors.Join(err, s.lab.Stop()) }()
	s.control, s.mail = o.Control(s.lab.Config()), control.NewClient(s.lab.Socket())
	for _, p := range s.lab.View().Processes {
		s.say("lab", "%-13s pid %-7d %s", p.Role, p.PID, join(p.Ports, "  "))
	}
	s.say("lab", "from a second terminal: export IMS_CONFIG=%s", s.lab.Config())
	s.switched = watchMX(ctx, s.lab)
	defer s.switched.end()
	if err := s.perform(ctx); err != nil {
		return nil, err
	}
	return s.res, nil
}

// perform is the demonstration in a lab that works.
func (s *show) perform(ctx context.Context) error {
	if err := sleep(ctx, warmUp); err != nil {
		return err
	}
	predicted, err := s.control.Predict(ctx)
	if err != nil {
		return fmt.Errorf("make a dry run: %w", err)
	}
	s.say("plan", "dry run: %s, %d states; %s", predicted.Verdict, len(predicted.Path), predicted.Counts)
	for _, one := range predicted.Open {
		s.say("plan", "  %s", one)
	}
	s.res.Prediction.Predicted = predicted.Path
	if err := s.startRunner(ctx); err != nil {
		return err
	}
	if s.run, err = s.control.Open(ctx); err != nil {
		return fmt.Errorf("open a run: %w", err)
	}
	s.say("run", "run %s: retire %s, successor %s", s.run, lab.Retiring, lab.Heir)
	if s.Opened != nil {
		s.Opened(ctx, s.lab.Config(), s.run)
	}
	last, err := s.follow(ctx)
	if err != nil {
		return err
	}
	s.take(last)
	if err := s.judge(ctx, last); err != nil {
		return err
	}
	if err := s.finish(ctx); err != nil {
		return err
	}
	return s.count(ctx, last)
}

// startRunner starts a runner. The first one of a demonstration with crashes
// kills itself.
func (s *show) startRunner(ctx context.Context) error {
	var env []string
	if s.Crash && !s.failed {
		s.failed = true
		env = s.FailAt("remove_spaces")
	}
	if err := s.lab.LaunchWith(ctx, "runner", env); err != nil {
		return err
	}
	pid := s.lab.Part("runner").PID
	s.res.Runners = append(s.res.Runners, pid)
	s.say("runner", "runner started, pid %d", pid)
	return nil
}

// How long mail flows after the end, and how long at most until enough of it
// did.
const (
	afterwards = 2 * time.Second
	patience   = 25 * time.Second
)

// finish lets users send a little longer, ends the senders, and waits until
// the successor has brought to an end what it took.
func (s *show) finish(ctx context.Context) error {
	bad := s.Sabotage != "" || s.Lab.Runbook == lab.FolkName // mail is held, or gone: there is nothing to wait for
	for begin := time.Now(); ; {
		if err := sleep(ctx, afterwards); err != nil {
			return err
		}
		n, err := s.tries()
		if err != nil {
			return err
		}
		if bad || n.Sent >= s.Messages || time.Since(begin) > patience {
			break
		}
	}
	s.say("lab", "senders end")
	if err := s.lab.Part("senders").Stop(time.Minute); err != nil {
		return err
	}
	if bad {
		return nil
	}
	s.say("lab", "waiting until %s has delivered or returned all that it took", lab.Heir)
	limit, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for quiet := 0; quiet < 5; quiet++ {
		if c, err := s.mail.Census(limit, lab.Heir); err == nil {
			if n, ok := c.Total(); !ok || n > 0 {
				quiet = 0
			}
		}
		if err := sleep(limit, 200*time.Millisecond); err != nil {
			s.res.problem("%s still holds mail", lab.Heir)
			return ctx.Err()
		}
	}
	return nil
}

func (s *show) say(kind, format string, args ...any) {
	s.Say(Line{After: time.Since(s.begin), Kind: kind, Text: fmt.Sprintf(format, args...)})
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
