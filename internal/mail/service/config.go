package service

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/ims/internal/mail/address"
	"example.org/ims/internal/mail/delivery"
	"example.org/ims/pkg/gateway"
)

// Config describes an organization. Domains, MailHost and one site are
// required.
type Config struct {
	Hostname string   // what the MTA calls itself; "" means "mta." and the first domain
	Domains  []string // local everywhere
	// Recipients are the known local recipients, as addresses; none means that
	// every local part is known.
	Recipients []string
	MailHost   string // host:port of the mail host, which holds the mailboxes
	LMTP       bool   // the mail host speaks LMTP
	Sites      []Site
	// Replication and Recalculation are how long a change of routing takes to
	// reach other sites, and to count (see package routing).
	Replication   time.Duration
	Recalculation time.Duration
	Handover      time.Duration // from mta to mts-out; 0 means 250 ms
	StopGrace     time.Duration // for sessions and attempts when a service stops; 0 means 30 s
	// LocalRetry and LocalTimeouts are the MTA's own, for local delivery. The
	// default retry list is ours; the time-outs are the MTA's 2, 7 and 10 days
	// (Q178539).
	LocalRetry    []time.Duration
	LocalTimeouts gateway.Timeouts
	Delivery      delivery.Limits // of each gateway's scheduler, and of the MTA's
	Gateways      []GatewayConfig
}

// Site is a group of users with one submission listener and its own copy of
// the routing table. Mail submitted here has the first location as its origin.
type Site struct {
	Name       string
	Submission string // address:port; "" means none
	Locations  []string
	Domains    []string // that live here
}

// GatewayConfig describes a gateway as the configuration file does.
type GatewayConfig struct {
	Name        string           `json:"name"`
	Site        string           `json:"site"`
	Location    string           `json:"location,omitempty"`
	Hostname    string           `json:"hostname"`
	Listen      string           `json:"listen"` // address:port; "" means no Internet listener
	Settings    gateway.Settings `json:"settings"`
	Spaces      []gateway.Space  `json:"spaces,omitempty"`
	Sites       []gateway.Site   `json:"sites,omitempty"`
	ApplyLive   bool             `json:"apply_live,omitempty"`    // settings take effect at once
	KeepNames   bool             `json:"keep_names,omitempty"`    // hosts of the settings are looked up once a start
	NonePicksUp bool             `json:"none_picks_up,omitempty"` // the disputed reading of mode None
	Faults      []Fault          `json:"-"`                       // deliberate misbehaviour, for a laboratory
}

// Defaults of a gateway's settings. The retry list is historical (Q146669), as
// is the time-out of normal mail (Q184051); the other time-outs are ours.
var (
	defaultRetry    = []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, 4 * time.Hour}
	defaultTimeouts = gateway.Timeouts{
		Urgent: 24 * time.Hour, Normal: 48 * time.Hour, NonUrgent: 72 * time.Hour, Report: 48 * time.Hour,
	}
	localRetry    = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}
	localTimeouts = gateway.Timeouts{
		Urgent: 2 * 24 * time.Hour, Normal: 7 * 24 * time.Hour, NonUrgent: 10 * 24 * time.Hour, Report: 7 * 24 * time.Hour,
	}
)

func (c Config) withDefaults() Config {
	if c.Hostname == "" && len(c.Domains) > 0 {
		c.Hostname = "mta." + c.Domains[0]
	}
	c.Handover = cmp.Or(c.Handover, 250*time.Millisecond)
	c.StopGrace = cmp.Or(c.StopGrace, 30*time.Second)
	if c.LocalRetry == nil {
		c.LocalRetry = localRetry
	}
	c.LocalTimeouts = fillTimeouts(c.LocalTimeouts, localTimeouts)
	c.Gateways = slices.Clone(c.Gateways)
	for i := range c.Gateways {
		s := &c.Gateways[i].Settings
		if s.Retry == nil {
			s.Retry = defaultRetry
		}
		s.Timeouts = fillTimeouts(s.Timeouts, defaultTimeouts)
	}
	return c
}

func fillTimeouts(t, def gateway.Timeouts) gateway.Timeouts {
	return gateway.Timeouts{
		Urgent: cmp.Or(t.Urgent, def.Urgent), Normal: cmp.Or(t.Normal, def.Normal),
		NonUrgent: cmp.Or(t.NonUrgent, def.NonUrgent), Report: cmp.Or(t.Report, def.Report),
	}
}

// check says everything that is wrong with c.
func (c Config) check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(c.Domains) == 0 {
		bad("no local domain")
	}
	if c.MailHost == "" {
		bad("no mail host")
	}
	for _, r := range c.Recipients {
		if _, err := address.Parse(r, true); err != nil {
			errs = append(errs, err)
		}
	}
	sites := map[string]bool{}
	for _, s := range c.Sites {
		if s.Name == "" || sites[s.Name] {
			bad("site %q: no name, or named twice", s.Name)
		}
		sites[s.Name] = true
	}
	if len(sites) == 0 {
		bad("no site")
	}
	names := map[string]bool{}
	for _, g := range c.Gateways {
		if g.Name == "" || len(g.Name) > 100 || names[g.Name] || strings.ContainsAny(g.Name, "/\x00") {
			bad("gateway %q: bad name, or named twice", g.Name)
		}
		names[g.Name] = true
		if err := g.check(sites); err != nil {
			bad("gateway %q: %w", g.Name, err)
		}
	}
	return errors.Join(errs...)
}

func (g GatewayConfig) check(sites map[string]bool) error {
	if !sites[g.Site] {
		return fmt.Errorf("unknown site %q", g.Site)
	}
	if g.Hostname == "" {
		return errors.New("no host name")
	}
	for _, s := range g.Sites {
		if !sites[s.Name] {
			return fmt.Errorf("unknown connected site %q", s.Name)
		}
	}
	for _, w := range []gateway.Want{{Settings: asPatch(g.Settings)}, {Spaces: &g.Spaces}, {Sites: &g.Sites}} {
		if err := (gateway.Change{Key: "file", Want: w}).Check(); err != nil {
			return err
		}
	}
	return checkRetry(g.Settings.Retry)
}

// checkRetry refuses what the historical service took in silence: values out of
// 0..100 hours were ignored at start (Q151780). A single zero means no retries
// (Q146669).
func checkRetry(list []time.Duration) error {
	for _, d := range list {
		if d > 100*time.Hour || d == 0 && len(list) > 1 {
			return fmt.Errorf("retry interval %v: want more than 0 and at most 100 h, or a single 0", d)
		}
	}
	return nil
}

// asPatch names every setting.
func asPatch(s gateway.Settings) *gateway.SettingsPatch {
	return &gateway.SettingsPatch{
		Mode: &s.Mode, Refuse: &s.Refuse, Retry: &s.Retry, Timeouts: &s.Timeouts,
		ForwardHost: &s.ForwardHost, DomainHosts: &s.DomainHosts, MaxSize: &s.MaxSize,
		MaxInbound: &s.MaxInbound, MaxOutbound: &s.MaxOutbound,
		Reroute: &s.Reroute, Accept: &s.Accept, Relay: &s.Relay, ETRN: &s.ETRN,
	}
}
