package journal_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/journal"
)

// exported returns the lines of a run with three records of the caller.
func exported(t *testing.T) ([]string, journal.Verified) {
	t.Helper()
	j, ctx := open(t, t.TempDir()), t.Context()
	openRun(t, j, "r1", "gateway/ims1")
	if _, err := j.Resume(ctx, "r1", "host/2", rec("observed", `{"text":"<é>","n":1.5}`)); err != nil {
		t.Fatal(err)
	}
	if err := j.CloseRun(ctx, "r1", 2, "retired", rec("closed", `{}`)); err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := j.Export(ctx, "r1", &buf); err != nil {
		t.Fatal(err)
	}
	_, head, err := j.Head(ctx, "r1")
	if err != nil {
		t.Fatal(err)
	}
	return strings.SplitAfter(strings.TrimSuffix(buf.String(), "\n"), "\n"),
		journal.Verified{Run: "r1", Seq: 5, Head: head, Closed: true, Outcome: "retired"}
}

func TestExportVerifies(t *testing.T) {
	lines, want := exported(t)
	got, err := journal.VerifyExport(strings.NewReader(strings.Join(lines, "")))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// The chain as somebody computes it who has only the description: for these
// contents, package json writes what RFC 8785 wants.
func TestExportFollowsItsDescription(t *testing.T) {
	lines, want := exported(t)
	prev := make([]byte, 32)
	for _, line := range lines[:len(lines)-1] {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		if m["prev"] != hex.EncodeToString(prev) {
			t.Fatalf("prev is %v, want %x", m["prev"], prev)
		}
		hash := m["hash"]
		delete(m, "prev")
		delete(m, "hash")
		var rest bytes.Buffer
		enc := json.NewEncoder(&rest)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(m); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(append(prev, bytes.TrimSuffix(rest.Bytes(), []byte("\n"))...))
		if prev = sum[:]; hash != hex.EncodeToString(prev) {
			t.Fatalf("hash is %v, want %x\n%s", hash, prev, line)
		}
	}
	if hex.EncodeToString(prev) != want.Head.String() {
		t.Errorf("head is %s, want %x", want.Head, prev)
	}
}

func TestVerifyExportFindsChanges(t *testing.T) {
	edit := func(i int, old, by string) func([]string) []string {
		return func(l []string) []string {
			l[i] = strings.Replace(l[i], old, by, 1)
			return l
		}
	}
	tests := []struct {
		name   string
		change func([]string) []string
		seq    int64
	}{
		{"header", edit(0, `"soak":"72h"`, `"soak":"0h"`), 0},
		{"body", edit(3, "1.5", "2.5"), 3},
		{"a member more", edit(3, `"epoch"`, `"by":"me","epoch"`), 3},
		{"end", edit(6, `"seq":5`, `"seq":6`), 6},
		{"line gone", func(l []string) []string { return append(l[:2], l[3:]...) }, 2},
		{"lines swapped", func(l []string) []string { l[2], l[3] = l[3], l[2]; return l }, 2},
		{"header twice", func(l []string) []string { return append(l[:1], l...) }, 1},
		{"cut off", func(l []string) []string { return l[:4] }, 4},
		{"cut in a line", func(l []string) []string { l[4] = l[4][:20]; return l[:5] }, 4},
		{"after the end", func(l []string) []string { return append(l, "\n", l[0]) }, 6},
		{"nothing", func([]string) []string { return nil }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lines, _ := exported(t)
			_, err := journal.VerifyExport(strings.NewReader(strings.Join(tt.change(lines), "")))
			if d, ok := errors.AsType[*journal.DamagedError](err); !ok || d.Seq != tt.seq {
				t.Errorf("VerifyExport() = %v, want damage at record %d", err, tt.seq)
			}
		})
	}
}

func TestExportOfAnOpenRun(t *testing.T) {
	j := open(t, t.TempDir())
	run := openRun(t, j, "r1")
	var buf bytes.Buffer
	if err := j.Export(t.Context(), "r1", &buf); err != nil {
		t.Fatal(err)
	}
	got, err := journal.VerifyExport(&buf)
	if want := (journal.Verified{Run: "r1", Seq: 1, Head: run.Head}); err != nil || got != want {
		t.Errorf("VerifyExport() = %+v, %v, want %+v", got, err, want)
	}
}

func FuzzVerifyExport(f *testing.F) {
	f.Add([]byte(`{"schema":"ims/journal-run/v1","run":"r"}` + "\n" + `{"schema":"ims/journal-end/v1"}`))
	f.Add([]byte("{}\n\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		v, err := journal.VerifyExport(bytes.NewReader(in))
		if err == nil && v.Head == (journal.Hash{}) {
			t.Errorf("verified without a head: %+v", v)
		}
	})
}
