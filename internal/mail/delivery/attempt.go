package delivery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	smtp "github.com/emersion/go-smtp"

	"example.org/ims/internal/mail"
	"example.org/ims/internal/mail/address"
)

// errStale is that a used connection was found dead before it was told
// anything of this attempt.
var errStale = errors.New("connection closed while unused")

// errClosed is that the connection must not be used again; the outcomes are
// set.
var errClosed = errors.New("connection unusable")

// attempt collects what becomes of one entry's recipients.
type attempt struct {
	e    mail.Entry
	outs []Outcome // aligned with e.Rcpts; Kind 0 is not decided
}

func newAttempt(e mail.Entry) *attempt { return &attempt{e: e, outs: make([]Outcome, len(e.Rcpts))} }

// open lists the recipients without an outcome.
func (a *attempt) open() []int {
	var idx []int
	for i, o := range a.outs {
		if o.Kind == 0 {
			idx = append(idx, i)
		}
	}
	return idx
}

func (a *attempt) set(idx []int, o Outcome) {
	for _, i := range idx {
		a.outs[i] = o
	}
}

// rest gives the same outcome to every recipient without one.
func (a *attempt) rest(o Outcome) { a.set(a.open(), o) }

// deliver runs transactions, of at most Limits.Rcpts recipients each, until
// every recipient has an outcome. After any error the connection is of no use;
// errStale leaves the open recipients to another connection, and when ctx is
// done the open ones stay open.
func (c *client) deliver(ctx context.Context, a *attempt, opt Options) error {
	c.screen(ctx, a, opt)
	for {
		idx := a.open()
		if len(idx) == 0 {
			return nil
		}
		idx = idx[:min(len(idx), opt.Limits.Rcpts)]
		err := c.transaction(ctx, a, idx, opt)
		if errors.Is(err, errClosed) && ctx.Err() == nil {
			a.rest(Outcome{Kind: Deferred, Remote: c.remote, Status: statusBroken, Reply: a.lastReply()})
		}
		if err != nil {
			return err
		}
	}
}

func (a *attempt) lastReply() string {
	for i := len(a.outs) - 1; i >= 0; i-- {
		if a.outs[i].Kind == Deferred {
			return a.outs[i].Reply
		}
	}
	return "connection closed"
}

// screen decides without the next hop what can never work over it: addresses
// that are no mailboxes, UTF-8 without SMTPUTF8 (RFC 6531 section 3.5), 8-bit
// bodies without 8BITMIME (RFC 6152 section 3).
func (c *client) screen(ctx context.Context, a *attempt, opt Options) {
	fail := func(idx []int, status, why string) {
		a.set(idx, Outcome{Kind: Failed, Permanent: true, Remote: c.remote, Status: status, Reply: Sanitize(why)})
	}
	utf8 := c.has("SMTPUTF8")
	if a.e.From != "" {
		if why, status := unsendable(a.e.From, utf8); why != "" {
			fail(a.open(), status, "sender "+why)
		}
	}
	for _, i := range a.open() {
		if why, status := unsendable(a.e.Rcpts[i].Addr, utf8); why != "" {
			fail([]int{i}, status, "recipient "+why)
		}
	}
	if a.e.EightBit && !c.has("8BITMIME") && len(a.open()) > 0 && eightBit(ctx, a.e, opt.Store) {
		fail(a.open(), statusEightBit, "8-bit message, and the next hop does not offer 8BITMIME")
	}
}

// unsendable says why an address cannot be put in a command.
func unsendable(addr string, utf8 bool) (why, status string) {
	m, err := address.Parse(addr, true)
	switch {
	case err != nil:
		return err.Error(), statusBadAddress
	case !m.ASCII() && !utf8:
		return fmt.Sprintf("%q needs SMTPUTF8, which the next hop does not offer", addr), statusUTF8
	}
	return "", ""
}

// wire is an address as it goes into a command: as it is if it is canonical up
// to case, else in the canonical form of the same mailbox, never with a quote
// missing.
func wire(addr string) string {
	m, err := address.Parse(addr, true)
	if s := m.String(); err == nil && !strings.EqualFold(s, addr) {
		return s
	}
	return addr
}

// eightBit reports whether a message has octets above 127. One that cannot be
// read is found out later.
func eightBit(ctx context.Context, e mail.Entry, st Store) bool {
	r, err := st.Open(ctx, e)
	if err != nil {
		return false
	}
	defer func() { _ = r.Close() }()
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		for _, b := range buf[:n] {
			if b > 127 {
				return true
			}
		}
		if err != nil {
			return false
		}
	}
}

// mailOptions are what is passed on with MAIL; go-smtp leaves out what the
// next hop does not offer.
func mailOptions(e *mail.Entry) *smtp.MailOptions {
	o := &smtp.MailOptions{Size: e.Size, UTF8: !ascii(e.From)}
	for _, r := range e.Rcpts {
		o.UTF8 = o.UTF8 || !ascii(r.Addr)
	}
	if e.RetFull {
		o.Return = smtp.DSNReturnFull
	}
	if printable(e.EnvID) {
		o.EnvelopeID = e.EnvID
	}
	return o
}

// rcptOptions are what is passed on with RCPT. Parameters that are malformed
// are left out: they must not cost the recipient the message.
func rcptOptions(r mail.Rcpt) *smtp.RcptOptions {
	o := &smtp.RcptOptions{}
	for _, n := range r.Notify {
		switch v := smtp.DSNNotify(strings.ToUpper(n)); v {
		case smtp.DSNNotifyNever:
			o.Notify = []smtp.DSNNotify{v}
			return withORcpt(o, r.ORcpt)
		case smtp.DSNNotifyDelayed, smtp.DSNNotifyFailure, smtp.DSNNotifySuccess:
			o.Notify = append(o.Notify, v)
		}
	}
	return withORcpt(o, r.ORcpt)
}

func withORcpt(o *smtp.RcptOptions, orcpt string) *smtp.RcptOptions {
	kind, addr, ok := strings.Cut(orcpt, ";")
	switch t := smtp.DSNAddressType(strings.ToUpper(kind)); {
	case !ok:
	case t == smtp.DSNAddressTypeRFC822 && printable(addr), t == smtp.DSNAddressTypeUTF8 && !strings.ContainsAny(addr, "\r\n"):
		o.OriginalRecipientType, o.OriginalRecipient = t, addr
	}
	return o
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] > 127 {
			return false
		}
	}
	return true
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 32 || s[i] > 126 {
			return false
		}
	}
	return s != ""
}

// lines passes a message through and fails at a bare CR or LF: the next hop
// may take one for a line end, and what follows for a command or the end of
// the message.
type lines struct {
	r  io.Reader
	cr bool
}

var errBare = errors.New("message has a bare CR or LF")

func (l *lines) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	for _, x := range b[:n] {
		if l.cr != (x == '\n') {
			return 0, errBare
		}
		l.cr = x == '\r'
	}
	if errors.Is(err, io.EOF) && l.cr {
		return n, errBare
	}
	return n, err
}
