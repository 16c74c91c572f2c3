package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
)

// sealable is a record on its way in, with whose it is.
type sealable struct {
	Record
	own bool
}

func callers(recs []Record) []sealable {
	out := make([]sealable, len(recs))
	for i, r := range recs {
		out[i] = sealable{Record: r}
	}
	return out
}

func ownRecord(kind string, at time.Time, body map[string]string) (sealable, error) {
	raw, err := json.Marshal(body)
	return sealable{Record: Record{Kind: kind, At: at, Body: raw}, own: true}, err
}

// insert adds records after run's end and moves the end. The trigger of the
// table checks epoch, place and openness once more.
func insert(ctx context.Context, tx *sql.Tx, run *Run, recs []sealable) error {
	for _, rec := range recs {
		if Own(rec.Kind) && !rec.own {
			return fmt.Errorf("kind %q: the prefix %q is the journal's own", rec.Kind, OwnPrefix)
		}
		r, err := seal(run.ID, run.Epoch, run.Seq+1, run.Head, rec.Record)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx,
			`INSERT INTO journal (run, seq, epoch, at, kind, body, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			r.run, r.seq, r.epoch, r.at, r.kind, r.body, r.prev[:], r.hash[:])
		if err != nil {
			return err
		}
		run.Seq, run.Head = r.seq, r.hash
	}
	return nil
}

func insertRun(ctx context.Context, tx *sql.Tx, h header, run Run) error {
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM run WHERE id = ?`, h.Run).Scan(&n); err != nil {
		return err
	}
	if n > 0 {
		return ErrRunExists
	}
	leases, err := json.Marshal(h.Leases)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO run (id, gateway, runbook, digest, opened_at, opened_by, params, plan,
		leases, text, epoch, owner, seq, head) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)`,
		h.Run, h.Gateway, h.Runbook, h.Digest, h.OpenedAt, h.OpenedBy, string(h.Params), h.Plan,
		string(leases), []byte(h.Text), run.Epoch, h.OpenedBy, run.Head[:])
	return err
}
