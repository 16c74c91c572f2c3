// Package sink runs the other side of a lab: hosts on the Internet that are
// fast, slow, refusing or down, and the organization's mail host with its
// mailboxes. What a host accepts is on disk before it says 250, with one line
// in an index, so that another program can count without asking us.
//
// It imports go-smtp's server plainly, without any of the care that smtpd
// takes: a remote host is what it is, and a differential test wants it so. It
// is not meant to be reached from outside of a lab.
//
//	DIR/index.jsonl          one Record a line, appended
//	DIR/NAME/ID.eml          the bytes as received; NAME is the mailbox, or the
//	                         host's name if it has no mailboxes
package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"example.org/ims/internal/mail/address"
)

// Behaviour is how a host treats its clients. The zero value accepts at once.
type Behaviour struct {
	Delay  time.Duration // before the answer to each message
	Defer  int           // 451 for the first n attempts of each message and set of recipients
	Reject bool          // 550 for every recipient
	Down   bool          // drop each connection before the greeting
}

// Config is what New needs. Name and Dir are required.
type Config struct {
	Name      string   // host name, in the greeting
	Dir       string   // made if it is missing
	Mailboxes []string // user@domain; others are refused with 550. None means any recipient
	SMTPUTF8  bool
	Behaviour Behaviour
	Log       *slog.Logger // nil discards
}

// Counts are what a host did since it was made.
type Counts struct {
	Messages   int // accepted
	Recipients int // of accepted messages
	Deferred   int // messages answered 451
	Rejected   int // recipients answered 550
}

// Host is one host. Its methods are safe for concurrent use.
type Host struct {
	cfg   Config
	boxes map[address.Mailbox]string // lower-cased mailbox to its folder
	store *store

	mu       sync.Mutex
	how      Behaviour
	attempts map[string]int
	counts   Counts
}

// New makes the host's folder and opens its index. Close it after Serve.
func New(c Config) (*Host, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	h := &Host{cfg: c, how: c.Behaviour, attempts: map[string]int{}, boxes: map[address.Mailbox]string{}}
	folders := []string{c.Name}
	if len(c.Mailboxes) > 0 {
		folders = c.Mailboxes
	}
	for _, box := range c.Mailboxes {
		m, err := address.Parse(box, true)
		if err != nil {
			return nil, fmt.Errorf("make host %q: %w", c.Name, err)
		}
		h.boxes[folded(m)] = box
	}
	for _, f := range folders {
		if err := os.MkdirAll(filepath.Join(c.Dir, fileName(f)), 0o750); err != nil {
			return nil, fmt.Errorf("make host %q: %w", c.Name, err)
		}
	}
	var err error
	if h.store, err = openStore(c.Dir); err != nil {
		return nil, fmt.Errorf("make host %q: %w", c.Name, err)
	}
	return h, nil
}

// Close closes the index.
func (h *Host) Close() error { return h.store.close() }

// Behave changes the behaviour for what comes next.
func (h *Host) Behave(b Behaviour) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.how = b
}

// Counts are the numbers so far.
func (h *Host) Counts() Counts {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.counts
}

// Serve answers on ln until ctx is done, then cuts every connection and waits
// for its sessions. It closes ln.
func (h *Host) Serve(ctx context.Context, ln net.Listener) error {
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{ctx: ctx, h: h, helo: c.Hostname}, nil
	}))
	s.Domain = h.cfg.Name
	s.MaxLineLength = 0 // what the gateway keeps byte for byte is to be seen here
	s.EnableDSN = true
	s.EnableSMTPUTF8 = h.cfg.SMTPUTF8
	s.ReadTimeout, s.WriteTimeout = 5*time.Minute, time.Minute
	s.ErrorLog = slog.NewLogLogger(h.cfg.Log.Handler(), slog.LevelWarn)
	t := &tracker{Listener: ln, down: h.down, conns: map[net.Conn]struct{}{}}
	unhook := context.AfterFunc(ctx, t.closeAll)
	defer unhook()
	err := s.Serve(t)
	t.closeAll()
	if werr := s.Shutdown(context.WithoutCancel(ctx)); werr != nil && !errors.Is(werr, net.ErrClosed) {
		err = errors.Join(err, werr)
	}
	if ctx.Err() != nil && errors.Is(err, net.ErrClosed) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("serve host %q: %w", h.cfg.Name, err)
	}
	return nil
}

func (h *Host) down() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.how.Down
}

// folded is m with its local part in lower case: mailboxes here are not
// case-sensitive.
func folded(m address.Mailbox) address.Mailbox {
	m.Local = strings.ToLower(m.Local)
	return m
}

// tracker is a listener that knows its connections.
type tracker struct {
	net.Listener
	down func() bool

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
}

// Accept implements net.Listener.
func (t *tracker) Accept() (net.Conn, error) {
	for {
		c, err := t.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if t.down() || !t.add(c) {
			_ = c.Close() // the client is to see nothing else
			continue
		}
		return &tracked{Conn: c, t: t}, nil
	}
}

func (t *tracker) add(c net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.conns[c] = struct{}{}
	}
	return !t.closed
}

func (t *tracker) closeAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	_ = t.Close() // it may be closed already
	for c := range t.conns {
		_ = c.Close() // as above
	}
}

type tracked struct {
	net.Conn
	t *tracker
}

// Close implements net.Conn.
func (c *tracked) Close() error {
	c.t.mu.Lock()
	delete(c.t.conns, c.Conn)
	c.t.mu.Unlock()
	return c.Conn.Close()
}
