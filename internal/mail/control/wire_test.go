package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/access"
	"example.org/ims/pkg/gateway"
)

// stub is a gateway without abilities that answers every change with err.
type stub struct {
	gateway.Gateway
	apply func(context.Context) error
}

func (s stub) Caps() gateway.Caps { return gateway.Caps{Adapter: "stub"} }

func (s stub) Apply(ctx context.Context, c gateway.Change) (gateway.Op, error) {
	return gateway.Op{Key: c.Key}, s.apply(ctx)
}

var sentinels = []error{
	gateway.ErrRefused, gateway.ErrConflict, gateway.ErrStaleEpoch, gateway.ErrNotFound, gateway.ErrUnreachable,
	errors.ErrUnsupported, ErrDenied,
}

// wraps names those of the sentinels that err wraps.
func wraps(err error) []string {
	var names []string
	for _, s := range sentinels {
		if errors.Is(err, s) {
			names = append(names, s.Error())
		}
	}
	return names
}

func TestErrorsKeepTheirKind(t *testing.T) {
	var next error
	c := serve(t, NewServer(Options{Gateways: map[string]gateway.Gateway{
		"east": stub{apply: func(context.Context) error { return next }},
	}}))
	list := []error{errors.New("disk on fire"), errors.Join(gateway.ErrNotFound, gateway.ErrRefused)}
	for _, s := range sentinels {
		list = append(list, fmt.Errorf("change it: %w", s))
	}
	for _, next = range list {
		_, err := c.Apply(t.Context(), "east", stop("k"))
		if err == nil || err.Error() != next.Error() {
			t.Errorf("Apply() = %v, want %v", err, next)
		}
		if d := cmp.Diff(wraps(next), wraps(err)); d != "" {
			t.Errorf("%v (-sent +received):\n%s", next, d)
		}
	}
}

func TestRefusedRequests(t *testing.T) {
	c := serve(t, NewServer(Options{Gateways: map[string]gateway.Gateway{"east": east(), "bare": stub{}}}))
	big := stop("k")
	big.Reason = strings.Repeat("x", maxBody)
	_, tooBig := c.Apply(t.Context(), "east", big)
	_, nobody := c.Apply(t.Context(), "west", stop("k"))
	_, noReason := c.Act(t.Context(), "east", gateway.Delete, gateway.Selection{}, "a", "")
	_, tooMany := c.Track(t.Context(), "east", 0, maxList+1)
	_, cannot := c.List(t.Context(), "bare", gateway.Selection{})
	_, field := post[gateway.Op](t.Context(), c, path("east", "apply"), map[string]any{"key": "k", "unheard_of": 1})
	two := c.do(t.Context(), request{method: http.MethodPost, path: path("east", "apply"), body: []byte("{} {}"), within: time.Minute}, nil)
	_, store := get[gateway.Op](t.Context(), c, path("east", "queue"), map[string][]string{"store": {"attic"}})
	_, elsewhere := get[gateway.Op](t.Context(), c, "/v2/gateways", nil)
	for _, tt := range []struct {
		name string
		err  error
		is   error
		says string
	}{
		{"too big", tooBig, gateway.ErrRefused, "too large"},
		{"no such gateway", nobody, gateway.ErrNotFound, `gateway "west"`},
		{"no such gateway, change", nobody, gateway.ErrRefused, `gateway "west"`},
		{"no reason", noReason, gateway.ErrRefused, "no reason"},
		{"too many lines", tooMany, gateway.ErrRefused, "at most 100000"},
		{"no ability", cannot, errors.ErrUnsupported, `gateway "bare" (stub) cannot do this`},
		{"unknown field", field, gateway.ErrRefused, "unheard_of"},
		{"two values", two, gateway.ErrRefused, "more than one value"},
		{"unknown store", store, gateway.ErrRefused, `unknown store "attic"`},
		{"no such request", elsewhere, errors.ErrUnsupported, "/v2/gateways"},
	} {
		if !errors.Is(tt.err, tt.is) || !strings.Contains(fmt.Sprint(tt.err), tt.says) {
			t.Errorf("%s: %v, want it to wrap %q and say %q", tt.name, tt.err, tt.is, tt.says)
		}
	}
}

func TestGateways(t *testing.T) {
	c := serve(t, NewServer(Options{Gateways: map[string]gateway.Gateway{"east": east(), "bare": stub{}}}))
	got, err := c.Gateways(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []Info{
		{Name: "bare", Caps: gateway.Caps{Adapter: "stub"}, Abilities: []string{}},
		{Name: "east", Caps: gateway.Caps{Adapter: "mem", StoresEpoch: true}, Abilities: []string{"queues", "tracker", "router", "clients", "summary", "bodies"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Gateways() (-want +got):\n%s", d)
	}
}

// breaking is a server that reads a request, sends answer and hangs up.
func breaking(t *testing.T, answer string) *Client {
	t.Helper()
	path := socket(t)
	ln, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.Copy(io.Discard, req.Body)
				_, _ = io.WriteString(conn, answer)
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	return NewClient(path)
}

func TestBrokenConnections(t *testing.T) {
	for name, answer := range map[string]string{
		"no answer":       "",
		"half an answer":  "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"key\":",
		"half a list":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n",
		"not our problem": "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops",
	} {
		t.Run(name, func(t *testing.T) {
			c := breaking(t, answer)
			if _, err := c.Apply(t.Context(), "east", stop("k")); err == nil || wraps(err) != nil {
				t.Errorf("Apply() = %v, want an error that leaves the outcome unknown", err)
			}
			if _, err := c.Track(t.Context(), "east", 0, 0); !errors.Is(err, gateway.ErrUnreachable) {
				t.Errorf("Track() = %v, want ErrUnreachable", err)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	c := NewClient(socket(t))
	if _, err := c.Config(t.Context(), "east"); !errors.Is(err, gateway.ErrUnreachable) {
		t.Errorf("Config() = %v, want ErrUnreachable", err)
	}
	if _, err := c.Apply(t.Context(), "east", stop("k")); !errors.Is(err, gateway.ErrUnreachable) {
		t.Errorf("Apply() = %v, want ErrUnreachable: nothing was sent", err)
	}
}

func TestChangeOutlivesItsCaller(t *testing.T) {
	begun, release, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	c := serve(t, NewServer(Options{Gateways: map[string]gateway.Gateway{
		"east": stub{apply: func(ctx context.Context) error {
			close(begun)
			<-release
			ended <- ctx.Err()
			return nil
		}},
	}}))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	_, err := c.Apply(ctx, "east", stop("k"))
	if !errors.Is(err, context.Canceled) || wraps(err) != nil {
		t.Errorf("Apply() = %v, want the context's end and an unknown outcome", err)
	}
	close(release)
	if err := <-ended; err != nil {
		t.Errorf("the change was cut short: %v", err)
	}
}

func TestPeerNeedsUnixSocket(t *testing.T) {
	a, b := net.Pipe()
	defer func() { _, _ = a.Close(), b.Close() }()
	if uid, err := access.PeerUID(a); err == nil {
		t.Errorf("PeerUID(pipe) = %d, want an error", uid)
	}
}
