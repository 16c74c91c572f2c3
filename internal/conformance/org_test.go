package conformance

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	dns "example.org/ims/internal/dns/mem"
	"example.org/ims/internal/engine"
	"example.org/ims/internal/mail/probe"
	"example.org/ims/internal/mail/routing"
	"example.org/ims/internal/mail/service"
	"example.org/ims/internal/mail/smtpd"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/internal/world"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
	"example.org/ims/pkg/zone"
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
	work  sync.WaitGroup
	stop  context.CancelFunc
	end   context.CancelFunc // of the hosts
	done  chan error
	o     *service.Organization
	zone  *dns.Zone
	world *world.World
	look  engine.Look
	fs    *spool.CrashableFS
}

// reading is how the gateway is configured where the sources dispute, and
// which faults it has.
type reading struct {
	params model.Params
	faults []service.Fault
}

// newOrg starts an organization that is as a world says.
func newOrg(ctx context.Context, w *model.World, as reading, archives string) (*org, error) {
	o := &org{net: &network{open: map[string]*pipes{}}, far: &host{}, done: make(chan error, 1), fs: spool.NewCrashableFS()}
	hosts, end := context.WithCancel(ctx)
	o.end = end
	box := &host{}
	box.say(func(rcpt string) *smtpd.Reply {
		if rcpt == refused {
			return smtpd.Refuse(550, "5.1.1", "no such user")
		}
		return nil
	})
	for name, h := range map[string]*host{far: o.far, "mail." + domain: box} {
		if err := h.serve(hosts, o.net, name, &o.work); err != nil {
			return o, err
		}
	}
	if err := o.open(ctx, w, as, archives); err != nil {
		return o, err
	}
	mx := east
	if !w.MXPrimary {
		mx = west
	}
	o.zone = dns.New(domain, zone.NewMX(domain, 300, zone.MX{Pref: 10, Host: mx + "." + domain}))
	o.zone.AddServer("ns2."+domain, 20*time.Second)
	return o, o.connect()
}

// open opens the organization and runs it.
func (o *org) open(ctx context.Context, w *model.World, as reading, archives string) error {
	var err error
	o.o, err = service.Open(ctx, config(w, as), service.Deps{
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

func config(w *model.World, as reading) service.Config {
	spaces := []gateway.Space{{Type: "SMTP", Pattern: "*", Cost: 1}}
	var sites []gateway.Site
	if w.Sites {
		sites = []gateway.Site{{Name: "remote", Cost: 1, RoutingAddress: far}}
	}
	first := service.GatewayConfig{
		Name: east, Site: "hq", Hostname: east + "." + domain, Listen: east + ":25", Spaces: spaces, Sites: sites,
		NonePicksUp: as.params.NonePicksUp, Faults: as.faults,
	}
	first.Settings.Mode = gateway.Mode(w.ModeSet)
	next := service.GatewayConfig{Name: west, Site: "branch", Hostname: west + "." + domain, Listen: west + ":25"}
	if w.Other {
		next.Spaces = []gateway.Space{{Type: "SMTP", Pattern: "*", Cost: 10}}
		for _, s := range sites {
			s.Cost = 10
			next.Sites = append(next.Sites, s)
		}
	}
	if w.Dependents {
		next.Settings.DomainHosts = map[string]string{"partner.example": first.Hostname}
	}
	return service.Config{
		Domains: []string{domain}, MailHost: "mail." + domain + ":25", Recipients: []string{user, refused},
		Recalculation: time.Minute, Replication: 4 * time.Minute,
		Sites: []service.Site{
			{Name: "hq", Submission: "submit.hq:25"},
			{Name: "branch", Submission: "submit.branch:25"},
			{Name: "remote", Domains: []string{"remote.example"}},
		},
		Gateways: []service.GatewayConfig{first, next},
	}
}

// connect makes the world that a run would see.
func (o *org) connect() error {
	e, err := o.o.Gateway(east)
	if err != nil {
		return err
	}
	n, err := o.o.Gateway(west)
	if err != nil {
		return err
	}
	o.world = world.New(world.Config{
		Name: east, Hostname: east + "." + domain, Address: east + ":25", Gateway: e,
		Successor: n, SuccessorName: west, SuccessorHostname: west + "." + domain, SuccessorAddress: west + ":25",
		Domains: []world.Domain{{Name: domain, Rcpt: user, Zone: domain, Writer: o.zone, Watch: o.zone}},
		Prober:  &probe.Prober{Dial: o.net.from("192.0.2.9"), Helo: "test"}, Routing: routes{o.o},
		Floor: time.Minute, FlushAfter: time.Hour,
	})
	o.look = engine.Look{Run: "r", Named: map[machine.Subject]map[string]bool{}, Memory: map[string]string{}}
	return nil
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

// Uncovered implements world.Routing.
func (r routes) Uncovered(context.Context) ([]string, error) {
	all := r.o.Routing()
	var missing []string
	for _, g := range all.Gateways {
		if g.Name != east {
			continue
		}
		for _, s := range g.Spaces {
			if routing.Cover(all, east, s).Verdict != routing.Covered {
				missing = append(missing, s.Pattern)
			}
		}
		for _, s := range g.Sites {
			if routing.CoverSite(all, east, s.Name).Verdict != routing.Covered {
				missing = append(missing, s.Name)
			}
		}
	}
	return missing, nil
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
