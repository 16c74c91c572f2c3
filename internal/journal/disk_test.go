package journal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"example.org/ims/internal/journal"
)

// ownMounts lets a child mount what nobody else sees.
func ownMounts() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
}

// skipped is printed by a child that may not mount.
const skipped = "skipped: "

func runChild(t *testing.T, attr *syscall.SysProcAttr, words ...string) {
	t.Helper()
	c := start(t, attr, words...)
	for c.out.Scan() {
		if why, ok := strings.CutPrefix(c.out.Text(), skipped); ok {
			c.wait(t)
			t.Skip(why)
		}
		t.Log(c.out.Text())
	}
	c.wait(t)
}

func TestFullDisk(t *testing.T) { runChild(t, ownMounts(), "full", t.TempDir()) }

// TestReadOnlyFileSystem: nothing can be written, and everything can be read.
func TestReadOnlyFileSystem(t *testing.T) { runChild(t, ownMounts(), "rofs", t.TempDir()) }
func TestFailedWrite(t *testing.T)        { runChild(t, nil, "fsize", t.TempDir()) }

// fill appends until it fails; it returns the last number acknowledged.
func fill(ctx context.Context, j *journal.Journal, run journal.Run) (int64, error) {
	body := `"` + strings.Repeat("x", 4096) + `"`
	last := run.Seq
	for {
		seq, _, err := j.Append(ctx, run.ID, run.Epoch, rec("bulk", body))
		if err != nil {
			return last, err
		}
		last = seq
	}
}

// expect checks that a run has n records and an intact chain.
func expect(ctx context.Context, j *journal.Journal, n int64) error {
	es, err := j.Records(ctx, "r1", 0)
	if err == nil && int64(len(es)) != n {
		err = fmt.Errorf("%d records, want %d", len(es), n)
	}
	return errors.Join(err, j.Verify(ctx))
}

func childFull(dir string, _ []string) error {
	ctx := context.Background()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=512k"); err != nil {
		fmt.Println(skipped, err)
		return nil
	}
	j, err := journal.Open(ctx, dir, journal.Options{})
	if err != nil {
		return err
	}
	run, err := resumeOrOpen(ctx, j, "r1")
	if err != nil {
		return err
	}
	n, err := fill(ctx, j, run)
	fmt.Println(err)
	if !errors.Is(err, journal.ErrFull) {
		return fmt.Errorf("a full disk says %w", err)
	}
	if err := expect(ctx, j, n); err != nil {
		return err
	}
	if err := syscall.Mount("none", dir, "tmpfs", syscall.MS_REMOUNT, "size=8m"); err != nil {
		return err
	}
	if _, _, err := j.Append(ctx, run.ID, run.Epoch, rec("again", `{}`)); err != nil {
		return fmt.Errorf("with room again: %w", err)
	}
	return errors.Join(expect(ctx, j, n+1), j.Close())
}

func childReadOnly(dir string, _ []string) error {
	ctx := context.Background()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=4m"); err != nil {
		fmt.Println(skipped, err)
		return nil
	}
	n, err := leaveLog(ctx, dir)
	if err != nil {
		return err
	}
	if err := syscall.Mount("none", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		return err
	}
	if err := readable(ctx, dir, n); err != nil {
		return err
	}
	_, err = journal.Open(ctx, dir, journal.Options{})
	fmt.Println(err)
	if !errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("read-only file system says %w", err)
	}
	if _, err = journal.Lock(dir); !errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("Lock on a read-only file system says %w", err)
	}
	return nil
}

// leaveLog leaves a journal as a killed process does: the last records are only
// in its write-ahead log.
func leaveLog(ctx context.Context, dir string) (last int64, err error) {
	alive, err := os.MkdirTemp("", "alive-*")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(alive)) }()
	j, err := journal.Open(ctx, alive, journal.Options{})
	if err != nil {
		return 0, err
	}
	run, err := resumeOrOpen(ctx, j, "r1")
	if err != nil {
		return 0, err
	}
	last, _, err = j.Append(ctx, run.ID, run.Epoch, rec("late", `{}`))
	for _, suffix := range []string{"", "-wal"} {
		raw, readErr := os.ReadFile(filepath.Join(alive, journal.FileName+suffix))
		err = errors.Join(err, readErr, os.WriteFile(filepath.Join(dir, journal.FileName+suffix), raw, 0o600))
	}
	return last, errors.Join(err, j.Close())
}

// readable checks that everything is read where nothing can be written, and that
// nothing is left behind.
func readable(ctx context.Context, dir string, n int64) (err error) {
	tmp, err := os.MkdirTemp("", "copies-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	if err := os.Setenv("TMPDIR", tmp); err != nil {
		return err
	}
	r, err := journal.OpenReadOnly(ctx, dir)
	if err != nil {
		return err
	}
	es, err := r.Records(ctx, "r1", 0)
	if int64(len(es)) != n {
		err = errors.Join(err, fmt.Errorf("%d records, want %d", len(es), n))
	}
	err = errors.Join(err, r.Verify(ctx), r.Close())
	if left, readErr := os.ReadDir(tmp); len(left) > 0 {
		err = errors.Join(err, readErr, fmt.Errorf("%d files are left in %s", len(left), tmp))
	}
	return err
}

// childFileSize makes writes fail with an error that is not "disk full": what is
// on the disk is then unknown, and the journal must say so until it is reopened.
func childFileSize(dir string, _ []string) error {
	ctx := context.Background()
	signal.Ignore(syscall.SIGXFSZ)
	j, err := journal.Open(ctx, dir, journal.Options{})
	if err != nil {
		return err
	}
	run, err := resumeOrOpen(ctx, j, "r1")
	if err != nil {
		return err
	}
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	small := syscall.Rlimit{Cur: 256 << 10, Max: old.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		return err
	}
	n, err := fill(ctx, j, run)
	fmt.Println(err)
	if !errors.Is(err, journal.ErrBroken) || !strings.Contains(err.Error(), filepath.Join(dir, journal.FileName)) {
		return fmt.Errorf("a failed write says %w", err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	if _, _, err := j.Append(ctx, run.ID, run.Epoch, rec("again", `{}`)); !errors.Is(err, journal.ErrBroken) {
		return fmt.Errorf("a broken journal says %w, want ErrBroken", err)
	}
	if err := j.Reopen(ctx); err != nil {
		return err
	}
	if err := expect(ctx, j, n); err != nil {
		return err
	}
	if _, _, err := j.Append(ctx, run.ID, run.Epoch, rec("again", `{}`)); err != nil {
		return fmt.Errorf("reopened: %w", err)
	}
	n++
	if err := j.Close(); err != nil {
		return err
	}
	if j, err = journal.Open(ctx, dir, journal.Options{}); err != nil {
		return err
	}
	return errors.Join(expect(ctx, j, n), j.Close())
}
