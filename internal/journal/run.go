package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// RunInfo is what a run is opened with. All of it is bound by the chain.
type RunInfo struct {
	ID      string
	Gateway string
	Runbook string          // name
	Digest  string          // of the runbook, as the caller computes it
	Owner   string          // who opens it, for messages: host, boot, pid
	Opened  time.Time       // not zero
	Text    []byte          // the runbook itself, UTF-8
	Params  json.RawMessage // nil is {}
	Nonce   string          // of the plan that this run uses up; "" is none
	Above   int64           // its epoch is greater than this, which the chain does not bind
}

// Run is the right to write to a run: appends under Epoch succeed until somebody
// resumes the run or breaks a lease of it.
type Run struct {
	ID    string
	Epoch int64
	Seq   int64 // of the last record, 0 if there is none
	Head  Hash
}

// OpenRun creates a run, takes all leases or none, uses up the plan's nonce and
// stores the first records, in one durable commit. Errors: *HeldError for the
// first resource, in order of names, that another run holds; *NonceUsedError;
// ErrRunExists; or as for Append.
func (j *Journal) OpenRun(ctx context.Context, info RunInfo, leases []string, first ...Record) (Run, error) {
	h, err := newHeader(info, leases)
	if err != nil {
		return Run{}, fmt.Errorf("open run %q: %w", info.ID, err)
	}
	run := Run{ID: info.ID}
	if run.Head, err = h.hash(); err != nil {
		return Run{}, fmt.Errorf("open run %q: %w", info.ID, err)
	}
	err = j.commit(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		if run.Epoch, err = nextEpoch(ctx, tx); err != nil {
			return err
		}
		run.Epoch = max(run.Epoch, info.Above+1)
		if err := insertRun(ctx, tx, h, run); err != nil {
			return err
		}
		if h.Plan != "" {
			if err := useNonce(ctx, tx, h.Plan, info.ID); err != nil {
				return err
			}
		}
		if err := takeLeases(ctx, tx, run, info.Owner, h.Leases, h.OpenedAt); err != nil {
			return err
		}
		return insert(ctx, tx, &run, callers(first))
	})
	if err != nil {
		return Run{}, fmt.Errorf("open run %q: %w", info.ID, err)
	}
	return run, nil
}

// Resume begins a new epoch of an open run, takes its leases again and stores the
// records, in one durable commit. Whoever wrote under an older epoch is fenced
// from here on. The caller must know that no other process performs the run (it
// holds the [Lock]). Errors: ErrNoRun, ErrClosed, *HeldError if a lease was
// broken and is now another run's.
func (j *Journal) Resume(ctx context.Context, id, owner string, first ...Record) (Run, error) {
	run := Run{ID: id}
	err := j.commit(ctx, func(ctx context.Context, tx *sql.Tx) error {
		s, err := openSummary(ctx, tx, id)
		if err != nil {
			return err
		}
		run = Run{ID: id, Seq: s.Seq, Head: s.Head}
		if run.Epoch, err = nextEpoch(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE run SET epoch = ?, owner = ? WHERE id = ?`, run.Epoch, owner, id); err != nil {
			return err
		}
		now := time.Now()
		at, err := formatTime(now)
		if err != nil {
			return err
		}
		if err := takeLeases(ctx, tx, run, owner, s.Leases, at); err != nil {
			return err
		}
		own, err := ownRecord(KindResumed, now, map[string]string{"owner": owner})
		if err != nil {
			return err
		}
		return insert(ctx, tx, &run, append([]sealable{own}, callers(first)...))
	})
	if err != nil {
		return Run{}, fmt.Errorf("resume run %q: %w", id, err)
	}
	return run, nil
}

// nextEpoch is greater than every epoch that any run ever had: a gateway
// remembers the greatest it was told, by its own run or by one that it succeeds,
// and refuses a change under an older one.
func nextEpoch(ctx context.Context, tx *sql.Tx) (n int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT coalesce(max(epoch), 0) + 1 FROM run`).Scan(&n)
	return n, err
}

// NextEpoch is the epoch that a run would be opened under.
func (j *Journal) NextEpoch(ctx context.Context) (n int64, err error) {
	err = j.snapshot(ctx, func(tx *sql.Tx) error {
		n, err = nextEpoch(ctx, tx)
		return err
	})
	return n, err
}

// Append stores records in one durable commit and returns the sequence number
// and hash of the last one. Errors: ErrNoRun, ErrClosed, ErrFenced, ErrFull,
// ErrBroken, or what is wrong with a record; except with ErrBroken, nothing was
// stored. A ctx that ends after the commit began does not stop it.
func (j *Journal) Append(ctx context.Context, id string, epoch int64, recs ...Record) (int64, Hash, error) {
	if len(recs) == 0 {
		return 0, Hash{}, fmt.Errorf("append to run %q: no records", id)
	}
	var run Run
	err := j.commit(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		if run, err = current(ctx, tx, id, epoch); err != nil {
			return err
		}
		return insert(ctx, tx, &run, callers(recs))
	})
	if err != nil {
		return 0, Hash{}, fmt.Errorf("append to run %q: %w", id, err)
	}
	return run.Seq, run.Head, nil
}

// CloseRun stores the last records, ends the run with an outcome and frees its
// leases, in one durable commit. Errors are those of Append.
func (j *Journal) CloseRun(ctx context.Context, id string, epoch int64, outcome string, last ...Record) error {
	err := j.commit(ctx, func(ctx context.Context, tx *sql.Tx) error {
		run, err := current(ctx, tx, id, epoch)
		if err != nil {
			return err
		}
		now := time.Now()
		own, err := ownRecord(KindClosed, now, map[string]string{"outcome": outcome})
		if err != nil {
			return err
		}
		if err := insert(ctx, tx, &run, append(callers(last), own)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM lease WHERE run = ?`, id); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE run SET closed_at = ?, outcome = ? WHERE id = ?`,
			now.UTC().Format(timeLayout), outcome, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("close run %q: %w", id, err)
	}
	return nil
}

// current returns the end of an open run if epoch is its epoch.
func current(ctx context.Context, tx *sql.Tx, id string, epoch int64) (Run, error) {
	run := Run{ID: id, Epoch: epoch}
	var now int64
	var head []byte
	var closed sql.NullString
	err := tx.QueryRowContext(ctx, `SELECT epoch, seq, head, closed_at FROM run WHERE id = ?`, id).
		Scan(&now, &run.Seq, &head, &closed)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return run, ErrNoRun
	case err != nil:
		return run, err
	case closed.Valid:
		return run, ErrClosed
	case now != epoch:
		return run, fmt.Errorf("epoch %d, now %d: %w", epoch, now, ErrFenced)
	}
	copy(run.Head[:], head)
	return run, nil
}

func openSummary(ctx context.Context, tx *sql.Tx, id string) (Summary, error) {
	s, err := summaryOf(ctx, tx, id)
	if err == nil && !s.Closed.IsZero() {
		err = ErrClosed
	}
	return s, err
}
