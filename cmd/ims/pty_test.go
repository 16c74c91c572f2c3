package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// monitored is a configuration of a gateway that nobody serves: a monitor of
// it needs nothing else.
const monitored = `apiVersion: ims/v1
kind: Config
state_dir: state
organization:
  domains: [example.test]
  mailhost: 127.0.0.1:24
  sites:
    hq: {submission: "127.0.0.1:25"}
gateways:
  east:
    hostname: east.example.test
    listen: 127.0.0.1:26
    spaces: [{pattern: "*"}]
`

// terminal is a program on a pseudo terminal that answers no question.
type terminal struct {
	cmd  *exec.Cmd
	file *os.File

	mu   sync.Mutex
	got  bytes.Buffer
	news chan struct{}
	done chan struct{}
}

// onTerminal starts a command of ims on a pseudo terminal of 80x24.
func onTerminal(ctx context.Context, t testing.TB, dir string, env []string, args ...string) (*terminal, error) {
	t.Helper()
	cmd := ims(ctx, t, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), append([]string{"TERM=xterm-256color", "LC_ALL=C.UTF-8", "CI=", "TMUX="}, env...)...)
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		return nil, err
	}
	p := &terminal{cmd: cmd, file: f, news: make(chan struct{}, 1), done: make(chan struct{})}
	go p.read()
	return p, nil
}

func (p *terminal) read() {
	defer close(p.done)
	buf := make([]byte, 4096)
	for {
		n, err := p.file.Read(buf)
		p.mu.Lock()
		p.got.Write(buf[:n])
		p.mu.Unlock()
		select {
		case p.news <- struct{}{}:
		default:
		}
		if err != nil { // EIO: nobody has the other side open any more
			return
		}
	}
}

func (p *terminal) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got.String()
}

// until waits until the program has written a text.
func (p *terminal) until(ctx context.Context, text string) error {
	for !strings.Contains(p.text(), text) {
		select {
		case <-p.news:
		case <-p.done:
			if strings.Contains(p.text(), text) {
				return nil
			}
			return errors.New("it ended before: " + p.text())
		case <-ctx.Done():
			return errors.New("it did not write " + text + ": " + p.text())
		}
	}
	return nil
}

// end waits until the program has ended, and returns its exit code.
func (p *terminal) end() int {
	<-p.done
	_ = p.cmd.Wait() // how it ended is in ProcessState
	_ = p.file.Close()
	return p.cmd.ProcessState.ExitCode()
}

func monitoredDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ims.yaml"), []byte(monitored), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestTerminalIsNotAsked: no command that draws nothing writes an escape byte
// to a terminal. Bubbletea asks it for its colours when it is imported, and
// waits five seconds for an answer, unless internal/tui/preset comes first.
func TestTerminalIsNotAsked(t *testing.T) {
	dir := monitoredDir(t)
	for _, args := range [][]string{{"--version"}, {"runbook", "list"}, {"monitor", "--help"}} {
		p, err := onTerminal(t.Context(), t, dir, nil, args...)
		if err != nil {
			t.Fatal(err)
		}
		code := p.end()
		if got := p.text(); code != 0 || got == "" || strings.Contains(got, "\x1b") {
			t.Errorf("ims %s: exit %d, %q", strings.Join(args, " "), code, got)
		}
	}
}

// TestDumbTerminal: what cannot address its cells gets lines.
func TestDumbTerminal(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p, err := onTerminal(ctx, t, monitoredDir(t), []string{"TERM=dumb"}, "monitor", "east")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.until(ctx, "gateway east does not answer"); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.end()
	if strings.Contains(p.text(), "\x1b") {
		t.Errorf("it wrote %q", p.text())
	}
}

// TestMonitorOnSignal: SIGTERM ends a monitor, every time, and the terminal is
// as it was: the main screen, with a cursor.
func TestMonitorOnSignal(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts many programs: left out by -short")
	}
	const times, together = 60, 6
	dir := monitoredDir(t)
	free := make(chan struct{}, together)
	var wg sync.WaitGroup
	for i := range times {
		wg.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			if err := signalled(t, dir); err != nil {
				t.Errorf("time %d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

func signalled(t *testing.T, dir string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p, err := onTerminal(ctx, t, dir, nil, "monitor", "east")
	if err != nil {
		return err
	}
	err = p.until(ctx, "NOT SEEN YET")
	if err == nil {
		err = p.cmd.Process.Signal(syscall.SIGTERM)
	}
	p.end() // which the context bounds
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return errors.New("it did not end")
	}
	got := p.text()
	_, after, left := strings.Cut(got, "\x1b[?1049l")
	if !left || !strings.Contains(got, "\x1b[?25h") || strings.Contains(after, "\x1b[?1049h") {
		return errors.New("the terminal is not as it was: " + got)
	}
	return nil
}

// TestMonitorKeys: keys that arrive in one read are keys each, and q leaves.
func TestMonitorKeys(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p, err := onTerminal(ctx, t, monitoredDir(t), []string{"NO_COLOR=1"}, "monitor", "east")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.until(ctx, "NOT SEEN YET"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(p.file, "/ab"); err != nil {
		t.Fatal(err)
	}
	if err := p.until(ctx, "filter: ab_"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(p.file, "\x1b?"); err != nil {
		t.Fatal(err)
	}
	if err := p.until(ctx, "on the matrix"); err == nil {
		_, err = io.WriteString(p.file, "qq")
		if err != nil {
			t.Fatal(err)
		}
	} else {
		t.Fatal(err)
	}
	if code := p.end(); code != 0 {
		t.Errorf("exit %d", code)
	}
	for _, color := range []string{"\x1b[31m", ";31m", ";32m", ";33m", ";36m"} {
		if strings.Contains(p.text(), color) {
			t.Errorf("NO_COLOR, and %q is written", color)
		}
	}
}
