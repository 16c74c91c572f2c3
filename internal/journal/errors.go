package journal

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Errors a caller branches on.
var (
	// ErrNoJournal: there is no journal in the directory.
	ErrNoJournal = errors.New("no journal here")
	// ErrNoRun: the journal has no run of this id.
	ErrNoRun = errors.New("no such run")
	// ErrRunExists: the id is taken.
	ErrRunExists = errors.New("run exists already")
	// ErrClosed: the run has ended and takes no more records.
	ErrClosed = errors.New("run is closed")
	// ErrFenced: the run goes on under a newer epoch; the caller must stop.
	ErrFenced = errors.New("fenced: the run goes on under another epoch")
	// ErrNoLease: nobody holds the resource.
	ErrNoLease = errors.New("no such lease")
	// ErrFull: the disk is full. The records were not stored; try again later.
	ErrFull = errors.New("disk is full")
	// ErrBroken: writing or syncing went wrong. Whether the last commit is
	// durable is unknown, and after a failed sync a second one may lie. The
	// journal takes no more commits until it is closed and opened (and so
	// checked) again.
	ErrBroken = errors.New("journal is broken until it is opened again")
)

// DamagedError says where and how a journal, or an export of one, is damaged.
type DamagedError struct {
	File   string // path, or "" for a stream
	Run    string // "" if it is not about one run
	Seq    int64  // record of the run; 0 is the run itself
	Reason string
	Err    error // the cause, if there is one
}

func (e *DamagedError) Error() string {
	where := "journal"
	if e.File != "" {
		where += fmt.Sprintf(" %q", e.File)
	}
	where += " is damaged"
	if e.Run != "" {
		where += fmt.Sprintf(": run %q", e.Run)
	}
	if e.Seq > 0 {
		where += fmt.Sprintf(": record %d", e.Seq)
	}
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", where, e.Reason, e.Err)
	}
	return where + ": " + e.Reason
}

// Unwrap returns the cause.
func (e *DamagedError) Unwrap() error { return e.Err }

// VersionError says that the file was written by a newer program.
type VersionError struct {
	File        string
	Have, Known int
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("journal %q has schema version %d, this program knows up to %d", e.File, e.Have, e.Known)
}

// NetworkError says that a directory is on a file system that other hosts may
// write to, or that may be such a one.
type NetworkError struct {
	Dir, Type string
}

func (e *NetworkError) Error() string {
	return fmt.Sprintf("directory %q is on %s: locks there cannot be trusted, use a local disk", e.Dir, e.Type)
}

// HeldError says who holds a resource.
type HeldError struct {
	Resource, Run, Owner string
	Since                time.Time
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("%s is held by run %q (%s) since %s", e.Resource, e.Run, e.Owner, e.Since.Format(time.RFC3339))
}

// NonceUsedError says which run used up a plan.
type NonceUsedError struct {
	Nonce, UsedBy string
}

func (e *NonceUsedError) Error() string {
	return fmt.Sprintf("plan %q was used by %q", e.Nonce, e.UsedBy)
}

// explain puts an error of SQLite into the words of this package.
func explain(path string, err error) error {
	switch primaryCode(err) {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return &DamagedError{File: path, Reason: "not readable as a database", Err: err}
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %q: %w", ErrFull, path, err)
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
		// SQLite says only that it cannot; the system says why.
		const write = 2 // W_OK of access(2)
		dir := filepath.Dir(path)
		if why := syscall.Access(dir, write); why != nil {
			return fmt.Errorf("directory %q cannot be written (%w): %w", dir, why, err)
		}
	}
	return err
}

// Passing reports whether err is what a disk says that is full or at fault: the
// commit can be made once there is room again, and [Journal.Reopen] has found
// nothing damaged. Another epoch, a lease of somebody else, and damage stay.
func Passing(err error) bool { return errors.Is(err, ErrFull) || errors.Is(err, ErrBroken) }

// breaks reports whether after err nobody knows what is on the disk.
func breaks(err error) bool {
	code := primaryCode(err)
	return errors.Is(err, ErrBroken) || code == sqlite3.SQLITE_IOERR || code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB
}

// primaryCode is the low byte of an extended result code, 0 for other errors.
func primaryCode(err error) int {
	if se, ok := errors.AsType[*sqlite.Error](err); ok {
		return se.Code() & 0xff
	}
	return sqlite3.SQLITE_OK
}
