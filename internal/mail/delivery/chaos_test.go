package delivery_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/delivery"
	"example.org/ims/pkg/gateway"
)

// Hosts that refuse, defer, shut down and disappear at random, a store that
// fails, an operator who kicks and changes settings: every recipient still
// ends exactly once, what is said to be delivered was, and nothing is
// delivered twice.
func TestNothingIsLostOrDoubled(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			play(t, func(t *testing.T, w *world) { chaos(t, w, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func chaos(t *testing.T, w *world, rnd *rand.Rand) {
	const hosts, entries = 5, 60
	moody(w, rnd, hosts)
	roll := func(n int) int { // the hosts roll too, with the world locked
		w.mu.Lock()
		defer w.mu.Unlock()
		return rnd.IntN(n)
	}
	s := w.scheduler(func(o *delivery.Options) {
		o.Limits = delivery.Limits{Connections: 3, PerDest: 2, Messages: 4, Rcpts: 2}
	})
	want := map[string]bool{}
	for i := range entries {
		d := fmt.Sprintf("d%d.example", roll(hosts))
		var rcpts []string
		for j := range 1 + roll(4) {
			r := fmt.Sprintf("m%d-%d", i, j)
			rcpts = append(rcpts, r)
			want[r+"@"+d] = true
		}
		s.Add(w.entry(fmt.Sprint("m", i), d, rcpts...))
	}
	for range 60 {
		w.mu.Lock()
		w.hosts[fmt.Sprintf("10.0.0.%d:25", rnd.IntN(hosts))].down = rnd.IntN(2) == 0
		w.broken = rnd.IntN(2)
		w.mu.Unlock()
		set := settings
		switch roll(4) {
		case 0:
			s.Kick(gateway.Selection{})
		case 1:
			set.Retry = set.Retry[roll(len(set.Retry)):]
			if err := s.Configure(set); err != nil {
				t.Error(err)
			}
		}
		pass(time.Duration(roll(7200)) * time.Second)
	}
	pass(60 * hour)
	account(t, w, want)
	if s.Len() != 0 || s.InFlight() != 0 {
		t.Errorf("%d entries left, %d in flight", s.Len(), s.InFlight())
	}
	stop(t, s)
}

// moody makes hosts that answer at random; they roll with the world locked.
func moody(w *world, rnd *rand.Rand, hosts int) {
	mood := func() error {
		switch rnd.IntN(12) {
		case 0:
			return refuse(450, 4, 2, 0, "later")
		case 1:
			return refuse(550, 5, 1, 1, "no")
		case 2:
			return refuse(421, 4, 3, 2, "closing")
		}
		return nil
	}
	for i := range hosts {
		addr := fmt.Sprintf("10.0.0.%d:25", i)
		h := w.host(addr)
		h.mail = mood
		h.rcpt = func(string) error { return mood() }
		h.data = func(string) error { return mood() }
		w.route(addr, fmt.Sprintf("d%d.example", i))
	}
}

// account checks the outcomes against what the hosts took.
func account(t *testing.T, w *world, want map[string]bool) {
	t.Helper()
	taken := map[string]int{}
	for _, h := range w.hosts {
		for _, m := range h.received() {
			for _, r := range m.rcpts {
				taken[r]++
			}
		}
	}
	ended := map[string]delivery.Kind{}
	left := map[mail.ID]int{}
	for _, r := range w.results {
		left[r.Entry.ID] = len(r.Entry.Rcpts)
		for _, o := range r.Outcomes {
			if ended[o.Rcpt] != 0 {
				t.Errorf("%s: %v after it ended as %v", o.Rcpt, o.Kind, ended[o.Rcpt])
			}
			if o.Kind != delivery.Deferred {
				ended[o.Rcpt] = o.Kind
			}
		}
	}
	for r := range want {
		n := 0
		if ended[r] == delivery.Delivered {
			n = 1
		}
		if ended[r] == 0 || taken[r] != n {
			t.Errorf("%s ended as %v and was taken %d times", r, ended[r], taken[r])
		}
	}
	for id, n := range left {
		if n != 0 {
			t.Errorf("entry %s: the last result still has %d recipients", id, n)
		}
	}
}
