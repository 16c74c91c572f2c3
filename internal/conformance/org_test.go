package conformance

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing/synctest"
	"time"

	dns "example.org/ims/internal/dns/mem"
	"example.org/ims/internal/engine"
	"example.org/ims/internal/mail/probe"
	"example.org/ims/internal/mail/routing"
	"example.org/ims/internal/mail/service"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/internal/world"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// Names of the organization: east is the gateway that is watched, west the
// successor, far the destination of everything that leaves.
const (
	east, west = "east", "west"
	domain     = "corp.example"
	far        = "far.example"
	user       = "ann@" + domain
	refused    = "gone@" + domain // the mail host does not know it
)

// org is an organization of the embedded service, and the world as a run sees
// it. It lives in a bubble.
type org struct {
	net   *network
	far   *host
	box   *host // the mail host
	work  sync.WaitGroup
	stop  context.CancelFunc
	end   context.CancelFunc // of the hosts
	done  chan error
	o     *service.Organization
	zones []*dns.Zone
	world *world.World
	look  engine.Look
	fs    *spool.CrashableFS
	begun time.Time // mail that was there before is old
	cut   bool      // nobody reaches the successor
}

// reading is how the gateway is configured where the sources dispute, and
// which faults it, or what is around it, has.
type reading struct {
	params model.Params
	faults []service.Fault
	seeded seeds
}

// newOrg starts an organization that is as a world says.
func newOrg(ctx context.Context, b beginning, as reading, archives string) (*org, error) {
	o := &org{
		net: &network{open: map[string]*pipes{}}, far: &host{}, box: &host{answer: known}, done: make(chan error, 1),
		fs: spool.NewCrashableFS(),
	}
	hosts, end := context.WithCancel(ctx)
	o.end = end
	for name, h := range map[string]*host{far: o.far, "mail." + domain: o.box} {
		if err := h.serve(hosts, o.net, name, &o.work); err != nil {
			return o, err
		}
	}
	if err := o.open(ctx, config(b, as), archives); err != nil {
		return o, err
	}
	if err := o.preload(ctx, &b.World); err != nil {
		return o, err
	}
	o.publish(&b.World)
	return o, o.connect(b, as.seeded, archives)
}

// open opens the organization and runs it.
func (o *org) open(ctx context.Context, c service.Config, archives string) error {
	var err error
	o.o, err = service.Open(ctx, c, service.Deps{
		Spool: "spool", Options: spool.Options{FS: o.fs}, Archives: archives, Resolver: o.net, Listen: o.net.listen,
		Dial: o.net.from("192.0.2.1"),
	})
	if err != nil {
		return err
	}
	run, stop := context.WithCancel(ctx)
	o.stop = stop
	go func() { o.done <- o.o.Run(run) }() // close waits for it
	select {
	case <-o.o.Ready():
		return nil
	case err := <-o.done:
		o.done <- err
		return err
	}
}

// connect makes the world that a run would see.
func (o *org) connect(b beginning, s seeds, archives string) error {
	e, err := o.o.Gateway(east)
	if err != nil {
		return err
	}
	n, err := o.o.Gateway(west)
	if err != nil {
		return err
	}
	here, next := machines()
	c := world.Config{
		Name: east, Hostname: east + "." + domain, Address: east + ":25", Gateway: s.gateway(e),
		Domains: []world.Domain{{Name: domain, Rcpt: user, Zone: domain, Writer: s.zone(o.zones[0]), Watch: o.zones[0]}},
		Prober:  &probe.Prober{Dial: o.probes, Helo: "test"}, Routing: s.routes(o.o),
		Machine: here, SuccessorMachine: next, Waivers: waived(b), Book: b.book, ArchiveDir: archives,
		Floor: time.Minute, FlushAfter: time.Hour,
	}
	for i, name := range []string{domain, reverseV4, reverseV6} {
		c.Zones = append(c.Zones, world.Zone{Name: name, Writer: s.zone(o.zones[i]), Watch: o.zones[i]})
	}
	if !b.alone() {
		c.Successor, c.SuccessorName, c.SuccessorSite = s.gateway(n), west, "branch"
		c.SuccessorHostname, c.SuccessorAddress = west+"."+domain, west+":25"
	}
	o.world = world.New(c)
	o.look = engine.Look{Run: "r", Named: map[machine.Subject]map[string]bool{}, Memory: map[string]string{}}
	return nil
}

// probes dials as somebody on the Internet does.
func (o *org) probes(ctx context.Context, to string) (net.Conn, error) {
	if o.cut && to == west+":25" {
		return nil, syscall.ECONNREFUSED
	}
	return o.net.from("192.0.2.9")(ctx, to)
}

// close ends everything, and waits.
func (o *org) close() error {
	var err error
	if o.stop != nil {
		o.stop()
		err = <-o.done
	}
	o.end()
	o.work.Wait()
	if o.o != nil {
		if e := o.o.Close(); err == nil {
			err = e
		}
	}
	return err
}

// pass lets time pass, and everything settle.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// observe looks at the world as a run does.
func (o *org) observe(ctx context.Context) engine.Observation {
	obs := o.world.Observe(ctx, o.look)
	o.look.Memory = obs.Memory
	return obs
}

// send submits a user's message at a site.
func (o *org) send(ctx context.Context, site, rcpt string) error {
	said, err := submit(ctx, o.net.from("10.0.0.1"), "submit."+site+":25", user, rcpt)
	if err == nil && said[:3] != "250" {
		err = fmt.Errorf("submission at %s: %s", site, said)
	}
	return err
}

// arrive delivers a message from the Internet to east and returns the reply.
func (o *org) arrive(ctx context.Context, from, rcpt string) (string, error) {
	return submit(ctx, func(ctx context.Context, to string) (net.Conn, error) { return o.net.from(from)(ctx, to) }, east+":25", "zoe@"+far, rcpt)
}

// successor changes west's settings, which count at once.
func (o *org) successor(ctx context.Context, key string, p gateway.SettingsPatch) error {
	g, err := o.o.Gateway(west)
	if err != nil {
		return err
	}
	p.Restart = true
	_, err = g.Apply(ctx, gateway.Change{Key: key, Actor: "ann", Reason: "test", Want: gateway.Want{Settings: &p}})
	return err
}

// routes answers questions about the routing of both gateways.
type routes struct{ o *service.Organization }

var _ world.Routing = routes{}

// Cover implements world.Routing.
func (r routes) Cover(context.Context) (world.Cover, error) {
	all := r.o.Routing()
	var out world.Cover
	add := func(name string, c routing.Coverage) {
		switch {
		case c.Verdict == routing.Covered:
		case c.Blackhole != "":
			out.Swallowed = append(out.Swallowed, name)
		default:
			out.Uncovered = append(out.Uncovered, name)
		}
	}
	for _, g := range all.Gateways {
		if g.Name != east {
			if len(g.Spaces)+len(g.Sites) > 0 {
				out.Others = append(out.Others, g.Name)
			}
			continue
		}
		for _, s := range g.Spaces {
			add(s.Pattern, routing.Cover(all, east, s))
		}
		for _, s := range g.Sites {
			add(s.Name, routing.CoverSite(all, east, s.Name))
		}
	}
	return out, nil
}

// Dependents implements world.Routing.
func (r routes) Dependents(ctx context.Context) ([]string, error) {
	g, err := r.o.Gateway(west)
	if err != nil {
		return nil, err
	}
	c, err := g.Config(ctx)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, s := range []gateway.Settings{c.Stored, c.Effective} {
		for d, h := range s.DomainHosts {
			if h == east+"."+domain {
				found = append(found, d)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}
