package spool_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

var t0 = time.Date(1999, 7, 1, 12, 0, 0, 0, time.UTC)

func open(t testing.TB, dir string, fs vfs.FS) *spool.Spool {
	t.Helper()
	s, err := spool.Open(dir, spool.Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func entry(gw string, st gateway.Store, message mail.ID, rcpts ...string) mail.Entry {
	e := mail.Entry{ID: mail.NewID(time.Now()), Message: message, Gateway: gw, Store: st, From: "s@a.example", Accepted: t0}
	for _, r := range rcpts {
		e.Rcpts = append(e.Rcpts, mail.Rcpt{Addr: r})
	}
	return e
}

// deposit accepts body for one entry in a store, with its event.
func deposit(t testing.TB, s *spool.Spool, gw string, st gateway.Store, body []byte, rcpts ...string) mail.Entry {
	t.Helper()
	d := s.Begin()
	defer d.Abort()
	if _, err := d.Write(body); err != nil {
		t.Fatal(err)
	}
	var tx spool.Tx
	e := entry(gw, st, d.Body, rcpts...)
	tx.Accept(d)
	tx.Put(e)
	tx.Track(ledger.Event{Gateway: gw, Kind: ledger.Accepted, Message: string(d.Body), Rcpts: rcpts, Store: st.String()})
	commit(t, s, &tx)
	e.Size = int64(len(body))
	return e
}

func commit(t testing.TB, s *spool.Spool, tx *spool.Tx) {
	t.Helper()
	if err := s.Commit(tx); err != nil {
		t.Fatal(err)
	}
}

func scan(t testing.TB, s *spool.Spool, gw string, st gateway.Store) []mail.Entry {
	t.Helper()
	var all []mail.Entry
	if err := s.Scan(gw, st, func(e mail.Entry) bool { all = append(all, e); return true }); err != nil {
		t.Fatal(err)
	}
	return all
}

func read(t testing.TB, s *spool.Spool, m mail.ID) []byte {
	t.Helper()
	r, size, err := s.Body(m)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	if int64(len(b)) != size {
		t.Errorf("body has %d octets, its size is %d", len(b), size)
	}
	return b
}

func events(t testing.TB, s *spool.Spool, after uint64, limit int) []ledger.Event {
	t.Helper()
	var all []ledger.Event
	if err := s.Events(after, limit, func(e ledger.Event) bool { all = append(all, e); return true }); err != nil {
		t.Fatal(err)
	}
	return all
}
