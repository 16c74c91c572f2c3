package service

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"example.org/ims/internal/mail/delivery"
	"example.org/ims/internal/mail/routing"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// Gateway is one gateway of an organization. A gateway that was removed stays
// here, with Exists false. Its methods are safe for concurrent use.
type Gateway struct {
	o    *Organization
	name string
	site string
	self func(delivery.Target) bool // leads back to this gateway

	applying chan struct{} // holds a token: one Apply at a time

	// flow is read-locked over a commit and the call that tells a scheduler of
	// it, and locked while an operator acts, so that no scheduler ever holds an
	// entry that an operator took away.
	flow sync.RWMutex

	accepted atomic.Uint64
	routed   atomic.Uint64
	clients  *clients
	faults   faults

	mu       sync.Mutex
	rec      record
	rt       *runtime // nil while stopped
	removing bool     // nothing may be routed here
	starts   uint64   // of this process
}

var (
	_ gateway.Gateway   = (*Gateway)(nil)
	_ gateway.Queues    = (*Gateway)(nil)
	_ gateway.Tracker   = (*Gateway)(nil)
	_ gateway.Router    = (*Gateway)(nil)
	_ gateway.ClientLog = (*Gateway)(nil)
)

func newGateway(o *Organization, r record) (*Gateway, error) {
	g := &Gateway{
		o: o, name: r.File.Name, site: r.File.Site, rec: r, removing: r.Removal != nil,
		applying: make(chan struct{}, 1), clients: newClients(),
	}
	var listen []string
	if _, err := netip.ParseAddrPort(r.File.Listen); err == nil {
		listen = append(listen, r.File.Listen)
	}
	var err error
	if g.self, err = delivery.SelfTargets([]string{r.File.Hostname}, listen); err != nil {
		return nil, fmt.Errorf("make gateway %q: %w", g.name, err)
	}
	for _, f := range r.File.Faults {
		if err := g.SetFault(f, true); err != nil {
			return nil, err
		}
	}
	if err := g.loadClients(); err != nil {
		return nil, err
	}
	return g, nil
}

// Name is the gateway's name.
func (g *Gateway) Name() string { return g.name }

// Caps implements gateway.Gateway.
func (g *Gateway) Caps() gateway.Caps { return gateway.Caps{Adapter: "embedded", StoresEpoch: true} }

// ended is the error of an ended context as the contract wants it: whoever asks
// in vain has reached nobody.
func ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", gateway.ErrUnreachable, err)
	}
	return nil
}

// record is what the spool remembers, now.
func (g *Gateway) record() record {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.rec
}

// runtime is the running service, nil while it is stopped.
func (g *Gateway) runtime() *runtime {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.rt
}

// routable reports whether the MTA may put mail into this gateway's store.
// Running is no condition, nor is the mode.
func (g *Gateway) routable() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.rec.Exists && !g.removing
}

// Config implements gateway.Gateway.
func (g *Gateway) Config(ctx context.Context) (gateway.Config, error) {
	if err := ended(ctx); err != nil {
		return gateway.Config{}, fmt.Errorf("read configuration of gateway %q: %w", g.name, err)
	}
	return g.view(g.record()), nil
}

// view is the configuration that r and the running service make up.
func (g *Gateway) view(r record) gateway.Config {
	rt := g.runtime()
	c := gateway.Config{
		Name: g.name, Exists: r.Exists, Generation: r.Generation, Epoch: r.Epoch, ChangedAt: r.ChangedAt, Instance: g.o.instance,
		Stored: r.settings(), ApplyLive: r.File.ApplyLive,
		Spaces: slices.Clone(r.spaces()), Sites: slices.Clone(r.sites()),
		Listen: r.File.Listen, Hostname: r.File.Hostname, Leftovers: slices.Clone(r.Leftovers),
	}
	if rt != nil {
		c.Running, c.Paused, c.StartedAt = true, rt.paused.Load(), rt.started
		c.Effective = rt.settings().Patch(gateway.SettingsPatch{})
		c.Listen = rt.front.address(c.Listen)
		c.Resolved = rt.names.resolved()
	}
	if !r.Exists {
		c.Spaces, c.Sites = nil, nil
		for _, site := range g.o.routes.naming(g.name, time.Now()) {
			c.Leftovers = append(c.Leftovers, fmt.Sprintf("the routing table of site %q still names it", site))
		}
	}
	return c
}

// Track implements gateway.Tracker: the events of this gateway. Their Seq is
// the organization's.
func (g *Gateway) Track(ctx context.Context, after uint64, limit int) ([]ledger.Event, error) {
	return g.o.track(ctx, after, limit, func(e *ledger.Event) bool { return e.Gateway == g.name })
}

// Present implements gateway.Tracker.
func (g *Gateway) Present(ctx context.Context) ([]ledger.Item, error) {
	return g.o.present(ctx, g.name)
}

// Tables implements gateway.Router.
func (g *Gateway) Tables(ctx context.Context) ([]gateway.Table, error) { return g.o.Tables(ctx) }

// Route implements gateway.Router.
func (g *Gateway) Route(ctx context.Context, site, address string, count int) (map[string]int, error) {
	return g.o.Route(ctx, site, address, count)
}

// Routing is the organization as routing will see it everywhere once every
// change has arrived. Carries of a gateway says that, by its stored settings,
// it carries outbound mail while it runs: not in modes None and Inbound Only,
// and not after it was stopped.
func (o *Organization) Routing() routing.Org {
	org := o.routes.latest()
	org.Gateways = slices.Clone(org.Gateways)
	for i := range org.Gateways {
		r := o.byName[org.Gateways[i].Name].record()
		mode := r.settings().Mode
		org.Gateways[i].Carries = r.Running && (mode == gateway.InboundOutbound || mode == gateway.OutboundOnly)
	}
	return org
}
