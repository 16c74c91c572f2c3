package mem

import (
	"context"
	"fmt"
	"time"

	"example.org/ims/pkg/zone"
)

// Fault is what goes wrong with one Apply.
type Fault uint8

// Faults.
const (
	None        Fault = iota
	LoseRequest       // Unknown, and the change is not made
	LoseReply         // Unknown, and the change is made
	Refuse            // Denied
	Cut               // Unreachable
)

// Inject calls f before every Apply that would otherwise reach the data; nil
// ends it. f runs under the lock of the zone and must not call it.
func (z *Zone) Inject(f func(zone.Change) Fault) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.inject = f
}

type server struct {
	zone.Server
	lag    time.Duration
	down   bool
	lame   bool
	frozen bool
	known  int // frozen: how much of the history it has
}

// AddServer adds a secondary that shows a change after lag.
func (z *Zone) AddServer(ns string, lag time.Duration) {
	z.mu.Lock()
	defer z.mu.Unlock()
	n := len(z.servers) + 53
	z.servers = append(z.servers, &server{
		lag:    lag,
		Server: zone.Server{NS: zone.CanonicalName(ns), Addr: fmt.Sprintf("192.0.2.%d:53", n), Role: "child"},
	})
}

// Primary is the name of the server that is written to.
func (z *Zone) Primary() string { return z.servers[0].NS }

// Down makes a server answer nothing, or answer again.
func (z *Zone) Down(ns string, down bool) { z.with(ns, func(s *server) { s.down = down }) }

// Lame makes a server answer without authority.
func (z *Zone) Lame(ns string, lame bool) { z.with(ns, func(s *server) { s.lame = lame }) }

// Freeze makes a server keep what it has now until Thaw.
func (z *Zone) Freeze(ns string) {
	z.with(ns, func(s *server) { s.frozen, s.known = true, len(z.history) })
}

// Thaw ends Freeze.
func (z *Zone) Thaw(ns string) { z.with(ns, func(s *server) { s.frozen = false }) }

// with panics if there is no such server: a test that misspells a name must
// not pass.
func (z *Zone) with(ns string, f func(*server)) {
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, s := range z.servers {
		if s.NS == zone.CanonicalName(ns) {
			f(s)
			return
		}
	}
	panic("mem: no server " + ns)
}

// Observe asks every server.
func (z *Zone) Observe(ctx context.Context, name, typ string) []zone.Observation {
	q := zone.NewRRset(name, typ, 0)
	z.mu.Lock()
	defer z.mu.Unlock()
	now := time.Now()
	var out []zone.Observation
	for _, s := range z.servers {
		o := zone.Observation{At: now, Server: s.Server, RRset: q, AA: !s.lame}
		switch {
		case ctx.Err() != nil:
			o.Err = ctx.Err().Error()
		case s.down:
			o.Err = "i/o timeout"
		default:
			history := z.history
			if s.frozen {
				history = history[:s.known]
			}
			o.RRset, o.Serial = at(history, keyOf(q), now.Add(-s.lag))
		}
		out = append(out, o)
	}
	return out
}
