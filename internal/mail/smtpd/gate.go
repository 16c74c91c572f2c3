package smtpd

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// maxCommand is 512 bytes (RFC 5321 section 4.5.3.1.4) and what the parameters
// we offer add to RCPT: 500 for ORCPT, 28 for NOTIFY (RFC 3461 section 5.1),
// and 10 for SMTPUTF8. MAIL needs less.
const maxCommand = 512 + 500 + 28 + 10

// maxFaults is how many malformed lines a client may send.
const maxFaults = 10

// errGone ends go-smtp's loop without a further reply.
var errGone = fmt.Errorf("session ended: %w", net.ErrClosed)

// gate is the net.Conn that go-smtp serves. Each Read gives at most one
// command line, so that nothing is ever buffered above the gate and both are
// always at the same place in the stream. One goroutine reads and writes; drain
// and Close may be called from others.
type gate struct {
	net.Conn
	host   string
	t      Timeouts
	utf8   bool
	in     *bufio.Reader
	out    []byte                                      // checked, not yet taken by go-smtp
	line   string                                      // the last command, without CRLF
	esmtp  bool                                        // the last greeting was EHLO
	back   string                                      // a command to be read again
	chunk  chunk                                       // of the last BDAT
	mute   bool                                        // go-smtp's replies up to its next Read are not for the client
	start  func(node string, below bool) (int, *Reply) // for ETRN; nil if it is not offered
	greet  bool                                        // EHLO was said, and its reply has not begun
	faults int
	last   bool // the reply being written is a farewell
	gone   bool // nothing is read or written any more

	mu       sync.Mutex
	draining bool
	waiting  bool // for a command line
	busy     bool // a transaction is open
	once     sync.Once
	closed   chan struct{}
}

func newGate(c net.Conn, cfg Config) *gate {
	return &gate{
		Conn: c, host: cfg.Hostname, t: cfg.Timeouts, utf8: cfg.SMTPUTF8,
		in: bufio.NewReader(c), closed: make(chan struct{}),
	}
}

// Read implements net.Conn for go-smtp.
func (g *gate) Read(p []byte) (int, error) {
	if len(g.out) == 0 && g.gone {
		return 0, errGone
	}
	if len(g.out) == 0 {
		g.mute = false
		if err := g.command(); err != nil {
			return 0, err
		}
	}
	n := copy(p, g.out)
	g.out = g.out[n:]
	return n, nil
}

// Write implements net.Conn. After a farewell it discards, and so it does with
// the 354 to a DATA command that the client gave as BDAT.
func (g *gate) Write(p []byte) (int, error) {
	if g.gone || g.mute || verb(g.line) == "BDAT" && bytes.HasPrefix(p, []byte("354 ")) {
		return len(p), nil
	}
	if err := g.SetWriteDeadline(time.Now().Add(g.t.Write)); err != nil {
		return 0, err
	}
	if n, err := g.Conn.Write(g.announced(p)); err != nil {
		return min(n, len(p)), err
	}
	return len(p), nil
}

// Close implements net.Conn.
func (g *gate) Close() error {
	err := net.ErrClosed
	g.once.Do(func() {
		err = g.Conn.Close()
		close(g.closed)
	})
	return err
}

// command gives the next command to go-smtp.
func (g *gate) command() error {
	if err := g.discard(); err != nil {
		return err
	}
	if g.last {
		g.gone = true
		return errGone
	}
	line, err := g.nextLine()
	for err == nil && g.start != nil && verb(line) == "ETRN" {
		g.line = line
		if err = g.dequeue(line); err == nil {
			line, err = g.nextLine()
		}
	}
	if err != nil {
		return err
	}
	g.line = line
	switch verb(line) {
	case "BDAT":
		if err := g.announce(line); err != nil {
			return err
		}
		g.out = []byte("DATA\r\n")
		return nil
	case "EHLO", "HELO":
		g.esmtp = verb(line) == "EHLO"
		g.greet = g.esmtp && g.start != nil
	}
	g.out = []byte(forEngine(line, g.host) + "\r\n")
	return nil
}

// nextLine reads lines until one is well-formed and tells the client about
// those that are not.
func (g *gate) nextLine() (string, error) {
	if line := g.back; line != "" {
		g.back = ""
		return line, nil
	}
	for {
		line, why, err := g.readLine()
		if err != nil {
			return "", g.lost(err)
		}
		if why == "" {
			why = g.fault(line)
		}
		if why == "" {
			return line, nil
		}
		if g.faults++; g.faults > maxFaults {
			return "", g.bye("421 4.7.0 " + g.host + " too many errors")
		}
		if _, err := fmt.Fprintf(g, "500 5.5.2 %s\r\n", why); err != nil {
			return "", g.lost(err)
		}
	}
}

// fault says what is wrong with the bytes of line, "" if nothing is.
func (g *gate) fault(line string) string {
	for i := range len(line) {
		switch c := line[i]; {
		case c < ' ' || c == 0x7f:
			return "control character in command"
		case c >= 0x80 && !g.utf8:
			return "command is not ASCII"
		}
	}
	return ""
}

// readLine reads one line and gives it without CRLF, or why it is none. The
// time limit is for the whole line.
func (g *gate) readLine() (line, why string, err error) {
	if !g.await() {
		return "", "", os.ErrDeadlineExceeded
	}
	defer g.awaited()
	var b []byte
	for total := 0; ; total++ {
		c, err := g.in.ReadByte()
		if err != nil {
			return "", "", err
		}
		if c == '\n' {
			break
		}
		if len(b) <= maxCommand {
			b = append(b, c)
		}
		if total > 64<<10 {
			return "", "", errors.New("endless command line")
		}
	}
	switch {
	case len(b) > maxCommand:
		return "", "line too long", nil
	case len(b) == 0 || b[len(b)-1] != '\r':
		return "", "lines end with CRLF", nil
	}
	return string(b[:len(b)-1]), "", nil
}

// await begins the wait for a command; false means that the server is going
// down and no transaction is open.
func (g *gate) await() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.draining && !g.busy {
		return false
	}
	g.waiting = true
	return g.SetReadDeadline(time.Now().Add(g.t.Command)) == nil
}

func (g *gate) awaited() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = false
}

// drain ends the session as soon as no transaction is open.
func (g *gate) drain() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.draining = true
	if g.waiting && !g.busy {
		_ = g.SetReadDeadline(time.Now()) // if this fails the connection is gone already
	}
}

func (g *gate) transaction(open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy = open
}

// lost ends the session after a read or write that went wrong.
func (g *gate) lost(err error) error {
	g.mu.Lock()
	leaving := g.draining && !g.busy
	g.mu.Unlock()
	switch {
	case leaving:
		return g.bye("421 4.3.2 " + g.host + " service is going down")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return g.bye("421 4.4.2 " + g.host + " timeout")
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe):
		g.gone = true
		return errGone
	}
	return g.bye("421 4.4.2 " + g.host + " connection error")
}

// bye says a last line and ends the session. It reads what the client still
// sends for a moment, because closing with unread input makes TCP throw the
// reply away.
func (g *gate) bye(line string) error {
	if g.gone {
		return errGone
	}
	_, err := io.WriteString(g, line+"\r\n")
	g.gone = true
	if w, ok := g.Conn.(interface{ CloseWrite() error }); ok && err == nil && w.CloseWrite() == nil {
		if g.SetReadDeadline(time.Now().Add(time.Second)) == nil {
			_, _ = io.CopyN(io.Discard, g.Conn, 64<<10) // the session is over, whatever comes
		}
	}
	return errGone
}

// verb is the command word as go-smtp sees it.
func verb(line string) string {
	if len(line) == 4 || len(line) > 5 && line[4] == ' ' {
		return strings.ToUpper(line[:4])
	}
	return ""
}

// pace is the time limit of a body: one per read, and a least average rate.
type pace struct {
	t     Timeouts
	start time.Time
	n     int64
}

func newPace(t Timeouts) pace { return pace{t: t, start: time.Now()} }

func (p pace) deadline() time.Time {
	d := time.Now().Add(p.t.Block)
	if p.t.Rate <= 0 {
		return d
	}
	slowest := p.start.Add(p.t.Block + time.Duration(float64(p.n)/float64(p.t.Rate)*float64(time.Second)))
	if slowest.Before(d) {
		return slowest
	}
	return d
}
