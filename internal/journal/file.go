package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
)

// Connection parameters. FULL: NORMAL may lose the last commits when the power
// goes, and an intent must not be lost. Immediate: a transaction that reads first
// and writes later cannot be refused half way.
const (
	readWrite = "mode=rw&_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)" +
		"&_pragma=synchronous(full)&_pragma=foreign_keys(on)&_pragma=cell_size_check(on)"
	readOnly = "mode=ro&_pragma=busy_timeout(5000)&_pragma=query_only(on)&_pragma=cell_size_check(on)"
	readers  = 4 // connections of a Reader
)

// openDB opens the file with one of the parameter sets and connects once, so
// that what is wrong shows here.
func openDB(ctx context.Context, path, params string) (*sql.DB, error) {
	u := url.URL{Scheme: "file", Path: path, RawQuery: params}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if params == readOnly {
		db.SetMaxOpenConns(readers)
	}
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// ensureFile creates the journal if there is none. It appears complete or not at
// all: it is made under another name, synced, and linked to its own.
func ensureFile(ctx context.Context, path string) error {
	switch _, err := os.Lstat(path); {
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	for _, rest := range []string{path + "-wal", path + "-journal"} {
		if _, err := os.Lstat(rest); err == nil {
			return &DamagedError{File: path, Reason: fmt.Sprintf("the file is gone, but %q is there", filepath.Base(rest))}
		}
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".journal-new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // it has been renamed, if all went well
	if err := tmp.Close(); err != nil {
		return err
	}
	db, err := openDB(ctx, tmp.Name(), readWrite)
	if err != nil {
		return explain(path, err)
	}
	// Closing the only connection folds the write-ahead log in and syncs.
	if err := errors.Join(migrate(ctx, db, 0), db.Close()); err != nil {
		return explain(path, err)
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// checkFile refuses what cannot be a journal before SQLite looks at it: SQLite
// takes an empty file for a new database.
func checkFile(path string) error {
	st, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%q: %w", path, ErrNoJournal)
	case err != nil:
		return err
	case !st.Mode().IsRegular():
		return fmt.Errorf("%q is not a regular file", path)
	case st.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("%q has mode %04o: others may write to it", path, st.Mode().Perm())
	case st.Size() == 0:
		return &DamagedError{File: path, Reason: "the file is empty"}
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
