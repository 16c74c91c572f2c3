package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"example.org/ims/internal/jcs"
)

// Hash is a link of the chain of a run:
//
//	hash = SHA-256( prev as 32 bytes || canonical(rest) )
//
// where rest is the line of the export (see [Reader.Export]) without its members
// prev and hash, and canonical is RFC 8785 (JCS). The first link is the run's
// header, whose prev is 32 zero bytes; the prev of a record is the hash of the
// record before it. So the header (runbook text and params included), the order
// and every byte of the records are bound by the hash of the last one, the head.
type Hash [sha256.Size]byte

// String returns the hash as 64 hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText is String, for JSON.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText takes 64 hexadecimal digits.
func (h *Hash) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	if err != nil || len(b) != len(h) {
		return fmt.Errorf("hash %q is not %d hexadecimal digits", text, 2*len(h))
	}
	copy(h[:], b)
	return nil
}

// Schemas of the lines of an export; the first two are part of what is hashed.
const (
	schemaRun    = "ims/journal-run/v1"
	schemaRecord = "ims/journal-record/v1"
	schemaEnd    = "ims/journal-end/v1"
)

// timeLayout is RFC 3339 in UTC with nine digits, so that text sorts by time.
const timeLayout = "2006-01-02T15:04:05.000000000Z"

// OwnPrefix begins the kinds of records that the journal writes itself. A fold
// of records skips them; see [Own].
const OwnPrefix = "journal."

// Kinds of the journal's own records.
const (
	KindResumed     = OwnPrefix + "resumed"      // {"owner"}: a new epoch begins
	KindLeaseBroken = OwnPrefix + "lease-broken" // {"reason","resource"}: and a new epoch begins
	KindClosed      = OwnPrefix + "closed"       // {"outcome"}: always the last record
)

// Own reports whether the journal itself writes records of this kind.
func Own(kind string) bool { return strings.HasPrefix(kind, OwnPrefix) }

// Record is one thing that happened, in the caller's words. Body is any JSON
// value that RFC 7493 allows; it is stored in canonical form. At is kept to the
// nanosecond, in UTC; it need not grow from record to record.
type Record struct {
	Kind string
	At   time.Time
	Body json.RawMessage
}

// Entry is a stored record with its place in the chain. Seq counts from 1.
type Entry struct {
	Record
	Run        string
	Seq, Epoch int64
	Prev, Hash Hash
}

// row is an entry or a candidate for one, as stored: times as text.
type row struct {
	run, at, kind, body string
	seq, epoch          int64
	prev, hash          Hash
}

// seal checks a record and makes it the next row after prev.
func seal(run string, epoch, seq int64, prev Hash, rec Record) (row, error) {
	if rec.Kind == "" || !utf8.ValidString(rec.Kind) {
		return row{}, fmt.Errorf("kind %q is empty or not UTF-8", rec.Kind)
	}
	at, err := formatTime(rec.At)
	if err != nil {
		return row{}, fmt.Errorf("kind %q: %w", rec.Kind, err)
	}
	body := []byte("null")
	if rec.Body != nil {
		if body, err = jcs.Canonical(rec.Body); err != nil {
			return row{}, fmt.Errorf("kind %q: body: %w", rec.Kind, err)
		}
	}
	r := row{run: run, seq: seq, epoch: epoch, at: at, kind: rec.Kind, body: string(body), prev: prev}
	r.hash = link(prev, r.rest())
	return r, nil
}

// rest is the canonical form of the row without prev and hash. The body is
// canonical already, so it is put in as it is.
func (r row) rest() []byte {
	b := jcs.AppendString([]byte(`{"at":`), r.at)
	b = append(append(b, `,"body":`...), r.body...)
	b = strconv.AppendInt(append(b, `,"epoch":`...), r.epoch, 10)
	b = jcs.AppendString(append(b, `,"kind":`...), r.kind)
	b = jcs.AppendString(append(b, `,"run":`...), r.run)
	b = jcs.AppendString(append(b, `,"schema":`...), schemaRecord)
	b = strconv.AppendInt(append(b, `,"seq":`...), r.seq, 10)
	return append(b, '}')
}

func (r row) entry() (Entry, error) {
	at, err := time.Parse(timeLayout, r.at)
	return Entry{
		Record: Record{Kind: r.kind, At: at, Body: json.RawMessage(r.body)},
		Run:    r.run, Seq: r.seq, Epoch: r.epoch, Prev: r.prev, Hash: r.hash,
	}, err
}

// header is what the first link binds, in the order of RFC 8785.
type header struct {
	Digest   string          `json:"digest"`
	Gateway  string          `json:"gateway"`
	Leases   []string        `json:"leases"`
	OpenedAt string          `json:"opened_at"`
	OpenedBy string          `json:"opened_by"`
	Params   json.RawMessage `json:"params"`
	Plan     string          `json:"plan"`
	Run      string          `json:"run"`
	Runbook  string          `json:"runbook"`
	Schema   string          `json:"schema"`
	Text     string          `json:"text"`
}

// newHeader checks info and leases; the leases come out sorted, each once.
func newHeader(info RunInfo, leases []string) (header, error) {
	at, err := formatTime(info.Opened)
	if err != nil {
		return header{}, err
	}
	params := []byte("{}")
	if info.Params != nil {
		if params, err = jcs.Canonical(info.Params); err != nil {
			return header{}, fmt.Errorf("params: %w", err)
		}
	}
	sorted := append([]string{}, leases...)
	slices.Sort(sorted)
	h := header{
		Schema: schemaRun, Run: info.ID, Gateway: info.Gateway, Runbook: info.Runbook, Digest: info.Digest,
		OpenedAt: at, OpenedBy: info.Owner, Params: params, Plan: info.Nonce,
		Leases: slices.Compact(sorted), Text: string(info.Text),
	}
	if h.Run == "" || slices.Contains(h.Leases, "") {
		return header{}, errors.New("the run id or a lease is empty")
	}
	for _, s := range append(slices.Clone(h.Leases), h.Run, h.Gateway, h.Runbook, h.Digest, h.OpenedBy, h.Plan, h.Text) {
		if !utf8.ValidString(s) {
			return header{}, fmt.Errorf("%.60q is not UTF-8", s)
		}
	}
	return h, nil
}

// hash is the first link of the run's chain.
func (h header) hash() (Hash, error) {
	rest, err := h.rest()
	return link(Hash{}, rest), err
}

func (h header) rest() ([]byte, error) {
	raw, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	return jcs.Canonical(raw)
}

func link(prev Hash, rest []byte) Hash {
	return sha256.Sum256(append(prev[:], rest...))
}

func formatTime(t time.Time) (string, error) {
	if t = t.UTC(); t.IsZero() || t.Year() > 9999 || t.Year() < 1 {
		return "", fmt.Errorf("time %v is zero or beyond RFC 3339", t)
	}
	return t.Format(timeLayout), nil
}
