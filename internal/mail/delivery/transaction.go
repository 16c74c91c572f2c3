package delivery

import (
	"context"
	"errors"
	"fmt"
	"io"

	smtp "github.com/emersion/go-smtp"
)

// transaction sends the message once, to the recipients idx. Those it gives no
// outcome go into the next transaction.
func (c *client) transaction(ctx context.Context, a *attempt, idx []int, opt Options) error {
	body, err := opt.Store.Open(ctx, a.e)
	if err != nil {
		if ctx.Err() == nil {
			a.set(idx, local(fmt.Errorf("open message: %w", err)))
		}
		return nil
	}
	defer func() { _ = body.Close() }()
	used := c.sent > 0
	if err := c.fresh(); err != nil {
		return errStale
	}
	c.dirty = true
	c.sent++
	if err := c.smtp.Mail(wire(a.e.From), mailOptions(&a.e)); err != nil {
		return c.mailRefused(ctx, a, idx, err, used)
	}
	accepted, err := c.recipients(ctx, a, idx)
	if err != nil || len(accepted) == 0 {
		return err
	}
	return c.data(ctx, a, accepted, body)
}

// local is the outcome of an error on this side.
func local(err error) Outcome {
	return Outcome{Kind: Deferred, Status: statusLocal, Reply: Sanitize(err.Error())}
}

// mailRefused handles the failure of MAIL. On the first transaction of a
// connection a 421 is about the host.
func (c *client) mailRefused(ctx context.Context, a *attempt, idx []int, err error, used bool) error {
	e, ok := isReply(err)
	switch {
	case ok && !shutting(e):
		a.set(idx, answered(e, c.remote))
		return nil
	case used:
		return errStale
	case ok:
		return &unreachable{answered(e, c.remote)}
	}
	return c.lost(ctx, a, idx, err, "sending MAIL")
}

// lost gives up the connection, and with it idx for now.
func (c *client) lost(ctx context.Context, a *attempt, idx []int, err error, doing string) error {
	if ctx.Err() == nil {
		a.set(idx, broken(err, doing, c.remote))
	}
	return errClosed
}

// recipients names the recipients and returns the accepted ones. When the next
// hop has had enough of them, the rest is left to the next transaction.
func (c *client) recipients(ctx context.Context, a *attempt, idx []int) ([]int, error) {
	var accepted []int
	for n, i := range idx {
		r := a.e.Rcpts[i]
		err := c.smtp.Rcpt(wire(r.Addr), rcptOptions(r))
		if err == nil {
			accepted = append(accepted, i)
			continue
		}
		e, ok := isReply(err)
		switch {
		case !ok:
			return nil, c.lost(ctx, a, append(accepted, idx[n:]...), err, "sending RCPT")
		case shutting(e):
			a.set(append(accepted, idx[n:]...), answered(e, c.remote))
			return nil, errClosed
		case tooMany(e) && len(accepted) > 0:
			return accepted, nil
		}
		a.set([]int{i}, answered(e, c.remote))
	}
	return accepted, nil
}

// data sends the message to the accepted recipients.
func (c *client) data(ctx context.Context, a *attempt, accepted []int, body io.Reader) error {
	w, err := c.smtp.Data()
	if err != nil {
		e, ok := isReply(err)
		if !ok {
			return c.lost(ctx, a, accepted, err, "sending DATA")
		}
		a.set(accepted, answered(e, c.remote))
		if shutting(e) {
			return errClosed
		}
		return nil
	}
	in := &source{r: &lines{r: body}}
	if _, err := io.Copy(w, in); err != nil {
		// Only cutting the connection keeps the next hop from taking half a
		// message.
		switch {
		case errors.Is(in.err, errBare):
			a.set(accepted, Outcome{Kind: Failed, Permanent: true, Status: statusContent, Reply: errBare.Error()})
		case in.err != nil && ctx.Err() == nil:
			a.set(accepted, local(fmt.Errorf("read message: %w", in.err)))
		default:
			return c.lost(ctx, a, accepted, err, "sending the message")
		}
		return errClosed
	}
	if c.lmtp {
		return c.endLMTP(a, accepted, w)
	}
	return c.end(a, accepted, w)
}

// source remembers the error of reading, to tell it from one of writing.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// end sends the final dot and reads what became of the message. Without an
// answer nobody knows; that is said even when ctx is done.
func (c *client) end(a *attempt, accepted []int, w *smtp.DataCommand) error {
	resp, err := w.CloseWithResponse()
	c.dirty = false
	if err == nil {
		a.set(accepted, taken(resp.StatusText, c.remote, c.has("DSN")))
		return nil
	}
	e, ok := isReply(err)
	if !ok {
		a.set(accepted, c.unknown(err))
		return errClosed
	}
	a.set(accepted, answered(e, c.remote))
	if shutting(e) {
		return errClosed
	}
	return nil
}

func (c *client) unknown(err error) Outcome {
	o := broken(err, "waiting for the reply to the message, which may have been taken", c.remote)
	o.Unknown = true
	return o
}

// endLMTP is end with one reply a recipient (RFC 2033 section 4.2).
func (c *client) endLMTP(a *attempt, accepted []int, w *smtp.DataCommand) error {
	resp, err := w.CloseWithLMTPResponse()
	c.dirty = false
	var refused smtp.LMTPDataError
	errors.As(err, &refused)
	closed := false
	for _, i := range accepted {
		addr := wire(a.e.Rcpts[i].Addr)
		switch {
		case resp[addr] != nil:
			a.outs[i] = taken(resp[addr].StatusText, c.remote, c.has("DSN"))
		case refused[addr] != nil:
			a.outs[i] = answered(refused[addr], c.remote)
			closed = closed || shutting(refused[addr])
		default:
			a.outs[i] = c.unknown(err)
			closed = true
		}
	}
	if closed {
		return errClosed
	}
	return nil
}
