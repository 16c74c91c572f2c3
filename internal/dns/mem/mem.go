// Package mem is a zone in memory: a zone.Writer that compares and swaps, and
// a zone.Watcher over several servers that lag, stop or stay behind, for tests
// of everything above the contract. It refuses what a name server refuses and
// opens no connection. Lag is measured with time.Now, so a synctest bubble can
// compress it.
package mem

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"example.org/ims/pkg/zone"
)

// NegativeTTL is how long an absence may be cached, in seconds.
const NegativeTTL = 300

// Zone is one zone, its primary and its secondaries. It is safe for concurrent
// use.
type Zone struct {
	apex string

	mu      sync.Mutex
	serial  uint32
	history []version
	servers []*server
	inject  func(zone.Change) Fault
	applied []zone.Change
}

// version is one RRset from an instant on.
type version struct {
	at     time.Time
	serial uint32
	set    zone.RRset
}

type key struct{ name, typ string }

func keyOf(r zone.RRset) key { return key{r.Name, r.Type} }

var (
	_ zone.Writer  = (*Zone)(nil)
	_ zone.Watcher = (*Zone)(nil)
)

// New makes a zone with one server, its primary, and the given RRsets.
func New(apex string, sets ...zone.RRset) *Zone {
	z := &Zone{apex: zone.CanonicalName(apex), serial: 1}
	z.servers = []*server{{Server: zone.Server{NS: "primary." + z.apex, Addr: "192.0.2.53:53", Role: "child"}}}
	for _, s := range sets {
		z.Set(s)
	}
	return z
}

// Set makes an RRset so, unconditionally and without fault, as another
// administrator would.
func (z *Zone) Set(s zone.RRset) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.put(s.Canonical())
}

func (z *Zone) put(s zone.RRset) {
	z.serial++
	z.history = append(z.history, version{time.Now(), z.serial, s})
}

// at is the RRset as of an instant in a part of the history, with the serial
// of the zone then.
func at(history []version, k key, t time.Time) (zone.RRset, uint32) {
	out := zone.RRset{Name: k.name, Type: k.typ, TTL: NegativeTTL}
	serial := uint32(1)
	for _, v := range history {
		if v.at.After(t) {
			break
		}
		serial = v.serial
		if keyOf(v.set) == k {
			out = v.set
		}
	}
	if out.Empty() {
		out.TTL = NegativeTTL
	}
	return out, serial
}

// now is the RRset at the primary.
func (z *Zone) now(k key) zone.RRset {
	r, _ := at(z.history, k, time.Now())
	r.Data = slices.Clone(r.Data)
	return r
}

// Caps says that everything can be done.
func (z *Zone) Caps() zone.Caps {
	return zone.Caps{
		Adapter: "mem", Zone: z.apex, Server: z.servers[0].Addr,
		Atomic: true, Conditional: true, Preflight: true, NullMX: true,
	}
}

// Applied are the changes that were made through Apply, in order.
func (z *Zone) Applied() []zone.Change {
	z.mu.Lock()
	defer z.mu.Unlock()
	return slices.Clone(z.applied)
}

// Read reads from the primary.
func (z *Zone) Read(ctx context.Context, name, typ string) (zone.RRset, error) {
	q := zone.NewRRset(name, typ, 0)
	z.mu.Lock()
	defer z.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return q, fmt.Errorf("read %s %s: %w: %w", q.Name, q.Type, zone.ErrUnreachable, err)
	}
	if z.servers[0].down {
		return q, fmt.Errorf("read %s %s: %w", q.Name, q.Type, zone.ErrUnreachable)
	}
	if !zone.IsSubdomain(q.Name, z.apex) {
		return q, fmt.Errorf("read %s %s: %w", q.Name, q.Type, zone.ErrNotAuthoritative)
	}
	return z.now(keyOf(q)), nil
}

// Preflight answers what Apply would be answered, but for the comparison.
func (z *Zone) Preflight(ctx context.Context, c zone.Change) zone.Outcome {
	c = c.Canonical()
	z.mu.Lock()
	defer z.mu.Unlock()
	o := z.admit(ctx, c)
	if o.Kind == zone.Ready {
		o.Got = z.now(keyOf(c.New))
	}
	return o
}

// Apply compares and swaps.
func (z *Zone) Apply(ctx context.Context, c zone.Change) zone.Outcome {
	c = c.Canonical()
	z.mu.Lock()
	defer z.mu.Unlock()
	o := z.admit(ctx, c)
	if o.Kind != zone.Ready {
		return o
	}
	fault := None
	if z.inject != nil {
		fault = z.inject(c)
	}
	switch fault {
	case Refuse:
		return outcome(zone.Denied, "fault: refused")
	case Cut:
		return outcome(zone.Unreachable, "fault: unreachable")
	case LoseRequest:
		return outcome(zone.Unknown, "fault: the request was lost")
	case None, LoseReply:
	}
	o = z.swap(c)
	if fault == LoseReply {
		return outcome(zone.Unknown, "fault: the reply was lost")
	}
	return o
}

func (z *Zone) swap(c zone.Change) zone.Outcome {
	k := keyOf(c.New)
	got := z.now(k)
	o := outcome(zone.Conflict, "the data is not what the change expects")
	o.Got = got
	switch {
	case got.Equal(c.New):
		o.Kind, o.Detail = zone.AlreadyApplied, ""
		return o
	case !got.SameData(c.Old):
		return o
	case k.typ != "CNAME" && !c.New.Empty() && !z.now(key{k.name, "CNAME"}).Empty():
		o.Kind, o.Detail = zone.Rejected, "the name is an alias (CNAME)"
		return o
	}
	z.put(c.New)
	z.applied = append(z.applied, c)
	o.Kind, o.Detail, o.Got = zone.Applied, "", z.now(k)
	return o
}

// admit checks everything that does not depend on the data.
func (z *Zone) admit(ctx context.Context, c zone.Change) zone.Outcome {
	switch {
	case ctx.Err() != nil:
		return outcome(zone.Unreachable, ctx.Err().Error())
	case z.servers[0].down:
		return outcome(zone.Unreachable, "the primary is down")
	}
	o := c.Check()
	if o.Kind == zone.Ready && c.Zone != z.apex {
		o = outcome(zone.NotAuthZone, "the zone here is "+z.apex)
	}
	return o
}

func outcome(k zone.Kind, detail string) zone.Outcome {
	return zone.Outcome{Kind: k, Rcode: -1, TSIGErr: -1, Detail: detail}
}
