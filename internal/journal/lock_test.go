package journal_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"testing"

	"example.org/ims/internal/journal"
)

// childLock holds the lock until its input ends.
func childLock(dir string, _ []string) error {
	if _, err := journal.Lock(dir); err != nil {
		return err
	}
	fmt.Println("locked")
	bufio.NewScanner(os.Stdin).Scan()
	return nil
}

func TestLockNamesItsHolderAndDiesWithIt(t *testing.T) {
	dir := t.TempDir()
	c := start(t, nil, "lock", dir)
	if got := c.line(); got != "locked" {
		t.Fatalf("child says %q\n%s", got, c.err)
	}
	_, err := journal.Lock(dir)
	held, ok := errors.AsType[*journal.LockedError](err)
	if !ok {
		t.Fatalf("Lock() = %v, want *LockedError", err)
	}
	host, _ := os.Hostname()
	if h := held.Holder; h.PID != c.cmd.Process.Pid || h.Host != host || h.BootID == "" || h.Started.IsZero() {
		t.Errorf("holder %+v, want process %d on %s", h, c.cmd.Process.Pid, host)
	}
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait() // says that it was killed
	l, err := journal.Lock(dir)
	if err != nil {
		t.Fatalf("after kill -9: %v", err)
	}
	if err := l.Unlock(); err != nil {
		t.Error(err)
	}
	again, err := journal.Lock(dir)
	if err != nil {
		t.Fatalf("after Unlock: %v", err)
	}
	defer again.Unlock()
	if _, err := journal.Lock(dir); err == nil {
		t.Error("one process locked twice")
	}
}
