// Package access says who may do what at a Unix socket of this program, by the
// kernel's word (SO_PEERCRED, unix(7)) and a list of people. It opens such
// sockets, and is their clients' way to them. It trusts nothing that a caller
// says of itself, and root is nobody unless listed.
package access

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
)

// ErrDenied says that the caller's user may not do this. Nothing was done.
var ErrDenied = errors.New("access denied")

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
		return fmt.Errorf("uid %d is not known here: add it to people, as in {user: %d, may: %s}: %w",
			p.UID, p.UID, need, ErrDenied)
	}
	return fmt.Errorf("%s (uid %d) may %s, and this needs %s: change may under people: %w",
		p.Name, p.UID, p.May, need, ErrDenied)
}

// Who is the peer in words.
func (p Peer) Who() string {
	if p.Name == "" {
		return fmt.Sprintf("uid %d", p.UID)
	}
	return p.Name
}

// Signed is the actor that is recorded for what the peer does in the name of
// actor. Only the server's own user is believed.
func (p Peer) Signed(actor string) string {
	name := p.Who()
	switch {
	case actor == "" || actor == name:
		return name
	case p.Self:
		return actor
	}
	return fmt.Sprintf("%s (says %s)", actor, name)
}

type peerKey struct{}

// Conn notes the peer of a connection in the context of its requests, as
// http.Server.ConnContext does it, for a server that runs as self.
func (p People) Conn(ctx context.Context, c net.Conn, self uint32) (context.Context, error) {
	uid, err := PeerUID(c)
	if err != nil {
		return ctx, err
	}
	return context.WithValue(ctx, peerKey{}, p.Look(uid, self)), nil
}

// Of is the peer of a request. ok is false if the kernel did not say.
func Of(r *http.Request) (p Peer, ok bool) {
	p, ok = r.Context().Value(peerKey{}).(Peer)
	return p, ok
}

// Allowed is the peer of a request, if it may do what needs a right. Errors
// wrap ErrDenied.
func Allowed(r *http.Request, need Right) (Peer, error) {
	p, ok := Of(r)
	if !ok {
		return p, fmt.Errorf("user at the other end is unknown: %w", ErrDenied)
	}
	return p, p.Check(need)
}
