package wire

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"example.org/ims/internal/cli"
	"example.org/ims/internal/patience"
	"example.org/ims/pkg/gateway"
)

// mute is a gateway whose service hangs: it costs a time-out unless it is known
// in this look that it does.
type mute struct {
	gateway.Gateway
	mu    *sync.Mutex
	costs *int
}

func (g mute) wait(ctx context.Context) error {
	err := patience.Of(ctx, "service")
	if err == nil {
		g.mu.Lock()
		*g.costs++
		g.mu.Unlock()
		err = fmt.Errorf("wait: %w", os.ErrDeadlineExceeded)
		patience.Note(ctx, "service", err)
	}
	return fmt.Errorf("%w: %w", err, gateway.ErrUnreachable)
}

// Config implements gateway.Gateway.
func (g mute) Config(ctx context.Context) (gateway.Config, error) {
	return gateway.Config{}, g.wait(ctx)
}

// Census implements gateway.Gateway.
func (g mute) Census(ctx context.Context) (gateway.Census, error) {
	return gateway.Census{}, g.wait(ctx)
}

// TestAPreflightIsOneLook, and so is a dry run: a service that hangs costs one
// time-out, however much of it is asked of how many gateways.
func TestAPreflightIsOneLook(t *testing.T) {
	o := newSmall(t)
	for name, look := range map[string]func(runSite) error{
		"preflight": func(s runSite) error {
			book, err := s.book(cli.Look{}.Request)
			if err == nil {
				_, err = s.snapshot(t.Context(), book)
			}
			return err
		},
		"dry run": func(s runSite) error {
			book, err := s.book(cli.Look{}.Request)
			if err == nil {
				_, err = s.plan(t.Context(), book)
			}
			return err
		},
	} {
		var mu sync.Mutex
		costs := 0
		s := runSite{newSite(o.cfg).readOnly()}
		s.wrapGateway = func(gateway.Gateway) gateway.Gateway { return mute{mu: &mu, costs: &costs} }
		if err := look(s); err != nil || costs != 1 {
			t.Errorf("%s: %v, %d time-outs, want one", name, err, costs)
		}
	}
}
