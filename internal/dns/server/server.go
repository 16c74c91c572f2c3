// Package server is a small authoritative name server for one zone: primary
// with dynamic update (RFC 2136), TSIG (RFC 8945), NOTIFY (RFC 1996) and AXFR
// (RFC 5936), or secondary of such a primary. It exists for the lab and for
// tests; it behaves towards dig, nsupdate and other name servers as BIND does
// where the update protocol leaves a choice, silent refusals included.
//
// It refuses: recursion, unsigned updates and transfers, zones with $INCLUDE,
// classes other than IN. It does not sign zones and keeps no journal: every
// update rewrites the zone file before it is answered.
//
// It imports miekg/dns for the wire format and the listeners.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"example.org/ims/internal/dns/tsig"
	"example.org/ims/pkg/zone"
)

// Config describes one server of one zone.
type Config struct {
	Zone string // apex
	// File keeps the zone as RFC 1035 text. It is rewritten by every change,
	// and read again at the next start. A primary without File, or whose File
	// does not exist, starts with Text. "" keeps nothing.
	File string
	Text string
	// Listen is ip:port for UDP and TCP; port 0 takes a free one.
	Listen string
	Keys   []Grant
	// Secondaries get a NOTIFY after every change, NotifyDelay later.
	Secondaries []Remote
	NotifyDelay time.Duration
	// Primary makes this server a secondary. Refresh, if not 0, replaces the
	// refresh and retry intervals of the SOA.
	Primary *Remote
	Refresh time.Duration
	// CheckTargets refuses mail exchangers inside the zone that have no
	// address or are aliases, as BIND does with check-integrity.
	CheckTargets bool
	Log          *slog.Logger // nil means none
}

// Grant is a key and what it may do. It may always be used for queries.
type Grant struct {
	Key      tsig.Key
	Update   bool
	Transfer bool
}

// Remote is another server of the zone.
type Remote struct {
	Addr string // ip:port
	Key  string // name of the key to sign with, "" for none
}

// Server is one running name server.
type Server struct {
	cfg    Config
	ring   tsig.Ring
	grants map[string]Grant
	tcp    net.Listener
	udp    net.PacketConn

	writing sync.Mutex // held from reading a version to publishing its successor
	current atomic.Pointer[data]
	fresh   atomic.Int64    // secondary: when the primary last confirmed the data, Unix nanoseconds
	wakes   []chan struct{} // a primary has one for each secondary, a secondary one for itself
	loaded  chan struct{}
	once    sync.Once
}

// New loads the zone and opens the sockets. The caller must call Run, or
// Close.
func New(cfg Config) (*Server, error) {
	cfg.Zone = zone.CanonicalName(cfg.Zone)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		cfg: cfg, ring: tsig.Ring{}, grants: map[string]Grant{},
		loaded: make(chan struct{}),
	}
	for range max(1, len(cfg.Secondaries)) {
		s.wakes = append(s.wakes, make(chan struct{}, 1))
	}
	for _, g := range cfg.Keys {
		s.ring[g.Key.Name], s.grants[g.Key.Name] = g.Key, g
	}
	if err := s.checkRemotes(); err != nil {
		return nil, err
	}
	if err := s.loadFirst(); err != nil {
		return nil, err
	}
	if err := s.open(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Server) checkRemotes() error {
	all := s.cfg.Secondaries
	if s.cfg.Primary != nil {
		all = append(all[:len(all):len(all)], *s.cfg.Primary)
	}
	for _, r := range all {
		if _, ok := s.ring[zone.CanonicalName(r.Key)]; r.Key != "" && !ok {
			return fmt.Errorf("configure zone %q: no key %q for %s", s.cfg.Zone, r.Key, r.Addr)
		}
	}
	return nil
}

// loadFirst publishes the first version, if there is one.
func (s *Server) loadFirst() error {
	var d *data
	var err error
	if s.cfg.File != "" {
		if d, err = load(s.cfg.Zone, s.cfg.File); err != nil {
			return err
		}
	}
	switch {
	case s.cfg.Primary != nil:
	case d == nil && s.cfg.Text != "":
		if d, err = parse(s.cfg.Zone, s.cfg.Text); err != nil {
			return err
		}
		if s.cfg.File != "" {
			if err := d.save(s.cfg.File); err != nil {
				return err
			}
		}
	case d == nil:
		return fmt.Errorf("load zone %q: neither file nor text", s.cfg.Zone)
	}
	if d == nil {
		return nil
	}
	s.publish(d)
	if s.cfg.Primary != nil { // the file is as old as the last word of the primary
		st, err := os.Stat(s.cfg.File)
		if err != nil {
			return fmt.Errorf("load zone: %w", err)
		}
		s.fresh.Store(st.ModTime().UnixNano())
	}
	return nil
}

// publish makes d the current version.
func (s *Server) publish(d *data) {
	s.fresh.Store(time.Now().UnixNano())
	s.current.Store(d)
	s.once.Do(func() { close(s.loaded) })
}

// wake wakes every waiter; one that is awake looks again before it waits.
func (s *Server) wake() {
	for _, c := range s.wakes {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// open listens on one port over TCP and UDP.
func (s *Server) open() error {
	host, port, err := net.SplitHostPort(s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen on %q: %w", s.cfg.Listen, err)
	}
	for range 20 { // a free TCP port may be taken for UDP
		if s.tcp, err = net.Listen("tcp", s.cfg.Listen); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		a, ok := s.tcp.Addr().(*net.TCPAddr)
		if !ok {
			return fmt.Errorf("listen on %q: not a TCP address", s.cfg.Listen)
		}
		if s.udp, err = net.ListenPacket("udp", net.JoinHostPort(host, strconv.Itoa(a.Port))); err == nil {
			return nil
		}
		_ = s.tcp.Close()
		if port != "0" {
			break
		}
	}
	return fmt.Errorf("listen: %w", err)
}

// Addr is ip:port of both sockets.
func (s *Server) Addr() string { return s.tcp.Addr().String() }

// Loaded is closed once there is a zone to answer from.
func (s *Server) Loaded() <-chan struct{} { return s.loaded }

// Serial is the serial of the current version; 0 if there is none.
func (s *Server) Serial() uint32 {
	if d := s.current.Load(); d != nil {
		return d.soa().Serial
	}
	return 0
}

// Close closes the sockets of a server that was never run.
func (s *Server) Close() error { return errors.Join(s.tcp.Close(), s.udp.Close()) }

// Run serves until ctx ends, and waits for everything it started. It returns
// nil after an ended ctx.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make(chan error, 2)
	var wg sync.WaitGroup
	for _, srv := range []*dns.Server{{Listener: s.tcp}, {PacketConn: s.udp}} {
		srv.Handler, srv.TsigProvider, srv.MsgAcceptFunc = dns.HandlerFunc(s.handle), s.ring, accept
		srv.UDPSize, srv.ReadTimeout, srv.WriteTimeout = dns.DefaultMsgSize, ioTimeout, ioTimeout
		wg.Go(func() {
			defer cancel() // one socket is of no use without the other
			errs <- serve(ctx, srv)
		})
	}
	if s.cfg.Primary != nil {
		wg.Go(func() { s.follow(ctx) })
	} else {
		for i, r := range s.cfg.Secondaries {
			wg.Go(func() { s.announce(ctx, r, s.wakes[i]) })
		}
	}
	wg.Wait()
	return errors.Join(<-errs, <-errs)
}

// ioTimeout bounds one read or write on a connection, and one exchange with
// another server.
const ioTimeout = 5 * time.Second

// serve runs srv until ctx ends and its handlers have returned.
func serve(ctx context.Context, srv *dns.Server) error {
	started, done := make(chan struct{}), make(chan error, 1)
	srv.NotifyStartedFunc = func() { close(started) }
	go func() { done <- srv.ActivateAndServe() }()
	select {
	case err := <-done:
		return err
	case <-started:
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	return errors.Join(srv.Shutdown(), <-done)
}
