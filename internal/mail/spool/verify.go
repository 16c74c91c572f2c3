package spool

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"example.org/ims/pkg/ledger"
)

// ReadArchive reads an archive from end to end and returns its manifest if
// every member is there once, has its checksum and can be decoded, the counts
// agree and nothing follows. The error wraps [ErrDamaged] and names the member
// otherwise.
func ReadArchive(path string) (Manifest, error) {
	f, err := os.Open(path)
	if err != nil {
		return Manifest{}, fmt.Errorf("read archive: %w", err)
	}
	m, err := verify(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return Manifest{}, fmt.Errorf("read archive %s: %w", path, err)
	}
	return m, nil
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrDamaged, fmt.Errorf(format, args...))
}

func verify(f io.Reader) (Manifest, error) {
	var got Manifest // counted
	r := tar.NewReader(f)
	for {
		h, err := r.Next()
		if err != nil {
			return got, damaged("archive ends without a manifest: %w", err)
		}
		if h.Name == memberManifest {
			break
		}
		if err := got.read(h.Name, r); err != nil {
			return got, damaged("member %s: %w", h.Name, err)
		}
	}
	b, err := io.ReadAll(io.LimitReader(r, 1<<30))
	if err != nil {
		return got, damaged("manifest: %w", err)
	}
	var want Manifest
	if err := json.Unmarshal(b, &want); err != nil {
		return got, damaged("manifest: %w", err)
	}
	if h, err := r.Next(); !errors.Is(err, io.EOF) {
		return got, damaged("%v follows the manifest: %w", h, err)
	}
	sum := sha256.Sum256(b)
	want.Digest = hex.EncodeToString(sum[:])
	return want, got.compare(want)
}

// read adds one member to the counts.
func (m *Manifest) read(name string, r io.Reader) error {
	sum := sha256.New()
	t := io.TeeReader(r, sum)
	var err error
	switch kind, _, _ := strings.Cut(name, "-"); {
	case strings.HasPrefix(name, memberBodies):
		m.Bodies++
	case kind == "entries":
		m.Entries, err = lines(t, m.Entries, check)
	case kind == "unreadable":
		before := m.Entries
		m.Entries, err = lines(t, m.Entries, func(record) error { return nil })
		m.Unreadable += m.Entries - before
	case kind == "settings":
		m.Settings, err = lines(t, m.Settings, func(record) error { return nil })
	case kind == "events":
		m.Events, err = lines(t, m.Events, func(ledger.Event) error { return nil })
	case name != memberConfig:
		return errors.New("not expected")
	}
	if err == nil {
		_, err = io.Copy(io.Discard, t)
	}
	if err != nil {
		return err
	}
	m.Files = append(m.Files, File{Name: name, SHA256: hex.EncodeToString(sum.Sum(nil))})
	return nil
}

// lines decodes JSON lines and adds their number to n.
func lines[T any](r io.Reader, n int, ok func(T) error) (int, error) {
	d := json.NewDecoder(r)
	for {
		var v T
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err == nil {
			err = ok(v)
		}
		if err != nil {
			return n, fmt.Errorf("line %d: %w", n+1, err)
		}
		n++
	}
}

// compare checks what was read against what the manifest says.
func (m *Manifest) compare(want Manifest) error {
	if want.Schema != archiveSchema {
		return damaged("schema %q, want %q", want.Schema, archiveSchema)
	}
	sums := make(map[string]string, len(want.Files))
	for _, f := range want.Files {
		sums[f.Name] = f.SHA256
	}
	for _, f := range m.Files {
		if sum, ok := sums[f.Name]; !ok {
			return damaged("member %s is not in the manifest", f.Name)
		} else if sum != f.SHA256 {
			return damaged("member %s has another checksum than the manifest says", f.Name)
		}
		delete(sums, f.Name)
	}
	for name := range sums {
		return damaged("member %s is missing", name)
	}
	if m.Entries != want.Entries || m.Unreadable != want.Unreadable || m.Bodies != want.Bodies ||
		m.Settings != want.Settings || m.Events != want.Events {
		return damaged("%d entries, %d unreadable, %d bodies, %d settings, %d events; the manifest says %d, %d, %d, %d, %d",
			m.Entries, m.Unreadable, m.Bodies, m.Settings, m.Events,
			want.Entries, want.Unreadable, want.Bodies, want.Settings, want.Events)
	}
	return nil
}
