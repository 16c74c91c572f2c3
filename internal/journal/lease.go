package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Lease is a resource that a run holds, for as long as the run is open, running
// or not: a run that waits for its operator keeps what it holds.
type Lease struct {
	Resource, Run string
	Epoch         int64
	Owner         string // who took it last, for messages
	Taken         time.Time
}

// takeLeases gives all resources, which are sorted, to the run or fails. What the
// run holds already changes to its new epoch and owner and keeps its time.
func takeLeases(ctx context.Context, tx *sql.Tx, run Run, owner string, resources []string, at string) error {
	for _, res := range resources {
		l, err := leaseOf(ctx, tx, res)
		switch {
		case errors.Is(err, ErrNoLease):
			_, err = tx.ExecContext(ctx, `INSERT INTO lease (resource, run, epoch, owner, taken) VALUES (?, ?, ?, ?, ?)`,
				res, run.ID, run.Epoch, owner, at)
		case err == nil && l.Run != run.ID:
			return &HeldError{Resource: res, Run: l.Run, Owner: l.Owner, Since: l.Taken}
		case err == nil:
			_, err = tx.ExecContext(ctx, `UPDATE lease SET epoch = ?, owner = ? WHERE resource = ?`, run.Epoch, owner, res)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func leaseOf(ctx context.Context, q querier, resource string) (Lease, error) {
	l, err := scanLease(q.QueryRowContext(ctx, selectLease+` WHERE resource = ?`, resource))
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("%q: %w", resource, ErrNoLease)
	}
	return l, err
}

const selectLease = `SELECT resource, run, epoch, owner, taken FROM lease`

func scanLease(row interface{ Scan(...any) error }) (l Lease, err error) {
	var taken string
	if err = row.Scan(&l.Resource, &l.Run, &l.Epoch, &l.Owner, &taken); err == nil {
		l.Taken, err = time.Parse(timeLayout, taken)
	}
	return l, err
}

// Leases returns all leases in order of resources.
func (r *Reader) Leases(ctx context.Context) ([]Lease, error) {
	return leases(ctx, r.db)
}

func leases(ctx context.Context, q querier) ([]Lease, error) {
	rows, err := q.QueryContext(ctx, selectLease+` ORDER BY resource`)
	if err != nil {
		return nil, fmt.Errorf("read leases: %w", err)
	}
	defer rows.Close()
	var out []Lease
	for rows.Next() {
		l, err := scanLease(rows)
		if err != nil {
			return nil, fmt.Errorf("read leases: %w", err)
		}
		out = append(out, l)
	}
	return out, rows.Err()
}

// BreakLease frees one resource against its holder. The holder's run gets a
// record that says so and a new epoch, so whoever performs it is fenced; it can
// be resumed only when the resource is free for it again. BreakLease returns the
// lease as it was. Errors: ErrNoLease, or as for Append.
func (j *Journal) BreakLease(ctx context.Context, resource, reason string) (Lease, error) {
	if reason == "" {
		return Lease{}, fmt.Errorf("break lease %q: no reason given", resource)
	}
	var l Lease
	err := j.commit(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		if l, err = leaseOf(ctx, tx, resource); err != nil {
			return err
		}
		s, err := openSummary(ctx, tx, l.Run)
		if err != nil {
			return err
		}
		run := Run{ID: l.Run, Seq: s.Seq, Head: s.Head}
		if run.Epoch, err = nextEpoch(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE run SET epoch = ? WHERE id = ?`, run.Epoch, run.ID); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM lease WHERE resource = ?`, resource); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE lease SET epoch = ? WHERE run = ?`, run.Epoch, run.ID); err != nil {
			return err
		}
		own, err := ownRecord(KindLeaseBroken, time.Now(), map[string]string{"reason": reason, "resource": resource})
		if err != nil {
			return err
		}
		return insert(ctx, tx, &run, []sealable{own})
	})
	if err != nil {
		return Lease{}, fmt.Errorf("break lease %q: %w", resource, err)
	}
	return l, nil
}

// UseNonce marks a plan as used, durably. A plan that a run uses up belongs into
// RunInfo.Nonce instead, which is the same commit as the run. Errors:
// *NonceUsedError.
func (j *Journal) UseNonce(ctx context.Context, nonce, usedBy string) error {
	err := j.commit(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return useNonce(ctx, tx, nonce, usedBy)
	})
	if err != nil {
		return fmt.Errorf("use plan %q: %w", nonce, err)
	}
	return nil
}

func useNonce(ctx context.Context, tx *sql.Tx, nonce, usedBy string) error {
	var by string
	err := tx.QueryRowContext(ctx, `SELECT used_by FROM plan WHERE nonce = ?`, nonce).Scan(&by)
	switch {
	case err == nil:
		return &NonceUsedError{Nonce: nonce, UsedBy: by}
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO plan (nonce, used_by) VALUES (?, ?)`, nonce, usedBy)
	return err
}
