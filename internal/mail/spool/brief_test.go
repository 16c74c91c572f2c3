package spool_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
)

// TestBriefsDoNotHinder: mail is accepted and removed while entries are summed
// up, which sees those that were there when it began. Were a commit to wait for
// it, this would not end.
func TestBriefsDoNotHinder(t *testing.T) {
	s := open(t, "/spool", spool.NewMemFS())
	gone := deposit(t, s, "G", gateway.Out, []byte("one"), "r@x")
	stays := deposit(t, s, "G", gateway.Out, []byte("two"), "r@x")
	deposit(t, s, "H", gateway.Out, []byte("of another gateway"), "r@x")
	seen := map[mail.ID]int{}
	briefs := func(during func()) {
		t.Helper()
		clear(seen)
		if err := s.Briefs("G", func(b *spool.Brief) {
			if len(seen) == 0 {
				during()
			}
			seen[b.ID]++
		}); err != nil {
			t.Fatal(err)
		}
	}
	var late mail.Entry
	briefs(func() {
		late = deposit(t, s, "G", gateway.In, []byte("three"), "r@x")
		var tx spool.Tx
		tx.Delete(gone)
		commit(t, s, &tx)
	})
	if len(seen) != 2 || seen[gone.ID] != 1 || seen[stays.ID] != 1 {
		t.Errorf("saw %v, want %s and %s once", seen, gone.ID, stays.ID)
	}
	briefs(func() {})
	if len(seen) != 2 || seen[late.ID] != 1 || seen[stays.ID] != 1 {
		t.Errorf("then saw %v, want %s and %s once", seen, late.ID, stays.ID)
	}
}

// BenchmarkCommitWhileSummedUp accepts mail, in memory, while 100,000 entries
// for 10,000 destinations are summed up over and over; of each commit the metric
// says how long it took, on average and at most.
func BenchmarkCommitWhileSummedUp(b *testing.B) {
	s := open(b, "/spool", spool.NewMemFS())
	var tx spool.Tx
	d := s.Begin()
	if _, err := d.Write([]byte("body")); err != nil {
		b.Fatal(err)
	}
	tx.Accept(d)
	for i := range 100_000 {
		e := entry("G", gateway.Out, d.Body, "r@x")
		e.ID, e.Dest, e.Last = mail.ID(fmt.Sprintf("e%06d", i)), fmt.Sprintf("d%05d.example", i%10_000), "451 4.7.1 greylisted"
		tx.Put(e)
	}
	commit(b, s, &tx)
	ctx, stop := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	sums := 0
	wg.Go(func() {
		for ; ctx.Err() == nil; sums++ {
			sum := gateway.NewSumming(gateway.SummaryQuery{}, time.Now())
			_ = s.Briefs("G", func(e *spool.Brief) {
				sum.Add(&gateway.Line{Store: e.Store, Dest: e.Dest, Recipients: e.Recipients, Size: e.Size, Accepted: e.Accepted, Next: e.Next, Last: e.Last})
			})
			sum.Done()
		}
	})
	var most time.Duration
	for b.Loop() {
		begin := time.Now()
		deposit(b, s, "H", gateway.In, []byte("body"), "r@x")
		most = max(most, time.Since(begin))
	}
	stop()
	wg.Wait()
	b.ReportMetric(float64(most)/1e6, "ms/worst")
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(max(sums, 1)), "ms/sum")
}
