// Package delivery takes queued entries to their next hops by SMTP or LMTP:
// one queue a destination, a bounded number of workers, and a schedule kept in
// a heap, so that a queued entry costs memory but no goroutine and no timer.
//
// It refuses to store anything: the entries, their bodies and what became of
// them belong to a [Store], which is told the outcome of every attempt before
// the connection is used again. It refuses to alter a message: bytes go out as
// they are, dot-stuffed, and a message with a bare CR or LF does not go out at
// all. It makes no reports; it says who failed and why.
//
// Delivery is at least once. When the connection breaks between the final dot
// and its reply, the next hop may have taken the message and may not; the
// recipients are then deferred with Unknown set and tried again (RFC 5321
// section 6.1, RFC 1047).
//
// The SMTP client of github.com/emersion/go-smtp speaks the protocol: it is
// the organization's only SMTP client and does dot-stuffing, multi-line
// replies, LMTP and DSN parameters. It sets no deadline while a body is
// written and no bound on a reply's length; the connection wrapper here does.
package delivery

import (
	"context"
	"errors"
	"io"

	"example.org/ims/internal/mail"
)

// Target is one address of one host that may take mail for a domain.
type Target struct {
	Host string // name of the host, as MX records give it
	Addr string // address:port to dial
	Pref int    // MX preference, lower first
}

// Resolver finds the hosts that take mail for a domain: MX records, or the
// domain's own addresses when it has none (RFC 5321 section 5.1). The order of
// targets of equal preference does not matter. Errors other than
// [ErrNoSuchDomain] and [ErrNullMX] are temporary.
type Resolver interface {
	Lookup(ctx context.Context, domain string) ([]Target, error)
}

// HostResolver is what a Resolver may also be able to do: the addresses of one
// host, without MX records. Forward hosts are looked up this way if possible.
type HostResolver interface {
	Host(ctx context.Context, host string) ([]Target, error)
}

// Errors by which a Resolver says that a domain takes no mail for good.
var (
	ErrNoSuchDomain = errors.New("no such domain")
	ErrNullMX       = errors.New("domain accepts no mail (null MX)") // RFC 7505
)

// Store owns the entries. Its methods are called concurrently.
type Store interface {
	// Open reads the entry's message: CRLF line ends only. An error defers
	// the entry and costs the next hop nothing.
	Open(ctx context.Context, e mail.Entry) (io.ReadCloser, error)
	// Done makes results durable before it returns; all of them or none. After
	// an error it is called again, later, with the same results; the entries
	// are not tried meanwhile. ctx is bounded, and survives a Stop.
	Done(ctx context.Context, results []Result) error
}

// Result is what one attempt, or the passing of the time-out, did to an entry.
type Result struct {
	// Entry is the entry afterwards: Rcpts are those still pending, none if it
	// is finished; Attempts, Tried, Next and Last are set.
	Entry mail.Entry
	// Outcomes has one element for each recipient that was decided on or
	// deferred.
	Outcomes []Outcome
}

// Kind is what became of a recipient.
type Kind uint8

// Kinds of outcome.
const (
	Delivered Kind = iota + 1 // the next hop took it
	Deferred                  // to be tried again
	Failed                    // given up: the sender is to be told
)

func (k Kind) String() string {
	switch k {
	case Delivered:
		return "delivered"
	case Deferred:
		return "deferred"
	case Failed:
		return "failed"
	}
	return "pending"
}

// Outcome is what became of one recipient.
type Outcome struct {
	Rcpt string
	Kind Kind
	// Reply is the next hop's reply on one line, printable, at most 512 octets,
	// or the local error in words.
	Reply string
	// Status is an RFC 3463 code.
	Status string
	// Remote is the host that answered, as "host address:port"; empty when
	// none was reached.
	Remote string
	// Permanent says that it failed because of a 5xx reply or because it can
	// never work; otherwise a Failed one ran out of time or of retries.
	Permanent bool
	// Expired says that it failed because its time-out passed.
	Expired bool
	// Unknown says that the final dot was sent and no reply came.
	Unknown bool
	// DSN says that the next hop speaks DSN and took over what the sender
	// asked to be told (RFC 3461 section 5.2.2).
	DSN bool
}
