package smtpd

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
)

// feed is the listener go-smtp accepts from: connections that were admitted.
type feed struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
}

var _ net.Listener = (*feed)(nil)

// Accept implements net.Listener.
func (f *feed) Accept() (net.Conn, error) {
	select {
	case c := <-f.conns:
		return c, nil
	case <-f.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener; Serve ends the feed.
func (f *feed) Close() error { return nil }

// Addr implements net.Listener.
func (f *feed) Addr() net.Addr { return f.addr }

// remote is the client's address, invalid if it has no IP address.
func remote(c net.Conn) netip.AddrPort {
	a, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// hostOf is what MaxPerHost counts by.
func hostOf(p Peer) netip.Prefix {
	bits := 32
	if p.Addr.Addr().Is6() {
		bits = 64
	}
	host, err := p.Addr.Addr().Prefix(bits)
	if err != nil {
		return netip.Prefix{} // clients without an address are one host
	}
	return host
}

func tooManyFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
