package wire

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"example.org/ims/internal/compare"
	"example.org/ims/internal/config"
	"example.org/ims/internal/dns/msg"
	"example.org/ims/internal/dns/rfc2136"
	"example.org/ims/internal/dns/tsig"
	"example.org/ims/internal/dns/watch"
	"example.org/ims/internal/gateway/embedded"
	"example.org/ims/internal/mail/probe"
	"example.org/ims/internal/mail/routing"
	"example.org/ims/internal/runner"
	"example.org/ims/internal/strictyaml"
	"example.org/ims/internal/world"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
	"example.org/ims/pkg/zone"
)

// site is a configuration with the adapters it asks for. The two wrappers are
// the only difference between a run and a dry run.
type site struct {
	cfg         *config.Config
	wrapGateway func(gateway.Gateway) gateway.Gateway
	wrapZone    func(zone.Writer) zone.Writer
	looks       bool   // changes nothing
	probes      bool   // asks name servers whether they would make changes
	opens       string // who opens the run that it looks for; "" for the user of this process
}

// newSite wires adapters that may change the world.
func newSite(cfg *config.Config) *site {
	return &site{
		cfg:         cfg,
		wrapGateway: func(g gateway.Gateway) gateway.Gateway { return g },
		wrapZone:    func(w zone.Writer) zone.Writer { return w },
	}
}

// bind fixes what a run is about: the gateway and its successor, by name or
// from the configuration's defaults, and the mail domains whose MX it moves. Of
// the configured parameters a runbook gets those that it has; a runbook that is
// for a gateway alone gets no successor that nobody named.
func (s *site) bind(r runner.Request, doc *runbook.Doc) (runbook.Binding, error) {
	g, err := s.pick(r.Gateway)
	if err != nil {
		return runbook.Binding{}, err
	}
	b := runbook.Binding{Gateway: g.Name, Successor: r.Successor, Params: map[string]string{}, Places: map[string]strictyaml.Pos{}}
	if alone := machine.Begins(doc.Begins.Value); alone != machine.BeginsAlone && alone != machine.BeginsStopped {
		b.Successor = cmp.Or(r.Successor, s.cfg.Retire.Successor)
	}
	if b.Successor == b.Gateway {
		return b, fmt.Errorf("gateway %q cannot succeed itself", b.Gateway)
	}
	if _, ok := s.cfg.Gateway(b.Successor); b.Successor != "" && !ok {
		return b, fmt.Errorf("there is no gateway %q; the configuration has %s", b.Successor, s.names())
	}
	own := cmp.Or(r.Runbook, s.cfg.Retire.Runbook) == s.cfg.Retire.Runbook
	for k, v := range s.cfg.Retire.Params {
		if own || slices.ContainsFunc(doc.Params, func(p strictyaml.Entry[runbook.Param]) bool { return p.Key.Value == k }) {
			b.Params[k], b.Places[k] = v, s.cfg.Retire.Places[k]
		}
	}
	for k, v := range r.Params {
		b.Params[k], b.Places[k] = v, strictyaml.Pos{File: "--param " + k + "=" + v}
	}
	for _, d := range s.domains() {
		if _, ok := s.cfg.ZoneOf(d); !ok {
			return b, fmt.Errorf("mail domain %q is in no zone of the configuration, so its MX can be neither read nor moved; add it to zones", d)
		}
		b.Domains = append(b.Domains, d)
	}
	return b, nil
}

// pick finds the gateway that is meant when a name may be left out.
func (s *site) pick(name string) (config.Gateway, error) {
	name = cmp.Or(name, s.cfg.Retire.Default)
	if name == "" && len(s.cfg.Gateways) == 1 {
		name = s.cfg.Gateways[0].Name
	}
	if name == "" {
		return config.Gateway{}, fmt.Errorf("name a gateway: the configuration has %s and no retire.default", s.names())
	}
	g, ok := s.cfg.Gateway(name)
	if !ok {
		return g, fmt.Errorf("there is no gateway %q; the configuration has %s", name, s.names())
	}
	return g, nil
}

func (s *site) names() string {
	names := make([]string, len(s.cfg.Gateways))
	for i, g := range s.cfg.Gateways {
		names[i] = g.Name
	}
	return strings.Join(names, ", ")
}

func (s *site) domains() []string {
	domains := slices.Clone(s.cfg.Organization.Domains)
	for _, st := range s.cfg.Organization.Sites {
		domains = append(domains, st.Domains...)
	}
	return domains
}

// leases names what a run must hold alone: its gateway, the successor, which
// must not go while it is counted on, and the address spaces that it takes
// away, so that no two runs remove the last two routes of a space at once. They
// are the ones that the gateway has now: the configuration
// only says with which ones it began.
func (s *site) leases(ctx context.Context, name, successor string) ([]string, error) {
	c, err := s.gateway(name).Config(ctx)
	if err != nil {
		return nil, fmt.Errorf("read which address spaces gateway %q has: %w: %w", name, runner.ErrUnknown, err)
	}
	if !c.Exists && len(c.Leftovers) == 0 {
		return nil, fmt.Errorf("%w: gateway %s was removed already; there is nothing left to retire", runner.ErrRefused, name)
	}
	leases := []string{"gateway/" + name}
	if successor != "" {
		leases = append(leases, "gateway/"+successor)
	}
	for _, sp := range c.Spaces {
		leases = append(leases, "space/"+strings.ToUpper(sp.Type)+":"+strings.ToLower(sp.Pattern))
	}
	for _, st := range c.Sites {
		leases = append(leases, "site/"+strings.ToLower(st.Name))
	}
	slices.Sort(leases)
	return slices.Compact(leases), nil
}

// gateway is the adapter of a configured gateway.
func (s *site) gateway(name string) gateway.Gateway {
	g, ok := s.cfg.Gateway(name)
	if !ok {
		return nil
	}
	return s.wrapGateway(embedded.New(g.Socket, g.Name))
}

// world connects what a run observes and changes.
func (s *site) world(book *runbook.Book) (*world.World, error) {
	g, err := s.pick(book.Bound.Gateway)
	if err != nil {
		return nil, err
	}
	next, _ := s.cfg.Gateway(book.Bound.Successor)
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	cfg := world.Config{
		Name: g.Name, Hostname: g.Hostname, Address: g.Listen, Gateway: s.gateway(g.Name),
		SuccessorName: next.Name, SuccessorHostname: next.Hostname, SuccessorAddress: next.Listen, SuccessorSite: next.Site,
		Prober: &probe.Prober{Helo: host}, Routing: s.organization(g), ArchiveDir: s.cfg.Retire.ArchiveDir,
	}
	if next.Name != "" {
		cfg.Successor = s.gateway(next.Name)
	}
	for _, w := range s.cfg.Waivers {
		if w.Aside(g.Name, next.Name) != "" {
			continue
		}
		cfg.Waivers = append(cfg.Waivers, compare.Waiver{ID: w.ID, Reason: w.Reason, By: w.By, Expires: w.Expires})
	}
	if cfg.Dependents, err = s.mover(g.Name, next.Name); err != nil {
		return nil, err
	}
	cfg.Floor, _ = book.Duration("floor")
	cfg.FlushAfter, _ = book.Duration("flush_timeout")
	cfg.Book, cfg.Machine, cfg.SuccessorMachine = book, machineOf(g), machineOf(next)
	resolver, err := newResolver(s.cfg.Resolver)
	if err != nil {
		return nil, err
	}
	cfg.LookUp, cfg.Hosts = resolver.resolver.RRset, hostsOf(s.cfg.Resolver)
	for _, o := range s.cfg.Gateways {
		if o.Name != g.Name && o.Name != next.Name {
			cfg.Neighbours = append(cfg.Neighbours, world.Neighbour{Name: o.Name, Addresses: o.Addresses})
		}
	}
	for _, z := range s.cfg.Zones {
		one, err := s.zone(z)
		if err != nil {
			return nil, err
		}
		cfg.Zones = append(cfg.Zones, one)
	}
	for _, d := range book.Bound.Domains {
		domain, err := s.domain(d)
		if err != nil {
			return nil, err
		}
		cfg.Domains = append(cfg.Domains, domain)
	}
	return world.New(cfg), nil
}

// machineOf is the machine of a gateway as the Internet sees it.
func machineOf(g config.Gateway) world.Machine {
	return world.Machine{Addresses: g.Addresses, Assumed: g.Assumed, Drain: g.Drain.Name, DrainAddresses: g.Drain.Addresses}
}

// domain connects a mail domain to the zone that its MX lives in.
func (s *site) domain(name string) (world.Domain, error) {
	z, ok := s.cfg.ZoneOf(name)
	if !ok {
		return world.Domain{}, fmt.Errorf("mail domain %q is in no zone of the configuration", name)
	}
	one, err := s.zone(z)
	return world.Domain{Name: name, Rcpt: s.recipient(name), Zone: z.Name, Writer: one.Writer, Watch: one.Watch}, err
}

// zone connects a configured zone.
func (s *site) zone(z config.Zone) (world.Zone, error) {
	c := rfc2136.Config{Zone: z.Name, Server: z.Server}
	switch key, err := tsig.LoadFile(z.KeyFile); {
	case err == nil:
		c.Key = &key
	case !s.looks || !errors.Is(err, fs.ErrPermission): // whoever only looks needs no key
		return world.Zone{}, err
	default:
		c.Unsigned = true
	}
	w, err := rfc2136.New(c)
	if err != nil {
		return world.Zone{}, err
	}
	watcher, err := watch.New(watch.Config{
		Zone: z.Name, Authorities: z.Authorities, Discover: len(z.Authorities) == 0, Resolvers: s.cfg.Resolver.Servers,
	})
	return world.Zone{Name: z.Name, Writer: s.wrapZone(patient{w, msg.WithPort(z.Server)}), Watch: watcher}, err
}

// recipient is a known recipient of a domain, for probes.
func (s *site) recipient(domain string) string {
	for _, r := range s.cfg.Organization.Recipients {
		if strings.HasSuffix(strings.ToLower(r), "@"+strings.ToLower(domain)) {
			return r
		}
	}
	return "postmaster@" + domain // every domain has one (RFC 5321 4.5.1)
}

func (s *site) organization(g config.Gateway) *organization {
	o := &organization{
		name: g.Name, gateways: map[string]gateway.Gateway{}, places: map[string]routing.Origin{}, domains: s.cfg.Organization.Domains,
	}
	o.mover, o.blind = s.mover(g.Name, s.cfg.Retire.Successor)
	for _, x := range s.cfg.Gateways {
		o.gateways[x.Name] = s.gateway(x.Name)
		o.places[x.Name] = routing.Origin{Site: x.Site, Location: x.Location}
	}
	for _, st := range s.cfg.Organization.Sites {
		o.sites = append(o.sites, routing.Site{Name: st.Name, Locations: st.Locations, Domains: st.Domains})
	}
	return o
}
