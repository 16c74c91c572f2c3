package engine

import (
	"context"
	"errors"
	"time"
)

// hearsWithin is how long a look may go on once somebody has told the run
// something: most looks are over by then, and one at a gateway that hangs need
// not be waited for by whoever wants to abort.
const hearsWithin = time.Second

// errTold says that a look was cut short, because the run was told something.
var errTold = errors.New("the run was told something")

// around looks at the world, and listens meanwhile. What it hears is obeyed
// before the next step; the error is errTold if the look was cut short for that,
// and then nothing that it saw counts.
func (e *Engine) around(ctx context.Context) (Observation, error) {
	within, cut := context.WithCancel(ctx)
	stop := e.listen(within, cut)
	defer stop() // a crash test may end this goroutine
	obs := e.opts.World.Observe(within, e.look)
	stop()
	switch {
	case ctx.Err() != nil:
		return obs, ctx.Err()
	case within.Err() != nil:
		return obs, errTold
	}
	return obs, nil
}

// listen hears one command during a look, and cuts the look short if it is not
// over soon. What it returns ends that; it may be called twice.
func (e *Engine) listen(within context.Context, cut context.CancelFunc) (stop func()) {
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		if e.told == nil {
			select {
			case c := <-e.commands:
				e.told = &c
			case <-over:
				return
			case <-within.Done():
				return
			}
		}
		soon := time.NewTimer(hearsWithin)
		defer soon.Stop()
		select {
		case <-soon.C:
			cut()
		case <-over:
		case <-within.Done():
		}
	}()
	ended := false
	return func() {
		if ended {
			return
		}
		ended = true
		close(over)
		<-done
	}
}

// heard is a command that was not obeyed yet.
func (e *Engine) heard() (command, bool) {
	if c := e.told; c != nil {
		e.told = nil
		return *c, true
	}
	select {
	case c := <-e.commands:
		return c, true
	default:
		return command{}, false
	}
}
