// Package gateway is the contract between the orchestrator and a mail gateway:
// what can be read of it (Config, Census), and the one way to change it
// (Apply). It holds no implementation; adapters live in internal/gateway, and
// every one of them passes gatewaytest.
//
// The contract never says "empty" for "not known": each store of a Census is
// counted, empty by design, or unknown, and unknown blocks a retirement.
package gateway

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// Gateway is one gateway as the orchestrator sees it.
//
// All methods are safe for concurrent use. A method that cannot reach the
// gateway returns an error that wraps [ErrUnreachable]; the caller must then
// treat the state as unknown, never as unchanged.
type Gateway interface {
	// Caps says what this adapter can do. It does not touch the network.
	Caps() Caps
	// Config reads the stored and the effective settings in one snapshot. A
	// gateway that was removed has Exists false and no error.
	Config(ctx context.Context) (Config, error)
	// Census counts every store. It succeeds while the gateway is stopped:
	// the counts then come from the spool at rest and say so.
	Census(ctx context.Context) (Census, error)
	// Apply makes the wanted value so and reads it back. It is idempotent by
	// value (asking twice is harmless) and by Change.Key (the same key gives
	// the same Op). A Change with an Epoch lower than one seen before is
	// refused with ErrStaleEpoch, one whose IfGeneration is neither 0 nor the
	// stored generation with ErrConflict. An error that wraps neither
	// ErrRefused, ErrConflict nor ErrStaleEpoch leaves the outcome unknown.
	Apply(ctx context.Context, c Change) (Op, error)
	// Op reads an operation again, by its key. ErrNotFound if there is none.
	Op(ctx context.Context, key string) (Op, error)
}

// Errors a caller branches on.
var (
	ErrUnreachable = errors.New("gateway unreachable")
	ErrRefused     = errors.New("gateway refused the change")
	ErrConflict    = errors.New("gateway configuration changed by somebody else")
	ErrStaleEpoch  = errors.New("change from an older epoch")
	ErrNotFound    = errors.New("not found")
)

// Caps are an adapter's abilities.
type Caps struct {
	Adapter string `json:"adapter"` // "embedded", "mem", …
	// StoresEpoch says that the gateway remembers epochs and refuses older
	// ones; without it only one control host may exist.
	StoresEpoch bool `json:"stores_epoch"`
	// ReadOnly says that every Apply is refused.
	ReadOnly bool `json:"read_only"`
}

// Mode is the transfer mode. It is never a routing input (Q285090, Q238719).
type Mode uint8

// The four transfer modes of the Connections page.
const (
	InboundOutbound Mode = iota
	InboundOnly
	OutboundOnly
	None // "None (Flush Queues)"
)

// Store names a place that holds mail.
type Store uint8

// Main stores, in the order of the mail flow, then the side stores.
const (
	MTA     Store = iota // routed here, not handed over; not on the Queues page
	MTSOut               // outbound awaiting conversion
	Out                  // outbound awaiting delivery
	In                   // inbound awaiting conversion
	MTSIn                // inbound awaiting delivery
	Bad                  // could not be converted or is malformed
	Hold                 // held by an operator
	Corrupt              // unreadable spool entries
	NumStores
)

// Outward reports whether mail in s leaves towards the Internet.
func (s Store) Outward() bool { return s == MTA || s == MTSOut || s == Out }

// Side reports whether s is a side store.
func (s Store) Side() bool { return s == Bad || s == Hold || s == Corrupt }

// Refuse says how a gateway that does not accept says so.
type Refuse uint8

// Ways to refuse. None of them is a 5xx reply.
const (
	RefuseRcpt    Refuse = iota // EHLO and MAIL are answered, each RCPT gets 450 4.3.2
	RefuseConnect               // the greeting is 421 4.3.2
	RefuseClosed                // the port is closed
)

// Scope limits who is routed by an address space (Q279404).
type Scope uint8

// Scopes of an address space.
const (
	ScopeOrganization Scope = iota
	ScopeSite
	ScopeLocation
)

// Space is an address space: what makes the MTA route mail to a gateway.
// Match quality decides first, Cost second (Q229961).
type Space struct {
	Type    string `json:"type"`    // "SMTP"
	Pattern string `json:"pattern"` // compared with the whole address; * many, % one character
	Cost    int    `json:"cost"`    // 1..100
	Scope   Scope  `json:"scope"`
}

// Site is a connected-site entry: a site of the organization that is reached
// through this gateway by SMTP to RoutingAddress.
type Site struct {
	Name           string `json:"name"`
	Cost           int    `json:"cost"`
	RoutingAddress string `json:"routing_address"` // host name of the remote gateway
}

// Timeouts are the times after acceptance at which a queued message that was
// tried since the service started is returned, by priority. Report applies to
// delivery reports, which keep their own clock.
type Timeouts struct {
	Urgent    time.Duration `json:"urgent"`
	Normal    time.Duration `json:"normal"`
	NonUrgent time.Duration `json:"non_urgent"`
	Report    time.Duration `json:"report"`
}

// Settings are what an operator sets on the Connections page and beside it.
type Settings struct {
	Mode        Mode              `json:"mode"`
	Refuse      Refuse            `json:"refuse"`
	Retry       []time.Duration   `json:"retry"` // the last value repeats; empty means no retry
	Timeouts    Timeouts          `json:"timeouts"`
	ForwardHost string            `json:"forward_host,omitempty"` // forward all messages to this host
	DomainHosts map[string]string `json:"domain_hosts,omitempty"` // per-domain host, subdomains included
	MaxSize     int64             `json:"max_size"`               // bytes; 0 means no limit

	// Reroute says where mail from the Internet to other domains goes; see
	// Settings.Reroutes. Accept says which hosts may connect (Settings.Admits),
	// Relay which networks may send through the gateway (Settings.Relays).
	Reroute map[string]string `json:"reroute,omitempty"`
	Accept  []Admission       `json:"accept,omitempty"`
	Relay   []netip.Prefix    `json:"relay,omitempty"`
	// MaxInbound and MaxOutbound are how many SMTP sessions with the Internet
	// may be open at once in each direction; 0 means the gateway's own limit.
	// A client beyond is told 421 and comes again (RFC 5321 3.8); mail beyond
	// waits in its store.
	MaxInbound  int `json:"max_inbound,omitempty"`
	MaxOutbound int `json:"max_outbound,omitempty"`
	// ETRN are the domains whose mail is sent at once when somebody asks for it
	// (RFC 1985), each with the host that takes it, "" for its MX.
	ETRN map[string]string `json:"etrn,omitempty"`
}

// Config is one snapshot of a gateway's configuration. Settings take effect at
// service start, as historically, so the stored and the effective ones may
// differ.
type Config struct {
	Name       string    `json:"name"`
	Exists     bool      `json:"exists"`
	Running    bool      `json:"running"`
	Paused     bool      `json:"paused"`     // no new connections, existing ones and queues go on
	Generation uint64    `json:"generation"` // grows with every stored change
	Instance   string    `json:"instance"`   // changes whenever cumulative counters restart from zero
	Stored     Settings  `json:"stored"`
	Effective  Settings  `json:"effective"` // meaningless while not running
	ApplyLive  bool      `json:"apply_live"`
	Spaces     []Space   `json:"spaces"`
	Sites      []Site    `json:"sites"`
	Listen     string    `json:"listen"`   // address:port of the Internet listener
	Hostname   string    `json:"hostname"` // the name MX records use
	StartedAt  time.Time `json:"started_at"`
	Leftovers  []string  `json:"leftovers,omitempty"` // what a removal left behind

	// Epoch is the greatest that a change carried; a change under a lower one is
	// refused. 0 if none did, or the adapter does not store it.
	Epoch uint64 `json:"epoch,omitempty"`
	// ChangedAt is when the generation last grew; zero if that is not known.
	ChangedAt time.Time `json:"changed_at,omitzero"`
	// Resolved are the hosts of the effective settings that were looked up and
	// are not looked up again before the service starts anew, as historically
	// (Q285023), with their addresses; nil if nothing is kept.
	Resolved map[string][]netip.AddrPort `json:"resolved,omitempty"`
}

// Known says how far a count can be trusted.
type Known uint8

// Counted is a real count; EmptyByDesign says the store cannot hold mail;
// Unknown blocks.
const (
	Unknown Known = iota
	Counted
	EmptyByDesign
)

// Count is what a store holds.
type Count struct {
	Known      Known     `json:"known"`
	Why        string    `json:"why,omitempty"` // for Unknown, and "from the spool at rest"
	Messages   int64     `json:"messages"`
	Recipients int64     `json:"recipients"`
	Bytes      int64     `json:"bytes"`
	Oldest     time.Time `json:"oldest"`
	Entered    uint64    `json:"entered"` // cumulative, of this Instance
	Left       uint64    `json:"left"`    // cumulative, of this Instance
}

// Census is one count of every store, with what is in flight.
type Census struct {
	At       time.Time        `json:"at"`
	Instance string           `json:"instance"`
	AtRest   bool             `json:"at_rest"` // read from the spool of a stopped gateway
	Stores   [NumStores]Count `json:"stores"`
	InFlight int64            `json:"in_flight"` // attempts under way; they are also in Out or MTSIn
	Sessions int64            `json:"sessions"`  // open inbound sessions
	Accepted uint64           `json:"accepted"`  // cumulative inbound messages accepted, of this Instance
	Routed   uint64           `json:"routed"`    // cumulative messages routed here, of this Instance
}

// Total adds up the five main stores; ok is false if any of them is unknown.
func (c Census) Total() (messages int64, ok bool) {
	for s := MTA; s <= MTSIn; s++ {
		if c.Stores[s].Known == Unknown {
			return 0, false
		}
		messages += c.Stores[s].Messages
	}
	return messages, true
}

// Change asks for a value. Exactly one field of Want is set.
type Change struct {
	Key          string `json:"key"`           // idempotency key, constant over attempts
	Epoch        uint64 `json:"epoch"`         // fencing; 0 for an operator at the keyboard
	IfGeneration uint64 `json:"if_generation"` // 0 means any
	Actor        string `json:"actor"`
	Reason       string `json:"reason"`
	Want         Want   `json:"want"`
}

// Want is a wanted value: one of these is not nil.
type Want struct {
	Settings *SettingsPatch `json:"settings,omitempty"`
	Running  *RunState      `json:"running,omitempty"`
	Spaces   *[]Space       `json:"spaces,omitempty"` // the whole list
	Sites    *[]Site        `json:"sites,omitempty"`  // the whole list
	Absent   *Removal       `json:"absent,omitempty"`
}

// SettingsPatch names the settings to change; nil means leave. With Restart a
// running gateway is restarted by the service itself, in one operation, when
// the effective settings differ afterwards, so that a caller that dies in
// between leaves no stopped gateway behind.
type SettingsPatch struct {
	Mode        *Mode              `json:"mode,omitempty"`
	Refuse      *Refuse            `json:"refuse,omitempty"`
	Retry       *[]time.Duration   `json:"retry,omitempty"`
	Timeouts    *Timeouts          `json:"timeouts,omitempty"`
	ForwardHost *string            `json:"forward_host,omitempty"`
	DomainHosts *map[string]string `json:"domain_hosts,omitempty"`
	MaxSize     *int64             `json:"max_size,omitempty"`
	MaxInbound  *int               `json:"max_inbound,omitempty"`
	MaxOutbound *int               `json:"max_outbound,omitempty"`
	Reroute     *map[string]string `json:"reroute,omitempty"`
	Accept      *[]Admission       `json:"accept,omitempty"`
	Relay       *[]netip.Prefix    `json:"relay,omitempty"`
	ETRN        *map[string]string `json:"etrn,omitempty"`
	Restart     bool               `json:"restart,omitempty"`
}

// RunState is a wanted state of the service.
type RunState uint8

// Wanted run states. Restarted stops and starts in one operation; it is done
// at most once per key.
const (
	Stopped RunState = iota
	Started
	Restarted
	PausedState
)

// Removal archives the configuration and the spool, reads the archive back,
// deletes, and verifies. It is refused while a store holds mail, unless
// Discard accepts that what is in there is lost.
type Removal struct {
	Archive string `json:"archive"` // file to write; "" lets the gateway choose
	Discard bool   `json:"discard,omitempty"`
}

// Op is the outcome of a Change.
type Op struct {
	Key    string    `json:"key"`
	Done   bool      `json:"done"`
	Failed string    `json:"failed,omitempty"`
	Before string    `json:"before"` // the value before, in words
	After  string    `json:"after"`  // the value read back, in words
	At     time.Time `json:"at"`
}
