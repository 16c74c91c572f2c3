package conformance

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"syscall"

	"example.org/ims/internal/mail/address"
	"example.org/ims/internal/mail/delivery"
	"example.org/ims/internal/mail/smtpd"
)

// network is an Internet of pipes: a bubble has no sockets. A domain is its own
// mail exchanger.
type network struct {
	mu   sync.Mutex
	open map[string]*pipes
}

type pipes struct {
	net  *network
	addr addr
	ch   chan net.Conn
	done chan struct{}
	once sync.Once
}

type addr string

func (a addr) Network() string { return "pipe" }
func (a addr) String() string  { return string(a) }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.ch:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Addr() net.Addr { return p.addr }

func (p *pipes) Close() error {
	p.once.Do(func() {
		close(p.done)
		p.net.mu.Lock()
		defer p.net.mu.Unlock()
		if p.net.open[string(p.addr)] == p {
			delete(p.net.open, string(p.addr))
		}
	})
	return nil
}

// listen opens a listener.
func (n *network) listen(_ context.Context, at string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.open[at] != nil {
		return nil, fmt.Errorf("listen on %s: %w", at, syscall.EADDRINUSE)
	}
	p := &pipes{net: n, addr: addr(at), ch: make(chan net.Conn), done: make(chan struct{})}
	n.open[at] = p
	return p, nil
}

// from is a dialer of a host.
func (n *network) from(host string) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, to string) (net.Conn, error) {
		n.mu.Lock()
		p := n.open[to]
		n.mu.Unlock()
		if p == nil {
			return nil, syscall.ECONNREFUSED
		}
		ours, theirs := net.Pipe()
		select {
		case p.ch <- piped{theirs, addr(host + ":4000")}:
			return ours, nil
		case <-p.done:
			return nil, syscall.ECONNREFUSED
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

type piped struct {
	net.Conn
	from addr
}

func (c piped) RemoteAddr() net.Addr { return c.from }

var _ delivery.Resolver = (*network)(nil)

// Lookup implements delivery.Resolver.
func (n *network) Lookup(_ context.Context, domain string) ([]delivery.Target, error) {
	return []delivery.Target{{Host: "mx." + domain, Addr: domain + ":25"}}, nil
}

// host is a mail host that takes everything, unless it is told otherwise.
type host struct {
	mu     sync.Mutex
	answer func(rcpt string) *smtpd.Reply // nil: it takes mail
}

func (h *host) say(answer func(string) *smtpd.Reply) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer = answer
}

// serve serves until ctx ends.
func (h *host) serve(ctx context.Context, n *network, domain string, work *sync.WaitGroup) error {
	ln, err := n.listen(ctx, domain+":25")
	if err != nil {
		return err
	}
	srv := smtpd.New(smtpd.Config{Hostname: "mx." + domain, Handler: h})
	work.Go(func() { _ = srv.Serve(ctx, ln) }) // it ends when ctx does
	return nil
}

// Connect implements smtpd.Handler.
func (h *host) Connect(context.Context, smtpd.Peer) (smtpd.Session, *smtpd.Reply) { return h, nil }

// Mail implements smtpd.Session.
func (h *host) Mail(context.Context, address.Mailbox, smtpd.MailOptions) *smtpd.Reply { return nil }

// Rcpt implements smtpd.Session.
func (h *host) Rcpt(_ context.Context, to address.Mailbox, _ smtpd.RcptOptions) *smtpd.Reply {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.answer == nil {
		return nil
	}
	return h.answer(to.String())
}

// Data implements smtpd.Session.
func (h *host) Data(_ context.Context, b *smtpd.Body) (string, *smtpd.Reply) {
	if _, err := io.Copy(io.Discard, b); err != nil {
		return "", smtpd.Refuse(451, "4.3.0", "cannot read")
	}
	return "taken", nil
}

// Close implements smtpd.Session.
func (h *host) Close() {}

// submit sends one message and returns the last reply, or "closed".
func submit(ctx context.Context, dial func(context.Context, string) (net.Conn, error), to, from, rcpt string) (string, error) {
	c, err := dial(ctx, to)
	if err != nil {
		return "closed", nil
	}
	p := textproto.NewConn(c)
	defer func() { _ = p.Close() }()
	reply := ""
	for _, cmd := range []string{"", "EHLO client.example", "MAIL FROM:<" + from + ">", "RCPT TO:<" + rcpt + ">", "DATA", "Subject: x\r\n\r\ny\r\n.", "QUIT"} {
		if cmd != "" {
			if err := p.PrintfLine("%s", cmd); err != nil {
				return reply, fmt.Errorf("say %q: %w", cmd, err)
			}
		}
		code, words, err := p.ReadResponse(0)
		if err != nil {
			return reply, fmt.Errorf("reply to %q: %w", cmd, err)
		}
		if cmd == "QUIT" {
			break
		}
		if reply = fmt.Sprintf("%d %s", code, strings.ReplaceAll(words, "\n", " ")); code >= 400 {
			break
		}
	}
	return reply, nil
}
