package world

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/engine"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
)

// manifest lists the messages of an export. It is written last, and only after
// every file was read back.
type manifest struct {
	Schema  string     `json:"schema"` // "ims/export/v1"
	Gateway string     `json:"gateway"`
	Run     string     `json:"run"`
	State   string     `json:"state"`
	Actor   string     `json:"actor"`
	Files   []exported `json:"files"`
}

// exported is one message with its envelope: a file alone does not say to whom
// it was to go.
type exported struct {
	File     string        `json:"file"` // RFC 5322, as it would have been sent
	SHA256   string        `json:"sha256"`
	Size     int64         `json:"size"`
	Message  string        `json:"message"`
	Entry    string        `json:"entry"`
	From     string        `json:"from"`
	Rcpts    []string      `json:"rcpts"`
	Store    gateway.Store `json:"store"` // that it was in
	Accepted time.Time     `json:"accepted"`
}

const manifestName = "manifest.json"

// exportDir is the folder of an effect's export.
func (w *World) exportDir(e engine.Effect) string {
	return filepath.Join(w.cfg.ArchiveDir, w.exportPrefix(e.Run)+e.State)
}

func (w *World) exportPrefix(run string) string { return w.cfg.Name + "-" + run + "-" }

// exportMail writes the named mail to files with a manifest, reads all of it
// back, and only then takes it out of the gateway, by id.
func (w *World) exportMail(ctx context.Context, e engine.Effect) engine.Result {
	p, err := pickedOf(e)
	if err != nil {
		return engine.Result{State: machine.Refused, Why: err.Error()}
	}
	if w.cfg.ArchiveDir == "" {
		return engine.Result{State: machine.Refused, Why: "there is no folder to export to: set retire.archive_dir"}
	}
	dir := w.exportDir(e)
	sum, written, err := w.writeExport(ctx, e, dir)
	if err != nil { // nothing was taken out yet
		return engine.Result{State: machine.Transient, Before: p.String(), Why: err.Error()}
	}
	// What somebody else has moved meanwhile was not written, and stays.
	p.Items = slices.DeleteFunc(p.Items, func(one pick) bool { return !written[one.Entry] })
	reason := fmt.Sprintf("%s: exported to %s, manifest sha256 %s", e.Reason, dir, sum)
	if err := w.actOn(ctx, gateway.Delete, p, e.Actor, reason); err != nil {
		return engine.Result{State: classify(err), Before: p.String(), Why: err.Error()}
	}
	res := w.lookQueue(ctx, e)
	if res.Before = p.String(); res.State == machine.NotDone {
		res.State = machine.InDoubt
	}
	if res.State == machine.Done {
		res.After = fmt.Sprintf("%s in %s, manifest sha256 %s", p, dir, sum)
	}
	return res
}

// writeExport writes the mail that an effect is about, beside what an earlier
// attempt has written, and returns the manifest's hash and the entries in it.
func (w *World) writeExport(ctx context.Context, e engine.Effect, dir string) (sum string, written map[string]bool, err error) {
	bodies, ok := w.cfg.Gateway.(gateway.Bodies)
	if !ok {
		return "", nil, errors.New("the adapter cannot read messages")
	}
	items, err := w.list(ctx, e)
	if err != nil {
		return "", nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, fmt.Errorf("make folder of export: %w", err)
	}
	if err := syncDir(w.cfg.ArchiveDir); err != nil {
		return "", nil, fmt.Errorf("make folder of export: %w", err)
	}
	m, err := readManifest(dir)
	if err != nil {
		return "", nil, err
	}
	m.Schema, m.Gateway, m.Run, m.State, m.Actor = "ims/export/v1", w.cfg.Name, e.Run, e.State, e.Actor
	for _, it := range items {
		x := exported{
			File: fileName(it.Entry) + ".eml", Message: it.Message, Entry: it.Entry, From: it.From, Rcpts: it.Rcpts,
			Store: it.Store, Accepted: it.Accepted,
		}
		if err := write(ctx, bodies, dir, &x); err != nil {
			return "", nil, fmt.Errorf("export message %s: %w", it.Message, err)
		}
		m.Files = slices.DeleteFunc(m.Files, func(o exported) bool { return o.File == x.File })
		m.Files = append(m.Files, x)
	}
	for _, x := range m.Files {
		if err := verify(dir, x); err != nil {
			return "", nil, fmt.Errorf("read export back: %w", err)
		}
	}
	written = map[string]bool{}
	for _, x := range m.Files {
		written[x.Entry] = true
	}
	sum, err = m.save(dir)
	return sum, written, err
}

// fileName is an entry's id as a name of a file, whatever stands in it.
func fileName(entry string) string {
	plain := strings.Map(func(c rune) rune {
		if c == '-' || c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') {
			return c
		}
		return -1
	}, entry)
	if plain == entry {
		return entry
	}
	sum := sha256.Sum256([]byte(entry))
	return plain + "." + hex.EncodeToString(sum[:6])
}

// write copies one message into its file and notes its size and hash.
func write(ctx context.Context, from gateway.Bodies, dir string, x *exported) (err error) {
	body, err := from.Body(ctx, x.Entry)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	f, err := os.OpenFile(filepath.Join(dir, x.File), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	if x.Size, err = io.Copy(io.MultiWriter(f, h), body); err != nil {
		return err
	}
	x.SHA256 = hex.EncodeToString(h.Sum(nil))
	return f.Sync()
}

// verify reads a file back and compares it with what was written.
func verify(dir string, x exported) error {
	f, err := os.Open(filepath.Join(dir, filepath.Base(x.File)))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return err
	}
	if sum := hex.EncodeToString(h.Sum(nil)); n != x.Size || sum != x.SHA256 {
		return fmt.Errorf("file %s has %d octets and sha256 %s, %d and %s were written", x.File, n, sum, x.Size, x.SHA256)
	}
	return nil
}

// readManifest reads that of an earlier attempt; none is empty.
func readManifest(dir string) (m manifest, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, os.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &m)
	}
	if err != nil {
		return m, fmt.Errorf("read manifest of export: %w", err)
	}
	return m, nil
}

// save puts the manifest in place, whole, and returns its hash.
func (m manifest) save(dir string) (string, error) {
	slices.SortFunc(m.Files, func(a, b exported) int { return cmp.Or(a.Accepted.Compare(b.Accepted), cmp.Compare(a.File, b.File)) })
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encode manifest: %w", err)
	}
	raw = append(raw, '\n')
	name := filepath.Join(dir, manifestName)
	if err := writeSynced(name+".new", raw); err != nil {
		return "", fmt.Errorf("write manifest: %w", err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		return "", fmt.Errorf("write manifest: %w", err)
	}
	if err := syncDir(dir); err != nil {
		return "", fmt.Errorf("write manifest: %w", err)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), nil
}

func writeSynced(name string, raw []byte) (err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(raw); err != nil {
		return err
	}
	return f.Sync()
}

func syncDir(dir string) (err error) {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return d.Sync()
}

// hasExport reports whether the run has made an export: a manifest stands only
// beside files that were read back.
func (w *World) hasExport(run string) bool {
	if w.cfg.ArchiveDir == "" {
		return false
	}
	dirs, err := os.ReadDir(w.cfg.ArchiveDir)
	return err == nil && slices.ContainsFunc(dirs, func(d os.DirEntry) bool {
		if !strings.HasPrefix(d.Name(), w.exportPrefix(run)) {
			return false
		}
		_, err := os.Stat(filepath.Join(w.cfg.ArchiveDir, d.Name(), manifestName))
		return err == nil
	})
}
