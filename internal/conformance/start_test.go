package conformance

import (
	"context"
	"net/netip"
	"time"

	"example.org/ims/internal/compare"
	dns "example.org/ims/internal/dns/mem"
	"example.org/ims/internal/mail/service"
	"example.org/ims/internal/mail/smtpd"
	"example.org/ims/internal/world"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/model"
	"example.org/ims/pkg/zone"
)

// long is longer than release_max_age, and than any time-out.
const long = 60 * time.Hour

// How long a change of routing takes to count, and to reach other sites.
const recalculation, replication = time.Minute, 4 * time.Minute

// config is an organization as a world says, but for the mail that is in it:
// until that is there the gateway holds everything back.
func config(b beginning, as reading) service.Config {
	w := &b.World
	all := func(cost int) []gateway.Space { return []gateway.Space{{Type: "SMTP", Pattern: "*", Cost: cost}} }
	var sites, others []gateway.Site
	if w.Sites {
		sites = []gateway.Site{{Name: "remote", Cost: 1, RoutingAddress: far}}
		others = []gateway.Site{{Name: "remote", Cost: 10, RoutingAddress: far}}
	}
	first := service.GatewayConfig{
		Name: east, Site: "hq", Hostname: east + "." + domain, Listen: east + ":25", Spaces: all(1), Sites: sites,
		NonePicksUp: as.params.NonePicksUp, Faults: as.faults,
	}
	first.Settings.Mode, first.Settings.MaxInbound, first.Settings.MaxOutbound = gateway.Mode(w.ModeSet), 40, 40
	if preloaded(w) {
		first.Settings.Mode = gateway.InboundOnly
	}
	next := service.GatewayConfig{Name: west, Site: "branch", Hostname: west + "." + domain, Listen: west + ":25"}
	next.Settings.MaxInbound, next.Settings.MaxOutbound = 50, 50
	third := service.GatewayConfig{Name: "north", Site: "branch", Hostname: "north." + domain, Listen: "north:25"}
	cover := &next
	if b.joining() { // the split says what the successor has
		cover = &third
	}
	if w.Other {
		cover.Spaces, cover.Sites = all(10), others
	}
	if w.Differs && w.Other {
		first.Settings.DomainHosts = lacking
	}
	if w.Dependents {
		next.Settings.DomainHosts = map[string]string{"partner.example": first.Hostname}
	}
	c := service.Config{
		Domains: []string{domain}, MailHost: "mail." + domain + ":25", Recipients: []string{user, refused},
		Recalculation: recalculation, Replication: replication,
		Sites: []service.Site{
			{Name: "hq", Submission: "submit.hq:25"},
			{Name: "branch", Submission: "submit.branch:25"},
			{Name: "remote", Domains: []string{"remote.example"}},
		},
		Gateways: []service.GatewayConfig{first, next},
	}
	if b.joining() {
		c.Gateways = append(c.Gateways, third)
	}
	return c
}

// lacking is the setting that a successor has not taken over.
var lacking = map[string]string{"smart.example": "smart." + far}

// waived are the differences that nobody minds: which mode the successor has is
// another matter, and where nobody else covers the address space, it is not to
// be taken over.
func waived(b beginning) (list []compare.Waiver) {
	ids := []string{"mode"}
	if b.World.Dependents { // what names the gateway is a setting of the successor's
		ids = append(ids, "domain-hosts")
	}
	if !b.World.Differs && (!b.World.Other || b.joining()) {
		ids = append(ids, string(compare.Spaces), string(compare.Sites))
	}
	for _, id := range ids {
		list = append(list, compare.Waiver{ID: compare.Prefix + id, Reason: "it is given up", By: "ann", Expires: time.Now().Add(365 * 24 * time.Hour)})
	}
	return list
}

// preloaded reports whether mail is in the gateway from the beginning.
func preloaded(w *model.World) bool { return w.Old+w.MTSOut+w.MTSIn > 0 }

// preload brings a gateway to where a sequence begins.
func (o *org) preload(ctx context.Context, w *model.World) error {
	g, err := o.o.Gateway(east)
	if err != nil {
		return err
	}
	change := func(key string, want gateway.Want) error {
		_, err := g.Apply(ctx, gateway.Change{Key: key, Actor: "ann", Reason: "the start", Want: want})
		return err
	}
	send := func(n uint8) error {
		for range n {
			if err := o.send(ctx, "hq", "joe@"+far); err != nil {
				return err
			}
			pass(time.Second)
		}
		return nil
	}
	if w.Old > 0 {
		if err := send(w.Old); err != nil {
			return err
		}
		pass(long)
	}
	o.begun = time.Now()
	if err := send(w.MTSOut); err != nil {
		return err
	}
	if w.MTSIn > 0 {
		o.box.say(say(451, "4.3.0"))
		for range w.MTSIn {
			if _, err := o.arrive(ctx, "198.51.100.254", user); err != nil {
				return err
			}
			pass(time.Second)
		}
	}
	mode, refuse := gateway.Mode(w.ModeSet), gateway.Refuse(0)
	if preloaded(w) {
		if err := change("mode", gateway.Want{Settings: &gateway.SettingsPatch{Mode: &mode, Refuse: &refuse, Restart: w.Running}}); err != nil {
			return err
		}
	}
	if stopped := gateway.Stopped; !w.Running {
		if err := change("stop", gateway.Want{Running: &stopped}); err != nil {
			return err
		}
	}
	if o.box.say(known); w.MTSIn > 0 {
		pass(time.Hour) // the next attempt is due
	}
	return send(w.MTA)
}

// Addresses of both machines.
const (
	eastV4, eastV6 = "192.0.2.10", "2001:db8::10"
	westV4, westV6 = "192.0.2.20", "2001:db8::20"
	reverseV4      = "2.0.192.in-addr.arpa"
	reverseV6      = "8.b.d.0.1.0.0.2.ip6.arpa"
	ttl, lag       = 300, 20 * time.Second
)

// publish makes the zones: each with a secondary that lags.
func (o *org) publish(w *model.World) {
	mx := east
	if !w.MXPrimary {
		mx = west
	}
	o.zones = []*dns.Zone{
		dns.New(domain, zone.NewMX(domain, ttl, zone.MX{Pref: 10, Host: mx + "." + domain}),
			zone.NewRRset(domain, "TXT", ttl, `"v=spf1 mx -all"`, `"site=1"`),
			zone.NewRRset(east+"."+domain, "A", ttl, eastV4), zone.NewRRset(east+"."+domain, "AAAA", ttl, eastV6),
			zone.NewRRset(west+"."+domain, "A", ttl, westV4), zone.NewRRset(west+"."+domain, "AAAA", ttl, westV6)),
		dns.New(reverseV4, zone.NewRRset("10."+reverseV4, "PTR", ttl, east+"."+domain)),
		dns.New(reverseV6),
	}
	for _, z := range o.zones {
		z.AddServer("ns2."+domain, lag)
	}
}

// machines says which machine has which address.
func machines() (here, next world.Machine) {
	parse := func(list ...string) (all []netip.Addr) {
		for _, a := range list {
			all = append(all, netip.MustParseAddr(a))
		}
		return all
	}
	here = world.Machine{Addresses: parse(eastV4, eastV6), Drain: "drain." + domain, DrainAddresses: parse(eastV4, eastV6)}
	return here, world.Machine{Addresses: parse(westV4, westV6)}
}

// known is what the mail host answers: it knows all but one.
func known(rcpt string) *smtpd.Reply {
	if rcpt == refused {
		return smtpd.Refuse(550, "5.1.1", "no such user")
	}
	return nil
}
