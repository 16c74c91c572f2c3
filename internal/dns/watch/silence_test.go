package watch_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"example.org/ims/internal/dns/watch"
	"example.org/ims/internal/patience"
)

// hung takes every question and connection, and answers none.
func hung(t *testing.T) (addr string, asked *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pc, err := net.ListenPacket("udp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	asked = new(atomic.Int32)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for buf := make([]byte, 2000); ; {
			if _, _, err := pc.ReadFrom(buf); err != nil {
				return
			}
			asked.Add(1)
		}
	}()
	t.Cleanup(func() {
		_, _ = l.Close(), pc.Close()
		<-done
	})
	return l.Addr().String(), asked
}

// TestAHungServerIsAskedOnce: one that does not say which serial it has is not
// asked for data, and within one look at the world for nothing more at all.
func TestAHungServerIsAskedOnce(t *testing.T) {
	addr, asked := hung(t)
	for name, ctx := range map[string]context.Context{"in every round": t.Context(), "in one look": patience.Look(t.Context())} {
		asked.Store(0)
		w := watcher(t, watch.Config{Authorities: []string{addr}, Timeout: 20 * time.Millisecond})
		want := int32(1)
		for range 3 {
			round := w.Observe(ctx, "example.test.", "MX")
			if len(round) != 1 || round[0].Counts() || round[0].Err == "" || round[0].Server.Addr != addr || round[0].At.IsZero() {
				t.Errorf("%s: %+v, want that the server is silent", name, round)
			}
			if got := asked.Load(); got > want {
				t.Errorf("%s: it was asked %d times, want %d", name, got, want)
			}
			if ctx == t.Context() {
				want++
			}
		}
	}
}
