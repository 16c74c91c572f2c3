package spool

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"example.org/ims/internal/mail"
)

// Draft is a message body that is being received. It is not in the spool
// before a Tx that accepts it was committed. A draft is used by one goroutine.
type Draft struct {
	// Body is the message's id: Entry.Message of every entry that has this body.
	Body mail.ID

	s       *Spool
	buf     []byte
	size    int64
	file    vfs.File // open while a large body is written
	path    string   // of the file, "" while the body is small
	sum     hash.Hash
	err     error
	checked int64 // size at the last look at the free space
	done    bool
}

// Begin starts a draft with a new message id.
func (s *Spool) Begin() *Draft { return &Draft{Body: mail.NewID(time.Now()), s: s} }

// Size is the number of octets written.
func (d *Draft) Size() int64 { return d.size }

// Write adds to the body. A body above MaxInline goes to a file. It fails
// when the disk does, or with ErrUnhealthy when the disk gets full; the draft
// is then good for Abort only.
func (d *Draft) Write(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	if err := d.write(p); err != nil {
		d.err = fmt.Errorf("write body %s: %w", d.Body, err)
		return 0, d.err
	}
	d.size += int64(len(p))
	return len(p), nil
}

func (d *Draft) write(p []byte) error {
	if d.done {
		return errors.New("draft is closed")
	}
	if d.file == nil && len(d.buf)+len(p) <= MaxInline {
		d.buf = append(d.buf, p...)
		return nil
	}
	if after := d.size + int64(len(p)); after-d.checked >= MaxInline {
		d.checked = after
		if why := d.s.Unhealthy(); why != "" {
			return fmt.Errorf("%w: %s", ErrUnhealthy, why)
		}
	}
	if d.file == nil {
		if err := d.spill(); err != nil {
			return err
		}
	}
	d.sum.Write(p)
	_, err := d.file.Write(p)
	return err
}

func (d *Draft) spill() error {
	path := d.s.path("tmp", string(d.Body))
	f, err := d.s.fs.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	d.file, d.path, d.sum = f, path, sha256.New()
	d.sum.Write(d.buf)
	_, err = f.Write(d.buf)
	d.buf = nil
	return err
}

// Abort drops the draft. It does nothing once the draft was accepted, so it
// may be deferred.
func (d *Draft) Abort() {
	if d.done {
		return
	}
	d.done, d.buf = true, nil
	if d.file != nil {
		_ = d.file.Close() // nobody was promised its content
	}
	if d.path != "" {
		if err := d.s.fs.Remove(d.path); err != nil && !isNotExist(err) {
			d.s.log.Warn("draft stays until the next start", "path", d.path, "err", err)
		}
	}
}

// seal makes a large body durable in its final place. It may be repeated.
func (d *Draft) seal() error {
	if d.err != nil {
		return d.err
	}
	if d.done {
		return fmt.Errorf("accept body %s: draft is closed", d.Body)
	}
	if d.path == "" || d.path == d.s.bodyPath(d.Body) {
		return nil
	}
	err := func() error {
		if d.file != nil {
			err := errors.Join(d.file.Sync(), d.file.Close())
			d.file = nil
			if err != nil {
				return err
			}
		}
		if err := d.s.fs.Rename(d.path, d.s.bodyPath(d.Body)); err != nil {
			return err
		}
		d.path = d.s.bodyPath(d.Body)
		return d.s.syncDir(d.s.path("bodies"))
	}()
	if err != nil {
		d.err = fmt.Errorf("store body %s: %w", d.Body, err)
	}
	return d.err
}

// info is the record of a body: where it is, its size, a file's checksum.
type info struct {
	file bool
	size int64
	sum  [sha256.Size]byte
}

func (d *Draft) info() info {
	i := info{file: d.path != "", size: d.size}
	if i.file {
		d.sum.Sum(i.sum[:0])
	}
	return i
}

func (i info) encode() []byte {
	b := []byte{'m'}
	if i.file {
		b[0] = 'f'
	}
	b = binary.BigEndian.AppendUint64(b, uint64(i.size))
	if i.file {
		b = append(b, i.sum[:]...)
	}
	return b
}

func decodeInfo(b []byte) (info, error) {
	if len(b) != 9 && len(b) != 9+sha256.Size || b[0] != 'm' && b[0] != 'f' || (b[0] == 'f') != (len(b) > 9) {
		return info{}, fmt.Errorf("%w: body record %q", ErrDamaged, b)
	}
	i := info{file: b[0] == 'f', size: int64(binary.BigEndian.Uint64(b[1:]))}
	copy(i.sum[:], b[9:])
	return i, nil
}
