package journal

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"example.org/ims/internal/jcs"
)

// maxLine bounds a line of an export that VerifyExport takes, in bytes.
const maxLine = 64 << 20

// Export writes one run as JSON Lines, each line an object in canonical form:
//
//   - the header, schema "ims/journal-run/v1": digest, gateway, leases, opened_at,
//     opened_by, params, plan, run, runbook, text;
//   - its records in order, schema "ims/journal-record/v1": at, body, epoch, kind,
//     run, seq;
//   - the end, schema "ims/journal-end/v1": head, run, seq.
//
// Header and records also have prev and hash, as 64 hexadecimal digits, which
// [Hash] defines. Times are RFC 3339 in UTC with nine digits. Errors: ErrNoRun,
// *DamagedError, or what w says; what was written then lacks its end.
func (r *Reader) Export(ctx context.Context, id string, w io.Writer) error {
	buf := bufio.NewWriter(w)
	err := r.snapshot(ctx, func(tx *sql.Tx) error {
		s, err := summaryOf(ctx, tx, id)
		if err != nil {
			return err
		}
		h, err := newHeader(s.RunInfo, s.Leases)
		if err != nil {
			return err
		}
		rest, err := h.rest()
		if err != nil {
			return err
		}
		if err := writeLine(buf, rest, Hash{}, link(Hash{}, rest)); err != nil {
			return err
		}
		if err := r.walk(ctx, tx, s, 1, func(row row) error {
			return writeLine(buf, row.rest(), row.prev, row.hash)
		}); err != nil {
			return err
		}
		end := jcs.AppendString([]byte(`{"head":"`+s.Head.String()+`","run":`), s.ID)
		end = jcs.AppendString(append(end, `,"schema":`...), schemaEnd)
		end = strconv.AppendInt(append(end, `,"seq":`...), s.Seq, 10)
		if _, err := buf.Write(append(end, "}\n"...)); err != nil {
			return err
		}
		return buf.Flush()
	})
	if err != nil {
		return fmt.Errorf("export run %q: %w", id, err)
	}
	return nil
}

// writeLine adds hash and prev to a canonical object, in their places.
func writeLine(w io.Writer, rest []byte, prev, hash Hash) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(rest, &members); err != nil {
		return err
	}
	members["prev"], members["hash"] = quoted(prev), quoted(hash)
	raw, err := json.Marshal(members)
	if err != nil {
		return err
	}
	line, err := jcs.Canonical(raw)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

func quoted(h Hash) json.RawMessage { return json.RawMessage(`"` + h.String() + `"`) }

// Verified is what an export proves: that these records, in this order, lead to
// this head. Compare the head with one that was written down elsewhere.
type Verified struct {
	Run     string
	Seq     int64 // number of records
	Head    Hash
	Closed  bool
	Outcome string
}

// VerifyExport checks an export without any journal. Blanks and the order of
// members do not matter, everything else does. Errors: *DamagedError, with Seq of
// the record, also for an export that was cut off; or what in says.
func VerifyExport(in io.Reader) (Verified, error) {
	sc := bufio.NewScanner(in)
	sc.Buffer(nil, maxLine)
	var v exportChecker
	for sc.Scan() {
		if err := v.line(sc.Bytes()); err != nil {
			return Verified{}, fmt.Errorf("verify export: %w",
				&DamagedError{Run: v.run, Seq: v.next(), Reason: "line does not fit", Err: err})
		}
	}
	if err := sc.Err(); err != nil {
		return Verified{}, fmt.Errorf("verify export: %w", err)
	}
	if !v.ended {
		return Verified{}, fmt.Errorf("verify export: %w", &DamagedError{Run: v.run, Seq: v.next(), Reason: "the export is cut off here"})
	}
	return Verified{Run: v.run, Seq: v.seq, Head: v.head, Closed: v.im.end != "", Outcome: v.im.outcome}, nil
}

// ReadExport reads an export that VerifyExport has checked: what the run was
// opened with, and its records.
func ReadExport(in io.Reader) (RunInfo, []Entry, error) {
	sc := bufio.NewScanner(in)
	sc.Buffer(nil, maxLine)
	var info RunInfo
	var out []Entry
	for sc.Scan() {
		var l exportLine
		if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
			return info, nil, fmt.Errorf("read export: %w", err)
		}
		switch l.Schema {
		case schemaRun:
			var h header
			if err := json.Unmarshal(sc.Bytes(), &h); err != nil {
				return info, nil, fmt.Errorf("read export: %w", err)
			}
			at, err := time.Parse(timeLayout, h.OpenedAt)
			if err != nil {
				return info, nil, fmt.Errorf("read export: %w", err)
			}
			info = RunInfo{
				ID: h.Run, Gateway: h.Gateway, Runbook: h.Runbook, Digest: h.Digest, Owner: h.OpenedBy, Opened: at,
				Text: []byte(h.Text), Params: h.Params, Nonce: h.Plan,
			}
		case schemaRecord:
			r := row{run: l.Run, at: l.At, kind: l.Kind, body: string(l.Body), seq: l.Seq, epoch: l.Epoch, prev: l.Prev, hash: l.Hash}
			e, err := r.entry()
			if err != nil {
				return info, nil, fmt.Errorf("read export: record %d: %w", l.Seq, err)
			}
			out = append(out, e)
		}
	}
	return info, out, sc.Err()
}

// exportChecker is where VerifyExport is in the stream.
type exportChecker struct {
	begun, ended bool
	run          string
	seq          int64
	head         Hash
	im           implied
	wanted       []string
}

func (v *exportChecker) next() int64 {
	if !v.begun {
		return 0
	}
	return v.seq + 1
}

// exportLine has the members of all three lines that the checker looks at.
type exportLine struct {
	Schema   string          `json:"schema"`
	Run      string          `json:"run"`
	Seq      int64           `json:"seq"`
	Epoch    int64           `json:"epoch"`
	At       string          `json:"at"`
	Kind     string          `json:"kind"`
	Body     json.RawMessage `json:"body"`
	OpenedBy string          `json:"opened_by"`
	Leases   []string        `json:"leases"`
	Prev     Hash            `json:"prev"`
	Hash     Hash            `json:"hash"`
	Head     Hash            `json:"head"`
}

func (v *exportChecker) line(raw []byte) error {
	raw, err := jcs.Canonical(raw)
	if err != nil {
		return err
	}
	var l exportLine
	if err := json.Unmarshal(raw, &l); err != nil {
		return err
	}
	switch {
	case v.ended:
		return errors.New("something follows the end")
	case v.begun && l.Run != v.run:
		return fmt.Errorf("is about run %q", l.Run)
	case l.Schema == schemaRun && !v.begun:
		v.run, v.wanted, v.im = l.Run, l.Leases, implied{owner: l.OpenedBy}
		if err := v.link(raw, l); err != nil {
			return err
		}
		v.begun = true
		return nil
	case l.Schema == schemaRecord && v.begun:
		if l.Seq != v.seq+1 {
			return fmt.Errorf("has number %d", l.Seq)
		}
		if err := v.link(raw, l); err != nil {
			return err
		}
		v.seq = l.Seq
		return v.im.apply(row{at: l.At, kind: l.Kind, body: string(l.Body), epoch: l.Epoch}, v.wanted)
	case l.Schema == schemaEnd && v.begun:
		v.ended = true
		if l.Seq != v.seq || l.Head != v.head {
			return fmt.Errorf("the end names record %d, hash %s", l.Seq, l.Head)
		}
		return nil
	}
	return fmt.Errorf("schema %q has no place here", l.Schema)
}

// link checks that a line follows the head and becomes it.
func (v *exportChecker) link(raw []byte, l exportLine) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return err
	}
	delete(members, "prev")
	delete(members, "hash")
	rest, err := json.Marshal(members)
	if err != nil {
		return err
	}
	if rest, err = jcs.Canonical(rest); err != nil {
		return err
	}
	if l.Prev != v.head {
		return errors.New("does not follow the line before it")
	}
	if link(l.Prev, rest) != l.Hash {
		return errors.New("its content does not match its hash")
	}
	v.head = l.Hash
	return nil
}
