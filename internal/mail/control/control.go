// Package control is the HTTP API of the mail service on a Unix socket, server
// and client. The server serves named gateways given as values of the contract
// in pkg/gateway, with whatever abilities they have, and knows no more of them;
// so it serves the embedded service and an organization in memory alike.
//
// Who may do what is decided by the kernel's word (SO_PEERCRED) and by People:
// unknown users are refused, whatever they ask. Nothing is ever executed, no
// file is opened on a caller's behalf, and no port is opened: a browser cannot
// reach a Unix socket, so there is no cross-site request to guard against.
//
//	GET  /v1/gateways                 names and abilities
//	GET  /v1/gateways/NAME/config     also census, present, clients, tables
//	GET  /v1/gateways/NAME/op?key=
//	POST /v1/gateways/NAME/apply      a Change
//	GET  /v1/gateways/NAME/queue      store, id, dest, older_than, limit
//	POST /v1/gateways/NAME/queue      verb, selection, actor, reason
//	GET  /v1/gateways/NAME/track      after, limit
//	GET  /v1/gateways/NAME/route      site, address, count
//
// Lists are JSON lines; a list that breaks off is an error at the client.
package control

import (
	"errors"
	"net/http"

	"example.org/ims/pkg/gateway"
)

// Limits of one request.
const (
	maxBody = 1 << 20 // bytes of a request's body
	maxLine = 1 << 20 // bytes of an answer that is one object, or of a line
	maxList = 100_000 // entries or lines of one answer
)

// ErrDenied says that the caller's user may not do this. Nothing was done: it
// comes together with gateway.ErrRefused.
var ErrDenied = errors.New("access denied")

// Info is one gateway of the list.
type Info struct {
	Name string       `json:"name"`
	Caps gateway.Caps `json:"caps"`
	// Abilities are those of "queues", "tracker", "router", "clients" that it has.
	Abilities []string `json:"abilities"`
}

// action is the body of a queue action.
type action struct {
	Verb      gateway.Verb      `json:"verb"`
	Selection gateway.Selection `json:"selection"`
	Actor     string            `json:"actor"`
	Reason    string            `json:"reason"`
}

// touched answers a queue action.
type touched struct {
	Touched int `json:"touched"`
}

// problem is the body of every answer that is not 200.
type problem struct {
	Kind  string `json:"kind"`
	Error string `json:"error"`
}

// kinds translate the contract's errors to the wire and back. The order
// matters where an error wraps two of them.
var kinds = []struct {
	name   string
	status int
	target error
}{
	{"denied", http.StatusForbidden, ErrDenied},
	{"stale-epoch", http.StatusPreconditionFailed, gateway.ErrStaleEpoch},
	{"conflict", http.StatusConflict, gateway.ErrConflict},
	{"refused", http.StatusUnprocessableEntity, gateway.ErrRefused},
	{"not-found", http.StatusNotFound, gateway.ErrNotFound},
	{"unreachable", http.StatusBadGateway, gateway.ErrUnreachable},
	{"unsupported", http.StatusNotImplemented, errors.ErrUnsupported},
}

// encode is an error on the wire. What has no kind leaves the outcome unknown.
func encode(err error) (int, problem) {
	for _, k := range kinds {
		if errors.Is(err, k.target) {
			return k.status, problem{k.name, err.Error()}
		}
	}
	return http.StatusInternalServerError, problem{"unknown", err.Error()}
}

// remoteError is an error that came over the wire.
type remoteError struct {
	text string
	is   []error
}

func (e *remoteError) Error() string   { return e.text }
func (e *remoteError) Unwrap() []error { return e.is }

func decode(p problem) error {
	e := &remoteError{text: p.Error}
	for _, k := range kinds {
		if k.name == p.Kind {
			e.is = append(e.is, k.target)
		}
	}
	if p.Kind == "denied" {
		e.is = append(e.is, gateway.ErrRefused)
	}
	return e
}
