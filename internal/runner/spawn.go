package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"example.org/ims/internal/access"
	"example.org/ims/internal/journal"
)

// LogName is the name of the log of a runner that Spawn started, in its state
// directory.
const LogName = "runner.log"

// spawnWait is how long a new runner may take to answer: it checks the whole
// journal first.
const spawnWait = 30 * time.Second

// Spawn starts a runner for a state directory in a session of its own, so that
// it outlives this process and its terminal, and waits until a runner answers:
// this one, or another that was faster. One that is ending, as after the last
// run, is waited for first. argv is the command line that runs it in the
// foreground.
func Spawn(ctx context.Context, dir string, argv []string) error {
	if err := access.Folder(dir); err != nil {
		return fmt.Errorf("start runner: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, spawnWait)
	defer cancel()
	client := NewClient(dir)
	if alive, err := predecessor(ctx, dir, client); err != nil || alive {
		return err
	}
	logPath := filepath.Join(dir, LogName)
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("start runner: %w", err)
	}
	defer func() { _ = log.Close() }()        // the child has its own descriptor
	cmd := exec.Command(argv[0], argv[1:]...) //nolint:gosec // the program itself, by an argument list
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start runner: %w", err)
	}
	return errors.Join(await(ctx, client, cmd.Process.Pid, logPath), cmd.Process.Release())
}

// predecessor waits until no runner holds the lock, or one answers.
func predecessor(ctx context.Context, dir string, c *Client) (alive bool, err error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := c.Info(ctx); !errors.Is(err, ErrNoRunner) {
			return true, err
		}
		lock, err := journal.Lock(dir)
		if err == nil {
			return false, lock.Unlock()
		}
		if _, held := errors.AsType[*LockedError](err); !held {
			return false, fmt.Errorf("start runner: %w", err)
		}
		select {
		case <-ctx.Done():
			return false, fmt.Errorf("start runner: the one that is ending does not end: %w: %w", err, ctx.Err())
		case <-tick.C:
		}
	}
}

// await waits until a runner answers, or the child has ended without one.
func await(ctx context.Context, c *Client, pid int, logPath string) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	gone := 0
	for {
		_, err := c.Info(ctx)
		if !errors.Is(err, ErrNoRunner) {
			return err
		}
		if gone == 0 && ended(pid) {
			gone = 1
		}
		if gone > 0 { // one that lost the race for the lock: the winner needs a moment
			if gone++; gone > 100 {
				return fmt.Errorf("start runner: it ended at once; see %s", logPath)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("start runner: it does not answer; see %s: %w", logPath, ctx.Err())
		case <-tick.C:
		}
	}
}

// ended reports whether a child has ended, and takes note of it.
func ended(pid int) bool {
	got, err := syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
	return got == pid || errors.Is(err, syscall.ECHILD)
}
