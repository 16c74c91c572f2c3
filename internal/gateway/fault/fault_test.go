package fault_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"example.org/ims/internal/gateway/fault"
	"example.org/ims/internal/gateway/mem"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/gateway/gatewaytest"
)

func org() *mem.Org {
	return mem.New(mem.Options{Domains: []string{"org.example"}},
		mem.Spec{Name: "east", Site: "HQ", Spaces: []gateway.Space{{Type: "SMTP", Pattern: "*", Cost: 1}}})
}

func TestConformance(t *testing.T) {
	gatewaytest.Run(t, func(*testing.T) gatewaytest.Harness {
		o := org()
		g := o.Gateway("east")
		return gatewaytest.Harness{
			Gateway: fault.Wrap(g, func(fault.Call) fault.Fault { return fault.Fault{} }),
			Outbound: func(*testing.T) string {
				return o.Send(mem.Mail{From: "u@org.example", Rcpts: []string{"x@remote.example"}})
			},
			Inbound: func(*testing.T) error {
				_, err := g.Arrive("192.0.2.7", mem.Mail{From: "x@remote.example", Rcpts: []string{"u@org.example"}})
				return err
			},
			Move: func(*testing.T) { o.Tick() },
		}
	})
}

func TestFaults(t *testing.T) {
	away := errors.Join(errors.New("cable"), gateway.ErrUnreachable)
	for _, tt := range []struct {
		name    string
		fault   fault.Fault
		want    error
		running bool // afterwards: the call would stop the gateway
	}{
		{"before", fault.Fault{Kind: fault.Before}, fault.ErrInjected, true},
		{"before, away", fault.Fault{Kind: fault.Before, Err: away}, gateway.ErrUnreachable, true},
		{"after", fault.Fault{Kind: fault.After}, fault.ErrInjected, false},
		{"hang", fault.Fault{Kind: fault.Hang}, context.DeadlineExceeded, true},
		{"hang after", fault.Fault{Kind: fault.HangAfter}, context.DeadlineExceeded, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var seen fault.Call
				g := fault.Wrap(org().Gateway("east"), func(c fault.Call) fault.Fault {
					if c.Method != "Apply" || c.N > 1 {
						return fault.Fault{}
					}
					seen = c
					return tt.fault
				})
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				stop := gateway.Stopped
				change := gateway.Change{Key: "k", Want: gateway.Want{Running: &stop}}
				_, err := g.Apply(ctx, change)
				if !errors.Is(err, tt.want) || errors.Is(err, gateway.ErrRefused) {
					t.Errorf("Apply() = %v, want %v", err, tt.want)
				}
				if seen.Change == nil || seen.Change.Key != "k" {
					t.Errorf("plan saw %+v", seen)
				}
				c, err := g.Config(t.Context())
				if err != nil || c.Running != tt.running {
					t.Errorf("afterwards running %v, %v, want %v", c.Running, err, tt.running)
				}
				if op, err := g.Apply(t.Context(), change); err != nil || !op.Done || g.Calls("Apply") != 2 {
					t.Errorf("second Apply() = %+v, %v after %d calls", op, err, g.Calls("Apply"))
				}
			})
		})
	}
}

func TestFaultOfRefusedChange(t *testing.T) {
	g := fault.Wrap(org().Gateway("east"), func(fault.Call) fault.Fault { return fault.Fault{Kind: fault.After} })
	if _, err := g.Apply(t.Context(), gateway.Change{Key: "k"}); !errors.Is(err, gateway.ErrRefused) {
		t.Errorf("Apply() = %v: a change that was refused has no effect to hide", err)
	}
}
