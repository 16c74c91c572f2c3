package journal

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// Verify checks the whole journal: the pages of the file, the schema, the chain
// of every run, and that what is kept beside the chain (epoch, owner, end,
// outcome, leases) is what the chain says. Errors: *DamagedError for the first
// thing found.
//
// A chain shows every change of what it holds, but not that records are missing
// at its end together with every trace of them: compare with a head that was
// written down elsewhere, as every approval does.
func (r *Reader) Verify(ctx context.Context) error {
	err := r.snapshot(ctx, func(tx *sql.Tx) error {
		if err := r.checkPages(ctx, tx); err != nil {
			return err
		}
		if err := r.checkSchema(ctx, tx); err != nil {
			return err
		}
		return r.checkRuns(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("verify journal: %w", err)
	}
	return nil
}

func (r *Reader) checkPages(ctx context.Context, tx *sql.Tx) error {
	var says string
	if err := tx.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&says); err != nil {
		return err
	}
	if says != "ok" {
		return &DamagedError{File: r.path, Reason: "quick_check: " + says}
	}
	return nil
}

func (r *Reader) checkSchema(ctx context.Context, tx *sql.Tx) error {
	want, err := wantedObjects(ctx)
	if err != nil {
		return fmt.Errorf("make the schema to compare with: %w", err)
	}
	have, err := objects(ctx, tx)
	if err != nil {
		return err
	}
	for name, text := range want {
		if have[name] != text {
			return &DamagedError{File: r.path, Reason: fmt.Sprintf("%q is missing from the schema or was changed", name)}
		}
	}
	return nil
}

func (r *Reader) checkRuns(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, selectRun+` ORDER BY id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	held, err := leases(ctx, tx)
	if err != nil {
		return err
	}
	var ids []string
	for rows.Next() {
		s, err := scanSummary(rows)
		if err != nil {
			return &DamagedError{File: r.path, Run: s.ID, Reason: "its row is not readable", Err: err}
		}
		if err := r.checkRun(ctx, tx, s, held); err != nil {
			return err
		}
		ids = append(ids, s.ID)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return r.checkOrphans(ctx, tx, ids, held)
}

// checkOrphans looks for records and leases of runs that are not there.
func (r *Reader) checkOrphans(ctx context.Context, tx *sql.Tx, ids []string, held []Lease) error {
	for _, l := range held {
		if !slices.Contains(ids, l.Run) {
			return &DamagedError{File: r.path, Run: l.Run, Reason: fmt.Sprintf("holds lease %q, but is gone", l.Resource)}
		}
	}
	var id string
	var n int64
	err := tx.QueryRowContext(ctx, `SELECT coalesce(max(run), ''), count(*) FROM journal
		WHERE run NOT IN (SELECT id FROM run)`).Scan(&id, &n)
	if err == nil && n > 0 {
		err = &DamagedError{File: r.path, Run: id, Reason: fmt.Sprintf("has %d records, but is gone", n)}
	}
	return err
}

// checkRun walks one run and compares what is beside its chain.
func (r *Reader) checkRun(ctx context.Context, tx *sql.Tx, s Summary, held []Lease) error {
	im := implied{owner: s.Owner, leases: slices.Clone(s.Leases)}
	err := r.walk(ctx, tx, s, 1, func(row row) error {
		if err := im.apply(row, s.Leases); err != nil {
			return &DamagedError{File: r.path, Run: s.ID, Seq: row.seq, Reason: err.Error()}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := im.compare(s, held); err != nil {
		return &DamagedError{File: r.path, Run: s.ID, Reason: err.Error()}
	}
	return nil
}
