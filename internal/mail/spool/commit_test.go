package spool_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// TestConcurrentCommits races writers that share bodies against readers.
func TestConcurrentCommits(t *testing.T) {
	s := open(t, "s", spool.NewMemFS())
	const workers, rounds = 8, 40
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for range rounds {
				e := deposit(t, s, "G", gateway.MTSOut, []byte("body"), "a@x", "b@y")
				one, two := e, entry("G", gateway.Out, e.Message, "b@y")
				one.Store, one.Rcpts = gateway.Out, e.Rcpts[:1]
				var split spool.Tx
				split.Replace(e, one)
				split.Put(two)
				commit(t, s, &split)
				// Both halves go at once: exactly one of them takes the body.
				var both sync.WaitGroup
				for _, half := range []*spool.Tx{deletion(one), deletion(two)} {
					both.Go(func() { commit(t, s, half) })
				}
				both.Wait()
				if _, _, err := s.Body(e.Message); err == nil {
					t.Errorf("worker %d: body outlived its entries", w)
				}
			}
		})
	}
	stop, readers := make(chan struct{}), sync.WaitGroup{}
	readers.Go(func() {
		for seq := uint64(0); ; {
			select {
			case <-stop:
				return
			default:
			}
			for _, e := range events(t, s, seq, 0) {
				if e.Seq != seq+1 {
					t.Errorf("event %d follows %d", e.Seq, seq)
				}
				seq = e.Seq
			}
			if c := s.Counts("G")[gateway.Out]; c.Messages < 0 || c.Entered-c.Left != uint64(c.Messages) {
				t.Errorf("count = %+v", c)
			}
			for range scan(t, s, "G", gateway.Out) {
			}
		}
	})
	wg.Wait()
	close(stop)
	readers.Wait()
	if n := len(events(t, s, 0, 0)); n != workers*rounds*3 {
		t.Errorf("%d events, want %d", n, workers*rounds*3)
	}
}

// TestInBubbles runs spools inside fake time, one after the other: the tests of
// the service do.
func TestInBubbles(t *testing.T) {
	for range 5 {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, "s", spool.NewMemFS())
			e := deposit(t, s, "G", gateway.Out, []byte("body"), "r@x")
			time.Sleep(time.Hour) // fake: nothing of the spool keeps the clock from moving on
			commit(t, s, deletion(e))
			all := events(t, s, 0, 0)
			if d := all[1].At.Sub(all[0].At); d != time.Hour {
				t.Errorf("events are %v apart, want an hour", d)
			}
		})
	}
}

func deletion(e mail.Entry) *spool.Tx {
	var tx spool.Tx
	tx.Delete(e)
	tx.Track(ledger.Event{Gateway: e.Gateway, Kind: ledger.Deleted, Message: string(e.Message)})
	return &tx
}

// syncCounter counts the syncs of files.
type syncCounter struct {
	vfs.FS
	n *atomic.Int64
}

type countedFile struct {
	vfs.File
	n *atomic.Int64
}

func (f countedFile) Sync() error     { f.n.Add(1); return f.File.Sync() }
func (f countedFile) SyncData() error { f.n.Add(1); return f.File.SyncData() }

func (c syncCounter) Create(name string, cat vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := c.FS.Create(name, cat)
	return countedFile{f, c.n}, err
}

func (c syncCounter) ReuseForWrite(o, n string, cat vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := c.FS.ReuseForWrite(o, n, cat)
	return countedFile{f, c.n}, err
}

// BenchmarkCommit accepts 8 KiB messages on the disk of the temporary folder.
// The metric syncs/msg shows how far commits share their syncs.
func BenchmarkCommit(b *testing.B) {
	body := make([]byte, 8<<10)
	for _, writers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			var syncs atomic.Int64
			s := open(b, b.TempDir(), syncCounter{vfs.Default, &syncs})
			var left atomic.Int64
			left.Store(int64(b.N))
			syncs.Store(0)
			b.SetBytes(int64(len(body)))
			b.ResetTimer()
			var wg sync.WaitGroup
			for range writers {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						deposit(b, s, "G", gateway.In, body, "r@x")
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(syncs.Load())/float64(b.N), "syncs/msg")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}
