package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"example.org/ims/internal/access"
	"example.org/ims/internal/patience"
	"example.org/ims/pkg/gateway"
)

// bounds are how long a client waits for a server that has taken its connection.
type bounds struct {
	answer time.Duration // until the answer to a question begins
	list   time.Duration // until a list begins
	part   time.Duration // between two parts of an answer
	alive  time.Duration // how often a server at work on a change is asked whether it is alive
	change time.Duration // until a change is answered, of a server that is alive
}

// usual are the bounds of every client.
var usual = bounds{
	// One gateway's settings and counts come from memory, and a run's own clocks
	// wait behind them.
	answer: 10 * time.Second,
	// A list is put together before its first line is sent.
	list: 30 * time.Second,
	// A long list, or a large message, may take as long as it flows.
	part: 10 * time.Second,
	// Who is at work answers others meanwhile; who hangs does not.
	alive: 10 * time.Second,
	// A server gives a change ten minutes; until then only its death or its
	// silence says that nothing more is to be heard of it.
	change: 11 * time.Minute,
}

// request is one request, and how long its answer may take to begin.
type request struct {
	method, path string
	body         []byte
	within       time.Duration
}

// do sends one request and reads its answer.
func (c *Client) do(ctx context.Context, r request, read func(*json.Decoder) error) error {
	x, err := c.begin(ctx, r)
	if err != nil {
		return err
	}
	defer x.end()
	if r.method != http.MethodGet {
		defer x.watch()() //nolint:contextcheck // an exchange has the context of its request
	}
	body, err := x.answer() //nolint:contextcheck // an exchange has the context of its request
	if err != nil {
		return err
	}
	if err := read(json.NewDecoder(body)); err != nil {
		return x.lost(err)
	}
	return nil
}

// exchange is a request under way. It ends when it is done, or when its time has
// run out, which is the cause of its context then.
type exchange struct {
	c      *Client
	r      request
	outer  context.Context // of the caller
	ctx    context.Context // of the request
	giveUp context.CancelCauseFunc
	limit  *time.Timer
	within atomic.Int64 // what the limit was set to
	pid    atomic.Int64 // of the server; 0 if it is not known
	sent   atomic.Bool  // something may have reached the server
	body   io.ReadCloser
}

// begin makes an exchange. In a look, a server that was silent is asked no more.
func (c *Client) begin(ctx context.Context, r request) (*exchange, error) {
	if err := patience.Of(ctx, c.socket); err != nil {
		return nil, fmt.Errorf("%w: %w", err, gateway.ErrUnreachable)
	}
	x := &exchange{c: c, r: r, outer: ctx}
	x.ctx, x.giveUp = context.WithCancelCause(ctx)
	x.within.Store(int64(r.within))
	x.limit = time.AfterFunc(r.within, func() { x.giveUp(x.silence()) })
	return x, nil
}

func (x *exchange) silence() error {
	return &gateway.SilentError{Within: time.Duration(x.within.Load()), PID: int(x.pid.Load())}
}

// answer sends the request and waits for the answer to begin. Its reader allows
// for a while between two parts.
func (x *exchange) answer() (io.Reader, error) {
	trace := &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		x.sent.Store(true)
		x.pid.Store(int64(access.PeerPID(got.Conn)))
	}}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(x.ctx, trace), x.r.method, "http://ims"+x.r.path, bytes.NewReader(x.r.body))
	if err != nil {
		return nil, fmt.Errorf("write request: %w: %w", err, gateway.ErrRefused)
	}
	res, err := x.c.http.Do(req)
	if err != nil {
		return nil, x.lost(err)
	}
	x.limit.Stop()
	x.body = res.Body
	if res.StatusCode == http.StatusOK {
		return x, nil
	}
	var p problem
	if err := json.NewDecoder(x).Decode(&p); err != nil {
		return nil, x.lost(fmt.Errorf("status %s: %w", res.Status, err))
	}
	return nil, decode(p)
}

// Read implements io.Reader: the body of the answer.
func (x *exchange) Read(p []byte) (int, error) {
	x.within.Store(int64(x.c.bounds.part))
	x.limit.Reset(x.c.bounds.part)
	n, err := x.body.Read(p)
	x.limit.Stop() // what the caller does with it takes as long as it takes
	return n, err
}

// lost is the error of an exchange that did not come to its end.
func (x *exchange) lost(err error) error {
	if silent, ok := errors.AsType[*gateway.SilentError](context.Cause(x.ctx)); ok {
		err = silent
	}
	err = fmt.Errorf("ask the service at %s: %w", x.c.socket, err)
	patience.Note(x.outer, x.c.socket, err)
	if x.r.method == http.MethodGet || !x.sent.Load() {
		return fmt.Errorf("%w: %w", err, gateway.ErrUnreachable)
	}
	return err
}

// end releases what an exchange holds.
func (x *exchange) end() {
	x.limit.Stop()
	x.giveUp(nil)
	if x.body != nil {
		_ = x.body.Close() // it was only read
	}
}

// watch gives a change up whose server does not even say that it is alive. What
// it returns ends that, and is called once the change is answered.
func (x *exchange) watch() (stop func()) {
	ctx, cancel := context.WithCancel(x.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		beat := time.NewTicker(x.c.bounds.alive)
		defer beat.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-beat.C:
			}
			if silent, ok := errors.AsType[*gateway.SilentError](x.c.alive(ctx)); ok {
				x.giveUp(silent)
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

// alive asks for what a server can say whatever it is at work on.
func (c *Client) alive(ctx context.Context) error {
	r := request{method: http.MethodGet, path: "/v1/gateways", within: c.bounds.answer}
	return c.do(ctx, r, func(d *json.Decoder) error {
		var first json.RawMessage
		return d.Decode(&first)
	})
}
