package journal_test

import (
	"bytes"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/ims/internal/journal"
)

// sample makes a journal with two runs and closes it, so that all of it is in
// the one file.
func sample(t *testing.T, dir string) string {
	t.Helper()
	j, ctx := open(t, dir), t.Context()
	for _, id := range []string{"r1", "r2"} {
		run := openRun(t, j, id, "gateway/"+id)
		for range 40 {
			if _, _, err := j.Append(ctx, id, run.Epoch, rec("observed", `{"n":"`+strings.Repeat("1", 300)+`"}`)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := j.Resume(ctx, "r1", "host/2"); err != nil {
		t.Fatal(err)
	}
	if err := j.CloseRun(ctx, "r2", 2, "retired"); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, journal.FileName)
}

// tamper runs statements as somebody who knows the file: the triggers are taken
// away and put back.
func tamper(t *testing.T, path, stmt string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	rows, err := db.Query(`SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'`)
	if err != nil {
		t.Fatal(err)
	}
	var drop, restore string
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			t.Fatal(err)
		}
		drop += "DROP TRIGGER " + name + ";"
		restore += text + ";"
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{drop, stmt, restore} {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// change is a statement that alters a sample, and where that is found.
type change struct {
	name, stmt, run string
	seq             int64
}

func changes() []change {
	return []change{
		{"body", `UPDATE journal SET body = '{"n":"2"}' WHERE run = 'r1' AND seq = 7`, "r1", 7},
		{"kind", `UPDATE journal SET kind = 'granted' WHERE run = 'r2' AND seq = 3`, "r2", 3},
		{"time", `UPDATE journal SET at = '1998-09-03T08:00:00.000000005Z' WHERE run = 'r2' AND seq = 9`, "r2", 9},
		{"epoch", `UPDATE journal SET epoch = 3 WHERE run = 'r2' AND seq = 9`, "r2", 9},
		{"hash", `UPDATE journal SET hash = randomblob(32) WHERE run = 'r1' AND seq = 7`, "r1", 7},
		{"prev", `UPDATE journal SET prev = randomblob(32) WHERE run = 'r1' AND seq = 7`, "r1", 7},
		{"one deleted", `DELETE FROM journal WHERE run = 'r1' AND seq = 7`, "r1", 7},
		{"first deleted", `DELETE FROM journal WHERE run = 'r1' AND seq = 1`, "r1", 1},
		{"last deleted", `DELETE FROM journal WHERE run = 'r1' AND seq = 42`, "r1", 42},
		{"all deleted", `DELETE FROM journal WHERE run = 'r1'`, "r1", 1},
		{"two swapped", `UPDATE journal SET seq = 99 WHERE run = 'r1' AND seq = 5; UPDATE journal SET seq = 5 WHERE run = 'r1'
			AND seq = 6; UPDATE journal SET seq = 6 WHERE run = 'r1' AND seq = 99`, "r1", 5},
		{"copied from another run", `UPDATE journal SET run = 'r3' WHERE run = 'r2'; DELETE FROM run WHERE id = 'r2'`, "r3", 0},
		{"end cut with head", `DELETE FROM journal WHERE run = 'r2' AND seq = 42; UPDATE run SET seq = 41,
			head = (SELECT hash FROM journal WHERE run = 'r2' AND seq = 41) WHERE id = 'r2'`, "r2", 0},
		{"head", `UPDATE run SET head = randomblob(32) WHERE id = 'r1'`, "r1", 42},
		{"runbook text", `UPDATE run SET text = CAST('evil' AS BLOB) WHERE id = 'r1'`, "r1", 0},
		{"params", `UPDATE run SET params = '{"soak":"0s"}' WHERE id = 'r1'`, "r1", 0},
		{"params not JSON", `UPDATE run SET params = '{' WHERE id = 'r1'`, "r1", 0},
		{"wanted leases", `UPDATE run SET leases = '[]' WHERE id = 'r1'`, "r1", 0},
		{"opened at", `UPDATE run SET opened_at = 'yesterday' WHERE id = 'r1'`, "r1", 0},
		{"epoch of the run", `UPDATE run SET epoch = 4 WHERE id = 'r1'`, "r1", 0},
		{"owner", `UPDATE run SET owner = 'me' WHERE id = 'r1'`, "r1", 0},
		{"outcome", `UPDATE run SET outcome = 'aborted' WHERE id = 'r2'`, "r2", 0},
		{"reopened", `UPDATE run SET closed_at = NULL, outcome = NULL WHERE id = 'r2'`, "r2", 0},
		{"run deleted", `DELETE FROM run WHERE id = 'r2'`, "r2", 0},
		{"lease deleted", `DELETE FROM lease`, "r1", 0},
		{"lease moved", `UPDATE lease SET run = 'r2'`, "r1", 0},
		{"lease of an old epoch", `UPDATE lease SET epoch = 1`, "r1", 0},
	}
}

func TestTamperIsFoundAtOpen(t *testing.T) {
	pristine, err := os.ReadFile(sample(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range changes() {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), journal.FileName)
			if err := os.WriteFile(path, pristine, 0o600); err != nil {
				t.Fatal(err)
			}
			tamper(t, path, tt.stmt)
			j, err := journal.Open(t.Context(), filepath.Dir(path), journal.Options{})
			if err == nil {
				j.Close()
				t.Fatal("the journal was taken")
			}
			d, ok := errors.AsType[*journal.DamagedError](err)
			if !ok || d.File != path || d.Run != tt.run || d.Seq != tt.seq {
				t.Errorf("Open() = %v, want damage of %q at run %q, record %d", err, path, tt.run, tt.seq)
			}
			t.Log(err)
		})
	}
}

func TestTriggersHoldAgainstOtherPrograms(t *testing.T) {
	path := sample(t, t.TempDir())
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, stmt := range []string{
		`UPDATE journal SET body = '{}' WHERE run = 'r1'`,
		`DELETE FROM journal WHERE run = 'r1' AND seq = 42`,
		`DELETE FROM run WHERE id = 'r2'`,
		`UPDATE run SET text = x'00' WHERE id = 'r1'`,
		`UPDATE run SET closed_at = NULL WHERE id = 'r2'`,
		`INSERT INTO journal SELECT run, 43, 1, at, kind, body, hash, hash FROM journal WHERE run = 'r1' AND seq = 42`,
		`INSERT INTO journal SELECT run, 44, 2, at, kind, body, hash, hash FROM journal WHERE run = 'r1' AND seq = 42`,
		`INSERT INTO journal SELECT run, 43, 2, at, kind, body, prev, hash FROM journal WHERE run = 'r1' AND seq = 42`,
		`INSERT INTO journal SELECT run, 43, 1, at, kind, body, hash, hash FROM journal WHERE run = 'r2' AND seq = 42`,
	} {
		if _, err := db.Exec(stmt); err == nil {
			t.Errorf("%s went through", stmt)
		}
	}
}

func TestDamagedFileIsRefusedAndLeftAlone(t *testing.T) {
	pristine, err := os.ReadFile(sample(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string][]byte{
		"empty":       {},
		"garbage":     bytes.Repeat([]byte("garbage "), 4096),
		"short":       []byte("SQLite format 3\x00"),
		"zero page":   append(append([]byte{}, pristine[:8192]...), append(make([]byte, 4096), pristine[12288:]...)...),
		"schema gone": append(append([]byte{}, pristine[:100]...), append(make([]byte, 3996), pristine[4096:]...)...),
	}
	for k := 1; k < 8; k++ {
		tests["cut at "+string(rune('0'+k))+"/8"] = pristine[:len(pristine)*k/8]
	}
	for name, content := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), journal.FileName)
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := journal.Open(t.Context(), filepath.Dir(path), journal.Options{})
			if d, ok := errors.AsType[*journal.DamagedError](err); !ok || d.File != path {
				t.Errorf("Open() = %v, want *DamagedError", err)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, content) {
				t.Errorf("the damaged file was changed, %v", err)
			}
		})
	}
}

func TestOtherFilesAreRefused(t *testing.T) {
	isDamage := func(err error) bool { _, ok := errors.AsType[*journal.DamagedError](err); return ok }
	isVersion := func(err error) bool {
		v, ok := errors.AsType[*journal.VersionError](err)
		return ok && v.Have == 99 && v.Known == 1
	}
	anyError := func(err error) bool { return err != nil }
	tests := []struct {
		name    string
		prepare func(path string) error
		want    func(error) bool
	}{
		{"newer schema", func(p string) error { return execRaw(p, `PRAGMA user_version = 99`) }, isVersion},
		{"other program", func(p string) error { return execRaw(p, `PRAGMA application_id = 7`) }, isDamage},
		{"no version", func(p string) error { return execRaw(p, `PRAGMA user_version = 0`) }, isDamage},
		{"trigger dropped", func(p string) error { return execRaw(p, `DROP TRIGGER journal_fence`) }, isDamage},
		{"file gone, log there", func(p string) error { return os.Rename(p, p+"-wal") }, isDamage},
		{"writable by others", func(p string) error { return os.Chmod(p, 0o660) }, anyError},
		{"symbolic link", func(p string) error { return errors.Join(os.Rename(p, p+"2"), os.Symlink(p+"2", p)) }, anyError},
		{
			"no directory", func(p string) error { return os.RemoveAll(filepath.Dir(p)) },
			func(err error) bool { return errors.Is(err, fs.ErrNotExist) },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := sample(t, t.TempDir())
			if err := tt.prepare(path); err != nil {
				t.Fatal(err)
			}
			_, err := journal.Open(t.Context(), filepath.Dir(path), journal.Options{})
			if !tt.want(err) {
				t.Errorf("Open() = %v", err)
			}
			t.Log(err)
		})
	}
	if _, err := journal.OpenReadOnly(t.Context(), t.TempDir()); !errors.Is(err, journal.ErrNoJournal) {
		t.Errorf("OpenReadOnly of nothing: %v, want ErrNoJournal", err)
	}
}

func execRaw(path, stmt string) error {
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return err
	}
	_, err = db.Exec(stmt)
	return errors.Join(err, db.Close())
}
