package spool_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

func TestBodiesSurviveReopening(t *testing.T) {
	dir := t.TempDir()
	bodies := map[string][]byte{
		"nothing":      {},
		"small":        []byte("Received: by x\r\n\r\n.\r\n\x00\xff"),
		"just inline":  bytes.Repeat([]byte("i"), spool.MaxInline),
		"just too big": bytes.Repeat([]byte("f"), spool.MaxInline+1),
		"big":          bytes.Repeat([]byte("0123456789abcdef"), 3<<16),
	}
	s := open(t, dir, nil)
	entries := make(map[string]mail.Entry)
	for name, b := range bodies {
		entries[name] = deposit(t, s, "G", gateway.In, b, "r@b.example")
	}
	check := func(s *spool.Spool) {
		for name, e := range entries {
			if got := read(t, s, e.Message); !bytes.Equal(got, bodies[name]) {
				t.Errorf("body %q came back as %d other octets", name, len(got))
			}
			got, err := s.Get("G", gateway.In, e.ID)
			if err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(e, got, cmpopts.EquateApproxTime(0)); diff != "" {
				t.Errorf("entry %q -want +got:\n%s", name, diff)
			}
		}
	}
	check(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, nil)
	check(s)
	for _, e := range entries {
		var tx spool.Tx
		tx.Delete(e)
		commit(t, s, &tx)
		if _, _, err := s.Body(e.Message); !errors.Is(err, spool.ErrNotFound) {
			t.Errorf("body after its last entry: %v", err)
		}
	}
	if names, err := vfs.Default.List(dir + "/bodies"); err != nil || len(names) > 0 {
		t.Errorf("body files left: %v, %v", names, err)
	}
}

func TestBodyGoesWithItsLastEntry(t *testing.T) {
	s := open(t, "s", spool.NewMemFS())
	e := deposit(t, s, "", gateway.MTA, []byte("body"), "a@x", "b@y")
	one, two := e, entry("", gateway.MTA, e.Message, "b@y")
	one.Gateway, one.Store, one.Rcpts = "G", gateway.MTSOut, e.Rcpts[:1]
	var split spool.Tx
	split.Replace(e, one)
	split.Put(two)
	commit(t, s, &split)

	var tx spool.Tx
	tx.Delete(one)
	commit(t, s, &tx)
	r, _, err := s.Body(e.Message)
	if err != nil {
		t.Fatal(err)
	}
	var last spool.Tx
	last.Delete(two)
	commit(t, s, &last)
	if _, _, err := s.Body(e.Message); !errors.Is(err, spool.ErrNotFound) {
		t.Errorf("Body() error = %v, want ErrNotFound", err)
	}
	if b, err := io.ReadAll(r); err != nil || string(b) != "body" {
		t.Errorf("reader opened before = %q, %v", b, err)
	}
	if got := s.Gateways(); len(got) > 0 {
		t.Errorf("Gateways() = %v, want none", got)
	}
}

func TestRefusals(t *testing.T) {
	s := open(t, "s", spool.NewMemFS())
	e := deposit(t, s, "G", gateway.Out, []byte("body"), "a@x", "b@x")
	done := e
	done.Rcpts = e.Rcpts[:1]
	stale := e
	stale.Attempts++
	gone := e
	gone.ID = "nobody"
	tests := []struct {
		name  string
		build func(tx *spool.Tx)
		want  error // nil: any
	}{
		{"entry twice", func(tx *spool.Tx) { tx.Put(e) }, spool.ErrExists},
		{"entry without a body", func(tx *spool.Tx) { tx.Put(entry("G", gateway.Out, "nobody", "a@x")) }, spool.ErrNotFound},
		{"body without an entry", func(tx *spool.Tx) { tx.Accept(s.Begin()) }, nil},
		{"change of a stale entry", func(tx *spool.Tx) { tx.Replace(stale, done) }, spool.ErrStale},
		{"change of another store", func(tx *spool.Tx) { o := e; o.Store = gateway.Hold; tx.Delete(o) }, spool.ErrStale},
		{"change of a missing entry", func(tx *spool.Tx) { tx.Delete(gone) }, spool.ErrStale},
		{"deleting twice", func(tx *spool.Tx) { tx.Delete(e); tx.Delete(e) }, spool.ErrStale},
		{"body dropped and used again", func(tx *spool.Tx) {
			tx.Delete(e)
			tx.Put(entry("G", gateway.Out, "nobody", "a@x"))
		}, spool.ErrNotFound},
		{"no recipients", func(tx *spool.Tx) { tx.Put(entry("G", gateway.Out, e.Message)) }, nil},
		{"store out of range", func(tx *spool.Tx) { tx.Put(entry("G", gateway.NumStores, e.Message, "a@x")) }, nil},
		{"path for an id", func(tx *spool.Tx) { o := entry("G", gateway.Out, e.Message, "a@x"); o.ID = "../x"; tx.Put(o) }, nil},
		{"nameless setting", func(tx *spool.Tx) { tx.Set("G", "", []byte("v")) }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := s.Counts("G")
			var tx spool.Tx
			tx.Track(ledger.Event{Kind: ledger.Operated, Message: "must not be seen"})
			tx.Set("G", "k", []byte("must not be seen"))
			tt.build(&tx)
			err := s.Commit(&tx)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("Commit() error = %v, want %v", err, tt.want)
			}
			if diff := cmp.Diff(before, s.Counts("G")); diff != "" {
				t.Errorf("refused transaction changed the counts:\n%s", diff)
			}
			if n := len(events(t, s, 0, 0)); n != 1 {
				t.Errorf("%d events, want 1", n)
			}
			if _, ok, err := s.Setting("G", "k"); ok || err != nil {
				t.Errorf("setting of a refused transaction is there, %v", err)
			}
			if got := scan(t, s, "G", gateway.Out); len(got) != 1 {
				t.Errorf("%d entries, want 1", len(got))
			}
		})
	}
	if b := read(t, s, e.Message); string(b) != "body" {
		t.Errorf("body = %q", b)
	}
}

func TestCounts(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, "s", fs)
	var entries []mail.Entry
	for i, rcpts := range [][]string{{"a@x", "b@x"}, {"c@x"}, {"d@x"}} {
		d := s.Begin()
		fmt.Fprintf(d, "message %d", i)
		var tx spool.Tx
		e := entry("G", gateway.MTSOut, d.Body, rcpts...)
		e.Accepted = t0.Add(time.Duration(3-i) * time.Hour)
		tx.Accept(d)
		tx.Put(e)
		commit(t, s, &tx)
		e.Size = d.Size()
		entries = append(entries, e)
	}
	want := func(st gateway.Store, messages, rcpts int64, oldest time.Time, entered, left uint64) {
		t.Helper()
		got := s.Counts("G")[st]
		w := gateway.Count{
			Known: gateway.Counted, Messages: messages, Recipients: rcpts, Bytes: 9 * messages,
			Oldest: oldest, Entered: entered, Left: left,
		}
		if diff := cmp.Diff(w, got); diff != "" {
			t.Errorf("count of %s -want +got:\n%s", st, diff)
		}
	}
	want(gateway.MTSOut, 3, 4, t0.Add(1*time.Hour), 3, 0)
	want(gateway.Out, 0, 0, time.Time{}, 0, 0)

	moved := entries[2]
	moved.Store = gateway.Out
	fewer := entries[0]
	fewer.Rcpts, fewer.Attempts = fewer.Rcpts[1:], 1
	var tx spool.Tx
	tx.Replace(entries[2], moved)
	tx.Replace(entries[0], fewer)
	commit(t, s, &tx)
	want(gateway.MTSOut, 2, 2, t0.Add(2*time.Hour), 3, 1)
	want(gateway.Out, 1, 1, t0.Add(1*time.Hour), 1, 0)

	var del spool.Tx
	del.Delete(entries[1])
	commit(t, s, &del)
	want(gateway.MTSOut, 1, 1, t0.Add(3*time.Hour), 3, 2)

	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, "s", fs)
	want(gateway.MTSOut, 1, 1, t0.Add(3*time.Hour), 0, 0)
	want(gateway.Out, 1, 1, t0.Add(1*time.Hour), 0, 0)
	items, _, err := s.Present("G")
	if err != nil {
		t.Fatal(err)
	}
	wantItems := []ledger.Item{
		{Message: string(fewer.Message), Rcpt: "b@x", Store: "mts-out"},
		{Message: string(moved.Message), Rcpt: "d@x", Store: "out"},
	}
	if diff := cmp.Diff(wantItems, items); diff != "" {
		t.Errorf("Present() -want +got:\n%s", diff)
	}
	if c := s.Counts("G2"); c[gateway.Out].Messages != 0 || c[gateway.Out].Known != gateway.Counted {
		t.Errorf("counts of a gateway without mail = %+v", c)
	}
}

func TestGatewayNamesDoNotOverlap(t *testing.T) {
	s := open(t, "s", spool.NewMemFS())
	for _, gw := range []string{"", "a", "ab", "a\x00", "\x02"} {
		deposit(t, s, gw, gateway.Out, []byte("x"), "r@"+gw)
		var tx spool.Tx
		tx.Set(gw, "k", []byte(gw))
		commit(t, s, &tx)
	}
	for _, gw := range []string{"", "a", "ab", "a\x00", "\x02"} {
		if got := scan(t, s, gw, gateway.Out); len(got) != 1 || got[0].Gateway != gw {
			t.Errorf("Scan(%q) = %v", gw, got)
		}
		if v, ok, err := s.Setting(gw, "k"); !ok || string(v) != gw || err != nil {
			t.Errorf("Setting(%q) = %q, %v, %v", gw, v, ok, err)
		}
		n := 0
		if err := s.Settings(gw, "", func(string, []byte) bool { n++; return true }); err != nil || n != 1 {
			t.Errorf("Settings(%q) has %d values, %v", gw, n, err)
		}
	}
}

func TestEvents(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, "s", fs)
	for i := range 5 {
		var tx spool.Tx
		tx.Track(ledger.Event{Kind: ledger.Operated, Message: strconv.Itoa(2 * i), At: t0})
		tx.Track(ledger.Event{Kind: ledger.Operated, Message: strconv.Itoa(2*i + 1)})
		commit(t, s, &tx)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, "s", fs)
	var tx spool.Tx
	tx.Track(ledger.Event{Kind: ledger.Operated, Message: "10", Seq: 77})
	commit(t, s, &tx)
	all := events(t, s, 0, 0)
	for i, e := range all {
		if e.Seq != uint64(i+1) || e.Message != strconv.Itoa(i) || e.At.IsZero() {
			t.Errorf("event %d = %+v", i, e)
		}
	}
	if len(all) != 11 || !all[0].At.Equal(t0) {
		t.Errorf("%d events, want 11, the first at %v", len(all), t0)
	}
	if got := events(t, s, 3, 2); len(got) != 2 || got[0].Seq != 4 || got[1].Seq != 5 {
		t.Errorf("Events(3, 2) = %v", got)
	}
	if got := events(t, s, 11, 0); len(got) != 0 {
		t.Errorf("Events(11) = %v, want none", got)
	}
}

func TestDraftsLeaveNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	for _, size := range []int{10, spool.MaxInline + 10} {
		d := s.Begin()
		if _, err := d.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		d.Abort()
		d.Abort()
		if _, err := d.Write([]byte("x")); err == nil {
			t.Error("aborted draft takes more")
		}
		d = s.Begin()
		if _, err := d.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		var tx spool.Tx
		tx.Accept(d)
		if err := s.Commit(&tx); err == nil {
			t.Fatal("body without an entry was accepted")
		}
		d.Abort()
	}
	left := s.Begin() // what a crash leaves
	if _, err := left.Write(make([]byte, spool.MaxInline+1)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir, nil)
	for _, sub := range []string{"/tmp", "/bodies"} {
		if names, err := vfs.Default.List(dir + sub); err != nil || len(names) > 0 {
			t.Errorf("%s holds %v, %v", sub, names, err)
		}
	}
}

func TestClosed(t *testing.T) {
	s := open(t, "s", spool.NewMemFS())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var tx spool.Tx
	tx.Track(ledger.Event{})
	if err := s.Commit(&tx); !errors.Is(err, spool.ErrClosed) {
		t.Errorf("Commit() error = %v, want ErrClosed", err)
	}
}

func TestOneSpoolOneProcess(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	d := s.Begin()
	if _, err := d.Write(make([]byte, spool.MaxInline+1)); err != nil {
		t.Fatal(err)
	}
	if second, err := spool.Open(dir, spool.Options{}); err == nil || errors.Is(err, spool.ErrDamaged) {
		t.Fatalf("second Open() = %v, %v, want a refusal", second, err)
	}
	var tx spool.Tx
	tx.Accept(d)
	tx.Put(entry("G", gateway.Out, d.Body, "r@x"))
	commit(t, s, &tx)
	if b := read(t, s, d.Body); len(b) != spool.MaxInline+1 {
		t.Errorf("body has %d octets", len(b))
	}
}
