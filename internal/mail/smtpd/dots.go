package smtpd

import (
	"errors"
	"io"
)

// dots decodes a DATA body from the gate: it takes away the dot of a line that
// begins with one, and ends at CRLF "." CRLF and nothing else (RFC 5321
// sections 4.1.1.4 and 4.5.2). Every other byte comes out as it came in, a
// stray CR or LF too, for the Body to refuse.
type dots struct {
	g     *gate
	pace  pace
	state dotState
	out   []byte
	err   error
}

type dotState uint8

const (
	lineStart dotState = iota
	inLine
	afterCR
	dot   // "." at the start of a line
	dotCR // "." CR at the start of a line
)

// body is the DATA body that follows the command just read.
func (g *gate) body() *dots { return &dots{g: g, pace: newPace(g.t)} }

// Read implements io.Reader; io.EOF is the end of data, everything else means
// that the stream is unusable.
func (d *dots) Read(p []byte) (int, error) {
	for len(d.out) == 0 {
		if d.err != nil {
			return 0, d.err
		}
		d.fill()
	}
	n := copy(p, d.out)
	d.out = d.out[n:]
	return n, nil
}

// fill decodes what has arrived, waiting for the first byte only.
func (d *dots) fill() {
	d.out = d.out[:0]
	in := d.g.in
	if in.Buffered() == 0 {
		if d.err = d.g.SetReadDeadline(d.pace.deadline()); d.err != nil {
			return
		}
	}
	for first := true; first || in.Buffered() > 0; first = false {
		c, err := in.ReadByte()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			d.err = err
			return
		}
		d.pace.n++
		if d.next(c) {
			d.err = io.EOF
			return
		}
	}
}

// next takes one byte and reports the end of data.
func (d *dots) next(c byte) bool {
	switch {
	case d.state == lineStart && c == '.':
		d.state = dot
		return false
	case d.state == dot && c == '\r':
		d.state = dotCR
		return false
	case d.state == dotCR && c == '\n':
		return true
	case d.state == dotCR:
		d.out = append(d.out, '\r')
		d.state = afterCR
	}
	d.out = append(d.out, c)
	switch {
	case c == '\r':
		d.state = afterCR
	case c == '\n' && d.state == afterCR:
		d.state = lineStart
	default:
		d.state = inLine
	}
	return false
}
