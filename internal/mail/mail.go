// Package mail holds the words of the embedded mail service: identifiers,
// queue entries and priorities. It does nothing; the rooms below it do:
//
//	address   RFC 5321 mailboxes, parsed by our own parser
//	spool     durable storage of entries, bodies and the tracking log (Pebble)
//	smtpd     SMTP sessions on the Internet and the submission listener
//	routing   address spaces, connected sites, each site's copy of the table
//	delivery  SMTP client workers, one queue per destination
//	dsn       delivery status notifications (RFC 3464)
//	service   one organization: its MTA and the gateways below it
//	control   the HTTP API on a Unix socket, server and client
//	probe     what a listener would tell a client, without a message
//	sink      remote hosts and mailboxes for the lab
package mail

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"time"

	"example.org/ims/pkg/gateway"
)

// ID identifies a message, or a queue entry. It sorts by time of creation and
// is safe in file names.
type ID string

var idEncoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// NewID makes an ID from a time (microseconds) and 40 random bits.
func NewID(now time.Time) ID {
	var b [13]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMicro()))
	_, _ = rand.Read(b[8:]) // crypto/rand.Read never fails (Go 1.24)
	return ID(idEncoding.EncodeToString(b[:]))
}

// Class is a message's priority, which decides its time-out. Reports keep
// their own time-out.
type Class uint8

// Priorities.
const (
	Normal Class = iota
	Urgent
	NonUrgent
	Report
)

var classNames = [...]string{"normal", "urgent", "non-urgent", "report"}

func (c Class) String() string { return classNames[c] }

// Timeout is the class's time-out among t.
func (c Class) Timeout(t gateway.Timeouts) time.Duration {
	switch c {
	case Urgent:
		return t.Urgent
	case NonUrgent:
		return t.NonUrgent
	case Report:
		return t.Report
	case Normal:
	}
	return t.Normal
}

// Rcpt is one pending recipient of an entry.
type Rcpt struct {
	Addr   string   `json:"a"`
	ORcpt  string   `json:"o,omitempty"` // RFC 3461 ORCPT, decoded, "rfc822;x"
	Notify []string `json:"n,omitempty"` // RFC 3461 NOTIFY; empty means FAILURE
}

// Entry is a message, or the part of it for one destination, in one store of
// one gateway. It names only recipients that are still pending there.
type Entry struct {
	ID       ID            `json:"id"`
	Message  ID            `json:"m"` // its body and its id in the tracking log
	Gateway  string        `json:"g"` // "" is the organization's MTA itself
	Store    gateway.Store `json:"s"`
	Back     gateway.Store `json:"b,omitempty"` // where a held entry goes when released
	From     string        `json:"f"`           // reverse-path, "" is the null one
	Rcpts    []Rcpt        `json:"r"`
	Dest     string        `json:"d,omitempty"` // destination: domain, or host when forwarded
	Inbound  bool          `json:"i,omitempty"`
	Class    Class         `json:"c,omitempty"`
	Size     int64         `json:"z"`
	Accepted time.Time     `json:"t"` // responsibility taken; the time-out counts from here
	Since    time.Time     `json:"e"` // entered this store
	Next     time.Time     `json:"x"` // next attempt
	Attempts int           `json:"k,omitempty"`
	Tried    time.Time     `json:"y"`           // last attempt
	Last     string        `json:"l,omitempty"` // last reply or error
	Held     string        `json:"h,omitempty"` // why it is held or bad
	EnvID    string        `json:"v,omitempty"` // RFC 3461 ENVID
	RetFull  bool          `json:"u,omitempty"` // RFC 3461 RET=FULL
	EightBit bool          `json:"8,omitempty"` // BODY=8BITMIME
	Reports  ID            `json:"p,omitempty"` // a report: the message it reports on
	Hops     int           `json:"q,omitempty"` // Received header fields seen at acceptance
}
