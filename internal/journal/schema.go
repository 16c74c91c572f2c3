package journal

import (
	"context"
	"database/sql"
	"fmt"
)

// applicationID is written into the header of the file, so that a database of
// another program is not taken for a journal ("IMSJ").
const applicationID = 0x494d534a

// migrations lead from one user_version to the next; a released one is never
// edited, its text is part of what Open checks.
//
// The columns epoch, owner, seq, head, closed_at and outcome of a run and the
// table lease are what the chain implies, kept for queries; Verify compares.
// The triggers hold against any program that opens the file, not only this one:
// nothing is changed or deleted, and a record must carry the current epoch and
// follow the head.
var migrations = []string{`
CREATE TABLE run (
	id        TEXT NOT NULL PRIMARY KEY,
	gateway   TEXT NOT NULL,
	runbook   TEXT NOT NULL,
	digest    TEXT NOT NULL,
	opened_at TEXT NOT NULL,
	opened_by TEXT NOT NULL,
	params    TEXT NOT NULL,
	plan      TEXT NOT NULL,
	leases    TEXT NOT NULL,
	text      BLOB NOT NULL,
	epoch     INTEGER NOT NULL,
	owner     TEXT NOT NULL,
	seq       INTEGER NOT NULL,
	head      BLOB NOT NULL CHECK (length(head) = 32),
	closed_at TEXT,
	outcome   TEXT
) STRICT;
CREATE TABLE journal (
	run   TEXT NOT NULL REFERENCES run(id),
	seq   INTEGER NOT NULL CHECK (seq > 0),
	epoch INTEGER NOT NULL,
	at    TEXT NOT NULL,
	kind  TEXT NOT NULL,
	body  TEXT NOT NULL,
	prev  BLOB NOT NULL CHECK (length(prev) = 32),
	hash  BLOB NOT NULL CHECK (length(hash) = 32),
	PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE lease (
	resource TEXT NOT NULL PRIMARY KEY,
	run      TEXT NOT NULL REFERENCES run(id),
	epoch    INTEGER NOT NULL,
	owner    TEXT NOT NULL,
	taken    TEXT NOT NULL
) STRICT;
CREATE TABLE plan (
	nonce   TEXT NOT NULL PRIMARY KEY,
	used_by TEXT NOT NULL
) STRICT;
CREATE TRIGGER journal_fence BEFORE INSERT ON journal BEGIN
	SELECT RAISE(ABORT, 'fenced: wrong epoch, place in the chain, or a closed run')
	WHERE NOT EXISTS (SELECT 1 FROM run WHERE id = NEW.run AND epoch = NEW.epoch
		AND seq + 1 = NEW.seq AND head = NEW.prev AND closed_at IS NULL);
END;
CREATE TRIGGER journal_head AFTER INSERT ON journal BEGIN
	UPDATE run SET seq = NEW.seq, head = NEW.hash WHERE id = NEW.run;
END;
CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN
	SELECT RAISE(ABORT, 'the journal is append-only');
END;
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN
	SELECT RAISE(ABORT, 'the journal is append-only');
END;
CREATE TRIGGER run_no_update BEFORE UPDATE OF id, gateway, runbook, digest, opened_at, opened_by,
	params, plan, leases, text ON run BEGIN
	SELECT RAISE(ABORT, 'what a run was opened with is fixed');
END;
CREATE TRIGGER run_no_reopen BEFORE UPDATE ON run WHEN OLD.closed_at IS NOT NULL BEGIN
	SELECT RAISE(ABORT, 'the run is closed');
END;
CREATE TRIGGER run_no_delete BEFORE DELETE ON run BEGIN
	SELECT RAISE(ABORT, 'the journal is append-only');
END;
`}

// migrate brings the database from version have to the newest.
func migrate(ctx context.Context, db *sql.DB, have int) error {
	for v := have; v < len(migrations); v++ {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		step := fmt.Sprintf("%s\nPRAGMA user_version = %d;\nPRAGMA application_id = %d;", migrations[v], v+1, applicationID)
		if _, err := tx.ExecContext(ctx, step); err != nil {
			_ = tx.Rollback() // the cause is the statement
			return fmt.Errorf("migrate to version %d: %w", v+1, err)
		}
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("migrate to version %d: %w", v+1, err)
		}
	}
	return nil
}

// objects returns the schema as name → text.
func objects(ctx context.Context, q querier) (map[string]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := make(map[string]string)
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, err
		}
		out[name] = text
	}
	return out, rows.Err()
}

// wantedObjects is the schema this program makes, from an empty database.
func wantedObjects(ctx context.Context) (map[string]string, error) {
	db, err := sql.Open("sqlite", "file::memory:")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // each connection would be another database
	if err := migrate(ctx, db, 0); err != nil {
		return nil, err
	}
	return objects(ctx, db)
}
