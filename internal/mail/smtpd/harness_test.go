package smtpd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"example.org/ims/internal/mail/address"
)

// message is what a recorder accepted.
type message struct {
	From string
	To   []string
	Data string
}

// recorder is a Handler that takes everything, unless told otherwise.
type recorder struct {
	connect *Reply
	mail    *Reply
	rcpt    func(address.Mailbox) *Reply
	data    func(*Body) *Reply // instead of reading
	commit  chan struct{}      // Data waits for it before it returns

	mu     sync.Mutex
	got    []message
	mopts  []MailOptions
	ropts  []RcptOptions
	hops   int
	open   int
	closed int
}

func (r *recorder) Connect(context.Context, Peer) (Session, *Reply) {
	if r.connect != nil {
		return nil, r.connect
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open++
	return &recording{r: r}, nil
}

func (r *recorder) messages() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]message(nil), r.got...)
}

type recording struct {
	r   *recorder
	cur message
}

func (s *recording) Mail(_ context.Context, from address.Mailbox, o MailOptions) *Reply {
	s.cur = message{From: from.Path()}
	s.r.mopts = append(s.r.mopts, o)
	return s.r.mail
}

func (s *recording) Rcpt(_ context.Context, to address.Mailbox, o RcptOptions) *Reply {
	if s.r.rcpt != nil {
		if no := s.r.rcpt(to); no != nil {
			return no
		}
	}
	s.cur.To = append(s.cur.To, to.Path())
	s.r.ropts = append(s.r.ropts, o)
	return nil
}

func (s *recording) Data(_ context.Context, b *Body) (string, *Reply) {
	if s.r.data != nil {
		return "none", s.r.data(b)
	}
	data, err := io.ReadAll(b)
	if err != nil {
		return "", Refuse(451, "4.3.0", "cannot read")
	}
	if s.r.commit != nil {
		<-s.r.commit
	}
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	s.cur.Data = string(data)
	s.r.got = append(s.r.got, s.cur)
	s.r.hops = b.Hops()
	return fmt.Sprintf("q%d", len(s.r.got)), nil
}

func (s *recording) Close() {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	s.r.closed++
}

// pipes is a listener whose connections are net.Pipes, so that it works inside
// a synctest bubble.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

type pipeAddr string

func (a pipeAddr) Network() string { return "pipe" }
func (a pipeAddr) String() string  { return string(a) }

type pipeConn struct {
	net.Conn
	from string
}

func (c pipeConn) RemoteAddr() net.Addr { return pipeAddr(c.from) }

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return pipeAddr("server") }

// client is one end of a conversation inside a bubble.
type client struct {
	conn net.Conn
	mu   sync.Mutex
	out  strings.Builder
	eof  bool
}

func (p *pipes) dial(from string) *client {
	ours, theirs := net.Pipe()
	c := &client{conn: ours}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := ours.Read(buf)
			c.mu.Lock()
			c.out.Write(buf[:n])
			c.eof = err != nil
			c.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	go func() {
		select {
		case p.conns <- pipeConn{theirs, from}:
		case <-p.done:
			_ = theirs.Close()
		}
	}()
	synctest.Wait()
	return c
}

// say sends s, waits until nothing moves, and returns what came back.
func (c *client) say(s string) string {
	go func() { _, _ = io.WriteString(c.conn, s) }()
	synctest.Wait()
	return c.heard()
}

func (c *client) heard() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.out.String()
	c.out.Reset()
	return s
}

func (c *client) gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.eof
}

// codes shortens replies to "250 2.0.0" or "354", joined by " | ".
func codes(replies string) string {
	var out []string
	for line := range strings.SplitSeq(strings.TrimSuffix(replies, "\r\n"), "\r\n") {
		if len(line) < 4 || line[3] != ' ' {
			continue // not the last line of a reply
		}
		f := strings.Fields(line)
		if len(f) > 1 && strings.Count(f[1], ".") == 2 && len(f[1]) == 5 {
			out = append(out, f[0]+" "+f[1])
			continue
		}
		out = append(out, f[0])
	}
	return strings.Join(out, " | ")
}

// serve runs a Server over pipes for f and stops it.
func serve(t *testing.T, cfg Config, f func(*testing.T, *Server, *pipes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if cfg.Hostname == "" {
			cfg.Hostname = "gw.example"
		}
		ctx, cancel := context.WithCancel(t.Context())
		ln, s := newPipes(), New(cfg)
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx, ln) }()
		f(t, s, ln)
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("Serve = %v", err)
		}
		if n := s.Sessions(); n != 0 {
			t.Errorf("%d sessions are left after Serve", n)
		}
	})
}
