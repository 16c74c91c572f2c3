package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	markerName = "SPOOL"
	markerText = "ims spool 1\n"
)

// openDB opens the database, or makes one if the folder holds none. A marker
// file is written after the database was made, so that a folder whose database
// lost its files is not taken for a new one.
func (s *Spool) openDB() error {
	for _, d := range []string{s.dir, s.path("db"), s.path("bodies"), s.path("tmp")} {
		if err := s.fs.MkdirAll(d, 0o700); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
	}
	exists, err := s.checkMarker()
	if err != nil {
		return err
	}
	logger := pebbleLogger{s}
	opts := &pebble.Options{
		FS:                 s.fs,
		FormatMajorVersion: pebble.FormatNewest,
		MemTableSize:       16 << 20,
		ErrorIfNotExists:   exists,
		Logger:             logger,
		EventListener: &pebble.EventListener{
			BackgroundError: func(err error) { s.log.Warn("database has trouble", "dir", s.dir, "err", err) },
			DataCorruption:  func(i pebble.DataCorruptionInfo) { s.fail("database is damaged: " + i.String()) },
		},
	}
	if _, ok := s.fs.(*CrashableFS); ok {
		// Without this a bubble of testing/synctest ticks ten times a second.
		opts.Experimental.CompactionScheduler = pebble.NewConcurrencyLimitSchedulerWithNoPeriodicGrantingForTest()
	}
	db, err := pebble.Open(s.path("db"), opts)
	if err != nil {
		if exists && isNotExist(err) {
			err = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		return fmt.Errorf("open database %s: %w", s.path("db"), damage(err))
	}
	s.db = db
	if exists {
		return nil
	}
	if err := s.writeMarker(); err != nil {
		return errors.Join(err, db.Close())
	}
	return nil
}

// damage marks the errors by which Pebble says that data is wrong or gone.
func damage(err error) error {
	if errors.Is(err, pebble.ErrDBDoesNotExist) || pebble.IsCorruptionError(err) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// checkMarker reports whether a complete spool is there. It refuses one whose
// log is gone, since the database would open without the newest mail.
func (s *Spool) checkMarker() (bool, error) {
	names, err := s.fs.List(s.path("db"))
	if err != nil {
		return false, fmt.Errorf("list database: %w", err)
	}
	tables, logs := 0, 0
	for _, n := range names {
		if strings.HasSuffix(n, ".sst") {
			tables++
		}
		if strings.HasSuffix(n, ".log") {
			logs++
		}
	}
	text, err := s.readFile(s.path(markerName))
	switch {
	case err == nil && text != markerText:
		return false, fmt.Errorf("%w: %s says %q", ErrDamaged, s.path(markerName), text)
	case err == nil && logs == 0:
		return false, fmt.Errorf("%w: no write-ahead log in %s", ErrDamaged, s.path("db"))
	case err == nil:
		return true, nil
	case !isNotExist(err):
		return false, fmt.Errorf("read marker: %w", err)
	case tables > 0:
		return false, fmt.Errorf("%w: %s is missing beside a database", ErrDamaged, s.path(markerName))
	}
	return false, nil
}

func (s *Spool) writeMarker() error {
	err := func() error {
		f, err := s.fs.Create(s.path("tmp", markerName), vfs.WriteCategoryUnspecified)
		if err != nil {
			return err
		}
		if _, err := f.Write([]byte(markerText)); err != nil {
			return errors.Join(err, f.Close())
		}
		if err := f.Sync(); err != nil {
			return errors.Join(err, f.Close())
		}
		if err := f.Close(); err != nil {
			return err
		}
		if err := s.fs.Rename(s.path("tmp", markerName), s.path(markerName)); err != nil {
			return err
		}
		return errors.Join(s.syncDir(s.dir), s.syncDir(s.fs.PathDir(s.dir)))
	}()
	if err != nil {
		return fmt.Errorf("write marker: %w", err)
	}
	return nil
}

// pebbleLogger hands Pebble's words to slog. Pebble calls Fatalf when its
// state on disk is unknown and relies on not coming back; the panic ends the
// commit under way (which recovers it and fails), or the process.
type pebbleLogger struct{ s *Spool }

var _ pebble.Logger = pebbleLogger{}

func (l pebbleLogger) Infof(format string, args ...any) {
	if l.s.log.Enabled(context.Background(), slog.LevelDebug) {
		l.s.log.Debug("pebble", "msg", fmt.Sprintf(format, args...))
	}
}

func (l pebbleLogger) Errorf(format string, args ...any) {
	l.s.log.Error("pebble", "msg", fmt.Sprintf(format, args...))
}

func (l pebbleLogger) Fatalf(format string, args ...any) {
	why := fmt.Sprintf(format, args...)
	l.s.fail(why)
	panic(fatal(why))
}

// fatal is what pebbleLogger panics with.
type fatal string
