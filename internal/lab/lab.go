// Package lab is a small Internet on loopback: an organization with two
// gateways, its mail host and its zone on two name servers, remote hosts that
// are fast, slow, deferring, refusing and down, and senders of all kinds. Each
// part is a process of its own, started from the same program, that ends when
// its parent does. It is where a retirement can be watched, broken on purpose,
// and recounted afterwards from the files of those who sent and received.
//
// It uses the real gateway, the real zone and no privilege: ports are free
// ones, host names are mapped to them by the resolver's table of hosts, and
// clients come from distinct addresses of 127.0.0.0/8, which Linux gives to
// everybody. It refuses to work in a folder that is not empty.
//
//	DIR/ims.yaml           the configuration to use from another terminal
//	DIR/notified.jsonl     what people were told, one JSON object a line
//	DIR/lab.json           where everything is
//	DIR/senders/*.jsonl    what each kind of sender tried, and was told
//	DIR/sinks/HOST/        what each remote host accepted
//	DIR/mailboxes/         what the organization's mailboxes hold
//	DIR/log/ROLE.log       what each process said
package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Options of a lab.
type Options struct {
	Dir     string // empty or absent; "" makes a temporary one
	Runbook string // of the configuration; "" is q285090
	Traffic Traffic
	// DecideWithin is how long a question to people stays open; 0 is half an
	// hour.
	DecideWithin time.Duration
	// Program is what is started for each part: its path, and what it is
	// called.
	Program Program
	// Ending is called with the configuration before everything is stopped, to
	// end what others started in the lab; nil does nothing.
	Ending func(config string) error
}

// forPeople is how long people have for an answer who read the question first.
const forPeople = 30 * time.Minute

// Program is how the parts of a lab are started: Path with the arguments
// Args, then the role and the lab's folder.
type Program struct {
	Path string
	Args []string // begins with the program's own name
}

// Lab is a lab at work. Its methods are safe for concurrent use except Stop.
type Lab struct {
	*Layout
	guard   io.Closer // of its ports
	program Program
	ending  func(config string) error
	temp    bool
	parts   map[string]*Part
	order   []string
}

// Start makes a lab and starts its processes, one after another. If one does
// not start, those that did are ended again.
func Start(ctx context.Context, o Options) (*Lab, error) {
	dir, temp := o.Dir, false
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "ims-lab-"); err != nil {
			return nil, fmt.Errorf("make lab: %w", err)
		}
		temp = true
	}
	layout, guard, err := NewLayout(dir, o.Traffic)
	if err != nil {
		return nil, err
	}
	layout.Runbook = cmp.Or(o.Runbook, "q285090")
	l := &Lab{Layout: layout, guard: guard, program: o.Program, ending: o.Ending, temp: temp, parts: map[string]*Part{}}
	if err := l.write(cmp.Or(o.DecideWithin, forPeople)); err != nil {
		return nil, errors.Join(fmt.Errorf("make lab: %w", err), l.Stop())
	}
	for _, role := range Roles {
		if role == "senders" && o.Traffic.Idle {
			continue
		}
		if err := l.Launch(ctx, role); err != nil {
			return nil, errors.Join(err, l.Stop())
		}
	}
	return l, nil
}

// write makes the folders and files of a lab.
func (l *Layout) write(decide time.Duration) error {
	for _, d := range []string{"", "dns", "log", "senders", "sinks", "mailboxes", "state"} {
		if err := os.MkdirAll(l.path(d), 0o750); err != nil {
			return err
		}
	}
	for _, d := range []string{Fast, Slow, Defers, Refuse, "reports", "bridgehead"} {
		if err := os.MkdirAll(l.path("sinks", d), 0o750); err != nil {
			return err
		}
	}
	files := map[string]string{l.keyFile(): l.keyText(), l.Config(): l.yaml(decide), l.path("folk.yaml"): Folk}
	for path, text := range files {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return l.save()
}

// Parts are the processes, in the order in which they were started.
func (l *Lab) Parts() []*Part {
	parts := make([]*Part, len(l.order))
	for i, role := range l.order {
		parts[i] = l.parts[role]
	}
	return parts
}

// Part is the process of a role, nil if it was not started.
func (l *Lab) Part(role string) *Part { return l.parts[role] }

// Launch starts the process of a role, again if it has ended, and waits until
// it answers.
func (l *Lab) Launch(ctx context.Context, role string) error { return l.LaunchWith(ctx, role, nil) }

// LaunchWith is Launch with more environment.
func (l *Lab) LaunchWith(ctx context.Context, role string, env []string) error {
	p, err := launch(ctx, l.program, role, l.Dir, filepath.Join(l.Dir, "log", role+".log"), env...)
	if err != nil {
		return fmt.Errorf("start %s: %w", role, err)
	}
	if _, again := l.parts[role]; !again {
		l.order = append(l.order, role)
	}
	l.parts[role] = p
	return nil
}

// Stop ends every process, the last one first, and removes the folder if it
// was a temporary one.
func (l *Lab) Stop() error {
	var errs []error
	if l.ending != nil {
		errs = append(errs, l.ending(l.Config()))
	}
	for _, role := range slices.Backward(l.order) {
		if err := l.parts[role].Stop(stopGrace); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", role, err))
		}
	}
	errs = append(errs, l.guard.Close())
	if l.temp {
		errs = append(errs, os.RemoveAll(l.Dir))
	}
	return errors.Join(errs...)
}

// Keep leaves the folder in place when the lab ends.
func (l *Lab) Keep() { l.temp = false }

// stopGrace is how long a process may take to end, on a machine that is busy.
const stopGrace = time.Minute

// Run shows the lab and keeps it until ctx ends or one of its processes does.
// Then it stops everything.
func (l *Lab) Run(ctx context.Context, show func(View) error) (err error) {
	var waiting sync.WaitGroup
	defer func() {
		err = errors.Join(err, l.Stop())
		waiting.Wait()
	}()
	if err := show(l.View()); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for _, p := range l.Parts() {
		waiting.Go(func() {
			<-p.Done()
			cancel(fmt.Errorf("%s (pid %d) ended: see %s", p.Role, p.PID, l.path("log", p.Role+".log")))
		})
	}
	<-ctx.Done()
	if why := context.Cause(ctx); !errors.Is(why, context.Canceled) {
		return why
	}
	return nil
}
