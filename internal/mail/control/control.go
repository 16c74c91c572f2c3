// Package control is the HTTP API of the mail service on a Unix socket, server
// and client. The server serves named gateways given as values of the contract
// in pkg/gateway, with whatever abilities they have, and knows no more of them;
// so it serves the embedded service and an organization in memory alike.
//
// Who may do what is decided by the kernel's word (SO_PEERCRED) and by People:
// unknown users are refused, whatever they ask. Nothing is ever executed. The
// one file that a caller can name is the archive of a gateway that is removed,
// which must be new. No port is opened: a browser cannot reach a Unix socket, so
// there is no cross-site request to guard against.
//
//	GET  /v1/gateways                 names and abilities
//	GET  /v1/gateways/NAME/config     also census, present, clients, tables
//	GET  /v1/gateways/NAME/op?key=
//	POST /v1/gateways/NAME/apply      a Change
//	GET  /v1/gateways/NAME/queue      store, id, ids, dest, older_than, limit
//	POST /v1/gateways/NAME/queue      verb, selection, actor, reason
//	GET  /v1/gateways/NAME/summary    sort, match, offset, limit, before
//	GET  /v1/gateways/NAME/entry      id
//	GET  /v1/gateways/NAME/body       entry; the answer is the message, not JSON
//	GET  /v1/gateways/NAME/track      after, limit
//	GET  /v1/gateways/NAME/route      site, address, count
//
// Lists are JSON lines; a list that breaks off is an error at the client.
package control

import (
	"errors"
	"net/http"
	"slices"

	"example.org/ims/pkg/gateway"
)

// Limits of one request.
const (
	maxBody = 1 << 20 // bytes of a request's body
	maxLine = 1 << 20 // bytes of an answer that is one object, or of a line
	maxList = 100_000 // entries or lines of one answer
)

// Info is one gateway of the list.
type Info struct {
	Name string       `json:"name"`
	Caps gateway.Caps `json:"caps"`
	// Abilities are those of "queues", "tracker", "router", "clients", "summary", "bodies" that it has.
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
	Kinds []string `json:"kinds"`
	Error string   `json:"error"`
}

// kinds translate the contract's errors to the wire and back. The first that
// fits decides the status.
var kinds = []struct {
	name   string
	status int
	target error
}{
	{"denied", http.StatusForbidden, ErrDenied},
	{"stale-epoch", http.StatusPreconditionFailed, gateway.ErrStaleEpoch},
	{"conflict", http.StatusConflict, gateway.ErrConflict},
	{"not-found", http.StatusNotFound, gateway.ErrNotFound},
	{"unreachable", http.StatusBadGateway, gateway.ErrUnreachable},
	{"unsupported", http.StatusNotImplemented, errors.ErrUnsupported},
	{"refused", http.StatusUnprocessableEntity, gateway.ErrRefused},
}

// encode is an error on the wire. What has no kind leaves the outcome unknown.
func encode(err error) (int, problem) {
	status, p := http.StatusInternalServerError, problem{Kinds: []string{}, Error: err.Error()}
	for _, k := range kinds {
		if errors.Is(err, k.target) {
			if len(p.Kinds) == 0 {
				status = k.status
			}
			p.Kinds = append(p.Kinds, k.name)
		}
	}
	return status, p
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
		if slices.Contains(p.Kinds, k.name) {
			e.is = append(e.is, k.target)
		}
	}
	return e
}
