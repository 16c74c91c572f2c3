package control

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/ims/internal/gateway/mem"
	"example.org/ims/pkg/gateway"
)

// socket is a path short enough for sockaddr_un.
func socket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ims")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "run", "s")
}

// serve serves s and returns a client.
func serve(t *testing.T, s *Server) *Client {
	t.Helper()
	path := socket(t)
	ln, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("server: %v", err)
		}
	})
	return NewClient(path)
}

func east() gateway.Gateway {
	return mem.New(mem.Options{}, mem.Spec{Name: "east", Site: "HQ"}).Gateway("east")
}

func stop(key string) gateway.Change {
	s := gateway.Stopped
	return gateway.Change{Key: key, Actor: "a", Reason: "r", Want: gateway.Want{Running: &s}}
}

func TestAccess(t *testing.T) {
	me := uint32(os.Getuid())
	for _, tt := range []struct {
		name           string
		people         People
		self           bool
		reads, changes bool
		says           string
	}{
		{"unknown user", People{me + 1: {Name: "anna", May: Approve}}, false, false, false, fmt.Sprintf("uid %d is not known here: add it to people", me)},
		{"view", People{me: {Name: "bob", May: View}}, false, true, false, fmt.Sprintf("bob (uid %d) may view, and this needs operate", me)},
		{"operate", People{me: {Name: "bob", May: Operate}}, false, true, true, ""},
		{"approve", People{me: {Name: "bob", May: Approve}}, false, true, true, ""},
		{"the server's own user", nil, true, true, true, ""},
		{"the server's own user, listed for less", People{me: {Name: "svc", May: View}}, true, true, true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			gw := east()
			s := NewServer(Options{Gateways: map[string]gateway.Gateway{"east": gw}, People: tt.people})
			if !tt.self {
				s.self = me + 100
			}
			c := serve(t, s)
			check := func(what string, err error, allowed bool) {
				t.Helper()
				if allowed && err != nil || !allowed && (!errors.Is(err, ErrDenied) || !errors.Is(err, gateway.ErrRefused)) {
					t.Errorf("%s: %v, want it allowed: %v", what, err, allowed)
				}
				if err != nil && !strings.Contains(err.Error(), tt.says) {
					t.Errorf("%s: %q does not say %q", what, err, tt.says)
				}
			}
			_, err := c.Config(t.Context(), "east")
			check("read", err, tt.reads)
			_, err = c.Apply(t.Context(), "east", stop("k"))
			check("change", err, tt.changes)
			_, err = c.Act(t.Context(), "east", gateway.Retry, gateway.Selection{}, "a", "r")
			check("queue action", err, tt.changes)
			conf, err := gw.Config(t.Context())
			if err != nil || conf.Running == tt.changes {
				t.Errorf("running %v, %v, want stopped: %v", conf.Running, err, tt.changes)
			}
		})
	}
}
