// Package model is an abstract world in which a runbook can be tried: one
// gateway with its stores, routes, MX records, successor and clients, reduced
// to what the guards of a runbook can tell apart.
//
// It has two readers. The checker explores [World], in which everything that
// can happen may happen next: mail comes, destinations stop answering, tables
// lag, caches expire. The dry run follows [State], which is seeded with live
// facts and has one deterministic successor. (That World is the one in which a
// gateway lives is tested in internal/conformance.) Both have the semantics of
// the historical service where the sources agree; where they do not, a parameter
// says which reading is meant. Message identity, clock times and hosts are left
// out: what counts is where mail is, and what leads here.
package model

// Params are the readings of what the sources dispute.
type Params struct {
	// NonePicksUp: transfer mode None picks up mts-out. Q189587 and Q285090
	// say that it does not; a third-party book says that it does.
	NonePicksUp bool
	// Hard: a gateway that refuses, and was not told how, answers 5xx. The
	// sources do not say in which form Outbound Only and None refuse (Q146326).
	Hard bool
}

// Transfer modes, as the facts number them.
const (
	inboundOutbound = iota
	inboundOnly
	outboundOnly
	none
)
