package service

import (
	"context"
	"fmt"
	"time"

	"example.org/ims/pkg/gateway"
)

// Census implements gateway.Gateway. It reads memory only. Messages are queue
// entries, as on the Queues page. A removed gateway cannot hold mail: its
// stores are empty by design.
func (g *Gateway) Census(ctx context.Context) (gateway.Census, error) {
	if err := ended(ctx); err != nil {
		return gateway.Census{}, fmt.Errorf("count stores of gateway %q: %w", g.name, err)
	}
	g.mu.Lock()
	rt, exists := g.rt, g.rec.Exists
	g.mu.Unlock()
	c := gateway.Census{
		At: time.Now().UTC(), Instance: g.o.instance, AtRest: rt == nil, Stores: g.o.spool.Counts(g.name),
		Accepted: g.accepted.Load(), Routed: g.routed.Load(),
	}
	for i := range c.Stores {
		n := &c.Stores[i]
		switch {
		case n.Known != gateway.Counted:
		case !exists && n.Messages == 0:
			n.Known, n.Why = gateway.EmptyByDesign, "the gateway was removed"
		case rt == nil:
			n.Why = "from the spool at rest"
		}
	}
	if rt != nil {
		c.InFlight = int64(rt.out.InFlight() + rt.in.InFlight())
		c.Sessions = rt.front.sessions()
	}
	return c, nil
}
