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
		return damaged(0, "header: %v", err)
	}
	prev, err := h.hash()
	if err != nil {
		return damaged(0, "header: %v", err)
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
		switch {
		case err != nil:
			return err
		case row.seq != seq+1:
			return damaged(seq+1, "is missing; the next is %d", row.seq)
		case row.seq == 1 && row.prev != prev:
			return damaged(0, "what the run was opened with was changed after record 1")
		case row.seq > from && row.prev != prev:
			return damaged(row.seq, "does not follow record %d", seq)
		case link(row.prev, row.rest()) != row.hash:
			return damaged(row.seq, "its content does not match its hash")
		}
		seq, prev = row.seq, row.hash
		if err := f(row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if from > s.Seq && from > 1 { // nothing to read that the head could be compared with
		return nil
	}
	if seq != s.Seq {
		return damaged(seq+1, "is missing; the run has %d", s.Seq)
	}
	if prev != s.Head {
		return damaged(seq, "its hash is not the head of the run")
	}
	return nil
}

func scanRow(rows *sql.Rows) (r row, err error) {
	var prev, hash []byte
	err = rows.Scan(&r.run, &r.seq, &r.epoch, &r.at, &r.kind, &r.body, &prev, &hash)
	copy(r.prev[:], prev)
	copy(r.hash[:], hash)
	return r, err
}
