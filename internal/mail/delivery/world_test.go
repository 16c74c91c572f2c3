package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	smtp "github.com/emersion/go-smtp"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/delivery"
	"example.org/ims/pkg/gateway"
)

// world is a small Internet: hosts on pipes, a resolver, and a store that
// remembers what it was told and when.
type world struct {
	t     testing.TB
	start time.Time

	mu      sync.Mutex
	hosts   map[string]*host // by address
	mx      map[string][]delivery.Target
	fail    map[string]error
	bodies  map[mail.ID]string
	results []told
	dials   []string
	broken  int // how often Done fails
}

type told struct {
	at time.Duration
	delivery.Result
}

func newWorld(t testing.TB) *world {
	return &world{
		t: t, start: time.Now(), hosts: map[string]*host{}, mx: map[string][]delivery.Target{},
		fail: map[string]error{}, bodies: map[mail.ID]string{},
	}
}

// host is one SMTP server. Its fields are guarded by the world.
type host struct {
	w       *world
	srv     *smtp.Server
	l       *pipeListener
	down    bool
	rcpt    func(addr string) error
	data    func(from string) error
	mail    func() error
	raw     func(net.Conn) // speaks instead of the server
	got     []message
	open    int
	maxOpen int
	conns   int
}

type message struct {
	from  string
	rcpts []string
	body  string
}

func (w *world) host(addr string) *host {
	h := &host{w: w, l: &pipeListener{ch: make(chan net.Conn), done: make(chan struct{})}}
	h.srv = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{h: h}, nil }))
	h.srv.Domain = "sink.example"
	h.srv.EnableDSN = true
	h.srv.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	w.hosts[addr] = h
	go func() { _ = h.srv.Serve(h.l) }()
	return h
}

func (w *world) close() {
	for _, h := range w.hosts {
		_ = h.srv.Close()
		_ = h.l.Close()
	}
}

// route makes addr the only mail exchanger of each domain.
func (w *world) route(addr string, domains ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range domains {
		w.mx[d] = []delivery.Target{{Host: "mx." + d, Addr: addr, Pref: 10}}
	}
}

func (w *world) Lookup(_ context.Context, domain string) ([]delivery.Target, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mx[domain], w.fail[domain]
}

func (w *world) Open(_ context.Context, e mail.Entry) (io.ReadCloser, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, ok := w.bodies[e.Message]
	if !ok {
		return nil, errors.New("no body")
	}
	if whole, found := strings.CutSuffix(b, cutHere); found {
		return io.NopCloser(io.MultiReader(strings.NewReader(whole), iotest.ErrReader(errors.New("disk error")))), nil
	}
	return io.NopCloser(strings.NewReader(b)), nil
}

// cutHere at the end of a body makes reading it fail there.
const cutHere = "<cut here>"

func (w *world) Done(_ context.Context, rs []delivery.Result) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken > 0 {
		w.broken--
		return errors.New("disk full")
	}
	for _, r := range rs {
		w.results = append(w.results, told{time.Since(w.start), r})
	}
	return nil
}

func (w *world) dial(_ context.Context, addr string) (net.Conn, error) {
	w.mu.Lock()
	w.dials = append(w.dials, addr)
	h := w.hosts[addr]
	if h == nil || h.down {
		w.mu.Unlock()
		return nil, errors.New("connection refused")
	}
	h.conns++
	h.open++
	h.maxOpen = max(h.maxOpen, h.open)
	raw := h.raw
	w.mu.Unlock()
	client, server := net.Pipe()
	if raw != nil {
		go raw(server)
		return client, nil
	}
	select {
	case h.l.ch <- server:
		return &counted{Conn: client, h: h}, nil
	case <-h.l.done:
		return nil, errors.New("connection refused")
	}
}

// counted notes when the client closes its end.
type counted struct {
	net.Conn
	h    *host
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() {
		c.h.w.mu.Lock()
		c.h.open--
		c.h.w.mu.Unlock()
	})
	return c.Conn.Close()
}

type pipeListener struct {
	ch   chan net.Conn
	done chan struct{}
	once sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.ch:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

type session struct {
	h     *host
	from  string
	rcpts []string
}

func (s *session) Reset()        { s.from, s.rcpts = "", nil }
func (s *session) Logout() error { return nil }
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return s.h.ask(func() error {
		if s.h.mail != nil {
			return s.h.mail()
		}
		return nil
	})
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	err := s.h.ask(func() error {
		if s.h.rcpt != nil {
			return s.h.rcpt(to)
		}
		return nil
	})
	if err == nil {
		s.rcpts = append(s.rcpts, to)
	}
	return err
}

func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return s.h.ask(func() error {
		if s.h.data != nil {
			if err := s.h.data(s.from); err != nil {
				return err
			}
		}
		s.h.got = append(s.h.got, message{s.from, slices.Clone(s.rcpts), string(b)})
		return nil
	})
}

func (h *host) ask(f func() error) error {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	return f()
}

func refuse(code int, a, b, c int, msg string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{a, b, c}, Message: msg}
}

const hour = time.Hour

// settings are the service's historical retry list with 48 hours (Q146669).
var settings = gateway.Settings{
	Retry:    []time.Duration{hour / 4, hour / 2, hour, 4 * hour},
	Timeouts: gateway.Timeouts{Urgent: 24 * hour, Normal: 48 * hour, NonUrgent: 72 * hour, Report: 48 * hour},
}

func (w *world) scheduler(change ...func(*delivery.Options)) *delivery.Scheduler {
	o := delivery.Options{Hostname: "gw.example", Settings: settings, Resolver: w, Store: w, Dial: w.dial}
	for _, c := range change {
		c(&o)
	}
	s, err := delivery.New(w.t.Context(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// entry makes an entry accepted now, to recipients of one domain.
func (w *world) entry(id string, dest string, rcpts ...string) mail.Entry {
	e := mail.Entry{ID: mail.ID(id), Message: mail.ID(id), From: "sender@here.example", Dest: dest, Accepted: time.Now(), Store: gateway.Out}
	for _, r := range rcpts {
		e.Rcpts = append(e.Rcpts, mail.Rcpt{Addr: r + "@" + dest})
	}
	w.mu.Lock()
	w.bodies[e.Message] = "Subject: " + id + "\r\n\r\n.dot " + id + "\r\n"
	w.mu.Unlock()
	return e
}

// lines are the outcomes so far, one a line: time, recipient, kind and status.
func (w *world) lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, r := range w.results {
		for _, o := range r.Outcomes {
			out = append(out, fmt.Sprintf("%v %s %v %s", r.at, o.Rcpt, o.Kind, o.Status))
		}
	}
	return out
}

func (w *world) dialed() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.dials)
}

// connections are those open now, and all so far.
func (h *host) connections() (open, all int) {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	return h.open, h.conns
}

// received is what the host took.
func (h *host) received() []message {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	return slices.Clone(h.got)
}

func stop(t testing.TB, s *delivery.Scheduler) {
	t.Helper()
	if err := s.Stop(context.Background()); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// gated is h's backend with messages held up at the final dot until the gate
// opens.
func gated(h *host, gate <-chan struct{}) smtp.Backend {
	return smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &gatedSession{session{h: h}, gate}, nil
	})
}

type gatedSession struct {
	session
	gate <-chan struct{}
}

func (s *gatedSession) Data(r io.Reader) error {
	<-s.gate
	return s.session.Data(r)
}

// pass lets faked time pass, and then waits until nothing moves.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
