package smtpd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
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

// errGone ends go-smtp's loop without a further reply. It is never io.EOF,
// which in the middle of a BDAT chunk would pass for the end of the message.
var errGone = fmt.Errorf("session ended: %w", net.ErrClosed)

// gate is the net.Conn that go-smtp serves. Each Read gives at most one
// command line, or bytes of one BDAT chunk, so that nothing is ever buffered
// above the gate and both are always at the same place in the stream. One
// goroutine reads and writes; drain and Close may be called from others.
type gate struct {
	net.Conn
	host  string
	t     Timeouts
	utf8  bool
	in    *bufio.Reader
	out   []byte // checked, not yet taken by go-smtp
	line  string // the last command, without CRLF
	esmtp bool   // the last greeting was EHLO
	chunk int64  // bytes left of a BDAT chunk
	pace  pace
	fault int
	last  bool // the reply being written is a farewell
	gone  bool // nothing is read or written any more

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
	if len(g.out) == 0 && g.chunk > 0 {
		return g.readChunk(p)
	}
	if len(g.out) == 0 {
		if err := g.command(); err != nil {
			return 0, err
		}
	}
	n := copy(p, g.out)
	g.out = g.out[n:]
	return n, nil
}

// Write implements net.Conn. After a farewell it discards.
func (g *gate) Write(p []byte) (int, error) {
	if g.gone {
		return len(p), nil
	}
	if err := g.SetWriteDeadline(time.Now().Add(g.t.Write)); err != nil {
		return 0, err
	}
	return g.Conn.Write(p)
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

// command reads lines until one is fit for go-smtp.
func (g *gate) command() error {
	for {
		if g.last {
			g.gone = true
			return errGone
		}
		line, why, err := g.readLine()
		if err != nil {
			return g.lost(err)
		}
		if why == "" {
			if why, err = g.accept(line); err != nil {
				return err
			}
		}
		if why == "" {
			return nil
		}
		if g.fault++; g.fault > maxFaults {
			return g.bye("421 4.7.0 " + g.host + " too many errors")
		}
		if _, err := fmt.Fprintf(g, "500 5.5.2 %s\r\n", why); err != nil {
			return g.lost(err)
		}
	}
}

// accept hands line to go-smtp, or says what is wrong with it. A BDAT that
// cannot be understood ends the session: how many bytes of message follow it
// is not known.
func (g *gate) accept(line string) (why string, err error) {
	for i := range len(line) {
		switch c := line[i]; {
		case c < ' ' || c == 0x7f:
			return "control character in command", nil
		case c >= 0x80 && !g.utf8:
			return "command is not ASCII", nil
		}
	}
	switch verb(line) {
	case "BDAT":
		n, ok := chunkSize(line[4:])
		if !ok {
			return "", g.bye("501 5.5.4 " + g.host + " malformed BDAT, closing connection")
		}
		g.chunk = n
		g.pace = newPace(g.t)
	case "EHLO", "HELO":
		g.esmtp = verb(line) == "EHLO"
	}
	g.line = line
	g.out = []byte(forEngine(line, g.host) + "\r\n")
	return "", nil
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

func (g *gate) readChunk(p []byte) (int, error) {
	if err := g.SetReadDeadline(g.pace.deadline()); err != nil {
		return 0, g.lost(err)
	}
	n, err := g.in.Read(p[:min(int64(len(p)), g.chunk)])
	if err != nil {
		return 0, g.lost(err)
	}
	g.chunk -= int64(n)
	g.pace.n += int64(n)
	return n, nil
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

// chunkSize parses the arguments of BDAT (RFC 3030 section 2) no wider than
// go-smtp does.
func chunkSize(args string) (int64, bool) {
	f := strings.Fields(args)
	if len(f) == 0 || len(f) > 2 || len(f) == 2 && !strings.EqualFold(f[1], "LAST") {
		return 0, false
	}
	n, err := strconv.ParseUint(f[0], 10, 32)
	return int64(n), err == nil
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
