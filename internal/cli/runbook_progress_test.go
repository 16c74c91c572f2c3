package cli

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/output"
	"example.org/ims/pkg/check"
)

// TestBoard: a check that lasts says each second that it lives, over the lines
// that it wrote before, and takes them away in the end.
func TestBoard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var words strings.Builder
		s := testSession(io.Discard, &words)
		s.io.ErrTerminal, s.io.Width = true, 60
		var opts runbookCheckOptions
		opts.bounds.Bounds, _ = check.NamedBounds("default")
		p := output.New(io.Discard, &words, output.Options{})
		b := s.board(p, opts, 4<<30)
		said := func() string {
			synctest.Wait()
			b.mu.Lock()
			defer b.mu.Unlock()
			defer words.Reset()
			return words.String()
		}

		end := b.show()
		b.note(p, "checking q285090")
		tell, done := b.begin("q285090")
		tell(check.Progress{States: 300_000, Depth: 12, Bytes: 100 << 20})
		time.Sleep(time.Second)
		want := "checking q285090\n" + "  q285090: 300000 states, 300000/s, depth 12, 100.0 MiB of \n"
		if diff := cmp.Diff(want, said()); diff != "" {
			t.Errorf("after a second (-want +got):\n%s", diff)
		}
		time.Sleep(4 * time.Second)
		if got := said(); !strings.Contains(got, "\x1b[J  --bounds ci takes seconds\n  q285090: 300000 states, 0/s, depth 12") {
			t.Errorf("after five seconds:\n%q", got)
		}
		tell(check.Progress{States: 300_000, Waiting: true})
		b.note(p, "checking rescue")
		_, left := b.begin("rescue")
		time.Sleep(time.Second)
		want = "\r\x1b[1A\x1b[Jchecking rescue\n" + "  q285090: 300000 states, waits for memory, 0 B of 4.0 GiB,\n" + "  rescue: 0 states, 0/s, depth 0, 0 B of 4.0 GiB, 1s\n"
		if diff := cmp.Diff(want, said()); diff != "" {
			t.Errorf("of two (-want +got):\n%s", diff)
		}
		left()
		done()
		end()
		if diff := cmp.Diff("\r\x1b[2A\x1b[J", said()); diff != "" {
			t.Errorf("in the end (-want +got):\n%s", diff)
		}
	})
}

func TestNobodySeesTheBoard(t *testing.T) {
	s := testSession(io.Discard, io.Discard)
	if s.board(output.New(io.Discard, io.Discard, output.Options{}), runbookCheckOptions{}, 1) != nil {
		t.Error("a board without a terminal")
	}
	s.io.ErrTerminal = true
	if s.board(output.New(io.Discard, io.Discard, output.Options{Format: output.JSON}), runbookCheckOptions{}, 1) != nil {
		t.Error("a board beside data for machines")
	}
}

func TestSizeValue(t *testing.T) {
	for text, want := range map[string]int64{
		"800M": 800 << 20, "6G": 6 << 30, "1.5GiB": 3 << 29, "1 TB": 1 << 40, "2048": 2048, "64kib": 64 << 10, "12b": 12,
		"": 0, "G": 0, "-1G": 0, "0": 0, "much": 0, "1e99G": 0, "NaN": 0,
	} {
		var v sizeValue
		if err := v.Set(text); (err == nil) != (want > 0) || v.bytes != want {
			t.Errorf("%q: %d bytes, %v, want %d", text, v.bytes, err, want)
		}
	}
}

func TestMemoryLimit(t *testing.T) {
	s := testSession(io.Discard, io.Discard)
	for _, tt := range []struct{ asked, machine, want int64 }{{5, 100, 5}, {0, 8 << 30, 6 << 30}, {0, 0, 4 << 30}} {
		s.io.Memory = tt.machine
		if got := s.memoryLimit(tt.asked); got != tt.want {
			t.Errorf("asked for %d of %d: %d, want %d", tt.asked, tt.machine, got, tt.want)
		}
	}
}
