package smtpd

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/emersion/go-smtp"

	"example.org/ims/internal/mail/address"
)

// drainMax is how much of a refused message is read for the sake of staying in
// step with the client, beyond the announced size.
const drainMax = 64 << 20

// session stands between go-smtp's loop and one Handler session. go-smtp calls
// it from one goroutine; the lock is for end, which must wait for a call that
// is running when the connection is cut.
type session struct {
	ctx  context.Context // of Serve: go-smtp has none to hand on, and this type lives as long as a call of Serve
	up   Session
	gate *gate
	cfg  Config

	conn *smtp.Conn // nil before the first EHLO or HELO
	peer atomic.Pointer[Peer]

	mu   sync.Mutex
	utf8 bool // MAIL had SMTPUTF8
}

var _ smtp.Session = (*session)(nil)

// newSession is a session before go-smtp knows of it.
func newSession(ctx context.Context, g *gate, cfg Config, p Peer) *session {
	s := &session{ctx: ctx, gate: g, cfg: cfg}
	s.peer.Store(&p)
	return s
}

// hello notes what the client calls itself.
func (s *session) hello(name string) {
	p := *s.peer.Load()
	p.Helo = printable(name, 255)
	p.ESMTP = s.gate.esmtp
	s.peer.Store(&p)
}

// Mail implements smtp.Session.
func (s *session) Mail(path string, o *smtp.MailOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hello(s.conn.Hostname())
	s.gate.transaction(false)
	from, err := pathOf(s.gate.line, path, address.ParseReverse, o.UTF8)
	if err != nil {
		return badPath("5.1.7", err).smtp()
	}
	r := s.up.Mail(s.ctx, from, MailOptions{
		Peer: *s.peer.Load(), Size: o.Size, EightBit: o.Body == smtp.Body8BitMIME, UTF8: o.UTF8,
		Ret: o.Return != "", RetFull: o.Return == smtp.DSNReturnFull, EnvID: o.EnvelopeID,
	})
	if r != nil {
		return s.refused(r)
	}
	s.utf8 = o.UTF8
	s.gate.transaction(true)
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(path string, o *smtp.RcptOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	to, err := pathOf(s.gate.line, path, address.ParseForward, s.utf8)
	if err != nil {
		return badPath("5.1.3", err).smtp()
	}
	opts := RcptOptions{}
	for _, n := range o.Notify {
		opts.Notify = append(opts.Notify, string(n))
	}
	slices.Sort(opts.Notify)
	if o.OriginalRecipient != "" {
		opts.ORcpt = strings.ToLower(string(o.OriginalRecipientType)) + ";" + o.OriginalRecipient
		if strings.ContainsFunc(opts.ORcpt, control) {
			return Refuse(501, "5.5.4", "control character in ORCPT").smtp()
		}
	}
	if r := s.up.Rcpt(s.ctx, to, opts); r != nil {
		return s.refused(r)
	}
	return nil
}

// Data implements smtp.Session. go-smtp's reader is not used: it gets an empty
// body when the real one, of DATA or of BDAT, is behind us.
func (s *session) Data(io.Reader) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.gate.transaction(false)
	var src io.Reader = s.gate.body()
	if verb(s.gate.line) == "BDAT" {
		src = s.gate.chunks()
	}
	whole, answer := s.take(src)
	switch {
	case errors.Is(answer, errAborted):
		s.gate.mute = true // the client waits for the reply to the command that aborted
	case !whole:
		return s.gate.lost(answer)
	}
	s.gate.out = []byte(".\r\n")
	return answer
}

// take gives a body to the handler. It reports whether the body was read to
// its end, and what to answer.
func (s *session) take(r io.Reader) (whole bool, answer error) {
	body := NewBody(r, s.cfg.Limits)
	id, no := s.up.Data(s.ctx, body)
	ended := errors.Is(body.err, io.EOF) && body.fault == nil && body.tail == ""
	if err := body.drain(s.cfg.Limits.Size + drainMax); err != nil {
		return false, err
	}
	switch {
	case body.fault != nil:
		return true, body.fault.smtp()
	case no != nil:
		return true, s.refused(no)
	case !ended:
		s.cfg.Log.Error("handler accepted a message that it did not read", "id", id)
		return true, Refuse(451, "4.3.0", "internal error").smtp()
	}
	return true, &smtp.SMTPError{Code: 250, EnhancedCode: smtp.EnhancedCode{2, 0, 0}, Message: "Ok: queued as " + printable(id, 200)}
}

// refused turns a handler's reply into go-smtp's; 421 is also a farewell.
func (s *session) refused(r *Reply) error {
	if r.Code == 421 {
		s.gate.last = true
	}
	return r.smtp()
}

// Reset implements smtp.Session. Mail makes the handler forget, so there is
// nothing to tell it.
func (s *session) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gate.transaction(false)
}

// Logout implements smtp.Session. It may come from another goroutine while a
// call is running; the connection's owner ends the handler's session later.
func (s *session) Logout() error { return nil }

// end closes the handler's session once no call is running.
func (s *session) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.up.Close()
}

func control(r rune) bool { return r < ' ' || r == 0x7f }
