package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Names of the files of the process lock.
const (
	lockName = "runner.lock"
	infoName = "runner.json"
)

// Holder says who holds a process lock. It is for messages, never for deciding.
type Holder struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	BootID  string    `json:"boot_id"`
	Started time.Time `json:"started"`
}

// LockedError says that another process holds the lock. The holder's PID is 0 if
// it has not written who it is yet.
type LockedError struct {
	Dir    string
	Holder Holder
}

func (e *LockedError) Error() string {
	if e.Holder.PID == 0 {
		return fmt.Sprintf("directory %q is locked by another process", e.Dir)
	}
	return fmt.Sprintf("directory %q is locked by process %d on %s, since %s",
		e.Dir, e.Holder.PID, e.Holder.Host, e.Holder.Started.Format(time.RFC3339))
}

// ProcessLock is the right of one process to perform the runs of a directory.
type ProcessLock struct {
	file *os.File
	info string
}

// Lock takes the process lock of dir, or returns *LockedError at once. It is a
// flock(2): the kernel frees it when the process ends, however it ends, so there
// is no stale lock and nothing to clean up. Children do not inherit it.
func Lock(dir string) (*ProcessLock, error) {
	if err := localOnly(dir); err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	info := filepath.Join(dir, infoName)
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		// An unreadable note leaves the holder unnamed; the lock is what counts.
		var h Holder
		if raw, err := os.ReadFile(info); err == nil {
			_ = json.Unmarshal(raw, &h)
		}
		return nil, errors.Join(&LockedError{Dir: dir, Holder: h}, f.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %q: %w", f.Name(), err), f.Close())
	}
	if err := writeHolder(info); err != nil {
		return nil, errors.Join(fmt.Errorf("lock: %w", err), f.Close())
	}
	return &ProcessLock{file: f, info: info}, nil
}

// Unlock frees the lock. The lock file stays, so that two processes never lock
// two files of the same name.
func (l *ProcessLock) Unlock() error {
	return errors.Join(os.Remove(l.info), l.file.Close())
}

func writeHolder(path string) error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return err
	}
	raw, err := json.Marshal(Holder{
		PID: os.Getpid(), Host: host, BootID: strings.TrimSpace(string(boot)), Started: time.Now().UTC(),
	})
	if err != nil {
		return err
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, append(raw, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
