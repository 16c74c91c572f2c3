package control

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"example.org/ims/pkg/gateway"
)

// bodyTimeout is for sending one whole message.
const bodyTimeout = 10 * time.Minute

// bodyRoutes answer with whole messages. Who may read those of others may also
// delete them.
func (s *Server) bodyRoutes(prefix string) {
	s.handle("GET"+prefix+"body", Operate, able(func(c call, b gateway.Bodies) (any, error) {
		return b.Body(c.r.Context(), c.r.URL.Query().Get("entry"))
	}))
}

// stream sends a message as it is. A client sees that one breaks off, because
// it is told the size, or the end.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, body io.ReadCloser) {
	defer func() { _ = body.Close() }() // it was only read
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(bodyTimeout)); err != nil {
		s.log.Warn("control answer without deadline", "err", err)
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	if b, ok := body.(interface{ Size() int64 }); ok {
		w.Header().Set("Content-Length", strconv.FormatInt(b.Size(), 10))
	}
	if _, err := io.Copy(w, body); err != nil {
		s.log.Info("control answer not sent", "path", r.URL.Path, "err", err)
		panic(http.ErrAbortHandler) // the only way to break an answer off
	}
}

// Body opens a queued message. The caller closes it.
func (c *Client) Body(ctx context.Context, name, entry string) (io.ReadCloser, error) {
	q := url.Values{"entry": {entry}}
	x, err := c.begin(ctx, request{method: http.MethodGet, path: path(name, "body") + "?" + q.Encode(), within: c.bounds.answer})
	if err != nil {
		return nil, err
	}
	if _, err := x.answer(); err != nil { //nolint:contextcheck // an exchange has the context of its request
		x.end()
		return nil, err
	}
	return message{x}, nil
}

// message is a message that is being read.
type message struct{ x *exchange }

// Read implements io.Reader.
func (m message) Read(p []byte) (int, error) {
	n, err := m.x.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = m.x.lost(err)
	}
	return n, err
}

// Close implements io.Closer.
func (m message) Close() error { m.x.end(); return nil }
