// Package ledger accounts for every (message, recipient) pair that a gateway
// took responsibility for, from the tracking log, and compares the result with
// what the spool really holds:
//
//	accepted + generated = delivered + returned + absorbed + deleted + redirected + present
//
// A pair enters by an Accepted or a Generated event of the gateway and is from
// then on in exactly one set:
//
//	delivered   the next hop took it
//	returned    it failed, and the next hop (or a successor) took its report
//	absorbed    it failed, and nobody was told: by rule, or because its report
//	            failed, was absorbed or was deleted; each with the reason
//	deleted     by an operator
//	redirected  handed to another gateway, with the id there
//	present     the log says that it is here and the spool holds it; or it
//	            failed and its report is still on its way ("pending")
//
// A report is a message of its own: its pairs enter by Generated and are
// counted by themselves. Until a report is settled, the pairs it reports on
// stay present, so nothing counts as returned because a report was merely
// written. A redirected pair that comes back is here again.
//
// What was seen and is in none of these sets is unaccounted: the log says it
// is here and the spool does not hold it; the spool holds it and the log never
// saw it enter, or says that it left; an event speaks of a pair that never
// entered; a failure names a report that never entered. Unaccounted is found
// by set difference over ids, never by subtracting counts, because two wrong
// counts can add up. A pair of which the log tells two ends, or which the
// spool holds twice, is a conflict. The law holds when both lists are empty
// and the counts agree (see [Ledger.Balance]).
//
// The package is pure: it reads no clock, no file and no network.
package ledger

import "time"

// Kind is what happened to a message.
type Kind string

// Kinds of tracking events. The numbers are the historical event ids of the
// Internet Mail Service where there is one (Q173364).
const (
	Accepted   Kind = "accepted"   // 1012 received inbound, or routed here by the MTA (1010)
	Generated  Kind = "generated"  // 1017 a report made by this gateway enters its stores
	Moved      Kind = "moved"      // from one store to the next
	Attempted  Kind = "attempted"  // a delivery attempt that failed for now
	Delivered  Kind = "delivered"  // 1011, 1013 the next hop took it
	Failed     Kind = "failed"     // given up; Report names the message that tells the sender
	Absorbed   Kind = "absorbed"   // 1018 given up, and nobody may or can be told; Reason says why
	Deleted    Kind = "deleted"    // 50 by an operator
	Redirected Kind = "redirected" // handed to another gateway; Report is the id there
	Operated   Kind = "operated"   // another operator action (hold, release, retry)
)

// Event is one line of the tracking log. An event names every recipient it is
// about. Seq grows by one a line and is unique in an organization.
type Event struct {
	Seq     uint64    `json:"seq"`
	At      time.Time `json:"at"`
	Gateway string    `json:"gateway"` // "" is the organization's MTA itself
	Kind    Kind      `json:"kind"`
	Message string    `json:"message"`
	Rcpts   []string  `json:"rcpts"`
	From    string    `json:"from"`            // reverse-path, "" is the null one
	Store   string    `json:"store,omitempty"` // the store entered, or where it happened
	Inbound bool      `json:"inbound,omitempty"`
	Report  string    `json:"report,omitempty"` // id of the report (Failed), or of the message reported on (Generated)
	Peer    string    `json:"peer,omitempty"`   // next hop or client
	Reason  string    `json:"reason,omitempty"` // reply, or the operator's reason
	Actor   string    `json:"actor,omitempty"`
	Size    int64     `json:"size,omitempty"`
	Class   string    `json:"class,omitempty"`
}

// Item is one (message, recipient) pair.
type Item struct {
	Message string `json:"message"`
	Rcpt    string `json:"rcpt"`
	Store   string `json:"store,omitempty"`
}
