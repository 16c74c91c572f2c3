package smtpd

import (
	"errors"
	"io"
	"strconv"
	"strings"
)

// errAborted ends a body whose sender gave a command that ends the transfer.
var errAborted = errors.New("transfer aborted by the client")

// chunk is what a BDAT command announces (RFC 3030 section 2).
type chunk struct {
	left int64 // bytes that are still to come
	last bool
}

// parseChunk parses the arguments of BDAT.
func parseChunk(args string) (chunk, bool) {
	f := strings.Fields(args)
	if len(f) == 0 || len(f) > 2 || len(f) == 2 && !strings.EqualFold(f[1], "LAST") {
		return chunk{}, false
	}
	n, err := strconv.ParseUint(f[0], 10, 32)
	return chunk{left: int64(n), last: len(f) == 2}, err == nil
}

// chunks reads a BDAT body from the gate, command after command. go-smtp sees
// a DATA command instead: its own BDAT runs the body in a goroutine that
// outlives the transaction and then answers for the next one.
type chunks struct {
	g    *gate
	pace pace
}

func (g *gate) chunks() *chunks { return &chunks{g: g, pace: newPace(g.t)} }

// Read implements io.Reader; io.EOF is the end of the last chunk. After
// errAborted the session goes on with the command that aborted; any other
// error means that the stream is unusable.
func (c *chunks) Read(p []byte) (int, error) {
	g := c.g
	for g.chunk.left == 0 {
		if g.chunk.last {
			return 0, io.EOF
		}
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	if err := g.SetReadDeadline(c.pace.deadline()); err != nil {
		return 0, g.lost(err)
	}
	n, err := g.in.Read(p[:min(int64(len(p)), g.chunk.left)])
	if err != nil {
		return 0, g.lost(err)
	}
	g.chunk.left -= int64(n)
	c.pace.n += int64(n)
	return n, nil
}

// next acknowledges a chunk and waits for the command of the next one.
func (c *chunks) next() error {
	g := c.g
	reply := "250 2.0.0 Continue"
	for {
		if _, err := io.WriteString(g, reply+"\r\n"); err != nil {
			return g.lost(err)
		}
		line, err := g.nextLine()
		if err != nil {
			return err
		}
		switch verb(line) {
		case "BDAT":
			c.pace = newPace(g.t) // the time we waited for a command is not the body's
			return g.announce(line)
		case "RSET", "QUIT", "EHLO", "HELO":
			g.back = line
			return errAborted
		case "NOOP":
			reply = "250 2.0.0 Ok"
		default:
			reply = "503 5.5.1 BDAT expected"
		}
	}
}

// announce notes the chunk of a BDAT command. One that cannot be understood
// ends the session: how many bytes of message follow it is not known.
func (g *gate) announce(line string) error {
	ch, ok := parseChunk(line[4:])
	if !ok {
		return g.bye("501 5.5.4 " + g.host + " malformed BDAT, closing connection")
	}
	g.chunk = ch
	return nil
}

// discard reads a chunk that nobody wants.
func (g *gate) discard() error {
	if g.chunk.left == 0 {
		g.chunk = chunk{}
		return nil
	}
	g.chunk.last = true
	_, err := io.Copy(io.Discard, g.chunks())
	g.chunk = chunk{}
	return err
}
