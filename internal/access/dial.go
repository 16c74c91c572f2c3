package access

import (
	"context"
	"net"
	"net/http"
)

// Transport carries the requests of a client to the server at a Unix socket. It
// keeps no connection between requests: one that went stale could hide whether a
// change was sent.
func Transport(socket string) *http.Transport {
	return &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		},
		MaxResponseHeaderBytes: 16 << 10,
	}
}
