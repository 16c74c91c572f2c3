package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.org/ims/internal/mail/address"
	"example.org/ims/internal/mail/delivery"
	"example.org/ims/internal/mail/smtpd"
)

// internet is a network of pipes: listeners by address, hosts by domain.
type internet struct {
	mu      sync.Mutex
	open    map[string]*pipes
	conns   map[net.Conn]bool
	severed bool
	mx      map[string]delivery.Target
}

func newInternet() *internet {
	return &internet{open: map[string]*pipes{}, conns: map[net.Conn]bool{}, mx: map[string]delivery.Target{}}
}

// pipes is a listener.
type pipes struct {
	net  *internet
	addr pipeAddr
	ch   chan net.Conn
	done chan struct{}
	once sync.Once
}

type pipeAddr string

func (a pipeAddr) Network() string { return "pipe" }
func (a pipeAddr) String() string  { return string(a) }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.ch:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

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

func (p *pipes) Addr() net.Addr { return p.addr }

// pipeConn is the server's end.
type pipeConn struct {
	net.Conn
	from pipeAddr
}

func (c pipeConn) RemoteAddr() net.Addr { return c.from }

func (n *internet) listen(_ context.Context, addr string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.open[addr] != nil {
		return nil, fmt.Errorf("listen on %s: address in use", addr)
	}
	p := &pipes{net: n, addr: pipeAddr(addr), ch: make(chan net.Conn), done: make(chan struct{})}
	n.open[addr] = p
	return p, nil
}

var errRefused = errors.New("connection refused")

// dial connects to a listener, from an address.
func (n *internet) dial(ctx context.Context, from, addr string) (net.Conn, error) {
	n.mu.Lock()
	p := n.open[addr]
	if p == nil || n.severed {
		n.mu.Unlock()
		return nil, errRefused
	}
	ours, theirs := net.Pipe()
	n.conns[ours] = true
	n.mu.Unlock()
	select {
	case p.ch <- pipeConn{theirs, pipeAddr(from)}:
		return ours, nil
	case <-p.done:
		return nil, errRefused
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// sever cuts every connection; nothing can be reached until mend.
func (n *internet) sever() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.severed = true
	for c := range n.conns {
		_ = c.Close()
	}
	clear(n.conns)
}

func (n *internet) mend() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.severed = false
}

// Lookup implements delivery.Resolver. A host name is its own mail exchanger.
func (n *internet) Lookup(_ context.Context, domain string) ([]delivery.Target, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	t, ok := n.mx[domain]
	if !ok {
		return nil, fmt.Errorf("look up %s: %w", domain, delivery.ErrNoSuchDomain)
	}
	return []delivery.Target{t}, nil
}

// host is an SMTP host that takes mail, unless it is told otherwise.
type host struct {
	mu   sync.Mutex
	rcpt func(addr string) *smtpd.Reply
	got  []letter
}

type letter struct {
	from  string
	rcpts []string
	data  string
}

// host makes a host that takes mail for a domain; it can be taken down.
func (n *internet) host(ctx context.Context, t *testing.T, work *sync.WaitGroup, domain string) *host {
	t.Helper()
	h := &host{}
	addr := domain + ":25"
	n.mu.Lock()
	n.mx[domain] = delivery.Target{Host: "mx." + domain, Addr: addr}
	n.mu.Unlock()
	ln, err := n.listen(ctx, addr)
	if err != nil {
		t.Fatal(err)
	}
	srv := smtpd.New(smtpd.Config{Hostname: "mx." + domain, Handler: h})
	work.Go(func() { _ = srv.Serve(ctx, ln) })
	return h
}

func (h *host) say(rcpt func(string) *smtpd.Reply) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rcpt = rcpt
}

func (h *host) letters() []letter {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.got)
}

// rcpts counts what was taken, by recipient.
func (h *host) rcpts() map[string]int {
	m := map[string]int{}
	for _, l := range h.letters() {
		for _, r := range l.rcpts {
			m[r]++
		}
	}
	return m
}

func (h *host) Connect(context.Context, smtpd.Peer) (smtpd.Session, *smtpd.Reply) {
	return &hosting{h: h}, nil
}

type hosting struct {
	h *host
	l letter
}

func (s *hosting) Mail(_ context.Context, from address.Mailbox, _ smtpd.MailOptions) *smtpd.Reply {
	s.l = letter{from: from.String()}
	return nil
}

func (s *hosting) Rcpt(_ context.Context, to address.Mailbox, _ smtpd.RcptOptions) *smtpd.Reply {
	s.h.mu.Lock()
	defer s.h.mu.Unlock()
	if s.h.rcpt != nil {
		if no := s.h.rcpt(to.String()); no != nil {
			return no
		}
	}
	s.l.rcpts = append(s.l.rcpts, to.String())
	return nil
}

func (s *hosting) Data(_ context.Context, b *smtpd.Body) (string, *smtpd.Reply) {
	data, err := io.ReadAll(b)
	if err != nil {
		return "", smtpd.Refuse(451, "4.3.0", "cannot read")
	}
	s.l.data = string(data)
	s.h.mu.Lock()
	defer s.h.mu.Unlock()
	s.h.got = append(s.h.got, s.l)
	return "x", nil
}

func (s *hosting) Close() {}

// refuse550 and defer450 are what a host may say to a recipient.
func say550(string) *smtpd.Reply { return smtpd.Refuse(550, "5.1.1", "no such user") }
func say450(string) *smtpd.Reply { return smtpd.Refuse(450, "4.2.0", "come back later") }

// talk runs an SMTP transaction and returns the last code and text of each
// step: greeting, MAIL, every RCPT, the message. It stops when nothing can
// come of it.
func talk(c net.Conn, from string, rcpts []string, data string) ([]string, error) {
	p := textproto.NewConn(c)
	defer func() { _ = p.Close() }()
	var said []string
	step := func(cmd string) (int, error) {
		if cmd != "" {
			if err := p.PrintfLine("%s", cmd); err != nil {
				return 0, err
			}
		}
		code, msg, err := p.ReadResponse(0)
		var te *textproto.Error
		if err != nil && !errors.As(err, &te) {
			return 0, err
		}
		said = append(said, fmt.Sprintf("%d %s", code, strings.ReplaceAll(msg, "\n", " ")))
		return code, nil
	}
	if code, err := step(""); err != nil || code != 220 {
		return said, err
	}
	if _, err := step("EHLO client.example"); err != nil {
		return said, err
	}
	if code, err := step("MAIL FROM:<" + from + ">"); err != nil || code != 250 {
		return said, err
	}
	taken := 0
	for _, r := range rcpts {
		cmd := "RCPT TO:<" + r + ">"
		if addr, params, ok := strings.Cut(r, " "); ok {
			cmd = "RCPT TO:<" + addr + "> " + params
		}
		code, err := step(cmd)
		if err != nil {
			return said, err
		}
		if code == 250 {
			taken++
		}
	}
	if taken == 0 {
		_, err := step("QUIT")
		return said[:len(said)-1], err
	}
	if code, err := step("DATA"); err != nil || code != 354 {
		return said, err
	}
	w := p.DotWriter()
	if _, err := io.WriteString(w, data); err != nil {
		return said, err
	}
	if err := w.Close(); err != nil {
		return said, err
	}
	_, err := step("") // the reply to the dot
	return said, err
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
