package embedded_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"example.org/ims/internal/gateway/embedded"
	"example.org/ims/internal/gateway/mem"
	"example.org/ims/internal/mail/control"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/gateway/gatewaytest"
)

// serve serves an organization in memory on a Unix socket and returns its path,
// which is short because sockaddr_un holds 108 bytes.
func serve(t *testing.T, gateways map[string]gateway.Gateway) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ims")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	ln, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- control.NewServer(control.Options{Gateways: gateways}).Serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("server: %v", err)
		}
	})
	return path
}

func TestConformance(t *testing.T) {
	gatewaytest.Run(t, func(t *testing.T) gatewaytest.Harness {
		o := mem.New(mem.Options{Domains: []string{"org.example"}},
			mem.Spec{Name: "east/1", Site: "HQ", Spaces: []gateway.Space{{Type: "SMTP", Pattern: "*", Cost: 1}}})
		g := o.Gateway("east/1")
		return gatewaytest.Harness{
			Gateway: embedded.New(serve(t, map[string]gateway.Gateway{"east/1": g}), "east/1"),
			Outbound: func(*testing.T) string {
				return o.Send(mem.Mail{From: "u@org.example", Rcpts: []string{"x@remote.example"}})
			},
			Inbound: func(*testing.T) error {
				_, err := g.Arrive("192.0.2.7", mem.Mail{From: "x@remote.example", Rcpts: []string{"u@org.example"}})
				return err
			},
			Connect: func(*testing.T) (func(), error) { return g.Connect() },
			Move:    func(*testing.T) { o.Tick() },
			Blind:   func(_ *testing.T, s gateway.Store) { g.Blind(s, "the test said so") },
		}
	})
}
