// Package smtpd runs SMTP sessions: it speaks RFC 5321 with a client, checks
// every byte that a message is made of, and asks a [Handler] for each decision.
// It knows nothing of queues, domains or policy, and it never says 250 to a
// message before the Handler says that it is durable.
//
// The command loop is go-smtp's server (v0.25.1), the only reason this room
// imports it; everything its users trip over is kept away from it by a gate,
// a net.Conn that hands it one checked line at a time:
//
//	socket ── gate ── go-smtp command loop ── session ── Handler
//	            └──── body, decoded here ─────────┘
//
// The gate owns all time limits, refuses control characters and bare line
// feeds in commands, and decodes DATA itself, so that only CRLF "." CRLF ends a
// message and the next command is always where the client put it. It does the
// same for BDAT, which go-smtp sees as DATA: its own takes a client that leaves
// within a chunk for the end of the message. A connection whose body could not
// be read to its end is closed, never resynchronised. Paths are parsed from the
// line as it was sent, because go-smtp drops the quotes of a local part. A body
// with a bare CR or LF is refused whole.
//
// The gate answers ETRN by itself, where it is offered.
//
// What go-smtp does not let us do: HELP is 502, a SIZE above 4294967295 is 501
// instead of 552, a DATA or RCPT out of order is 502 instead of 503, and ORCPT
// types other than rfc822 and utf-8 are 501. STARTTLS and AUTH are not offered.
package smtpd

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"example.org/ims/internal/mail/address"
)

// Handler decides who may talk to us. It is used by many connections at once.
type Handler interface {
	// Connect is asked before the greeting. A Reply that is not nil refuses the
	// client with it and closes the connection.
	Connect(ctx context.Context, p Peer) (Session, *Reply)
}

// Session decides about one connection. Its methods are never called
// concurrently. A nil Reply means yes.
type Session interface {
	// Mail begins a transaction and forgets an earlier one that was not
	// finished. from may be the null reverse-path.
	Mail(ctx context.Context, from address.Mailbox, o MailOptions) *Reply
	// Rcpt adds a recipient to the transaction; it may be the postmaster
	// without a domain.
	Rcpt(ctx context.Context, to address.Mailbox, o RcptOptions) *Reply
	// Data reads the message up to io.EOF and makes it durable before it
	// returns the id that the client is told. When reading gives an error the
	// message is not to be kept and the Reply does not matter. The transaction
	// is over when Data returns.
	Data(ctx context.Context, b *Body) (queued string, r *Reply)
	// Close is the last call, when the connection is gone.
	Close()
}

// Peer is the other side of a connection.
type Peer struct {
	Addr  netip.AddrPort
	Since time.Time
	Helo  string // what it calls itself; empty before EHLO or HELO
	ESMTP bool   // it said EHLO
}

// MailOptions are the parameters of MAIL, and who sent it.
type MailOptions struct {
	Peer     Peer
	Size     int64  // SIZE in bytes, 0 if not given
	EightBit bool   // BODY=8BITMIME
	UTF8     bool   // SMTPUTF8
	RetFull  bool   // RET=FULL
	Ret      bool   // RET was given
	EnvID    string // ENVID, decoded, printable ASCII
}

// RcptOptions are the parameters of RCPT.
type RcptOptions struct {
	Notify []string // NEVER, or some of SUCCESS, FAILURE, DELAY; upper case
	ORcpt  string   // ORCPT, decoded, "rfc822;user@host"
}

// Timeouts bound every wait for a client. Zero means the default.
type Timeouts struct {
	Command time.Duration // for a whole command line; 5 min (RFC 5321 section 4.5.3.2.7)
	Block   time.Duration // between two reads of a body; 3 min (section 4.5.3.2.5)
	Write   time.Duration // for a reply; 1 min
	// Rate is the least average rate of a body in bytes a second after the
	// first Block; 100. Negative means no least rate.
	Rate int
}

// Limits bound what a message may be. Zero means the default.
type Limits struct {
	Size   int64 // bytes of a message, no limit by default; announced by SIZE
	Header int64 // bytes of its header, 1 MiB
	Line   int   // bytes of one line without CRLF, 1 MiB; kept byte for byte
	Hops   int   // Received fields, 50
}

// Config is what New needs. Hostname and Handler are required.
type Config struct {
	Hostname   string
	Handler    Handler
	MaxConns   int // open connections, 0 means 500
	MaxPerHost int // of one IPv4 address or IPv6 /64, 0 means 50
	MaxRcpts   int // recipients of one message, 0 means 1000; 452 beyond
	SMTPUTF8   bool
	ETRN       bool // is offered if the sessions are Dequeuers
	Limits     Limits
	Timeouts   Timeouts
	Log        *slog.Logger // nil discards
}

// defaultConns is how many connections may be open.
const defaultConns = 500

func (c Config) withDefaults() Config {
	c.MaxConns = or(c.MaxConns, defaultConns)
	c.MaxPerHost = or(c.MaxPerHost, 50)
	c.MaxRcpts = or(c.MaxRcpts, 1000)
	c.Limits = c.Limits.withDefaults()
	c.Timeouts.Command = or(c.Timeouts.Command, 5*time.Minute)
	c.Timeouts.Block = or(c.Timeouts.Block, 3*time.Minute)
	c.Timeouts.Write = or(c.Timeouts.Write, time.Minute)
	c.Timeouts.Rate = or(c.Timeouts.Rate, 100)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

func (l Limits) withDefaults() Limits {
	l.Header = or(l.Header, 1<<20)
	l.Line = or(l.Line, 1<<20)
	l.Hops = or(l.Hops, 50)
	return l
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
