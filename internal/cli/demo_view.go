package cli

import (
	"context"
	"errors"
	"sync"

	"example.org/ims/internal/config"
	"example.org/ims/internal/output"
	"example.org/ims/internal/runner"
	"example.org/ims/internal/tui"
)

// demoView shows a demonstration: as lines, and while its run is open on a
// terminal as a monitor. What is said meanwhile is printed afterwards.
type demoView struct {
	s      *session
	p      *output.Printer
	screen bool

	mu    sync.Mutex
	said  chan string // nil while lines are printed
	kept  []DemoLine
	stop  context.CancelFunc
	ended chan struct{}
	err   error
}

// say prints a line, or keeps it.
func (v *demoView) say(l DemoLine) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.said == nil {
		v.print(l)
		return
	}
	if n := len(v.kept); n > 0 && l.Kind == "wait" && v.kept[n-1].Kind == "wait" && v.kept[n-1].Text == l.Text {
		v.kept = v.kept[:n-1] // of what did not change, the last is enough
	}
	v.kept = append(v.kept, l)
	if l.Kind != "state" && l.Kind != "wait" { // which the monitor shows better
		tellScreen(v.said, l.Text)
	}
}

// print prints a line. One that cannot be written is lost; the result tells.
func (v *demoView) print(l DemoLine) {
	if v.p.Format() == output.JSON {
		v.p.Note("%6ss  %s", l.At, l.Text)
		return
	}
	_ = v.p.Event("demo-line", l, "%6ss  %s", l.At, l.Text)
}

// open shows the monitor of the run, if there is a screen.
func (v *demoView) open(ctx context.Context, path, run string) {
	if !v.screen {
		return
	}
	c, err := config.Load(path)
	if err != nil {
		v.err = err
		return
	}
	ctx, v.stop = context.WithCancel(ctx)
	said := make(chan string, 64)
	v.mu.Lock()
	v.said, v.ended = said, make(chan struct{})
	v.mu.Unlock()
	go func() {
		defer close(v.ended)
		v.show(ctx, c, run, said)
	}()
}

func (v *demoView) show(ctx context.Context, c *config.Config, run string, said <-chan string) {
	st, err := runner.NewClient(c.StateDir).Status(ctx, run)
	if err == nil {
		_, err = v.s.show(ctx, v.p, watched{config: c, run: run, gateway: st.Gateway}, tui.Options{
			Ends: true, Said: said, Leaves: "the run and the demonstration go on, as lines; Ctrl-C then ends the demonstration",
		})
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.said = nil
	for _, l := range v.kept {
		v.print(l)
	}
	v.kept = nil
	switch {
	case errors.Is(err, errLeft):
		v.p.Note("run %s goes on without the monitor; what follows are lines, and Ctrl-C ends the demonstration", run)
	case err != nil && ctx.Err() == nil:
		v.err = err
	}
}

// close ends the monitor and waits for it.
func (v *demoView) close() error {
	if v.ended == nil {
		return v.err
	}
	v.stop()
	<-v.ended
	return v.err
}
