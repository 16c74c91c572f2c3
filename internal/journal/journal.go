// Package journal keeps what a run did: an append-only, hash-chained log of
// records in one SQLite file, with the leases and the epochs that say who may
// write to it.
//
//	lock, _ := journal.Lock(dir)                    // one runner a directory
//	j, _ := journal.Open(ctx, dir, journal.Options{})
//	run, _ := j.OpenRun(ctx, info, leases, opened)  // leases and first records in one commit
//	seq, head, _ := j.Append(ctx, run.ID, run.Epoch, intent)   // durable when it returns
//	_ = j.CloseRun(ctx, run.ID, run.Epoch, "retired", done)
//
// It knows nothing of what a record means: kind and body belong to the caller,
// except the kinds that begin with [OwnPrefix], which the journal writes itself
// so that everything it stores can be checked against the chain.
//
// It refuses to repair. A file that is damaged, truncated, of another program
// or of a newer version is refused with the place and the reason; nothing is
// rebuilt, and nothing is created where a trace of an old journal lies. It
// refuses network file systems, whose locks and shared memory SQLite's
// write-ahead log cannot trust, and files that others may write.
//
// It imports modernc.org/sqlite because other processes must be able to read
// while a run is live, with ims or with a stock sqlite3, which exclusive-lock
// stores forbid, and because it needs no C compiler.
//
// The format of the chain and of the export is described at [Hash] and
// [Reader.Export]. The package works on Linux only.
package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
)

// FileName is the name of the journal in its directory.
const FileName = "journal.db"

// Options adjust Open. The zero value is right for production.
type Options struct {
	// BeforeCommit and AfterCommit are called around every durable commit with
	// its ordinal since Open, from 1. A crash test ends its process in them.
	BeforeCommit, AfterCommit func(n int)
	// Fault, if set, is asked before every commit; what it returns is what the
	// disk says instead. A test fills the disk with ErrFull, or breaks it with
	// ErrBroken.
	Fault func() error
}

// Journal is an open journal that can be written. It is safe for concurrent
// use; commits are made one at a time, reads do not wait for them.
type Journal struct {
	*Reader
	db      *sql.DB
	opts    Options
	turn    chan struct{} // held by the one who commits
	commits int           // guarded by turn
	broken  error         // guarded by turn; set once, see ErrBroken
}

// Open opens the journal in dir for writing and creates it if there is none.
// dir must exist; the group that may read it may read the journal. The whole
// file is checked first, through a connection that cannot write: pages, schema,
// and the hash chain of every run. Errors: *DamagedError, *VersionError,
// *NetworkError, or what the system says.
//
// Open does not exclude another writer: hold [Lock] for that.
func Open(ctx context.Context, dir string, opts Options) (*Journal, error) {
	path, err := filepath.Abs(filepath.Join(dir, FileName))
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if err := localOnly(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if err := ensureFile(ctx, path); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if err := checkFile(path); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if err := share(path); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	r, err := openReader(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := r.Verify(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	db, err := openDB(ctx, path, readWrite)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open journal %q: %w", path, explain(path, err)), r.Close())
	}
	return &Journal{Reader: r, db: db, opts: opts, turn: make(chan struct{}, 1)}, nil
}

// Close waits for the commit under way and closes the file. Open runs stay open
// and keep their leases.
func (j *Journal) Close() error {
	j.turn <- struct{}{}
	defer func() { <-j.turn }()
	// The reader goes first: the last connection to close folds the write-ahead
	// log back into the file, which a read-only one cannot.
	return errors.Join(j.Reader.Close(), j.db.Close())
}

// commit runs f in one immediate transaction and makes it durable. A ctx that
// ends before the transaction begins stops it; after that it runs to its end,
// so an interrupt never leaves the caller in doubt about a commit.
func (j *Journal) commit(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	select {
	case j.turn <- struct{}{}:
		defer func() { <-j.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if j.broken != nil {
		return j.broken
	}
	err := explain(j.path, j.transact(context.WithoutCancel(ctx), f))
	if breaks(err) {
		err = fmt.Errorf("%w: %q: %w", ErrBroken, j.path, err)
		j.broken = err
	}
	return err
}

func (j *Journal) transact(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	tx, err := j.db.BeginTx(ctx, nil) // immediate, by _txlock
	if err != nil {
		return err
	}
	// Nothing stays behind, also of a hook that ends its goroutine. What goes
	// wrong here is f's to tell: SQLite has often rolled back by itself already.
	defer func() { _ = tx.Rollback() }()
	if err := f(ctx, tx); err != nil {
		return err
	}
	j.commits++
	n := j.commits
	if j.opts.BeforeCommit != nil {
		j.opts.BeforeCommit(n)
	}
	if j.opts.Fault != nil {
		if err := j.opts.Fault(); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if j.opts.AfterCommit != nil {
		j.opts.AfterCommit(n)
	}
	return nil
}
