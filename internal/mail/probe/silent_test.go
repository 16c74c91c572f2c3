package probe

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"example.org/ims/internal/patience"
	"example.org/ims/pkg/gateway"
)

// TestAListenerThatHangsIsProbedOnce: it costs one time-out of a look, whatever
// is asked, and is said to be silent.
func TestAListenerThatHangsIsProbedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dialed := 0
		p := &Prober{Dial: func(context.Context, string) (net.Conn, error) {
			dialed++
			client, _ := net.Pipe() // nobody is at the other end
			return client, nil
		}}
		began, ctx := time.Now(), patience.Look(t.Context())
		_, _, probe := p.Probe(ctx, "gw:25", "a@b")
		_, reception := p.Reception(ctx, "gw:25", []string{"a@b"})
		_, certificate := p.Certificate(ctx, "gw:25", "gw")
		for what, err := range map[string]error{"probe": probe, "reception": reception, "certificate": certificate} {
			if s, ok := errors.AsType[*gateway.SilentError](err); !ok || s.Within != p.timeout() {
				t.Errorf("%s: %v, want silence of %s", what, err, p.timeout())
			}
		}
		if got := time.Since(began); dialed != 1 || got != p.timeout() {
			t.Errorf("%d connections in %s, want one in %s", dialed, got, p.timeout())
		}
		if _, _, err := p.Probe(patience.Look(t.Context()), "gw:25", "a@b"); err == nil || dialed != 2 {
			t.Errorf("in the next look: %v, %d connections, want a second", err, dialed)
		}
	})
}
