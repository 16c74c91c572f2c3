package gateway

import (
	"context"
	"io"
	"time"

	"example.org/ims/pkg/ledger"
)

// The abilities are optional. An adapter or a wrapper that has the methods for
// a gateway behind it that lacks the ability answers with errors.ErrUnsupported.

// Queues is the ability to look at and act on single messages. Every change
// takes an actor and a reason, lands in the tracking log, and says how many
// messages it touched.
type Queues interface {
	// List returns the entries that match, oldest first, at most sel.Limit.
	List(ctx context.Context, sel Selection) ([]Item, error)
	// Act applies a verb to the matching entries. It fails without touching
	// anything when sel matches another number than sel.Expect (if Expect > 0),
	// with an error that wraps ErrConflict or ErrRefused.
	Act(ctx context.Context, verb Verb, sel Selection, actor, reason string) (touched int, err error)
}

// Verb is an operator's action on queued messages.
type Verb string

// The verbs. Return sends a non-delivery report, Delete tells nobody.
const (
	Retry   Verb = "retry"   // try now
	Suspend Verb = "hold"    // move to the hold store
	Release Verb = "release" // move back from hold to where it was
	Return  Verb = "return"  // give up with a non-delivery report
	Delete  Verb = "delete"  // drop silently
)

// Selection picks queue entries; empty fields match everything.
type Selection struct {
	Store     *Store        `json:"store,omitempty"`
	ID        string        `json:"id,omitempty"`   // message id or entry id
	IDs       []string      `json:"ids,omitempty"`  // any of these message or entry ids
	Dest      string        `json:"dest,omitempty"` // destination domain or host
	OlderThan time.Duration `json:"older_than,omitempty"`
	Held      string        `json:"held,omitempty"`       // a text in the reason for which it is held
	NoReports bool          `json:"no_reports,omitempty"` // none of class report: nobody is told of one that is given up (RFC 3464 2)
	Limit     int           `json:"limit,omitempty"`      // 0 means 1000
	Expect    int           `json:"expect,omitempty"`     // refuse if another number matches
}

// Item is one queue entry: a message, or the part of it that goes to one
// destination. In the out store a message has one entry per destination.
type Item struct {
	Entry    string    `json:"entry"`
	Message  string    `json:"message"`
	Store    Store     `json:"store"`
	From     string    `json:"from"` // "" is the null reverse-path
	Rcpts    []string  `json:"rcpts"`
	Dest     string    `json:"dest"`
	Size     int64     `json:"size"`
	Class    string    `json:"class"` // urgent, normal, non-urgent, report
	Accepted time.Time `json:"accepted"`
	Since    time.Time `json:"since"` // entered this store
	Next     time.Time `json:"next"`  // next attempt
	Expires  time.Time `json:"expires"`
	Attempts int       `json:"attempts"`
	Last     string    `json:"last"` // last reply or error
	Held     string    `json:"held,omitempty"`
}

// Bodies is the ability to read a queued message whole.
type Bodies interface {
	// Body opens the message of an entry as it would be sent: header and body
	// (RFC 5322), without an envelope. It does not change the entry. A message
	// that breaks off gives another error than io.EOF. ErrNotFound if no store
	// holds the entry. The caller closes what it gets.
	Body(ctx context.Context, entry string) (io.ReadCloser, error)
}

// Tracker is the ability to read the tracking log, from which alone the ledger
// is computed. Events come in order; after is the Seq of the last one seen. A
// limit of 0 lets the gateway choose. Lines of other gateways may be among them
// or be left out: Event.Gateway tells.
type Tracker interface {
	Track(ctx context.Context, after uint64, limit int) ([]ledger.Event, error)
	// Present lists the (message, recipient) pairs that the spool really
	// holds, for the set difference with the log.
	Present(ctx context.Context) ([]ledger.Item, error)
}

// Router is the ability to answer routing questions of the organization.
type Router interface {
	// Tables returns each site's copy of the routing table.
	Tables(ctx context.Context) ([]Table, error)
	// Route simulates the MTA's choice for count messages to address from a
	// site, without sending anything. A gateway of "" means no route.
	Route(ctx context.Context, site, address string, count int) (map[string]int, error)
}

// Table is one site's copy of the routing table.
type Table struct {
	Site    string    `json:"site"`
	Version uint64    `json:"version"`
	Built   time.Time `json:"built"`
	Current bool      `json:"current"` // equals a table built now
	Routes  []Route   `json:"routes"`
}

// Route is a line of a routing table.
type Route struct {
	Gateway string `json:"gateway"`
	Space   *Space `json:"space,omitempty"`
	Site    *Site  `json:"site,omitempty"`
}

// ProbeHelo begins the HELO name of a probe of ims, which asks what a client
// would be told and sends nothing. A probe is no client.
const ProbeHelo = "ims-probe"

// ClientLog is the ability to say who connects to the Internet listener.
type ClientLog interface {
	// Clients returns one line a client host, counted since the log began.
	Clients(ctx context.Context) ([]Client, error)
}

// Client is one host that connected to the Internet listener.
type Client struct {
	Host     string    `json:"host"` // IP address
	Helo     string    `json:"helo"`
	LastFrom string    `json:"last_from"`
	Sessions uint64    `json:"sessions"`
	Accepted uint64    `json:"accepted"` // messages accepted from it
	Deferred uint64    `json:"deferred"` // valid recipients answered 450 while refusing
	Rejected uint64    `json:"rejected"` // recipients answered 5xx: unknown, or relaying
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	// LastValid is the last time it named a valid recipient, accepted or
	// deferred: the clients that matter to a retirement.
	LastValid time.Time `json:"last_valid"`
}
