package smtpd

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// errRefused is what a handler reads from a message that will be refused.
var errRefused = errors.New("message refused")

// Body is a message as it arrives, checked while it is read. It gives exactly
// the bytes that were sent; only a last line without CRLF, which BDAT allows,
// gets one, because no next hop could be told of the difference.
//
// Bare CR and bare LF are refused (554 5.6.0): whoever reads them as a line end
// sees another message than we do. The facts are final after io.EOF.
type Body struct {
	src   io.Reader
	lim   Limits
	fault *Reply
	err   error // sticky end of src, io.EOF included
	tail  string

	size     int64
	header   int64 // bytes of header, while inHeader
	inHeader bool
	hops     int
	eightBit bool
	line     int // bytes of the current line
	head     [12]byte
	prev     byte
}

// NewBody checks r against l, where zero values mean the defaults.
func NewBody(r io.Reader, l Limits) *Body {
	return &Body{src: r, lim: l.withDefaults(), inHeader: true}
}

// Size is the number of bytes read so far.
func (b *Body) Size() int64 { return b.size }

// Hops is the number of Received fields in the header.
func (b *Body) Hops() int { return b.hops }

// EightBit reports whether a byte above 127 was seen.
func (b *Body) EightBit() bool { return b.eightBit }

// Fault is why the message is refused, or nil.
func (b *Body) Fault() *Reply { return b.fault }

// Read implements io.Reader. Any error but io.EOF means: do not keep it.
func (b *Body) Read(p []byte) (int, error) {
	switch {
	case b.fault != nil:
		return 0, fmt.Errorf("read body: %w: %s", errRefused, b.fault)
	case b.tail != "":
		n := copy(p, b.tail)
		b.tail = b.tail[n:]
		return n, nil
	case b.err != nil:
		return 0, b.err
	}
	n, err := b.src.Read(p)
	for _, c := range p[:n] {
		b.check(c)
	}
	if errors.Is(err, io.EOF) {
		b.finish()
	}
	b.err = err
	if b.fault != nil {
		return 0, fmt.Errorf("read body: %w: %s", errRefused, b.fault)
	}
	if b.tail != "" {
		err = nil // the tail comes first
	}
	return n, err
}

// drain reads and forgets the rest, at most limit bytes. It returns nil when
// the end was reached, so that the next command is where it should be.
func (b *Body) drain(limit int64) error {
	if b.err == nil {
		if _, b.err = io.CopyN(io.Discard, b.src, limit); b.err == nil {
			b.err = errors.New("drain body: too much data after a refusal")
		}
	}
	if errors.Is(b.err, io.EOF) {
		return nil
	}
	return b.err
}

func (b *Body) check(c byte) {
	b.size++
	if c >= 0x80 {
		b.eightBit = true
	}
	if b.lim.Size > 0 && b.size > b.lim.Size {
		b.refuse(Refuse(552, "5.3.4", "message too big"))
	}
	if (c == '\n') != (b.prev == '\r') {
		b.refuse(Refuse(554, "5.6.0", "message has a bare CR or LF"))
	}
	b.prev = c
	if b.inHeader {
		b.checkHeader(c)
	}
	if c == '\n' {
		b.line = 0
		return
	}
	b.line++
	if b.line > b.lim.Line+1 { // the CR is not counted
		b.refuse(Refuse(554, "5.6.0", "message has a line that is too long"))
	}
}

func (b *Body) checkHeader(c byte) {
	b.header++
	if b.header > b.lim.Header {
		b.refuse(Refuse(552, "5.3.4", "message header too big"))
	}
	if b.line < len(b.head) {
		b.head[b.line] = c
	}
	switch {
	case c == '\n' && b.line == 1: // only CR: the empty line
		b.inHeader = false
	case c == ':' && b.line < len(b.head) && strings.EqualFold(strings.TrimRight(string(b.head[:b.line]), " \t"), "Received"):
		if b.hops++; b.hops > b.lim.Hops {
			b.refuse(Refuse(554, "5.4.6", "too many hops, this message is looping"))
		}
	}
}

// finish is the end of the message: a line that was begun is ended.
func (b *Body) finish() {
	switch {
	case b.prev == '\r':
		b.refuse(Refuse(554, "5.6.0", "message has a bare CR or LF"))
	case b.line > 0:
		b.tail = "\r\n"
		b.size += 2
	}
}

func (b *Body) refuse(r *Reply) {
	if b.fault == nil {
		b.fault = r
	}
}
