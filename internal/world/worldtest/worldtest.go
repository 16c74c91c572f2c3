// Package worldtest is a small organization in memory for tests of everything
// above the world: gateway east, which retires, gateway west, its successor,
// and a zone with two servers whose MX leads to east. Nothing leaves the
// process, and time is whatever the test's clock says; it holds no test of its
// own and judges nothing.
package worldtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"example.org/ims/internal/dependents"
	dns "example.org/ims/internal/dns/mem"
	"example.org/ims/internal/engine"
	"example.org/ims/internal/gateway/mem"
	"example.org/ims/internal/mail/routing"
	"example.org/ims/internal/world"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/runbook"
	"example.org/ims/pkg/zone"
)

// Names of the organization's parts.
const (
	East   = "east"
	West   = "west"
	Domain = "example.test"
)

// Lab is the organization. Its parts may be used directly.
type Lab struct {
	Org        *mem.Org
	Zone       *dns.Zone
	Reverse    *dns.Zone // of the addresses of both machines
	East, West *mem.Gateway
	Archives   string // folder of exports and archives; "" has none
	// Wrap, if set, is put around every gateway that a world acts on.
	Wrap func(gateway.Gateway) gateway.Gateway
}

// New makes an organization: both gateways route everything, east carries a
// connected site, MX with a TTL of ttl seconds lead to east. Routes and zones
// take their time.
func New(ttl uint32) *Lab {
	return build(ttl, routing.Delays{Recalculation: time.Minute, Replication: 5 * time.Minute}, 20*time.Second)
}

// Quick makes the same organization for tests by the real clock: nothing takes
// any time.
func Quick() *Lab { return build(0, routing.Delays{}, 0) }

func build(ttl uint32, delays routing.Delays, lag time.Duration) *Lab {
	all := []gateway.Space{{Type: "SMTP", Pattern: "*", Cost: 1}}
	site := []gateway.Site{{Name: "branch", Cost: 1, RoutingAddress: "branch.test"}}
	org := mem.New(mem.Options{
		Domains: []string{Domain},
		Delays:  delays,
	},
		mem.Spec{Name: East, Site: "hq", Hostname: "east." + Domain, Listen: "east:25", Spaces: all, Sites: site},
		mem.Spec{Name: West, Site: "hq", Hostname: "west." + Domain, Listen: "west:25", Spaces: all, Sites: site},
	)
	z := dns.New(Domain, zone.NewMX(Domain, ttl, zone.MX{Pref: 10, Host: "east." + Domain}),
		zone.NewRRset(Domain, "TXT", ttl, `"v=spf1 mx -all"`),
		zone.NewRRset("east."+Domain, "A", ttl, eastAddress), zone.NewRRset("west."+Domain, "A", ttl, westAddress))
	z.AddServer("ns2."+Domain, lag)
	r := dns.New(reverse, zone.NewRRset("10."+reverse, "PTR", ttl, "east."+Domain), zone.NewRRset("20."+reverse, "PTR", ttl, "west."+Domain))
	return &Lab{Org: org, Zone: z, Reverse: r, East: org.Gateway(East), West: org.Gateway(West)}
}

// What the DNS says of both machines.
const (
	reverse     = "2.0.192.in-addr.arpa"
	eastAddress = "192.0.2.10"
	westAddress = "192.0.2.20"
	eastDrain   = "drain." + Domain
)

// Binding is the binding of a run that retires east.
func Binding(params map[string]string) runbook.Binding {
	return runbook.Binding{Gateway: East, Successor: West, Domains: []string{Domain}, Params: params}
}

// Leases are what such a run holds.
func Leases() []string { return []string{"gateway/" + East, "space/SMTP:*"} }

// World makes the world of a run.
func (l *Lab) World(book *runbook.Book) engine.World {
	wrap := l.Wrap
	if wrap == nil {
		wrap = func(g gateway.Gateway) gateway.Gateway { return g }
	}
	return Parts{
		East: wrap(l.East), West: wrap(l.West), Writer: l.Zone, Watch: l.Zone, Archives: l.Archives,
		Zones: []world.Zone{{Name: Domain, Writer: l.Zone, Watch: l.Zone}, {Name: reverse, Writer: l.Reverse, Watch: l.Reverse}},
	}.World(book)
}

// Parts are the organization as a run sees it, perhaps from another process.
type Parts struct {
	East, West gateway.Gateway
	Writer     zone.Writer
	Watch      zone.Watcher
	Zones      []world.Zone // beside that of the domains
	Archives   string
}

// World makes the world of a run.
func (p Parts) World(book *runbook.Book) engine.World {
	floor, _ := book.Duration("floor")         // every shipped runbook has it
	flush, _ := book.Duration("flush_timeout") // zero where nothing is flushed
	var domains []world.Domain
	for _, d := range book.Bound.Domains {
		domains = append(domains, world.Domain{Name: d, Rcpt: "postmaster@" + d, Zone: Domain, Writer: p.Writer, Watch: p.Watch})
	}
	c := world.Config{
		Name: East, Hostname: "east." + Domain, Address: "east:25", Gateway: p.East,
		Domains: domains, Prober: prober(p), Routing: org(p), Dependents: p.mover(book.Bound.Successor), Floor: floor, FlushAfter: flush,
		Book: book, ArchiveDir: p.Archives, Zones: p.Zones,
		Machine:          world.Machine{Addresses: addrs(eastAddress), Drain: eastDrain, DrainAddresses: addrs(eastAddress)},
		SuccessorMachine: world.Machine{Addresses: addrs(westAddress)},
	}
	if book.Bound.Successor != "" {
		c.Successor, c.SuccessorName, c.SuccessorHostname, c.SuccessorAddress = p.West, West, "west."+Domain, "west:25"
	}
	return world.New(c)
}

func addrs(list ...string) (out []netip.Addr) {
	for _, a := range list {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}

// mover changes what names east in west; no name leads anywhere but itself.
func (p Parts) mover(successor string) *dependents.Mover {
	west := dependents.Target{Name: West, Hostname: "west." + Domain, Listen: "west:25"}
	next := &west
	if successor == "" {
		next = nil
	}
	return &dependents.Mover{
		Target: dependents.Target{Name: East, Hostname: "east." + Domain, Listen: "east:25"}, Next: next, Others: []dependents.Target{west},
		Gateways: map[string]gateway.Gateway{East: p.East, West: p.West},
		Look:     func(context.Context, string) ([]netip.AddrPort, error) { return nil, dependents.ErrNoHost },
	}
}

// prober knows what a listener answers from the settings in effect.
type prober Parts

// Probe implements world.Prober.
func (p prober) Probe(ctx context.Context, address, _ string) (facts.Value, string, error) {
	g := p.East
	if address == "west:25" {
		g = p.West
	}
	c, err := g.Config(ctx)
	if err != nil {
		return facts.Unknown, "", err
	}
	mode, refuse := c.Effective.Mode, c.Effective.Refuse
	switch {
	case !c.Exists || !c.Running || c.Paused:
		return facts.ReplyClosed, "connection refused", nil
	case mode == gateway.InboundOutbound || mode == gateway.InboundOnly:
		return facts.ReplyAccept, "250", nil
	case refuse == gateway.RefuseClosed:
		return facts.ReplyClosed, "connection refused", nil
	}
	return facts.ReplyTemporary, "4xx", nil
}

type org Parts

// Cover implements world.Routing.
func (o org) Cover(ctx context.Context) (world.Cover, error) {
	var out world.Cover
	var r routing.Org
	var own gateway.Config
	for _, g := range []gateway.Gateway{o.East, o.West} {
		c, err := g.Config(ctx)
		if err != nil {
			return out, err
		}
		if c.Name == East {
			own = c
		} else if len(c.Spaces)+len(c.Sites) > 0 {
			out.Others = append(out.Others, c.Name)
		}
		r.Gateways = append(r.Gateways, routing.Gateway{Name: c.Name, Site: "hq", Spaces: c.Spaces, Sites: c.Sites, Carries: c.Running && sends(c.Effective.Mode)})
	}
	r.Domains, r.Sites = []string{Domain}, []routing.Site{{Name: "hq"}}
	add := func(name string, c routing.Coverage) {
		switch {
		case c.Verdict == routing.Covered:
		case c.Blackhole != "":
			out.Swallowed = append(out.Swallowed, name)
		default:
			out.Uncovered = append(out.Uncovered, name)
		}
	}
	for _, s := range own.Spaces {
		add(s.Type+":"+s.Pattern, routing.Cover(r, East, s))
	}
	for _, s := range own.Sites {
		add(s.Name, routing.CoverSite(r, East, s.Name))
	}
	return out, nil
}

// sends reports whether a transfer mode carries mail outward.
func sends(m gateway.Mode) bool { return m == gateway.InboundOutbound || m == gateway.OutboundOnly }

// Dependents implements world.Routing.
func (o org) Dependents(ctx context.Context) ([]string, error) {
	r := Parts(o).mover(West).Report(ctx)
	if len(r.Unsure) > 0 {
		return nil, errors.New(r.Unsure[0].String())
	}
	var found []string
	for _, f := range r.Findings {
		found = append(found, f.String())
	}
	return found, nil
}

// Picture is the configuration of everything that a run may change, in a form
// that two equal worlds share.
func (l *Lab) Picture(ctx context.Context) (string, error) {
	out := map[string]any{}
	for _, g := range []*mem.Gateway{l.East, l.West} {
		c, err := g.Config(ctx)
		if err != nil {
			return "", err
		}
		c.Generation, c.Epoch, c.StartedAt, c.ChangedAt, c.Instance = 0, 0, time.Time{}, time.Time{}, ""
		if !c.Running {
			c.Effective = gateway.Settings{}
		}
		out[c.Name] = c
	}
	rr, err := l.Zone.Read(ctx, Domain, "MX")
	if err != nil {
		return "", err
	}
	out["mx"] = rr.String()
	var lines []byte
	for _, k := range slices.Sorted(maps.Keys(out)) {
		raw, err := json.Marshal(out[k])
		if err != nil {
			return "", err
		}
		lines = fmt.Appendf(lines, "%s %s\n", k, raw)
	}
	return string(lines), nil
}
