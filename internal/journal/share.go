package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// share lets those read the file who may read its folder, and only them: people
// who may look need neither root nor a runner. SQLite gives its other files the
// same mode and owner. A user who is not in the folder's group keeps its own.
func share(path string) error {
	var st syscall.Stat_t
	if err := syscall.Stat(filepath.Dir(path), &st); err != nil {
		return fmt.Errorf("share %q: %w", path, err)
	}
	const group = 0o040
	mode := fs.FileMode(0o600)
	if st.Mode&group != 0 {
		if err := os.Chown(path, -1, int(st.Gid)); err != nil {
			if errors.Is(err, syscall.EPERM) {
				return nil
			}
			return err
		}
		mode |= group
	}
	return os.Chmod(path, mode)
}

// copyTries is how often a copy is begun anew because the files changed.
const copyTries = 5

// openCopy opens a copy of the journal, for a process that may read the file and
// not write beside it, as a write-ahead log needs. The copy is of one moment: it
// is made again while the files change. The folder is to be removed afterwards.
func openCopy(ctx context.Context, path string) (db *sql.DB, dir string, err error) {
	if dir, err = os.MkdirTemp("", "ims-journal-*"); err != nil {
		return nil, "", err
	}
	for range copyTries {
		var still bool
		if still, err = copyAll(path, dir); err != nil {
			break
		}
		if still {
			if db, err = openDB(ctx, filepath.Join(dir, FileName), readOnly); err == nil {
				return db, dir, nil
			}
			break
		}
		err = errors.New("it changes while it is copied")
	}
	return nil, "", errors.Join(err, os.RemoveAll(dir))
}

// copyAll copies the file and its write-ahead log, and reports whether neither
// changed meanwhile.
func copyAll(path, dir string) (still bool, err error) {
	before, err := look(path)
	if err != nil {
		return false, err
	}
	for _, suffix := range []string{"", "-wal"} {
		err := copyFile(path+suffix, filepath.Join(dir, FileName+suffix))
		if err != nil && (suffix == "" || !errors.Is(err, fs.ErrNotExist)) {
			return false, err
		}
	}
	after, err := look(path)
	return before == after, err
}

// look is what changes of the file and of its log when one of them is written.
func look(path string) (seen [2]struct{ size, time int64 }, err error) {
	for i, suffix := range []string{"", "-wal"} {
		st, err := os.Stat(path + suffix)
		switch {
		case err == nil:
			seen[i].size, seen[i].time = st.Size(), st.ModTime().UnixNano()
		case i == 0 || !errors.Is(err, fs.ErrNotExist):
			return seen, err
		}
	}
	return seen, nil
}

// copyFile replaces to, or removes it if there is no from.
func copyFile(from, to string) error {
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }() // it was only read
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}
