package spool

import (
	"errors"
	"io"
	"os"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"example.org/ims/internal/mail"
)

func (s *Spool) path(elem ...string) string {
	return s.fs.PathJoin(append([]string{s.dir}, elem...)...)
}

func (s *Spool) bodyPath(id mail.ID) string { return s.path("bodies", string(id)) }

func (s *Spool) syncDir(dir string) error {
	d, err := s.fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (s *Spool) readFile(path string) (string, error) {
	f, err := s.fs.Open(path)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(f)
	return string(b), errors.Join(err, f.Close())
}

func isNotExist(err error) bool { return errors.Is(err, os.ErrNotExist) }

// sweep removes the files of drafts that were never accepted, and body files
// whose deletion a crash interrupted. known tells the bodies that are.
func (s *Spool) sweep(known func(mail.ID) bool) error {
	names, err := s.fs.List(s.path("tmp"))
	if err != nil {
		return err
	}
	for _, n := range names {
		if err := s.fs.Remove(s.path("tmp", n)); err != nil {
			return err
		}
	}
	if names, err = s.fs.List(s.path("bodies")); err != nil {
		return err
	}
	for _, n := range names {
		if known(mail.ID(n)) {
			continue
		}
		s.log.Info("body file without a record removed", "body", n)
		if err := s.fs.Remove(s.bodyPath(mail.ID(n))); err != nil {
			return err
		}
	}
	return nil
}

// removeBodies deletes body files whose records are gone. What cannot be
// deleted is removed at the next Open.
func (s *Spool) removeBodies(ids []mail.ID) {
	for _, id := range ids {
		if err := s.fs.Remove(s.bodyPath(id)); err != nil && !isNotExist(err) {
			s.log.Warn("body file stays until the next start", "body", id, "err", err)
		}
	}
}

// fileBody reads a body from its file.
type fileBody struct {
	*io.SectionReader
	f vfs.File
}

func (b fileBody) Close() error { return b.f.Close() }

// memBody reads a body from the database.
type memBody struct{ *strings.Reader }

func (memBody) Close() error { return nil }

var (
	_ io.ReadSeekCloser = fileBody{}
	_ io.ReadSeekCloser = memBody{}
)
