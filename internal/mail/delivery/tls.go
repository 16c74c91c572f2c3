package delivery

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"time"
)

// errTLS is that a host offers STARTTLS and cannot do it.
var errTLS = errors.New("start TLS")

// errInjected is that a host said something in the clear that would count as
// said under TLS.
var errInjected = errors.New("more data after the reply to STARTTLS")

// prefaced is a connection that gives a text before what it receives: go-smtp
// wants a greeting, which was read already.
type prefaced struct {
	net.Conn
	text string
}

func (p *prefaced) Read(b []byte) (int, error) {
	if p.text != "" {
		n := copy(b, p.text)
		p.text = p.text[n:]
		return n, nil
	}
	return p.Conn.Read(b)
}

// secure starts TLS on a fresh connection if the host offers it. It returns a
// connection as if the host had just greeted. TLS is opportunistic: the
// certificate is not checked, because whoever could forge one could also hide
// the offer (RFC 7435, RFC 3207 section 6). An error that wraps errTLS means
// that the host may be tried in the clear. The connection is closed on error.
func (s *Scheduler) secure(ctx context.Context, conn net.Conn, t Target) (net.Conn, error) {
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	_ = conn.SetDeadline(time.Now().Add(s.opt.Limits.Command))
	buf := bufio.NewReader(io.LimitReader(conn, maxAnswer))
	in := textproto.NewReader(buf)
	greeting, offered, err := s.introduce(conn, in)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	out := conn
	if offered {
		out, err = upgrade(ctx, conn, buf, in, t.Host)
		if err != nil {
			_ = conn.Close()
			return nil, err
		}
	}
	_ = conn.SetDeadline(time.Time{})
	return &prefaced{Conn: out, text: greeting}, nil
}

// introduce reads the greeting and says EHLO. Whatever the host does wrong is
// left for go-smtp to find: it then gets the host's words as its greeting.
func (s *Scheduler) introduce(conn net.Conn, in *textproto.Reader) (greeting string, offered bool, err error) {
	code, msg, err := in.ReadResponse(0)
	if err != nil {
		return "", false, err
	}
	first, _, _ := strings.Cut(msg, "\n")
	greeting = fmt.Sprintf("%03d %s\r\n", code, first)
	if code != 220 || s.opt.LMTP {
		return greeting, false, nil
	}
	if _, err := fmt.Fprintf(conn, "EHLO %s\r\n", s.opt.Hostname); err != nil {
		return "", false, err
	}
	code, msg, err = in.ReadResponse(0)
	if err != nil {
		return "", false, err
	}
	for line := range strings.Lines(msg) {
		offered = offered || code == 250 && strings.EqualFold(strings.TrimSpace(line), "STARTTLS")
	}
	return greeting, offered, nil
}

// upgrade says STARTTLS and shakes hands.
func upgrade(ctx context.Context, conn net.Conn, buf *bufio.Reader, in *textproto.Reader, host string) (net.Conn, error) {
	if _, err := io.WriteString(conn, "STARTTLS\r\n"); err != nil {
		return nil, fmt.Errorf("%w: %w", errTLS, err)
	}
	if _, _, err := in.ReadResponse(220); err != nil {
		return nil, fmt.Errorf("%w: %w", errTLS, err)
	}
	if buf.Buffered() > 0 {
		return nil, fmt.Errorf("%w: %w", errTLS, errInjected)
	}
	secured := tls.Client(conn, &tls.Config{ServerName: host, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", errTLS, err)
	}
	return secured, nil
}
