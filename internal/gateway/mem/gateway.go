package mem

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"example.org/ims/internal/mail/routing"
	"example.org/ims/pkg/gateway"
)

// Gateway is one gateway of an [Org].
type Gateway struct {
	org      *Org
	name     string
	site     string
	location string

	// Guarded by org.mu.
	conf      gateway.Config
	entries   []*entry
	entered   [gateway.NumStores]uint64
	left      [gateway.NumStores]uint64
	accepted  uint64
	routed    uint64
	sessions  int64
	instances int
	blind     [gateway.NumStores]string
	clients   []gateway.Client
	epoch     uint64
	ops       map[string]gateway.Op
	starts    int
}

var (
	_ gateway.Gateway   = (*Gateway)(nil)
	_ gateway.Queues    = (*Gateway)(nil)
	_ gateway.Tracker   = (*Gateway)(nil)
	_ gateway.Router    = (*Gateway)(nil)
	_ gateway.ClientLog = (*Gateway)(nil)
)

func newGateway(o *Org, s Spec) *Gateway {
	d := DefaultSettings()
	if s.Settings.Retry == nil {
		s.Settings.Retry = d.Retry
	}
	if s.Settings.Timeouts == (gateway.Timeouts{}) {
		s.Settings.Timeouts = d.Timeouts
	}
	g := &Gateway{org: o, name: s.Name, site: s.Site, location: s.Location, instances: 1, ops: map[string]gateway.Op{}}
	g.conf = gateway.Config{
		Name: s.Name, Exists: true, Generation: 1, ChangedAt: o.now(), Instance: instance(s.Name, 1),
		Stored: s.Settings.Patch(gateway.SettingsPatch{}), ApplyLive: s.ApplyLive,
		Spaces: slices.Clone(s.Spaces), Sites: slices.Clone(s.Sites),
		Listen: s.Listen, Hostname: s.Hostname,
	}
	if !s.Stopped {
		g.start()
	}
	return g
}

func instance(name string, n int) string { return fmt.Sprintf("%s-%d", name, n) }

// routes is what routing knows of g.
func (g *Gateway) routes() routing.Gateway {
	c := g.conf
	pickup := c.Stored.Mode == gateway.InboundOutbound || c.Stored.Mode == gateway.OutboundOnly
	return routing.Gateway{
		Name: g.name, Site: g.site, Location: g.location, Spaces: c.Spaces, Sites: c.Sites,
		Carries: c.Exists && c.Running && pickup,
	}
}

// Caps implements gateway.Gateway.
func (g *Gateway) Caps() gateway.Caps { return gateway.Caps{Adapter: "mem", StoresEpoch: true} }

// Config implements gateway.Gateway.
func (g *Gateway) Config(ctx context.Context) (gateway.Config, error) {
	if err := g.reach(ctx); err != nil {
		return gateway.Config{}, err
	}
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	return g.snapshot(), nil
}

// reach says that a call whose context has ended does not arrive.
func (g *Gateway) reach(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("mem: reach gateway %q: %w: %w", g.name, gateway.ErrUnreachable, err)
	}
	return nil
}

func (g *Gateway) snapshot() gateway.Config {
	c := g.conf
	c.Epoch = g.epoch
	c.Stored = c.Stored.Patch(gateway.SettingsPatch{})
	c.Effective = c.Effective.Patch(gateway.SettingsPatch{})
	c.Spaces, c.Sites = slices.Clone(c.Spaces), slices.Clone(c.Sites)
	c.Resolved = maps.Clone(c.Resolved)
	return c
}

// Census implements gateway.Gateway.
func (g *Gateway) Census(ctx context.Context) (gateway.Census, error) {
	if err := g.reach(ctx); err != nil {
		return gateway.Census{}, err
	}
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	c := gateway.Census{
		At: g.org.now(), Instance: g.conf.Instance, AtRest: !g.conf.Running,
		Sessions: g.sessions, Accepted: g.accepted, Routed: g.routed,
	}
	for s := range gateway.NumStores {
		c.Stores[s] = g.count(s)
	}
	return c, nil
}

func (g *Gateway) count(s gateway.Store) gateway.Count {
	if g.blind[s] != "" {
		return gateway.Count{Known: gateway.Unknown, Why: g.blind[s]}
	}
	n := gateway.Count{Known: gateway.Counted, Entered: g.entered[s], Left: g.left[s]}
	if !g.conf.Running && s != gateway.MTA {
		n.Why = "from the spool at rest"
	}
	if s == gateway.Corrupt {
		n.Known, n.Why = gateway.EmptyByDesign, "memory does not rot"
	}
	seen := map[string]bool{}
	for _, e := range g.entries {
		if e.store != s {
			continue
		}
		if !seen[e.message] {
			seen[e.message] = true
			n.Messages++
			n.Bytes += e.size
		}
		n.Recipients += int64(len(e.rcpts))
		if n.Oldest.IsZero() || e.accepted.Before(n.Oldest) {
			n.Oldest = e.accepted
		}
	}
	return n
}

// Blind makes a store's count unknown, for a reason; "" makes it known again.
func (g *Gateway) Blind(s gateway.Store, why string) {
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	g.blind[s] = why
}

// Resolve makes the gateway keep the addresses of a host until it starts again,
// as the historical service did with the hosts of its settings (Q285023).
func (g *Gateway) Resolve(host string, addrs ...netip.AddrPort) {
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	if g.conf.Resolved == nil {
		g.conf.Resolved = map[string][]netip.AddrPort{}
	}
	g.conf.Resolved[host] = addrs
}

// SetSessions says how many inbound sessions are open.
func (g *Gateway) SetSessions(n int64) {
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	g.sessions = n
}

// Reset restarts the cumulative counters from zero, as a new process does, and
// so changes the instance.
func (g *Gateway) Reset() {
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	g.instances++
	g.conf.Instance = instance(g.name, g.instances)
	clear(g.entered[:])
	clear(g.left[:])
	g.accepted, g.routed = 0, 0
}

// Starts is how often the service was started.
func (g *Gateway) Starts() int {
	g.org.mu.Lock()
	defer g.org.mu.Unlock()
	return g.starts
}

func (g *Gateway) start() {
	g.conf.Running, g.conf.Paused = true, false
	g.conf.Effective = g.conf.Stored.Patch(gateway.SettingsPatch{})
	g.conf.StartedAt = g.org.now()
	g.conf.Resolved = nil
	g.starts++
	for _, e := range g.entries {
		e.next, e.rests = time.Time{}, false
	}
}

func (g *Gateway) stop() {
	g.conf.Running, g.conf.Paused, g.sessions = false, false, 0
}
