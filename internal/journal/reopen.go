package journal

import (
	"context"
	"errors"
	"fmt"
)

// Reopen takes a journal into use again that is [ErrBroken]: it opens the file
// anew, checks the whole of it as [Open] does, and folds the write-ahead log
// back into the file and syncs that, because pages whose sync failed once may
// be taken for clean. A journal that is not broken is left alone. Where it goes
// wrong the journal stays broken, and Reopen may be called again. Errors:
// *DamagedError, ErrFull, or ErrBroken with what the system says.
func (j *Journal) Reopen(ctx context.Context) error {
	select {
	case j.turn <- struct{}{}:
		defer func() { <-j.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if j.broken == nil {
		return nil
	}
	_ = j.db.Close() // what it says is known: the journal is broken
	db, err := openDB(ctx, j.path, readWrite)
	if err != nil {
		return fmt.Errorf("reopen journal: %w", j.still(err))
	}
	j.db = db
	if err := j.Verify(ctx); err != nil {
		return fmt.Errorf("reopen journal: %w", err)
	}
	var busy, inLog, folded int
	err = db.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &inLog, &folded)
	if err == nil && busy != 0 {
		err = errors.New("the write-ahead log is being read")
	}
	if err != nil {
		return fmt.Errorf("reopen journal: %w", j.still(err))
	}
	j.broken = nil
	return nil
}

// still is why the journal is broken as before.
func (j *Journal) still(err error) error {
	if err = explain(j.path, err); errors.Is(err, ErrFull) {
		return err
	}
	return fmt.Errorf("%w: %q: %w", ErrBroken, j.path, err)
}
