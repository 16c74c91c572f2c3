package service

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"example.org/ims/pkg/gateway"
)

// A restart whose second half does not succeed leaves a stopped gateway, which
// strands mail; the same change, tried again, starts it.
func TestRestartThatCannotStartIsTriedAgain(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		taken := errors.New("address already in use")
		listen := w.o.deps.Listen
		w.o.deps.Listen = func(context.Context, string) (net.Listener, error) { return nil, taken }
		g, refuse := w.o.byName["alpha"], gateway.RefuseConnect
		c := gateway.Change{Key: "k", Actor: "ann", Want: gateway.Want{
			Settings: &gateway.SettingsPatch{Refuse: &refuse, Retry: &[]time.Duration{hour}, Restart: true},
		}}
		if _, err := g.Apply(t.Context(), c); !errors.Is(err, taken) {
			t.Fatalf("Apply() while the port is taken: %v", err)
		}
		w.o.deps.Listen = listen
		op, err := g.Apply(t.Context(), c)
		if err != nil || !op.Done {
			t.Fatalf("Apply() again = %+v, %v", op, err)
		}
		if now, err := g.Config(t.Context()); err != nil || !now.Running || now.Effective.Refuse != refuse {
			t.Errorf("afterwards: running %v, refuse %s, %v", now.Running, now.Effective.Refuse, err)
		}
	})
}
