package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"example.org/ims/internal/access"
	"example.org/ims/pkg/gateway"
)

// The words of access, as callers of this package know them.
type (
	// Right is what a person may do.
	Right = access.Right
	// Person is somebody who may use the socket.
	Person = access.Person
	// People are the users who may use the socket, by uid.
	People = access.People
	// Peer is who is at the other end of a connection.
	Peer = access.Peer
)

// Rights.
const (
	Nothing = access.Nothing
	View    = access.View
	Operate = access.Operate
	Approve = access.Approve
)

// ErrDenied says that the caller's user may not do this. Nothing was done: it
// comes together with gateway.ErrRefused.
var ErrDenied = access.ErrDenied

// Listen opens the socket at path.
func Listen(path string) (net.Listener, error) { return access.Listen(path) }

// withPeer notes the peer of a connection, as http.Server.ConnContext.
func (s *Server) withPeer(ctx context.Context, c net.Conn) context.Context {
	ctx, err := s.people.Conn(ctx, c, s.self)
	if err != nil {
		s.log.Warn("peer of a control connection unknown", "err", err)
	}
	return ctx
}

func allowed(r *http.Request, need Right) (Peer, error) {
	p, err := access.Allowed(r, need)
	if errors.Is(err, ErrDenied) {
		err = fmt.Errorf("%w: %w", err, gateway.ErrRefused)
	}
	return p, err
}
