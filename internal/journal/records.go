package journal

import (
	"context"
	"database/sql"
	"fmt"
)

// Records returns the records of a run from number from on (0 and 1 are the
// same), in order, each checked against its hash and its predecessor. Errors:
// ErrNoRun, *DamagedError.
func (r *Reader) Records(ctx context.Context, id string, from int64) ([]Entry, error) {
	var out []Entry
	err := r.snapshot(ctx, func(tx *sql.Tx) error {
		s, err := summaryOf(ctx, tx, id)
		if err != nil {
			return err
		}
		return r.walk(ctx, tx, s, max(from, 1), func(row row) error {
			e, err := row.entry()
			out = append(out, e)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read records of run %q: %w", id, err)
	}
	return out, nil
}

// walk calls f with every row of the run from number from on, after checking it:
// number, place in the chain, hash; and at the end that the last one is the head.
func (r *Reader) walk(ctx context.Context, q querier, s Summary, from int64, f func(row) error) error {
	damaged := func(seq int64, format string, args ...any) error {
		return &DamagedError{File: r.path, Run: s.ID, Seq: seq, Reason: fmt.Sprintf(format, args...)}
	}
	h, err := newHeader(s.RunInfo, s.Leases)
	if err != nil {
		return damaged(0, "what it was opened with is not valid: %v", err)
	}
	prev, err := h.hash()
	if err != nil {
		return damaged(0, "what it was opened with is not valid: %v", err)
	}
	rows, err := q.QueryContext(ctx, `SELECT run, seq, epoch, at, kind, body, prev, hash FROM journal
		WHERE run = ? AND seq >= ? ORDER BY seq`, s.ID, from)
	if err != nil {
		return err
	}
	defer rows.Close()
	seq := from - 1
	for rows.Next() {
		row, err := scanRow(rows)
		if err != nil {
			return err
		}
		if seq > 0 && seq < from {
			prev = row.prev // of a record that was not asked for
		}
		if at, why := row.misfit(seq, prev); why != "" {
			return damaged(at, "%s", why)
		}
		seq, prev = row.seq, row.hash
		if err := f(row); err != nil {
			return err
		}
	}
	switch {
	case rows.Err() != nil:
		return rows.Err()
	case from > 1 && from > s.Seq: // nothing to read that the head could be compared with
		return nil
	case seq != s.Seq:
		return damaged(seq+1, "is missing; the run has %d", s.Seq)
	case prev != s.Head:
		return damaged(seq, "its hash is not the head of the run")
	}
	return nil
}

// misfit says why the row cannot follow record seq, whose hash is prev, and which
// record is to blame; "" if it can.
func (r row) misfit(seq int64, prev Hash) (int64, string) {
	switch {
	case r.seq != seq+1:
		return seq + 1, fmt.Sprintf("is missing; the next is %d", r.seq)
	case r.prev != prev && r.seq == 1:
		return 0, "what it was opened with was changed after record 1"
	case r.prev != prev:
		return r.seq, fmt.Sprintf("does not follow record %d", seq)
	case link(r.prev, r.rest()) != r.hash:
		return r.seq, "its content does not match its hash"
	}
	return 0, ""
}

func scanRow(rows *sql.Rows) (r row, err error) {
	var prev, hash []byte
	err = rows.Scan(&r.run, &r.seq, &r.epoch, &r.at, &r.kind, &r.body, &prev, &hash)
	copy(r.prev[:], prev)
	copy(r.hash[:], hash)
	return r, err
}
