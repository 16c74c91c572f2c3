// Package spool keeps the mail of one organization: queue entries, message
// bodies, the tracking log and the service's settings, in one database with
// one order of commits. It is the only room that imports Pebble: an embedded
// log-structured store whose write-ahead log is synced once for all the
// messages that are accepted at the same moment, so that 250 can mean "on
// disk" (RFC 5321 section 6.1) at thousands of messages a second.
//
// What one [Spool.Commit] writes is there completely or not at all, after a
// power failure too. An event of the tracking log is written by the commit
// that makes it true, so the ledger computed from the log agrees with the
// entries after every crash.
//
// The spool never guesses. A database that cannot be read is refused with the
// place of the damage and never rebuilt; an entry that cannot be read, or
// whose body is missing, is counted and shown in the corrupt store and stays
// until an operator deletes it. It knows nothing of routes, retries and modes.
//
// On disk a spool is a folder: SPOOL marks it as complete, db holds the
// database, bodies the bodies above [MaxInline], tmp what was never accepted.
package spool

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// MaxInline is the largest body, in octets, that is kept in the database; a
// larger one is a file of its own.
const MaxInline = 1 << 20

// DefaultMinFree is the free disk space, in bytes, below which the spool asks
// for back-pressure: the historical DiskSpaceLowWaterMark (Q189587).
const DefaultMinFree = 10 << 20

// Errors a caller branches on.
var (
	ErrNotFound  = errors.New("not in the spool")
	ErrExists    = errors.New("already in the spool")
	ErrStale     = errors.New("entry was changed by somebody else")
	ErrUnhealthy = errors.New("spool takes no new mail")
	ErrDamaged   = errors.New("spool is damaged")
	ErrClosed    = errors.New("spool is closed")
	ErrNotEmpty  = errors.New("gateway still holds mail")
)

// Options of Open.
type Options struct {
	Log     *slog.Logger // nil discards
	FS      vfs.FS       // nil is the operating system's
	MinFree uint64       // bytes; 0 means DefaultMinFree
}

// NewMemFS is a file system in memory for Options.FS, for tests and rehearsals:
// a spool that was closed can be opened on it again. Callers need not import
// Pebble for it.
func NewMemFS() vfs.FS { return vfs.NewMem() }

// Spool is an open spool. All methods are safe for concurrent use.
type Spool struct {
	dir     string
	fs      vfs.FS
	log     *slog.Logger
	minFree uint64
	db      *pebble.DB

	requests chan *request
	quit     chan struct{}
	done     chan struct{}
	closing  sync.Once
	closeErr error

	fault atomic.Pointer[string] // why no commit is possible any more

	// view is held for writing from the moment a batch becomes visible until
	// it is durable and counted, so that readers see only durable states.
	view  sync.RWMutex
	index *index
	seq   uint64 // of the last durable event
}

// Open opens the spool in dir, or makes an empty one. It refuses a spool that
// is damaged with an error that wraps [ErrDamaged] and names the place, and
// one that another process has open. It removes what was never accepted.
func Open(dir string, opts Options) (*Spool, error) {
	s := &Spool{
		dir: dir, fs: opts.FS, log: opts.Log, minFree: opts.MinFree,
		requests: make(chan *request), quit: make(chan struct{}), done: make(chan struct{}),
		index: newIndex(),
	}
	if s.fs == nil {
		s.fs = vfs.Default
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.minFree == 0 {
		s.minFree = DefaultMinFree
	}
	if err := s.openDB(); err != nil {
		return nil, fmt.Errorf("open spool %s: %w", dir, err)
	}
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("open spool %s: %w", dir, errors.Join(err, s.db.Close()))
	}
	go s.run()
	return s, nil
}

// Close waits for the commits under way and closes the database. Commits that
// come later get [ErrClosed]. No reader may be at work.
func (s *Spool) Close() error {
	s.closing.Do(func() {
		close(s.quit)
		<-s.done
		if err := s.db.Close(); err != nil {
			s.closeErr = fmt.Errorf("close spool %s: %w", s.dir, err)
		}
	})
	return s.closeErr
}

// Unhealthy says why no new mail should be accepted, or "". It is cheap
// enough to be asked at every command. A write that failed is remembered until
// the spool is opened again, because after it the disk's state is unknown;
// lack of space passes when there is space again.
func (s *Spool) Unhealthy() string {
	if why := s.fault.Load(); why != nil {
		return *why
	}
	usage, err := s.fs.GetDiskUsage(s.dir)
	switch {
	case errors.Is(err, vfs.ErrUnsupported):
		return ""
	case err != nil:
		return fmt.Sprintf("free disk space of the spool is not known: %v", err)
	case usage.AvailBytes < s.minFree:
		return fmt.Sprintf("%d bytes free on the disk of the spool, at least %d wanted", usage.AvailBytes, s.minFree)
	}
	return ""
}

// fail makes the spool refuse every later commit. The first reason stays.
func (s *Spool) fail(why string) {
	if s.fault.CompareAndSwap(nil, &why) {
		s.log.Error("spool takes no more commits", "dir", s.dir, "why", why)
	}
}
