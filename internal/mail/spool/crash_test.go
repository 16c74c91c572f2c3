package spool_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// crashDir makes the test binary the process that is to be killed.
const crashDir = "SPOOL_TEST_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		fmt.Fprintln(os.Stderr, fillUntilKilled(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// fillUntilKilled accepts messages on several goroutines and prints the id of
// each when its commit returned. Every third message goes on to the next
// store, every ninth is delivered.
func fillUntilKilled(dir string) error {
	s, err := spool.Open(dir, spool.Options{})
	if err != nil {
		return err
	}
	var mu sync.Mutex
	say := func(word string, m mail.ID) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(word, m)
	}
	errs := make(chan error)
	for w := range 8 {
		go func() {
			for i := 0; ; i++ {
				if err := oneMessage(s, w, i, say); err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	return <-errs
}

func crashBody(m mail.ID, big bool) []byte {
	n := 200
	if big {
		n = spool.MaxInline/len(m) + 1
	}
	return bytes.Repeat([]byte(m), n)
}

func oneMessage(s *spool.Spool, w, i int, say func(string, mail.ID)) error {
	d := s.Begin()
	if _, err := d.Write(crashBody(d.Body, w == 0)); err != nil {
		return err
	}
	track := func(tx *spool.Tx, k ledger.Kind) {
		tx.Track(ledger.Event{Gateway: "G", Kind: k, Message: string(d.Body), Rcpts: []string{"r@x"}})
	}
	var tx spool.Tx
	e := entry("G", gateway.MTSOut, d.Body, "r@x")
	tx.Accept(d)
	tx.Put(e)
	track(&tx, ledger.Accepted)
	if err := s.Commit(&tx); err != nil {
		return err
	}
	say("accepted", d.Body)
	if i%3 != 0 {
		return nil
	}
	moved := e
	moved.Store = gateway.Out
	var move spool.Tx
	move.Replace(e, moved)
	track(&move, ledger.Moved)
	if err := s.Commit(&move); err != nil || i%9 != 0 {
		return err
	}
	say("sending", d.Body)
	var del spool.Tx
	del.Delete(moved)
	track(&del, ledger.Delivered)
	return s.Commit(&del)
}

// TestKill kills a process that fills a spool, several times over, and looks
// for every message whose acceptance it had reported.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	accepted, sending := make(map[mail.ID]bool), make(map[mail.ID]bool)
	for round := range 5 {
		killAfter(t, dir, 150+40*round, accepted, sending)
		verifyCrash(t, dir, accepted, sending)
	}
	if len(accepted) < 500 || len(sending) == 0 {
		t.Errorf("only %d accepted, %d sent: the test proves little", len(accepted), len(sending))
	}
}

// killAfter runs the child until it has said n lines, kills it, and reads what
// it had said before it died.
func killAfter(t *testing.T, dir string, n int, accepted, sending map[mail.ID]bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for i := 0; ; i++ {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // a torn line reports nothing
		}
		word, id, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		accepted[mail.ID(id)] = true
		if word == "sending" {
			sending[mail.ID(id)] = true
		}
		if i == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("child ended by itself: %v", err)
	}
}

func verifyCrash(t *testing.T, dir string, accepted, sending map[mail.ID]bool) {
	t.Helper()
	s, err := spool.Open(dir, spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	items, seq, err := s.Present("G")
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.Compute(events(t, s, 0, 0), items, "G").Balance(); err != nil {
		t.Error(err)
	}
	here := make(map[mail.ID]bool)
	for _, i := range items {
		here[mail.ID(i.Message)] = true
	}
	logged := make(map[mail.ID]bool)
	next := uint64(1)
	for _, e := range events(t, s, 0, 0) {
		if e.Seq != next {
			t.Fatalf("event %d where %d was wanted", e.Seq, next)
		}
		next++
		switch m := mail.ID(e.Message); e.Kind {
		case ledger.Accepted:
			logged[m] = true
		case ledger.Delivered:
			delete(logged, m)
			if !sending[m] {
				t.Errorf("%s was delivered before it was sent", m)
			}
			delete(accepted, m)
		}
	}
	if next != seq+1 {
		t.Errorf("last event %d, Present says %d", next-1, seq)
	}
	for m := range accepted {
		if !here[m] {
			t.Errorf("%s was accepted and is lost", m)
		}
	}
	for m := range here {
		if !logged[m] {
			t.Errorf("%s is here and the log does not say so", m)
		}
		big := len(crashBody(m, false)) < int(size(t, s, m))
		if b := read(t, s, m); !bytes.Equal(b, crashBody(m, big)) {
			t.Errorf("body of %s came back as %d other octets", m, len(b))
		}
		delete(logged, m)
	}
	for m := range logged {
		t.Errorf("the log says %s is here and it is not", m)
	}
	if c := s.Counts("G"); c[gateway.Corrupt].Messages > 0 {
		t.Errorf("%d corrupt entries", c[gateway.Corrupt].Messages)
	}
}

func size(t *testing.T, s *spool.Spool, m mail.ID) int64 {
	t.Helper()
	r, n, err := s.Body(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return n
}
