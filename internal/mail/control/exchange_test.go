package control

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"example.org/ims/internal/patience"
	"example.org/ims/pkg/gateway"
)

// pipes is a listener whose connections are pipes, so that time can be made.
type pipes struct {
	conns  chan net.Conn
	dialed int
}

func (p *pipes) Accept() (net.Conn, error) {
	if c, ok := <-p.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p *pipes) Close() error   { return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// served is a client of a server that answers as answer does, in a bubble of
// synctest.
func served(t *testing.T, answer http.HandlerFunc) (*Client, *pipes) {
	t.Helper()
	p := &pipes{conns: make(chan net.Conn)}
	srv := &http.Server{Handler: answer}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(p) }()
	t.Cleanup(func() { close(p.conns); _ = srv.Close(); <-done })
	c := NewClient("/run/ims.sock")
	c.http.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		p.dialed++
		p.conns <- theirs
		return ours, nil
	}}
	return c, p
}

// hangs takes a request and answers nothing until the client goes away.
func hangs(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// silent reports whether err says that the server was silent for a while, and of
// what the outcome is unknown.
func silent(err error, within time.Duration, change bool) bool {
	s, ok := errors.AsType[*gateway.SilentError](err)
	return ok && s.Within == within && errors.Is(err, os.ErrDeadlineExceeded) && errors.Is(err, gateway.ErrUnreachable) != change
}

func TestAServerThatHangsIsGivenUp(t *testing.T) {
	for name, tt := range map[string]struct {
		call   func(context.Context, *Client) error
		within time.Duration
		after  time.Duration
		change bool
	}{
		"a question": {func(ctx context.Context, c *Client) error { _, err := c.Config(ctx, "east"); return err }, usual.answer, usual.answer, false},
		"a list":     {func(ctx context.Context, c *Client) error { _, err := c.Tables(ctx, "east"); return err }, usual.list, usual.list, false},
		"a message":  {func(ctx context.Context, c *Client) error { _, err := c.Body(ctx, "east", "1"); return err }, usual.answer, usual.answer, false},
		"a change": {
			func(ctx context.Context, c *Client) error { _, err := c.Apply(ctx, "east", stop("k")); return err },
			usual.answer, usual.alive + usual.answer, true,
		},
		"an act": {func(ctx context.Context, c *Client) error {
			_, err := c.Act(ctx, "east", gateway.Retry, gateway.Selection{}, "a", "b")
			return err
		}, usual.answer, usual.alive + usual.answer, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, p := served(t, hangs)
				ctx, began := patience.Look(t.Context()), time.Now()
				if err := tt.call(ctx, c); !silent(err, tt.within, tt.change) || time.Since(began) != tt.after {
					t.Errorf("after %s: %v, want a silence of %s after %s", time.Since(began), err, tt.within, tt.after)
				}
				asked := p.dialed
				if err := tt.call(ctx, c); !silent(err, tt.within, false) || p.dialed != asked {
					t.Errorf("again in the same look: %v, %d connections, want what was known before and %d", err, p.dialed, asked)
				}
				if err := tt.call(t.Context(), c); !silent(err, tt.within, tt.change) || p.dialed == asked {
					t.Errorf("later: %v, want that it is asked again", err)
				}
			})
		})
	}
}

// TestALongAnswerIsNotCut: what flows may flow for longer than any bound, and
// what dries up is given up.
func TestALongAnswerIsNotCut(t *testing.T) {
	for name, dries := range map[string]bool{"to its end": false, "dries up": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := served(t, func(w http.ResponseWriter, r *http.Request) {
					time.Sleep(usual.answer - time.Second)
					for range 20 {
						_, _ = io.WriteString(w, "{}\n")
						_ = http.NewResponseController(w).Flush()
						time.Sleep(usual.part - time.Second)
					}
					if dries {
						hangs(w, r)
					}
				})
				items, err := c.List(t.Context(), "east", gateway.Selection{})
				if dries && !silent(err, usual.part, false) || !dries && err != nil || len(items) != 20 {
					t.Errorf("%d items, %v", len(items), err)
				}
			})
		})
	}
}

// TestAChangeIsWaitedForWhileItsServerLives: however long it takes; and what was
// given up may have been made.
func TestAChangeIsWaitedForWhileItsServerLives(t *testing.T) {
	for name, tt := range map[string]struct {
		takes time.Duration
		want  time.Duration // 0: it is made
	}{"slow": {9 * time.Minute, 0}, "never": {time.Hour, usual.change}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := served(t, func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					if r.Method == http.MethodGet {
						_, _ = io.WriteString(w, "{}\n")
						return
					}
					select {
					case <-time.After(tt.takes):
						_, _ = io.WriteString(w, `{"key":"k","done":true}`)
					case <-r.Context().Done():
					}
				})
				op, err := c.Apply(t.Context(), "east", stop("k"))
				if tt.want == 0 && (err != nil || !op.Done) || tt.want > 0 && !silent(err, tt.want, true) {
					t.Errorf("%+v, %v", op, err)
				}
			})
		})
	}
}

// TestWhoKeepsTheSocketOpenIsNamed: a process that accepts and never answers.
func TestWhoKeepsTheSocketOpenIsNamed(t *testing.T) {
	path := socket(t)
	ln, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	c := NewClient(path)
	named := 0
	for c.bounds.answer = time.Millisecond; named == 0; c.bounds.answer *= 2 { // a busy machine may connect late
		_, err := c.Config(t.Context(), "east")
		s, ok := errors.AsType[*gateway.SilentError](err)
		if !ok {
			t.Fatalf("Config() = %v, want silence", err)
		}
		named = s.PID
	}
	if named != os.Getpid() {
		t.Errorf("process %d is named, want %d", named, os.Getpid())
	}
}
