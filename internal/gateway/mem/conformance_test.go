package mem_test

import (
	"testing"
	"time"

	"example.org/ims/internal/gateway/mem"
	"example.org/ims/internal/mail/routing"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/gateway/gatewaytest"
)

func TestConformance(t *testing.T) {
	for name, live := range map[string]bool{"at service start": false, "live": true} {
		t.Run(name, func(t *testing.T) {
			gatewaytest.Run(t, func(*testing.T) gatewaytest.Harness {
				o := mem.New(mem.Options{
					Domains: []string{"org.example"}, Sites: []routing.Site{{Name: "HQ"}, {Name: "Branch"}},
					Delays: routing.Delays{Recalculation: time.Second, Replication: 5 * time.Second},
				}, mem.Spec{Name: "east", Site: "HQ", ApplyLive: live, Spaces: []gateway.Space{{Type: "SMTP", Pattern: "*", Cost: 1}}})
				g := o.Gateway("east")
				return gatewaytest.Harness{
					Gateway: g,
					Outbound: func(*testing.T) string {
						return o.Send(mem.Mail{From: "u@org.example", Rcpts: []string{"x@remote.example"}})
					},
					Inbound: func(*testing.T) error {
						_, err := g.Arrive("192.0.2.7", mem.Mail{From: "x@remote.example", Rcpts: []string{"u@org.example"}})
						return err
					},
					Connect: func(*testing.T) (func(), error) { return g.Connect() },
					Move:    func(*testing.T) { o.Advance(time.Second); o.Tick() },
					Blind:   func(_ *testing.T, s gateway.Store) { g.Blind(s, "the test said so") },
				}
			})
		})
	}
}
