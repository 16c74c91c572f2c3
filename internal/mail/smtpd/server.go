package smtpd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Server serves one listener. Its methods are safe for concurrent use.
type Server struct {
	cfg Config

	mu       sync.Mutex
	ln       net.Listener
	stop     context.CancelFunc // ends every session at once
	draining bool
	started  bool
	done     chan struct{} // closed when Serve returns
	conns    map[*gate]*session
	hosts    map[netip.Prefix]int
	most     int // open connections
}

// New makes a Server; Serve makes it run.
func New(c Config) *Server {
	c = c.withDefaults()
	return &Server{
		cfg: c, most: c.MaxConns, done: make(chan struct{}),
		conns: map[*gate]*session{}, hosts: map[netip.Prefix]int{},
	}
}

// Serve accepts from ln until Shutdown, or until ctx is done, which closes
// every connection at once. It closes ln, waits for every session, and returns
// nil unless accepting failed. It may be called once.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if !s.begin(ln, stop) {
		return errors.Join(errors.New("serve smtp: already served or shut down"), ln.Close())
	}
	defer close(s.done)
	unhook := context.AfterFunc(ctx, s.closeAll)
	defer unhook()

	loop := s.engine()
	feed := &feed{addr: ln.Addr(), conns: make(chan net.Conn), done: make(chan struct{})}
	var engine, admissions sync.WaitGroup
	engine.Go(func() { _ = loop.Serve(feed) }) // it ends with the feed, and only so
	err := s.accept(ctx, ln, func(c net.Conn) {
		admissions.Go(func() { s.admit(ctx, c, feed) })
	})
	admissions.Wait()
	close(feed.done)
	engine.Wait()
	if lerr := loop.Shutdown(context.WithoutCancel(ctx)); lerr != nil && err == nil {
		err = fmt.Errorf("serve smtp: %w", lerr)
	}
	return err
}

// Shutdown stops accepting and lets open transactions finish; sessions without
// one are told 421. When ctx is done first, the rest is cut off and ctx's
// error returned. It returns after Serve has.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.draining = true
	started, ln, stop := s.started, s.ln, s.stop
	for g := range s.conns {
		g.drain()
	}
	s.mu.Unlock()
	if !started {
		return nil
	}
	_ = ln.Close() // it may be closed already
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		stop()
		<-s.done
		return fmt.Errorf("shut down smtp: %w", ctx.Err())
	}
}

// Sessions is the number of open connections.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Limit changes how many connections may be open; 0 means 500. Those that are
// open stay.
func (s *Server) Limit(conns int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.most = or(conns, defaultConns)
}

// Peers lists the clients that are connected now, in no order.
func (s *Server) Peers() []Peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	peers := make([]Peer, 0, len(s.conns))
	for _, one := range s.conns {
		peers = append(peers, *one.peer.Load())
	}
	return peers
}

func (s *Server) begin(ln net.Listener, stop context.CancelFunc) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started || s.draining {
		return false
	}
	s.started, s.ln, s.stop = true, ln, stop
	return true
}

func (s *Server) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	_ = s.ln.Close() // it may be closed already
	for g := range s.conns {
		_ = g.Close() // as above
	}
}

// engine is go-smtp's server with everything off that we do ourselves.
func (s *Server) engine() *smtp.Server {
	e := smtp.NewServer(smtp.BackendFunc(s.session))
	e.Domain = s.cfg.Hostname
	e.MaxLineLength = 0 // the gate's business, like all time limits
	e.MaxRecipients = s.cfg.MaxRcpts
	e.MaxMessageBytes = s.cfg.Limits.Size
	e.EnableSMTPUTF8 = s.cfg.SMTPUTF8
	e.EnableDSN = true
	e.ErrorLog = slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelError)
	return e
}

// session finds the session that was admitted on c.
func (s *Server) session(c *smtp.Conn) (smtp.Session, error) {
	g, ok := c.Conn().(*gate)
	if !ok {
		return nil, fmt.Errorf("session on a foreign connection %T", c.Conn())
	}
	s.mu.Lock()
	one := s.conns[g]
	s.mu.Unlock()
	if one == nil {
		return nil, errGone
	}
	one.conn = c
	one.hello(c.Hostname())
	return one, nil
}

// accept gives connections to take until the listener is closed.
func (s *Server) accept(ctx context.Context, ln net.Listener, take func(net.Conn)) error {
	defer func() { _ = ln.Close() }() // it may be closed already
	for {
		c, err := ln.Accept()
		if err == nil {
			take(c)
			continue
		}
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return nil
		}
		var ne net.Error
		if !errors.As(err, &ne) || !ne.Timeout() && !tooManyFiles(err) {
			return fmt.Errorf("accept smtp connection: %w", err)
		}
		s.cfg.Log.Error("smtp accept", "err", err)
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// admit owns one connection from greeting to end.
func (s *Server) admit(ctx context.Context, c net.Conn, to *feed) {
	g := newGate(c, s.cfg)
	defer func() { _ = g.Close() }() // usually the second time
	peer := Peer{Addr: remote(c), Since: time.Now()}
	one := newSession(ctx, g, s.cfg, peer)
	if r := s.reserve(one); r != nil {
		_ = g.bye(r.String()) // it is refused either way
		return
	}
	defer s.release(one)
	up, r := s.cfg.Handler.Connect(ctx, peer)
	if r != nil {
		_ = g.bye(r.String()) // it is refused either way
		return
	}
	one.up = up
	defer one.end()
	if d, ok := up.(Dequeuer); ok && s.cfg.ETRN {
		g.start = one.dequeue(d)
	}
	to.conns <- g
	<-g.closed
}

// reserve counts the connection in, or says why not.
func (s *Server) reserve(one *session) *Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	host := hostOf(*one.peer.Load())
	switch {
	case s.draining:
		return Refuse(421, "4.3.2", "service is going down")
	case len(s.conns) >= s.most:
		return Refuse(421, "4.3.2", "too many connections, try again later")
	case s.hosts[host] >= s.cfg.MaxPerHost:
		return Refuse(421, "4.7.0", "too many connections from you, try again later")
	}
	s.conns[one.gate] = one
	s.hosts[host]++
	return nil
}

func (s *Server) release(one *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, one.gate)
	host := hostOf(*one.peer.Load())
	if s.hosts[host]--; s.hosts[host] == 0 {
		delete(s.hosts, host)
	}
}
