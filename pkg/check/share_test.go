package check

import (
	"context"
	"testing"
	"testing/synctest"
)

// TestTheElderGoesFirst: the check that began first gets what the one that began
// after it has, which begins again when the first has ended.
func TestTheElderGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, ctx := NewMemory(100), t.Context()
		elder, younger := m.join(), m.join()
		hold := func(s *share, bytes int64) stop {
			return s.hold(ctx, bytes, func() { t.Errorf("waits for %d bytes", bytes) })
		}
		if hold(elder, 60) != complete || hold(younger, 30) != complete {
			t.Error("what fits is not given")
		}
		if hold(younger, 101) != hitMemory || hold(elder, 101) != hitMemory {
			t.Error("more than there is is not refused at once")
		}
		waited, again, grown := make(chan stop), make(chan bool), make(chan stop)
		go func() {
			waited <- younger.hold(ctx, 60, func() {})
			again <- younger.rejoin(ctx)
		}()
		synctest.Wait() // the younger waits, and keeps what it has
		go func() { grown <- elder.hold(ctx, 80, func() {}) }()
		if why := <-waited; why != crowded {
			t.Errorf("the younger waits, and ends for %d, want %d: it has to yield", why, crowded)
		}
		if why := <-grown; why != complete {
			t.Errorf("the elder ends for %d, want %d", why, complete)
		}
		synctest.Wait()
		select {
		case <-again:
			t.Error("the younger begins again beside the elder")
		default:
		}
		elder.leave()
		if !<-again || hold(younger, 100) != complete {
			t.Error("the younger does not get everything once it is alone")
		}

		third, ends := context.WithCancel(ctx)
		go func() { waited <- m.join().hold(third, 10, func() {}) }()
		synctest.Wait()
		ends()
		if why := <-waited; why != cancelled {
			t.Errorf("whom nobody wants any more ends for %d, want %d", why, cancelled)
		}
	})
}
