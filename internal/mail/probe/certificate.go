package probe

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

// maxWords bounds what a listener may say before TLS, in bytes.
const maxWords = 64 << 10

// Certificate is what a listener shows after STARTTLS.
type Certificate struct {
	Offered bool   // STARTTLS is offered at all
	Failed  string // why the handshake, or the command, failed
	// Covers says that the certificate is for the name that was asked for
	// (RFC 6125); Why says which names it is for else.
	Covers    bool
	Why       string
	NotBefore time.Time
	NotAfter  time.Time
}

// Certificate asks a listener for TLS in the name of an MX host, and looks at
// the certificate: EHLO, STARTTLS, EHLO, QUIT. Who signed it is not judged:
// whether senders care is a matter of their policy (RFC 7672, RFC 8461). An
// error says why nothing is known.
func (p *Prober) Certificate(ctx context.Context, address, name string) (c Certificate, err error) {
	err = p.talk(ctx, address, func(ctx context.Context) error {
		conn, err := p.dial(ctx, address)
		if err == nil {
			defer closing(ctx, conn)()
			c, err = p.secure(ctx, conn, name)
		}
		if err != nil {
			return fmt.Errorf("probe %s: %w", address, err)
		}
		return nil
	})
	return c, err
}

func (p *Prober) secure(ctx context.Context, conn net.Conn, name string) (Certificate, error) {
	buf := bufio.NewReader(io.LimitReader(conn, maxWords))
	in := textproto.NewReader(buf)
	if _, _, err := in.ReadResponse(220); err != nil {
		return Certificate{}, fmt.Errorf("read greeting: %w", err)
	}
	said, err := say(conn, in, "EHLO "+p.helo(), 250)
	if err != nil || !offers(said, "STARTTLS") {
		_, _ = say(conn, in, "QUIT", 221) // nothing depends on the answer
		return Certificate{}, err
	}
	out := Certificate{Offered: true}
	if _, err := say(conn, in, "STARTTLS", 220); err != nil {
		reply := new(textproto.Error)
		if !errors.As(err, &reply) {
			return out, err
		}
		out.Failed = reply.Error()
		return out, nil
	}
	if buf.Buffered() > 0 {
		out.Failed = "the listener says more in the clear after its reply to STARTTLS"
		return out, nil
	}
	// The name is verified below, so that a certificate that does not fit is
	// seen, and not just refused.
	secured := tls.Client(conn, &tls.Config{ServerName: name, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
	if err := secured.HandshakeContext(ctx); err != nil {
		if ctx.Err() != nil {
			return out, fmt.Errorf("shake hands: %w", ctx.Err())
		}
		out.Failed = "the handshake fails: " + err.Error()
		return out, nil
	}
	out.look(secured.ConnectionState(), name)
	in = textproto.NewReader(bufio.NewReader(io.LimitReader(secured, maxWords)))
	// A conversation ends politely (RFC 5321 4.1.1.10); the answers change
	// nothing.
	if _, err := say(secured, in, "EHLO "+p.helo(), 250); err == nil {
		_, _ = say(secured, in, "QUIT", 221)
	}
	return out, nil
}

func (c *Certificate) look(state tls.ConnectionState, name string) {
	leaf := state.PeerCertificates[0] // a TLS client has one after a handshake
	c.NotBefore, c.NotAfter = leaf.NotBefore, leaf.NotAfter
	if err := leaf.VerifyHostname(name); err != nil {
		c.Why = err.Error()
		return
	}
	c.Covers = true
}

// say sends a command and returns the reply's words, one line each.
func say(conn net.Conn, in *textproto.Reader, command string, want int) (string, error) {
	verb, _, _ := strings.Cut(command, " ")
	if _, err := io.WriteString(conn, command+"\r\n"); err != nil {
		return "", fmt.Errorf("say %s: %w", verb, err)
	}
	_, words, err := in.ReadResponse(want)
	if err != nil {
		return "", fmt.Errorf("say %s: %w", verb, err)
	}
	return words, nil
}

// offers reports whether a reply to EHLO has a keyword; the first line is the
// host's name.
func offers(reply, keyword string) bool {
	first := true
	for line := range strings.Lines(reply) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !first && strings.EqualFold(word, keyword) {
			return true
		}
		first = false
	}
	return false
}
