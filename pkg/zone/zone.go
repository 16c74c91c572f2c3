// Package zone is the contract between the orchestrator and the DNS: how an
// RRset is read, changed by compare-and-swap, and watched on every address of
// every authoritative server. It holds no implementation; adapters live in
// internal/dns, and every Writer passes zonetest.
//
// The package is pure: it opens no connection, reads no clock, and imports the
// standard library only. It never takes "no answer" for "no record": a verdict
// is yes, no or unknown, and n-1 servers are not n.
package zone

import (
	"context"
	"errors"
)

// Reader reads RRsets of one zone.
type Reader interface {
	// Read returns the RRset as the server that is written to publishes it,
	// with its published TTL, from an authoritative answer over TCP. A name or
	// a type that does not exist is an RRset without Data and no error. It
	// does not retry. Errors wrap [ErrUnreachable] (no usable answer) or
	// [ErrNotAuthoritative] (an answer that proves nothing); in both cases the
	// data is unknown, not absent.
	Read(ctx context.Context, name, typ string) (RRset, error)
}

// Writer reads and changes RRsets of one zone.
//
// All methods are safe for concurrent use, by several Writers of the same zone
// too: the comparison with Change.Old happens inside the server, so of any
// number of writers with the same Old exactly one is Applied (RFC 2136 2.4.2),
// if Caps().Conditional.
type Writer interface {
	Reader
	// Caps says what this writer can do. It does not touch the network.
	Caps() Caps
	// Preflight asks the server whether it would let this writer make the
	// change, and changes nothing. It answers [Ready], or why not: Denied,
	// BadKey, BadSig, ClockSkew, NotAuthZone, NotInZone, Rejected, Unreachable,
	// Unknown, Unsupported. It does not compare Change.Old with the present
	// data, because a plan also asks about steps whose Old an earlier step
	// makes; Outcome.Got holds the present data when it could be read. It may
	// be repeated freely.
	Preflight(ctx context.Context, c Change) Outcome
	// Apply makes Change.New so if the data is Change.Old, and reads it back.
	//
	// It is idempotent by value: when the data is already New with its TTL the
	// outcome is AlreadyApplied and nothing is sent. When the data is neither
	// Old nor New the outcome is Conflict with Got; nothing was changed and
	// nothing is ever forced. TTL alone never makes a conflict. Applied is
	// claimed only after New was read back. After an ambiguous exchange (time
	// out, lost connection, SERVFAIL, unsigned reply) the data is read back
	// first and the change sent again, freshly signed, at most three times in
	// all; that is safe because Old is a prerequisite. Unknown means that the
	// change may or may not have been made, and even that it may still happen:
	// the caller must call Apply again or read.
	Apply(ctx context.Context, c Change) Outcome
}

// Errors a caller branches on.
var (
	// ErrUnreachable: no usable answer; nothing is known.
	ErrUnreachable = errors.New("name server unreachable")
	// ErrNotAuthoritative: lame, recursive, refused or truncated answer.
	ErrNotAuthoritative = errors.New("answer is not authoritative")
)

// Caps are a writer's abilities.
type Caps struct {
	Adapter string `json:"adapter"` // "rfc2136", "mem", …
	Zone    string `json:"zone"`    // canonical apex
	Server  string `json:"server"`  // where changes are sent, ip:port
	// Atomic: old data goes and new data comes in one step.
	Atomic bool `json:"atomic"`
	// Conditional: Old is compared inside the server. Without it an update of
	// somebody else can be lost, and a plan must say so.
	Conditional bool `json:"conditional"`
	// Preflight: permission can be asked for without a change.
	Preflight bool `json:"preflight"`
	// NullMX: "0 ." can be published (RFC 7505).
	NullMX bool `json:"null_mx"`
	// MinTTL is the smallest TTL in seconds that the server publishes.
	MinTTL uint32 `json:"min_ttl"`
	// ReadOnly: every Apply is refused.
	ReadOnly bool `json:"read_only"`
}

// Change replaces one RRset, whole, if it is still what it was.
type Change struct {
	Zone string `json:"zone"`
	Old  RRset  `json:"old"` // no Data: must not exist
	New  RRset  `json:"new"` // no Data: delete
}

// Reverse is the change that undoes c, conditional on the data still being
// what c wrote.
func (c Change) Reverse() Change { return Change{Zone: c.Zone, Old: c.New, New: c.Old} }

// Canonical returns c with every part in canonical form.
func (c Change) Canonical() Change {
	return Change{Zone: CanonicalName(c.Zone), Old: c.Old.Canonical(), New: c.New.Canonical()}
}

// Check looks for what no server may be asked to do, without any I/O: it is
// [Ready], [NotInZone] or [Rejected] with a Detail. An apex SOA belongs to the
// server, the last apex NS cannot be deleted (RFC 2136 3.4.2.4), and a null MX
// stands alone (RFC 7505 3).
func (c Change) Check() Outcome {
	c = c.Canonical()
	bad := func(why string) Outcome { return Outcome{Kind: Rejected, Detail: why} }
	switch {
	case c.Old.Name != c.New.Name || c.Old.Type != c.New.Type:
		return bad("old and new data are of different names or types")
	case c.New.Name == "." || c.New.Type == "":
		return bad("change names no owner or no type")
	case !IsSubdomain(c.New.Name, c.Zone):
		return Outcome{Kind: NotInZone, Detail: c.New.Name + " is not in zone " + c.Zone}
	case c.Old.Empty() && c.New.Empty():
		return bad("neither old nor new data")
	case c.New.Name == c.Zone && c.New.Type == "SOA":
		return bad("the SOA record belongs to the server")
	case c.New.Name == c.Zone && c.New.Type == "NS" && c.New.Empty():
		return bad("the name servers of a zone cannot be deleted")
	case c.New.TTL > maxTTL:
		return bad("TTL above 2^31-1 seconds (RFC 2181 8)")
	}
	if c.New.Type == "MX" {
		mx, err := c.New.MX()
		if err != nil {
			return bad(err.Error())
		}
		if c.New.HasNullMX() && len(mx) > 1 {
			return bad("a null MX stands alone (RFC 7505 3)")
		}
	}
	return Outcome{Kind: Ready}
}

const maxTTL = 1<<31 - 1
