package conformance

import (
	"context"

	dns "example.org/ims/internal/dns/mem"
	"example.org/ims/internal/mail/service"
	"example.org/ims/internal/world"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/zone"
)

// seeds are faults of what is around a gateway's core, each in place of one call.
type seeds struct {
	act   func(ctx context.Context, g *service.Gateway, verb gateway.Verb, sel gateway.Selection, actor, reason string) (int, error)
	list  func(ctx context.Context, g *service.Gateway, sel gateway.Selection) ([]gateway.Item, error)
	apply func(ctx context.Context, g *service.Gateway, c gateway.Change) (gateway.Op, error)
	write func(ctx context.Context, z *dns.Zone, c zone.Change) zone.Outcome
	cover func(*world.Cover)
}

// seeded is a gateway with faults.
type seeded struct {
	*service.Gateway
	seeds
}

func (s seeds) gateway(g *service.Gateway) gateway.Gateway { return seeded{g, s} }

func (s seeded) Act(ctx context.Context, verb gateway.Verb, sel gateway.Selection, actor, reason string) (int, error) {
	if s.act != nil {
		return s.act(ctx, s.Gateway, verb, sel, actor, reason)
	}
	return s.Gateway.Act(ctx, verb, sel, actor, reason)
}

func (s seeded) List(ctx context.Context, sel gateway.Selection) ([]gateway.Item, error) {
	if s.list != nil {
		return s.list(ctx, s.Gateway, sel)
	}
	return s.Gateway.List(ctx, sel)
}

func (s seeded) Apply(ctx context.Context, c gateway.Change) (gateway.Op, error) {
	if s.apply != nil {
		return s.apply(ctx, s.Gateway, c)
	}
	return s.Gateway.Apply(ctx, c)
}

// routes are the routes of both gateways, with faults.
func (s seeds) routes(o *service.Organization) world.Routing { return seededRoutes{routes{o}, s} }

type seededRoutes struct {
	routes
	seeds
}

func (s seededRoutes) Cover(ctx context.Context) (world.Cover, error) {
	c, err := s.routes.Cover(ctx)
	if s.cover != nil {
		s.cover(&c)
	}
	return c, err
}

// seededZone is a zone with faults.
type seededZone struct {
	*dns.Zone
	seeds
}

func (s seeds) zone(z *dns.Zone) zone.Writer { return seededZone{z, s} }

func (s seededZone) Apply(ctx context.Context, c zone.Change) zone.Outcome {
	if s.write != nil {
		return s.write(ctx, s.Zone, c)
	}
	return s.Zone.Apply(ctx, c)
}

func keepsExported(ctx context.Context, g *service.Gateway, verb gateway.Verb, sel gateway.Selection, actor, reason string) (int, error) {
	if verb == gateway.Delete {
		verb = gateway.Retry
	}
	return g.Act(ctx, verb, sel, actor, reason)
}

func releasesNothing(ctx context.Context, g *service.Gateway, verb gateway.Verb, sel gateway.Selection, actor, reason string) (int, error) {
	if verb == gateway.Release {
		return len(sel.IDs), nil
	}
	return g.Act(ctx, verb, sel, actor, reason)
}

func overlooks(ctx context.Context, g *service.Gateway, sel gateway.Selection) ([]gateway.Item, error) {
	if sel.OlderThan > 0 && sel.Store != nil && *sel.Store == gateway.MTSOut {
		return nil, nil
	}
	return g.List(ctx, sel)
}

func noRestart(ctx context.Context, g *service.Gateway, c gateway.Change) (gateway.Op, error) {
	if p := c.Want.Settings; p != nil && p.MaxInbound != nil {
		stored := *p
		stored.Restart = false
		c.Want.Settings = &stored
	}
	return g.Apply(ctx, c)
}

func noSplit(ctx context.Context, g *service.Gateway, c gateway.Change) (gateway.Op, error) {
	if c.Want.Spaces != nil && g.Name() == west {
		return gateway.Op{Done: true}, nil
	}
	return g.Apply(ctx, c)
}

func addsNull(ctx context.Context, z *dns.Zone, c zone.Change) zone.Outcome {
	if !c.New.HasNullMX() {
		return z.Apply(ctx, c)
	}
	both := zone.NewRRset(c.New.Name, c.New.Type, c.New.TTL, append(c.Old.Data, c.New.Data...)...)
	z.Set(both)
	return zone.Outcome{Kind: zone.Applied, Got: both}
}

func skipsAAAA(ctx context.Context, z *dns.Zone, c zone.Change) zone.Outcome {
	if c.New.Type == "AAAA" {
		return zone.Outcome{Kind: zone.Applied, Got: c.New}
	}
	return z.Apply(ctx, c)
}

func noHoles(c *world.Cover)    { c.Swallowed = nil }
func nobodyElse(c *world.Cover) { c.Others = nil }
