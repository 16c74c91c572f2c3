package report

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"example.org/ims/internal/journal"
)

// manifest lists the bundle's files by hash, and the head of the chain.
type manifest struct {
	Schema  string            `json:"schema"`
	Run     string            `json:"run"`
	Gateway string            `json:"gateway"`
	Made    time.Time         `json:"made"`
	Version string            `json:"version"`
	Records int64             `json:"records"`
	Head    string            `json:"head"` // of the journal's chain
	SHA256  map[string]string `json:"sha256"`
	Taken   uint64            `json:"taken"`           // how far the tracking log was read when the stores were listed
	Lacks   string            `json:"lacks,omitempty"` // why there is no tracking log
}

const manifestSchema = "ims/report/v1"

func newManifest(in Input, v journal.Verified, files []File) (File, error) {
	m := manifest{
		Schema: manifestSchema, Run: in.Evidence.Status.Run, Gateway: in.Evidence.Status.Gateway, Made: in.Evidence.At,
		Version: in.Version, Records: v.Seq, Head: v.Head.String(), SHA256: map[string]string{}, Taken: in.Taken, Lacks: in.Untracked,
	}
	for _, f := range files {
		m.SHA256[f.Name] = hash(f.Data)
	}
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return File{}, fmt.Errorf("encode manifest: %w", err)
	}
	return File{manifestName, append(raw, '\n')}, nil
}

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Zip packs files; the same files give the same bytes.
func Zip(files []File) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		e, err := w.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate})
		if err == nil {
			_, err = e.Write(f.Data)
		}
		if err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.Name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack bundle: %w", err)
	}
	return b.Bytes(), nil
}

// maxFile bounds a file of a bundle, in bytes, so that a small archive cannot
// fill the memory.
const maxFile = 1 << 30

// ErrNoReport says that data is neither a page nor a bundle.
var ErrNoReport = errors.New("this is neither a page nor a bundle of ims report")

// Marks of the bundle in the page. Base64 has no character that ends it early.
const (
	bundleBegin = `<script type="application/zip" id="bundle">`
	bundleEnd   = `</script>`
)

// Unpack finds the bundle in a page, or takes a bundle as it is.
func Unpack(data []byte) (map[string][]byte, error) {
	if !bytes.HasPrefix(data, []byte("PK")) {
		_, rest, ok := bytes.Cut(data, []byte(bundleBegin))
		coded, _, ended := bytes.Cut(rest, []byte(bundleEnd))
		if !ok || !ended {
			return nil, ErrNoReport
		}
		var err error
		if data, err = base64.StdEncoding.DecodeString(string(bytes.TrimSpace(coded))); err != nil {
			return nil, fmt.Errorf("read the page's bundle: %w", err)
		}
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("read bundle: %w", err)
	}
	files := map[string][]byte{}
	for _, f := range r.File {
		if _, twice := files[f.Name]; twice {
			return nil, fmt.Errorf("read bundle: %s is there twice", f.Name)
		}
		if files[f.Name], err = unpack(f); err != nil {
			return nil, fmt.Errorf("read bundle: %s: %w", f.Name, err)
		}
	}
	return files, nil
}

func unpack(f *zip.File) ([]byte, error) {
	if f.UncompressedSize64 > maxFile {
		return nil, fmt.Errorf("it is larger than %d bytes", maxFile)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(r, maxFile))
	return data, errors.Join(err, r.Close())
}
