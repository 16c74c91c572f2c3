package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

// Reader reads a journal, also while another process writes to it. Each method
// sees one moment of it. Safe for concurrent use.
type Reader struct {
	db     *sql.DB
	path   string
	copied string // the folder of the copy that is read, if it is one
}

// querier is what *sql.DB and *sql.Tx share.
type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// OpenReadOnly opens the journal in dir for reading. It checks what the file is
// but not the whole chain; reads check what they read, and Verify checks it all.
// Errors: ErrNoJournal, *DamagedError, *VersionError, *NetworkError.
//
// A reader of a write-ahead log writes a file beside it. Where this process may
// not, as people who may only look, a journal that no process has open is read
// from a copy, in the system's folder for temporary files until Close.
func OpenReadOnly(ctx context.Context, dir string) (*Reader, error) {
	path, err := filepath.Abs(filepath.Join(dir, FileName))
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	r, err := openReader(ctx, path)
	if code := primaryCode(err); code != sqlite3.SQLITE_CANTOPEN && code != sqlite3.SQLITE_READONLY {
		return r, err
	}
	db, copied, copyErr := openCopy(ctx, path)
	if copyErr != nil {
		return nil, errors.Join(err, fmt.Errorf("copy it: %w", copyErr))
	}
	r = &Reader{db: db, path: path, copied: copied}
	if err := identify(ctx, db, path); err != nil {
		return nil, errors.Join(fmt.Errorf("open journal: %w", explain(path, err)), r.Close())
	}
	return r, nil
}

// openReader opens the file itself.
func openReader(ctx context.Context, path string) (*Reader, error) {
	if err := checkFile(path); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if err := localOnly(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	db, err := openDB(ctx, path, readOnly)
	if err != nil {
		return nil, fmt.Errorf("open journal %q: %w", path, explain(path, err))
	}
	if err := identify(ctx, db, path); err != nil {
		return nil, errors.Join(fmt.Errorf("open journal: %w", explain(path, err)), db.Close())
	}
	return &Reader{db: db, path: path}, nil
}

// identify refuses files of other programs and of newer versions of this one.
func identify(ctx context.Context, db *sql.DB, path string) error {
	var app, version int
	if err := db.QueryRowContext(ctx, `PRAGMA application_id`).Scan(&app); err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return err
	}
	switch {
	case app != applicationID:
		return &DamagedError{File: path, Reason: fmt.Sprintf("not a journal: application id %#x", app)}
	case version > len(migrations):
		return &VersionError{File: path, Have: version, Known: len(migrations)}
	case version < 1:
		return &DamagedError{File: path, Reason: fmt.Sprintf("schema version %d", version)}
	}
	return nil
}

// Close closes the reader.
func (r *Reader) Close() error {
	err := r.db.Close()
	if r.copied != "" {
		err = errors.Join(err, os.RemoveAll(r.copied))
	}
	return err
}

// Path returns the file.
func (r *Reader) Path() string { return r.path }

// snapshot runs f on one moment of the journal.
func (r *Reader) snapshot(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return explain(r.path, err)
	}
	defer tx.Rollback() // nothing was written
	return explain(r.path, f(tx))
}

// Summary is a run and where it is.
type Summary struct {
	RunInfo            // Owner is who opened it
	Leases    []string // what it needs, sorted; [Reader.Leases] says what is held
	Epoch     int64
	Performer string // who opened or resumed it last
	Seq       int64
	Head      Hash
	Closed    time.Time // zero while open
	Outcome   string
}

// RunFilter picks runs; the zero value picks all.
type RunFilter struct {
	Gateway  string // "" is any
	OpenOnly bool
}

// Runs returns the runs that match, oldest first.
func (r *Reader) Runs(ctx context.Context, f RunFilter) ([]Summary, error) {
	rows, err := r.db.QueryContext(ctx, selectRun+` WHERE (?1 = '' OR gateway = ?1) AND (NOT ?2 OR closed_at IS NULL)
		ORDER BY opened_at, id`, f.Gateway, f.OpenOnly)
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", explain(r.path, err))
	}
	defer rows.Close()
	var out []Summary
	for rows.Next() {
		s, err := scanSummary(rows)
		if err != nil {
			return nil, fmt.Errorf("read runs: %w", explain(r.path, err))
		}
		out = append(out, s)
	}
	return out, explain(r.path, rows.Err())
}

// Run returns one run, or ErrNoRun.
func (r *Reader) Run(ctx context.Context, id string) (Summary, error) {
	s, err := summaryOf(ctx, r.db, id)
	if err != nil {
		return s, fmt.Errorf("read run %q: %w", id, explain(r.path, err))
	}
	return s, nil
}

// Head returns the number and hash of the last record of a run, or ErrNoRun. A
// run without records has number 0 and the hash of its header.
func (r *Reader) Head(ctx context.Context, id string) (int64, Hash, error) {
	s, err := r.Run(ctx, id)
	return s.Seq, s.Head, err
}

const selectRun = `SELECT id, gateway, runbook, digest, opened_at, opened_by, params, plan, leases, text,
	epoch, owner, seq, head, closed_at, outcome FROM run`

func summaryOf(ctx context.Context, q querier, id string) (Summary, error) {
	s, err := scanSummary(q.QueryRowContext(ctx, selectRun+` WHERE id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoRun
	}
	return s, err
}

func scanSummary(row interface{ Scan(...any) error }) (s Summary, err error) {
	var opened, params, leases string
	var head []byte
	var closed, outcome sql.NullString
	err = row.Scan(&s.ID, &s.Gateway, &s.Runbook, &s.Digest, &opened, &s.Owner, &params, &s.Nonce, &leases, &s.Text,
		&s.Epoch, &s.Performer, &s.Seq, &head, &closed, &outcome)
	if err != nil {
		return s, err
	}
	s.Params, s.Outcome = json.RawMessage(params), outcome.String
	copy(s.Head[:], head)
	if s.Opened, err = time.Parse(timeLayout, opened); err != nil {
		return s, err
	}
	if err = json.Unmarshal([]byte(leases), &s.Leases); err != nil {
		return s, err
	}
	if closed.Valid {
		s.Closed, err = time.Parse(timeLayout, closed.String)
	}
	return s, err
}
