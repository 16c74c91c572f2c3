package spool

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"example.org/ims/internal/mail"
)

// Manifest says what an archive holds. It is the archive's last member.
type Manifest struct {
	Schema     string    `json:"schema"` // "ims/archive/v1"
	Gateway    string    `json:"gateway"`
	Created    time.Time `json:"created"`
	LastEvent  uint64    `json:"last_event"` // Seq of the organization's last event then
	Entries    int       `json:"entries"`
	Unreadable int       `json:"unreadable"` // of Entries, kept as they are
	Bodies     int       `json:"bodies"`
	Settings   int       `json:"settings"`
	Events     int       `json:"events"` // of this gateway
	Files      []File    `json:"files"`
	Digest     string    `json:"digest,omitempty"` // SHA-256 of the manifest itself; not in the file
}

// File is one member of an archive.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

const archiveSchema = "ims/archive/v1"

// Members of an archive. Entries, settings and events are JSON lines in parts.
const (
	memberConfig   = "config"
	memberManifest = "manifest.json"
	memberBodies   = "bodies/"
	partSize       = 8 << 20
)

// Archive writes everything that belongs to a gateway to a new tar file:
// config as given, entries with their bodies, settings, and the gateway's
// tracking events, as of one moment. The file is on disk when Archive
// returns; an existing file is not overwritten. The spool is not changed.
func (s *Spool) Archive(gw, path string, config []byte) (Manifest, error) {
	m, err := s.archive(gw, path, config)
	if err != nil {
		return Manifest{}, fmt.Errorf("archive gateway %q to %s: %w", gw, path, err)
	}
	return m, nil
}

func (s *Spool) archive(gw, path string, config []byte) (Manifest, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Manifest{}, err
	}
	m, err := s.writeArchive(f, gw, config)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return m, errors.Join(err, os.Remove(path))
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return m, err
	}
	return m, errors.Join(dir.Sync(), dir.Close())
}

func (s *Spool) writeArchive(f io.Writer, gw string, config []byte) (Manifest, error) {
	s.view.RLock()
	snap, seq := s.db.NewSnapshot(), s.seq
	s.view.RUnlock()
	a := &archiver{
		tar: tar.NewWriter(f), snap: snap, s: s,
		m: Manifest{Schema: archiveSchema, Gateway: gw, Created: time.Now().UTC(), LastEvent: seq},
	}
	err := a.add(memberConfig, int64(len(config)), bytes.NewReader(config))
	if err == nil {
		err = a.gateway(gw)
	}
	if err == nil {
		err = a.finish()
	}
	return a.m, errors.Join(err, snap.Close())
}

// archiver writes one archive.
type archiver struct {
	tar  *tar.Writer
	snap *pebble.Snapshot
	s    *Spool
	m    Manifest
}

// add writes a member and notes its checksum.
func (a *archiver) add(name string, size int64, r io.Reader) error {
	err := a.tar.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o600, ModTime: a.m.Created})
	if err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(a.tar, sum), r)
	if err == nil && n != size {
		err = fmt.Errorf("%d octets instead of %d", n, size)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	a.m.Files = append(a.m.Files, File{Name: name, Size: size, SHA256: hex.EncodeToString(sum.Sum(nil))})
	return nil
}

func (a *archiver) gateway(gw string) error {
	entries := &parts{a: a, name: "entries"}
	bodies, err := a.entries(gw, entries)
	if err != nil {
		return err
	}
	for _, id := range bodies {
		if err := a.body(id); err != nil {
			return err
		}
	}
	settings := &parts{a: a, name: "settings"}
	prefix := settingKey(gw, "")
	err = a.s.each(a.snap, prefix, func(k, v []byte) error {
		a.m.Settings++
		return settings.line(record{Key: string(k[len(prefix):]), Value: v})
	})
	if err = errors.Join(err, settings.flush()); err != nil {
		return err
	}
	events := &parts{a: a, name: "events"}
	it, err := a.snap.NewIter(bounds([]byte{kindEvent}))
	if err != nil {
		return err
	}
	err = walk(it, func([]byte, []byte) error {
		e, err := decodeEvent(it)
		if err != nil || e.Gateway != gw {
			return err
		}
		a.m.Events++
		return events.line(e)
	})
	return errors.Join(err, events.flush())
}

// record is a setting, or an entry that cannot be decoded.
type record struct {
	Key   string `json:"key"`
	Value []byte `json:"value"`
}

// entries writes a gateway's entries and returns the bodies they need.
func (a *archiver) entries(gw string, p *parts) (bodies []mail.ID, err error) {
	raw := &parts{a: a, name: "unreadable"}
	seen := make(map[mail.ID]bool)
	err = a.s.each(a.snap, gatewayPrefix(kindEntry, gw), func(k, v []byte) error {
		_, st, id, err := parseEntryKey(k)
		if err != nil {
			return err
		}
		a.m.Entries++
		e, err := decodeEntry(gw, st, id, v)
		if err != nil {
			a.m.Unreadable++
			return raw.line(record{Key: st.String() + "/" + string(id), Value: v})
		}
		if !seen[e.Message] {
			seen[e.Message] = true
			bodies = append(bodies, e.Message)
		}
		return p.line(e)
	})
	return bodies, errors.Join(err, p.flush(), raw.flush())
}

// body writes a body. One that is missing is left out and logged: its entry is
// in the corrupt store already.
func (a *archiver) body(id mail.ID) error {
	r, i, err := a.s.body(a.snap, id)
	if errors.Is(err, pebble.ErrNotFound) || isNotExist(err) {
		a.s.log.Warn("archive lacks a body", "gateway", a.m.Gateway, "body", id, "err", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("read body %s: %w", id, err)
	}
	err = errors.Join(a.add(memberBodies+string(id), i.size, r), r.Close())
	if err != nil {
		return err
	}
	a.m.Bodies++
	if last := a.m.Files[len(a.m.Files)-1]; i.file && last.SHA256 != hex.EncodeToString(i.sum[:]) {
		return fmt.Errorf("%w: checksum of %s differs", ErrDamaged, a.s.bodyPath(id))
	}
	return nil
}

func (a *archiver) finish() error {
	b, err := json.MarshalIndent(a.m, "", "  ")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(b)
	a.m.Digest = hex.EncodeToString(sum[:])
	err = a.tar.WriteHeader(&tar.Header{Name: memberManifest, Size: int64(len(b)), Mode: 0o600, ModTime: a.m.Created})
	if err == nil {
		_, err = a.tar.Write(b)
	}
	return errors.Join(err, a.tar.Close())
}

// parts collects JSON lines into members name-1.jsonl, name-2.jsonl, …
type parts struct {
	a    *archiver
	name string
	n    int
	buf  bytes.Buffer
}

func (p *parts) line(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	p.buf.Write(b)
	p.buf.WriteByte('\n')
	if p.buf.Len() < partSize {
		return nil
	}
	return p.flush()
}

func (p *parts) flush() error {
	if p.buf.Len() == 0 {
		return nil
	}
	p.n++
	err := p.a.add(fmt.Sprintf("%s-%d.jsonl", p.name, p.n), int64(p.buf.Len()), &p.buf)
	p.buf.Reset()
	return err
}
