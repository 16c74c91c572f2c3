// Package probe asks an SMTP listener what it would tell a client, and sends
// nothing: EHLO, STARTTLS, MAIL FROM:<>, RCPT, RSET (which the client follows by
// another EHLO), QUIT; never DATA or BDAT. It uses the client of
// github.com/emersion/go-smtp, as delivery does.
package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/emersion/go-smtp"

	"example.org/ims/internal/patience"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
)

// Prober probes listeners. It is safe for concurrent use.
type Prober struct {
	// Dial opens a connection; nil is a TCP dialer.
	Dial func(ctx context.Context, address string) (net.Conn, error)
	// Helo follows gateway.ProbeHelo in the EHLO command.
	Helo string
	// Timeout bounds one probe; 0 is ten seconds.
	Timeout time.Duration
}

// Probe returns what the listener says to a recipient, and its reply. A port
// that refuses connections is ReplyClosed; an answer that does not come is an
// error: nothing is known then.
func (p *Prober) Probe(ctx context.Context, address, rcpt string) (v facts.Value, words string, err error) {
	err = p.talk(ctx, address, func(ctx context.Context) error {
		conn, err := p.dial(ctx, address)
		if errors.Is(err, syscall.ECONNREFUSED) {
			v, words = facts.ReplyClosed, "connection refused"
			return nil
		}
		if err != nil {
			return fmt.Errorf("probe %s: %w", address, err)
		}
		defer closing(ctx, conn)()
		v, words, err = p.ask(conn, address, rcpt)
		return err
	})
	if err != nil {
		return facts.Unknown, "", err
	}
	return v, words, nil
}

// talk is one conversation, which ends in time. A listener that let time run out
// is a *gateway.SilentError; in a look (package patience) it is asked no second
// time.
func (p *Prober) talk(ctx context.Context, address string, f func(context.Context) error) error {
	if err := patience.Of(ctx, address); err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, p.timeout())
	defer cancel()
	err := f(within)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("probe %s: %w", address, &gateway.SilentError{Within: p.timeout()})
		patience.Note(ctx, address, err)
	}
	return err
}

func (p *Prober) ask(conn net.Conn, address, rcpt string) (facts.Value, string, error) {
	c := smtp.NewClient(conn)
	for _, step := range []func() error{
		func() error { return c.Hello(p.helo()) },
		func() error { return c.Mail("", nil) },
		func() error { return c.Rcpt(rcpt, nil) },
	} {
		if err := step(); err != nil {
			return classify(err, address)
		}
	}
	// The transaction is given up on purpose; what the listener says to that
	// changes nothing.
	_ = c.Reset()
	_ = c.Quit()
	return facts.ReplyAccept, "250", nil
}

func classify(err error, address string) (facts.Value, string, error) {
	var reply *smtp.SMTPError
	switch {
	case !errors.As(err, &reply):
		return facts.Unknown, "", fmt.Errorf("probe %s: %w", address, err)
	case reply.Temporary():
		return facts.ReplyTemporary, words(reply), nil
	}
	return facts.ReplyPermanent, words(reply), nil
}

// words are a reply as it came: code, enhanced status code if there is one (RFC
// 3463), text. What a refusal is about, only the enhanced code says; X.0.0 says
// nothing, and is what the client makes of a reply without one.
func words(reply *smtp.SMTPError) string {
	if c := reply.EnhancedCode; c[1] > 0 || c[2] > 0 {
		return fmt.Sprintf("%d %d.%d.%d %s", reply.Code, c[0], c[1], c[2], reply.Message)
	}
	return fmt.Sprintf("%d %s", reply.Code, reply.Message)
}

func (p *Prober) dial(ctx context.Context, address string) (net.Conn, error) {
	if p.Dial != nil {
		return p.Dial(ctx, address)
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", address)
}

func (p *Prober) timeout() time.Duration {
	if p.Timeout > 0 {
		return p.Timeout
	}
	return 10 * time.Second
}
