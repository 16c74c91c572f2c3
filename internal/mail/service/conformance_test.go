package service

import (
	"bufio"
	"context"
	"errors"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/gateway/gatewaytest"
)

// TestConformance runs the contract's suite against a gateway of an
// organization, on the wall clock: the suite makes a test of each case, which
// no bubble can hold.
func TestConformance(t *testing.T) {
	gatewaytest.Run(t, func(t *testing.T) gatewaytest.Harness {
		w := newWorld(t, t.TempDir(), func(c *Config) { c.Handover = time.Millisecond })
		return gatewaytest.Harness{
			Gateway: w.gw("alpha"),
			Outbound: func(t *testing.T) string {
				t.Helper()
				id := w.submit("hq", "ann@corp.example", "joe@far.example")
				for w.o.Counts()[gateway.MTA].Messages > 0 { // not routed yet
					moment(t)
				}
				return id
			},
			Inbound: func(t *testing.T) error {
				t.Helper()
				switch got := w.inbound("alpha", "bob@corp.example"); {
				case strings.HasPrefix(got, "250 "):
					return nil
				case strings.HasPrefix(got, "5"):
					t.Errorf("refused for good: %s", got)
					return errors.New(got)
				default:
					return errors.New(got)
				}
			},
			Connect: func(t *testing.T) (func(), error) {
				t.Helper()
				return w.connect("alpha")
			},
			Move: moment,
			Reopen: func(t *testing.T) gateway.Gateway {
				t.Helper()
				w.reopen()
				return w.gw("alpha")
			},
		}
	})
}

// connect opens a session that says nothing.
func (w *world) connect(gw string) (hangUp func(), err error) {
	w.t.Helper()
	c, err := w.net.dial(w.t.Context(), "192.0.2.99:5", gw+":25")
	if err != nil {
		return nil, err
	}
	line, err := textproto.NewReader(bufio.NewReader(c)).ReadLine()
	if err == nil && !strings.HasPrefix(line, "220 ") {
		err = errors.New(line)
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return func() { _ = c.Close() }, nil
}

// moment lets the world move on a little.
func moment(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Millisecond)
	defer cancel()
	<-ctx.Done()
}
