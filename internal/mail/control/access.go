package control

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"example.org/ims/pkg/gateway"
)

// Right is what a person may do. Each includes the ones before it.
type Right uint8

// Rights.
const (
	Nothing Right = iota
	View
	Operate
	Approve
)

var rightNames = [...]string{"nothing", "view", "operate", "approve"}

func (r Right) String() string { return rightNames[r] }

// MarshalText writes the right's name.
func (r Right) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a right's name. "nothing" cannot be given.
func (r *Right) UnmarshalText(b []byte) error {
	for i, n := range rightNames {
		if i > 0 && n == string(b) {
			*r = Right(i)
			return nil
		}
	}
	return fmt.Errorf("unknown right %q: want view, operate or approve", b)
}

// Person is somebody who may use the socket.
type Person struct {
	Name string
	May  Right
}

// People are the users who may use the socket, by uid. Root is one of them only
// if it is listed.
type People map[uint32]Person

// Peer is who is at the other end of a connection.
type Peer struct {
	UID  uint32
	Name string // as in People; "" if not listed
	May  Right
	Self bool // the user that this server runs as
}

// Look says who a uid is to a server that runs as self. The server's own user
// may operate without being listed, and approve only if listed.
func (p People) Look(uid, self uint32) Peer {
	person := p[uid]
	peer := Peer{UID: uid, Name: person.Name, May: person.May, Self: uid == self}
	if peer.Self {
		peer.May = max(peer.May, Operate)
	}
	return peer
}

// Check says why the peer may not do what needs a right.
func (p Peer) Check(need Right) error {
	switch {
	case p.May >= need:
		return nil
	case p.May == Nothing:
		return fmt.Errorf("uid %d is not known here: add it to people, as in {user: %d, may: %s}: %w: %w",
			p.UID, p.UID, need, ErrDenied, gateway.ErrRefused)
	}
	return fmt.Errorf("%s (uid %d) may %s, and this needs %s: change may under people: %w: %w",
		p.Name, p.UID, p.May, need, ErrDenied, gateway.ErrRefused)
}

// signed is the actor that is recorded for what the peer does in the name of
// actor. Only the server's own user is believed.
func (p Peer) signed(actor string) string {
	name := p.Name
	if name == "" {
		name = fmt.Sprintf("uid %d", p.UID)
	}
	switch {
	case actor == "" || actor == name:
		return name
	case p.Self:
		return actor
	}
	return fmt.Sprintf("%s (says %s)", actor, name)
}

type peerKey struct{}

// withPeer notes the peer of a connection, as http.Server.ConnContext.
func (s *Server) withPeer(ctx context.Context, c net.Conn) context.Context {
	uid, err := peerUID(c)
	if err != nil {
		s.log.Warn("peer of a control connection unknown", "err", err)
		return ctx
	}
	return context.WithValue(ctx, peerKey{}, s.people.Look(uid, s.self))
}

// PeerOf is the peer of a request, for handlers that share the socket. ok is
// false if the kernel did not say.
func PeerOf(r *http.Request) (p Peer, ok bool) {
	p, ok = r.Context().Value(peerKey{}).(Peer)
	return p, ok
}

func allowed(r *http.Request, need Right) (Peer, error) {
	p, ok := PeerOf(r)
	if !ok {
		return p, fmt.Errorf("user at the other end is unknown: %w: %w", ErrDenied, gateway.ErrRefused)
	}
	return p, p.Check(need)
}
