package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"

	"github.com/emersion/go-smtp"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
)

// Reception is what a listener tells a client on the Internet side about
// itself, and about each recipient it was asked about.
type Reception struct {
	Closed bool // the port refuses connections
	// Refused is the reply to the greeting, EHLO or MAIL that ended the
	// conversation before a recipient was named; its zero value says that none
	// did.
	Refused Reply
	// SizeKnown says that the listener declares the most it takes (RFC 1870);
	// Size is in bytes, 0 for no fixed limit.
	SizeKnown bool
	Size      int64
	StartTLS  bool // offered (RFC 3207)
	// Replies are in the order of the recipients. They are fewer if the
	// listener ended the conversation.
	Replies []Reply
}

// Reply is an answer: one of the facts.Reply values, and its words.
type Reply struct {
	Value facts.Value
	Words string
}

// Reception asks a listener about itself and about recipients, in one
// conversation: EHLO, MAIL FROM:<>, a RCPT for each, RSET, QUIT. An error says
// why nothing is known.
func (p *Prober) Reception(ctx context.Context, address string, rcpts []string) (r Reception, err error) {
	err = p.talk(ctx, address, func(ctx context.Context) error {
		conn, err := p.dial(ctx, address)
		if errors.Is(err, syscall.ECONNREFUSED) {
			r.Closed = true
			return nil
		}
		if err != nil {
			return fmt.Errorf("probe %s: %w", address, err)
		}
		defer closing(ctx, conn)()
		r, err = p.receive(conn, address, rcpts)
		return err
	})
	return r, err
}

// closing closes a connection when ctx ends, and when the function that it
// returns is called: the client sets deadlines of its own.
func closing(ctx context.Context, conn net.Conn) func() {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	return func() {
		stop()
		_ = conn.Close()
	}
}

func (p *Prober) receive(conn net.Conn, address string, rcpts []string) (Reception, error) {
	var r Reception
	c := smtp.NewClient(conn)
	if err := c.Hello(p.helo()); err != nil {
		return r.ended(err, address)
	}
	r.StartTLS, _ = c.Extension("STARTTLS")
	r.Size, r.SizeKnown = size(c)
	if len(rcpts) == 0 {
		_ = c.Quit() // nothing depends on the answer
		return r, nil
	}
	if err := c.Mail("", nil); err != nil {
		return r.ended(err, address)
	}
	for _, rcpt := range rcpts {
		one := Reply{facts.ReplyAccept, "250"}
		if err := c.Rcpt(rcpt, nil); err != nil {
			v, words, err := classify(err, address)
			if err != nil {
				return r, nil // the answers until here are known
			}
			one = Reply{v, words}
		}
		r.Replies = append(r.Replies, one)
	}
	// The transaction is given up on purpose; what the listener says to that
	// changes nothing.
	_ = c.Reset()
	_ = c.Quit()
	return r, nil
}

// ended is a conversation that got no further.
func (r Reception) ended(err error, address string) (Reception, error) {
	v, words, err := classify(err, address)
	r.Refused = Reply{v, words}
	return r, err
}

// size is the SIZE that a listener declares. The keyword alone declares
// nothing (RFC 1870 section 4).
func size(c *smtp.Client) (limit int64, known bool) {
	offered, value := c.Extension("SIZE")
	limit, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
	return limit, offered && err == nil && limit >= 0
}

func (p *Prober) helo() string { return gateway.ProbeHelo + "." + p.Helo }
