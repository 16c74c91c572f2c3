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
		{"unknown user", People{me + 1: {"anna", Approve}}, false, false, false, fmt.Sprintf("uid %d is not known here: add it to people", me)},
		{"view", People{me: {"bob", View}}, false, true, false, fmt.Sprintf("bob (uid %d) may view, and this needs operate", me)},
		{"operate", People{me: {"bob", Operate}}, false, true, true, ""},
		{"approve", People{me: {"bob", Approve}}, false, true, true, ""},
		{"the server's own user", nil, true, true, true, ""},
		{"the server's own user, listed for less", People{me: {"svc", View}}, true, true, true, ""},
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

func TestLook(t *testing.T) {
	p := People{0: {"root", View}, 7: {"anna", Approve}}
	for _, tt := range []struct {
		uid, self uint32
		want      Right
	}{
		{0, 5, View}, {7, 5, Approve}, {8, 5, Nothing}, {5, 5, Operate}, {0, 0, Operate}, {7, 7, Approve},
	} {
		if got := p.Look(tt.uid, tt.self); got.May != tt.want {
			t.Errorf("Look(%d, self %d) = %+v, want %s", tt.uid, tt.self, got, tt.want)
		}
	}
	if got := People(nil).Look(0, 5); got.May != Nothing {
		t.Errorf("root that nobody listed may %s", got.May)
	}
}

func TestSigned(t *testing.T) {
	for _, tt := range []struct {
		peer        Peer
		actor, want string
	}{
		{Peer{UID: 7, Name: "anna"}, "", "anna"},
		{Peer{UID: 7, Name: "anna"}, "anna", "anna"},
		{Peer{UID: 7, Name: "anna"}, "bob", "bob (says anna)"},
		{Peer{UID: 5, Self: true}, "run 3", "run 3"},
		{Peer{UID: 5, Self: true}, "", "uid 5"},
	} {
		if got := tt.peer.signed(tt.actor); got != tt.want {
			t.Errorf("%+v signed(%q) = %q, want %q", tt.peer, tt.actor, got, tt.want)
		}
	}
}
