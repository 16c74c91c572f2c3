package conformance

import (
	"context"

	dns "example.org/ims/internal/dns/mem"
	"example.org/ims/internal/mail/service"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/zone"
)

// seeds are faults of what is around a gateway's core, each in place of one call.
type seeds struct {
	act   func(g *service.Gateway, ctx context.Context, verb gateway.Verb, sel gateway.Selection, actor, reason string) (int, error)
	list  func(g *service.Gateway, ctx context.Context, sel gateway.Selection) ([]gateway.Item, error)
	apply func(g *service.Gateway, ctx context.Context, c gateway.Change) (gateway.Op, error)
	write func(z *dns.Zone, ctx context.Context, c zone.Change) zone.Outcome
}

// seeded is a gateway with faults.
type seeded struct {
	*service.Gateway
	seeds
}

func (s seeds) gateway(g *service.Gateway) gateway.Gateway { return seeded{g, s} }

func (s seeded) Act(ctx context.Context, verb gateway.Verb, sel gateway.Selection, actor, reason string) (int, error) {
	if s.act != nil {
		return s.act(s.Gateway, ctx, verb, sel, actor, reason)
	}
	return s.Gateway.Act(ctx, verb, sel, actor, reason)
}

func (s seeded) List(ctx context.Context, sel gateway.Selection) ([]gateway.Item, error) {
	if s.list != nil {
		return s.list(s.Gateway, ctx, sel)
	}
	return s.Gateway.List(ctx, sel)
}

func (s seeded) Apply(ctx context.Context, c gateway.Change) (gateway.Op, error) {
	if s.apply != nil {
		return s.apply(s.Gateway, ctx, c)
	}
	return s.Gateway.Apply(ctx, c)
}

// seededZone is a zone with faults.
type seededZone struct {
	*dns.Zone
	seeds
}

func (s seeds) zone(z *dns.Zone) zone.Writer { return seededZone{z, s} }

func (s seededZone) Apply(ctx context.Context, c zone.Change) zone.Outcome {
	if s.write != nil {
		return s.write(s.Zone, ctx, c)
	}
	return s.Zone.Apply(ctx, c)
}

func keepsExported(g *service.Gateway, ctx context.Context, verb gateway.Verb, sel gateway.Selection, actor, reason string) (int, error) {
	if verb == gateway.Delete {
		verb = gateway.Retry
	}
	return g.Act(ctx, verb, sel, actor, reason)
}

func releasesNothing(g *service.Gateway, ctx context.Context, verb gateway.Verb, sel gateway.Selection, actor, reason string) (int, error) {
	if verb == gateway.Release {
		return len(sel.IDs), nil
	}
	return g.Act(ctx, verb, sel, actor, reason)
}

func overlooks(g *service.Gateway, ctx context.Context, sel gateway.Selection) ([]gateway.Item, error) {
	if sel.OlderThan > 0 && sel.Store != nil && *sel.Store == gateway.MTSOut {
		return nil, nil
	}
	return g.List(ctx, sel)
}

func noRestart(g *service.Gateway, ctx context.Context, c gateway.Change) (gateway.Op, error) {
	if p := c.Want.Settings; p != nil && p.MaxInbound != nil {
		stored := *p
		stored.Restart = false
		c.Want.Settings = &stored
	}
	return g.Apply(ctx, c)
}

func noSplit(g *service.Gateway, ctx context.Context, c gateway.Change) (gateway.Op, error) {
	if c.Want.Spaces != nil && g.Name() == west {
		return gateway.Op{Done: true}, nil
	}
	return g.Apply(ctx, c)
}

func addsNull(z *dns.Zone, ctx context.Context, c zone.Change) zone.Outcome {
	if !c.New.HasNullMX() {
		return z.Apply(ctx, c)
	}
	both := zone.NewRRset(c.New.Name, c.New.Type, c.New.TTL, append(c.Old.Data, c.New.Data...)...)
	z.Set(both)
	return zone.Outcome{Kind: zone.Applied, Got: both}
}

func skipsAAAA(z *dns.Zone, ctx context.Context, c zone.Change) zone.Outcome {
	if c.New.Type == "AAAA" {
		return zone.Outcome{Kind: zone.Applied, Got: c.New}
	}
	return z.Apply(ctx, c)
}
