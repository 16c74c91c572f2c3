package spool_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

func TestOpenRefusesDamage(t *testing.T) {
	remove := func(pattern string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			files, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil || len(files) == 0 {
				t.Fatalf("no file %s, %v", pattern, err)
			}
			for _, f := range files {
				if err := os.Remove(f); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	tests := []struct {
		name   string
		damage func(t *testing.T, dir string)
		where  string // named in the error
	}{
		{"manifest and marker of the database gone", func(t *testing.T, dir string) {
			remove("db/MANIFEST-*")(t, dir)
			remove("db/marker.manifest.*")(t, dir)
		}, "db"},
		{"manifest gone", remove("db/MANIFEST-*"), "db"},
		{"log gone", remove("db/*.log"), "db"},
		{"table gone", remove("db/*.sst"), "sstable"},
		{"marker gone", remove("SPOOL"), "SPOOL"},
		{"marker overwritten", func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "SPOOL"), []byte("ims spool 9\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "SPOOL"},
		{"tables overwritten", func(t *testing.T, dir string) {
			files, _ := filepath.Glob(filepath.Join(dir, "db/*.sst"))
			for _, f := range files {
				b, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				copy(b, bytes.Repeat([]byte{0xa5}, len(b)-100))
				if err := os.WriteFile(f, b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for range 2 { // the second opening writes the first one's log to a table
				s, err := spool.Open(dir, spool.Options{})
				if err != nil {
					t.Fatal(err)
				}
				deposit(t, s, "G", gateway.Out, []byte("body"), "r@x")
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			tt.damage(t, dir)
			s, err := spool.Open(dir, spool.Options{})
			if err == nil {
				err = s.Close()
				t.Fatalf("damaged spool was opened; close: %v", err)
			}
			if !errors.Is(err, spool.ErrDamaged) || !strings.Contains(err.Error(), tt.where) {
				t.Errorf("Open() error = %v, want ErrDamaged and %q", err, tt.where)
			}
		})
	}
}

// quiet hands Pebble's words to the test.
type quiet struct{ t *testing.T }

func (q quiet) Infof(string, ...any)           {}
func (q quiet) Errorf(format string, a ...any) { q.t.Errorf(format, a...) }
func (q quiet) Fatalf(format string, a ...any) { q.t.Fatalf(format, a...) }

// meddle changes the closed database behind the spool's back.
func meddle(t *testing.T, fs vfs.FS, fn func(db *pebble.DB, k, v []byte) error) {
	t.Helper()
	db, err := pebble.Open("s/db", &pebble.Options{FS: fs, FormatMajorVersion: pebble.FormatNewest, Logger: quiet{t}})
	if err != nil {
		t.Fatal(err)
	}
	it, err := db.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		if err := fn(db, bytes.Clone(it.Key()), it.Value()); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(it.Close(), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestCorruptEntriesAreShownAndKept(t *testing.T) {
	fs := vfs.NewMem()
	s, err := spool.Open("s", spool.Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	good := deposit(t, s, "G", gateway.Out, []byte("good"), "good@x")
	torn := deposit(t, s, "G", gateway.Out, []byte("torn"), "torn@x")
	bodiless := deposit(t, s, "G", gateway.In, []byte("bodiless"), "bodiless@x")
	file := deposit(t, s, "G", gateway.MTSIn, make([]byte, spool.MaxInline+1), "file@x")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	meddle(t, fs, func(db *pebble.DB, k, _ []byte) error {
		switch {
		case k[0] == 'e' && strings.HasSuffix(string(k), string(torn.ID)):
			return db.Set(k, []byte(`{"id":`), pebble.Sync)
		case (k[0] == 'b' || k[0] == 'i') && string(k[1:]) == string(bodiless.Message):
			return db.Delete(k, pebble.Sync)
		}
		return nil
	})
	if err := fs.Remove("s/bodies/" + string(file.Message)); err != nil {
		t.Fatal(err)
	}

	s = open(t, "s", fs)
	counts := s.Counts("G")
	if c := counts[gateway.Corrupt]; c.Messages != 3 || c.Recipients != 2 || !c.Oldest.Equal(t0) {
		t.Errorf("corrupt = %+v, want 3 messages, 2 of them readable", c)
	}
	if got := scan(t, s, "G", gateway.Out); len(got) != 1 || got[0].ID != good.ID {
		t.Errorf("out holds %v, want the good entry only", got)
	}
	items, _, err := s.Present("G")
	if err != nil || len(items) != 3 {
		t.Errorf("Present() = %v, %v, want three pairs", items, err)
	}
	corrupt := scan(t, s, "G", gateway.Corrupt)
	wantBack := map[mail.ID]gateway.Store{torn.ID: gateway.Out, bodiless.ID: gateway.In, file.ID: gateway.MTSIn}
	for _, e := range corrupt {
		if e.Store != gateway.Corrupt || e.Back != wantBack[e.ID] || e.Held == "" {
			t.Errorf("corrupt entry = %+v", e)
		}
		again, err := s.Get("G", gateway.Corrupt, e.ID)
		if err != nil || again.Held != e.Held {
			t.Errorf("Get() = %+v, %v", again, err)
		}
	}
	if len(corrupt) != 3 {
		t.Fatalf("%d corrupt entries, want 3", len(corrupt))
	}

	path := filepath.Join(t.TempDir(), "G.tar")
	m, err := s.Archive("G", path, nil)
	if err != nil || m.Entries != 4 || m.Unreadable != 1 || m.Bodies != 1 {
		t.Errorf("Archive() = %+v, %v, want 4 entries, 1 unreadable, 1 body", m, err)
	}
	if _, err := spool.ReadArchive(path); err != nil {
		t.Error(err)
	}

	// Nothing that the unreadable entry may need is dropped with another entry.
	var tx spool.Tx
	tx.Delete(good)
	commit(t, s, &tx)
	if b := read(t, s, good.Message); string(b) != "good" {
		t.Errorf("body = %q", b)
	}
	for _, e := range corrupt {
		var tx spool.Tx
		tx.Delete(e)
		commit(t, s, &tx)
	}
	if left := scan(t, s, "G", gateway.Corrupt); len(left) > 0 {
		t.Errorf("deleted corrupt entries are still there: %v", left)
	}
	if c := s.Counts("G")[gateway.Corrupt]; c.Messages != 0 || c.Left != 3 {
		t.Errorf("corrupt = %+v after deleting", c)
	}
}

func TestFailedWriteIsSticky(t *testing.T) {
	mem := vfs.NewCrashableMem()
	var broken errorfs.Toggle
	broken.Injector = errorfs.InjectorFunc(func(op errorfs.Op) error {
		if strings.HasSuffix(op.Path, ".log") && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return errorfs.ErrInjected
		}
		return nil
	})
	s, err := spool.Open("s", spool.Options{FS: errorfs.Wrap(mem, &broken)})
	if err != nil {
		t.Fatal(err)
	}
	kept := deposit(t, s, "G", gateway.Out, []byte("kept"), "kept@x")
	if why := s.Unhealthy(); why != "" {
		t.Fatalf("Unhealthy() = %q", why)
	}
	broken.On()
	for range 2 {
		d := s.Begin()
		if _, err := io.WriteString(d, "refused"); err != nil {
			t.Fatal(err)
		}
		var tx spool.Tx
		tx.Accept(d)
		tx.Put(entry("G", gateway.Out, d.Body, "refused@x"))
		tx.Track(ledger.Event{Gateway: "G", Kind: ledger.Accepted, Message: string(d.Body)})
		if err := s.Commit(&tx); !errors.Is(err, spool.ErrUnhealthy) {
			t.Fatalf("Commit() error = %v, want ErrUnhealthy", err)
		}
		broken.Off() // the disk recovers, the spool must not trust it
	}
	if s.Unhealthy() == "" {
		t.Error("spool with a failed write says it is healthy")
	}
	if c := s.Counts("G")[gateway.Out]; c.Known != gateway.Unknown || c.Why == "" {
		t.Errorf("count after a failed write = %+v, want unknown", c)
	}
	if err := s.Events(0, 0, func(ledger.Event) bool { return true }); !errors.Is(err, spool.ErrUnhealthy) {
		t.Errorf("Events() error = %v, want ErrUnhealthy", err)
	}

	after := open(t, "s", mem.CrashClone(vfs.CrashCloneCfg{}))
	if got := scan(t, after, "G", gateway.Out); len(got) != 1 || got[0].ID != kept.ID {
		t.Errorf("after the crash the store holds %v, want what was committed", got)
	}
	if n := len(events(t, after, 0, 0)); n != 1 {
		t.Errorf("%d events after the crash, want 1", n)
	}
	_ = s.Close() // a broken database may complain
}

func TestLowDisk(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, "s", fs)
	e := deposit(t, s, "G", gateway.Out, []byte("body"), "r@x")
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: spool.DefaultMinFree - 1})
	if why := s.Unhealthy(); !strings.Contains(why, "bytes free") {
		t.Errorf("Unhealthy() = %q", why)
	}
	d := s.Begin()
	var tx spool.Tx
	tx.Accept(d)
	tx.Put(entry("G", gateway.Out, d.Body, "r@x"))
	if err := s.Commit(&tx); !errors.Is(err, spool.ErrUnhealthy) {
		t.Errorf("Commit() error = %v, want ErrUnhealthy", err)
	}
	if _, err := d.Write(make([]byte, spool.MaxInline+1)); !errors.Is(err, spool.ErrUnhealthy) {
		t.Errorf("Write() error = %v, want ErrUnhealthy", err)
	}
	commit(t, s, deletion(e)) // mail may leave
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: spool.DefaultMinFree})
	if why := s.Unhealthy(); why != "" {
		t.Errorf("Unhealthy() = %q", why)
	}
	deposit(t, s, "G", gateway.Out, []byte("body"), "r@x")
}
