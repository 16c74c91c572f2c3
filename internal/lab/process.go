package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Part is one process of a lab. Its standard input is its lifeline: at its
// end, which the kernel sees to should we die, the process ends itself. Lines
// in it are commands.
type Part struct {
	Role string
	PID  int

	cmd  *exec.Cmd
	log  *os.File
	mu   sync.Mutex
	line io.WriteCloser
	done chan struct{}
}

// readyTimeout is how long a process may take to answer, on a machine that is
// busy.
const readyTimeout = 2 * time.Minute

// launch starts a process and waits until it says that it is ready.
func launch(ctx context.Context, prog Program, role, dir, logFile string, env ...string) (*Part, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(prog.Path) //nolint:gosec,noctx // our own program; it must survive ctx until Stop
	cmd.Args = append(append([]string{}, prog.Args...), role, dir)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = log
	// Ctrl-C at the terminal is for us: we end our children in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	line, err := cmd.StdinPipe()
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	p := &Part{Role: role, PID: cmd.Process.Pid, cmd: cmd, log: log, line: line, done: make(chan struct{})}
	ready := make(chan bool, 1)
	go func() {
		defer close(p.done)
		in := bufio.NewScanner(out)
		ready <- in.Scan() && in.Text() == Ready
		for in.Scan() { // nothing else is said there
		}
		_ = cmd.Wait() // how it ended is in cmd.ProcessState
		_ = log.Close()
	}()
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	select {
	case ok := <-ready:
		if ok {
			return p, nil
		}
		return nil, errors.Join(fmt.Errorf("it ended before it was ready: see %s", logFile), p.Stop(0))
	case <-ctx.Done():
		return nil, errors.Join(fmt.Errorf("it is not ready in time: see %s: %w", logFile, ctx.Err()), p.Stop(0))
	}
}

// Ready is what a process of a lab prints once it answers.
const Ready = "ready"

// Done is closed when the process has ended.
func (p *Part) Done() <-chan struct{} { return p.done }

// Fate is how the process ended, in words. It may be called once it has.
func (p *Part) Fate() string { return p.cmd.ProcessState.String() }

// Tell gives the process a command.
func (p *Part) Tell(format string, args ...any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := fmt.Fprintf(p.line, format+"\n", args...); err != nil {
		return fmt.Errorf("tell %s (pid %d): %w", p.Role, p.PID, err)
	}
	return nil
}

// End asks the process to end, without waiting.
func (p *Part) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.line.Close() // it may be closed, or the process gone
}

// Kill ends the process at once, as a crash would, and waits for it.
func (p *Part) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	p.End()
	<-p.done
}

// Stop asks the process to end, and after grace makes it. A process that ended
// by itself is none of Stop's errors, one that had to be killed is.
func (p *Part) Stop(grace time.Duration) error {
	p.End()
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-p.done:
		return nil
	case <-t.C:
	}
	p.Kill()
	if grace == 0 {
		return nil
	}
	return fmt.Errorf("pid %d did not end within %v and was killed", p.PID, grace)
}
