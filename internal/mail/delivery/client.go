package delivery

import (
	"context"
	"errors"
	"net"
	"time"

	smtp "github.com/emersion/go-smtp"
)

// maxAnswer bounds what a next hop may say to one command.
const maxAnswer = 256 << 10

// quitTimeout is how long a next hop may take to say goodbye.
const quitTimeout = 5 * time.Second

var errAnswer = errors.New("reply longer than 256 KiB")

// guard is a connection whose writes have a deadline each and whose replies
// have a bound; go-smtp sets neither.
type guard struct {
	net.Conn
	block time.Duration
	heard int
}

func (g *guard) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	if g.heard += n; g.heard > maxAnswer {
		return 0, errAnswer
	}
	return n, err
}

func (g *guard) Write(b []byte) (int, error) {
	g.heard = 0
	if err := g.SetWriteDeadline(time.Now().Add(g.block)); err != nil {
		return 0, err
	}
	return g.Conn.Write(b)
}

// client is one connection to a next hop. It is used by one worker.
type client struct {
	smtp   *smtp.Client
	remote string
	lmtp   bool
	name   string // what EHLO says
	opened time.Time
	sent   int  // transactions begun
	dirty  bool // a transaction was begun and not ended by a reply to its dot
	stop   func() bool
}

// newClient wraps a fresh connection; it is cut when ctx is done.
func newClient(ctx context.Context, conn net.Conn, remote string, opt Options) *client {
	c := &client{remote: remote, lmtp: opt.LMTP, name: opt.Hostname, opened: time.Now()}
	g := &guard{Conn: conn, block: opt.Limits.Block}
	if opt.LMTP {
		c.smtp = smtp.NewClientLMTP(g)
	} else {
		c.smtp = smtp.NewClient(g)
	}
	c.smtp.CommandTimeout = opt.Limits.Command
	c.smtp.SubmissionTimeout = opt.Limits.Submission
	c.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	return c
}

// spent reports whether the connection has done its share.
func (c *client) spent(l Limits) bool {
	return c.sent >= l.Messages || time.Since(c.opened) >= l.Age
}

// fresh readies the connection for a transaction, with RSET if one was given
// up. After the reply to the final dot there is nothing to reset (RFC 5321
// section 4.1.1.4), and MAIL finds out as well whether the next hop is there.
func (c *client) fresh() error {
	if !c.dirty {
		return nil
	}
	if err := c.smtp.Reset(); err != nil {
		return err
	}
	// go-smtp wants a new EHLO after RSET.
	if err := c.smtp.Hello(c.name); err != nil {
		return err
	}
	c.dirty = false
	return nil
}

// quit says goodbye.
func (c *client) quit() {
	c.smtp.CommandTimeout = quitTimeout
	if err := c.smtp.Quit(); err != nil {
		_ = c.smtp.Close()
	}
	c.stop()
}

// close cuts the connection without a word.
func (c *client) close() {
	_ = c.smtp.Close()
	c.stop()
}

// has reports whether the next hop offers an extension.
func (c *client) has(ext string) bool {
	ok, _ := c.smtp.Extension(ext)
	return ok
}
