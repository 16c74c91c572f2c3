package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"

	"example.org/ims/internal/access"
	"example.org/ims/internal/engine"
)

// Client talks to the runner of a state directory. It is safe for concurrent
// use, holds no connection between calls, and never repeats a request. Errors
// wrap ErrNoRunner if nobody answered at the socket, and access.ErrDenied,
// ErrRefused, ErrUsage or ErrNoRun, or are a *HeldError, as the runner said.
type Client struct {
	dir  string
	http http.Client
}

// NewClient makes a client. It does not connect yet.
func NewClient(dir string) *Client {
	way := access.Transport(Socket(dir))
	dial := way.DialContext
	way.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED) {
			return nil, fmt.Errorf("%w for %s", ErrNoRunner, dir)
		}
		return conn, err
	}
	return &Client{dir: dir, http: http.Client{Transport: way}}
}

// Info asks who serves.
func (c *Client) Info(ctx context.Context) (Info, error) {
	return ask[Info](ctx, c, http.MethodGet, "/v1/runner", nil)
}

// Open opens a run and returns its id.
func (c *Client) Open(ctx context.Context, r Request) (string, error) {
	o, err := ask[opened](ctx, c, http.MethodPost, "/v1/runs", r)
	return o.Run, err
}

// List lists every run, oldest first.
func (c *Client) List(ctx context.Context) ([]Summary, error) {
	return ask[[]Summary](ctx, c, http.MethodGet, "/v1/runs", nil)
}

// Status asks where a run stands.
func (c *Client) Status(ctx context.Context, run string) (Status, error) {
	return ask[Status](ctx, c, http.MethodGet, path(run, ""), nil)
}

// Approve answers the question of a run as the user of this process.
func (c *Client) Approve(ctx context.Context, run string, a Answer) error {
	return c.tell(ctx, run, engine.Approve, a)
}

// Reject answers the question of a run with no. The run then waits for the
// operator; nothing is undone.
func (c *Client) Reject(ctx context.Context, run string, a Answer) error {
	return c.tell(ctx, run, engine.Reject, a)
}

// Resume lets a run that waits for the operator look again and go on.
func (c *Client) Resume(ctx context.Context, run, comment string) error {
	return c.tell(ctx, run, engine.Continue, Answer{Comment: comment})
}

// Abort begins to undo a run.
func (c *Client) Abort(ctx context.Context, run, reason string) error {
	return c.tell(ctx, run, engine.Abort, Answer{Comment: reason})
}

// Pause holds a run where it is; the gateway is left as it is.
func (c *Client) Pause(ctx context.Context, run, reason string) error {
	return c.tell(ctx, run, engine.Pause, Answer{Comment: reason})
}

// Unpause lets a paused run go on.
func (c *Client) Unpause(ctx context.Context, run, comment string) error {
	return c.tell(ctx, run, engine.Unpause, Answer{Comment: comment})
}

// Note writes into the journal of a run what somebody did beside it.
func (c *Client) Note(ctx context.Context, run, text string) error {
	return c.tell(ctx, run, engine.Note, Answer{Comment: text})
}

// Shutdown asks the runner to end. Its runs stay open.
func (c *Client) Shutdown(ctx context.Context) error {
	_, err := ask[struct{}](ctx, c, http.MethodPost, "/v1/shutdown", struct{}{})
	return err
}

func (c *Client) tell(ctx context.Context, run string, verb engine.Verb, a Answer) error {
	_, err := ask[struct{}](ctx, c, http.MethodPost, path(run, "/"+string(verb)), a)
	return err
}

// Watch calls f with the status of a run whenever it changed, and at least
// every ten seconds, until the run has ended or f returns an error. It returns
// io.ErrUnexpectedEOF if the runner ended first.
func (c *Client) Watch(ctx context.Context, run string, f func(Status) error) error {
	err := c.do(ctx, http.MethodGet, path(run, "/watch"), nil, func(d *json.Decoder) error {
		ended := false
		for {
			var s Status
			switch err := d.Decode(&s); {
			case errors.Is(err, io.EOF) && ended:
				return nil
			case err != nil && ctx.Err() != nil:
				return ctx.Err()
			case err != nil: // the stream broke off
				return io.ErrUnexpectedEOF
			}
			ended = s.Ended() || s.Problem != ""
			if err := f(s); err != nil {
				return err
			}
		}
	})
	if asked, ok := errors.AsType[*url.Error](err); ok && (errors.Is(asked, io.EOF) || errors.Is(asked, syscall.ECONNRESET) || errors.Is(asked, syscall.EPIPE)) {
		return io.ErrUnexpectedEOF // it ended while it was asked
	}
	return err
}

func path(run, what string) string { return "/v1/runs/" + url.PathEscape(run) + what }

func ask[T any](ctx context.Context, c *Client, method, path string, in any) (T, error) {
	var v T
	err := c.do(ctx, method, path, in, func(d *json.Decoder) error { return d.Decode(&v) })
	return v, err
}

func (c *Client) do(ctx context.Context, method, path string, in any, read func(*json.Decoder) error) error {
	var raw []byte
	if in != nil {
		var err error
		if raw, err = json.Marshal(in); err != nil {
			return fmt.Errorf("write request: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://runner"+path, bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("write request: %w", err)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask the runner: %w", err)
	}
	defer func() { _ = res.Body.Close() }() // it was only read
	d := json.NewDecoder(res.Body)
	if res.StatusCode == http.StatusOK {
		return read(d)
	}
	var p problem
	if err := d.Decode(&p); err != nil {
		return fmt.Errorf("ask the runner: status %s: %w", res.Status, err)
	}
	return p.err()
}
