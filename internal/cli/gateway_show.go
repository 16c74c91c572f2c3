package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/internal/patience"
	"example.org/ims/internal/setting"
	"example.org/ims/pkg/gateway"
)

type gatewayShowOptions struct {
	format  output.Format
	clients bool
}

func newGatewayShow(s *session) *cobra.Command {
	var opts gatewayShowOptions
	cmd := &cobra.Command{
		Use:   "show [NAME]",
		Short: "Show a gateway's settings, routes and stores, or all gateways",
		Long: `Show a gateway's settings, routes and stores, or a line for each gateway.

Settings are shown as they are stored and as they are in effect: they differ
until the service starts again. The stores have their names of the Queues page;
the first is not on that page. A store that could not be counted is unknown, and
never 0.`,
		Example: "  ims gateway show\n  ims gateway show east --clients\n  ims gateway show east -o json",
		Args:    args(cobra.MaximumNArgs(1), "a gateway or none"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			if len(argv) == 0 {
				return runGatewayList(patience.Look(cmd.Context()), s, s.printer(opts.format))
			}
			gw, err := s.gateway(argv[0])
			if err != nil {
				return err
			}
			return runGatewayShow(cmd.Context(), s.printer(opts.format), gw, opts)
		},
	}
	cmd.Flags().BoolVar(&opts.clients, "clients", false, "also list the hosts that connected from the Internet")
	formatFlag(cmd, &opts.format, output.Text, output.JSON)
	return exits(cmd, output.Done, output.Unknown)
}

type gatewayData struct {
	Name       string           `json:"name"`
	State      string           `json:"state"` // running, paused, stopped, removed
	Generation uint64           `json:"generation"`
	Instance   string           `json:"instance"`
	StartedAt  time.Time        `json:"started_at"`
	Listen     string           `json:"listen"`
	Hostname   string           `json:"hostname"`
	Apply      string           `json:"apply"` // live, start
	Stored     settingsData     `json:"stored"`
	Effective  *settingsData    `json:"effective"` // null while the service does not run
	Spaces     []gateway.Space  `json:"spaces"`
	Sites      []gateway.Site   `json:"sites"`
	AtRest     bool             `json:"at_rest"`
	Stores     []storeData      `json:"stores"`
	InFlight   int64            `json:"in_flight"`
	Sessions   int64            `json:"sessions"`
	Accepted   uint64           `json:"accepted"`
	Routed     uint64           `json:"routed"`
	Leftovers  []string         `json:"leftovers"`
	Clients    []gateway.Client `json:"clients,omitempty"`
}

type settingsData struct {
	Mode        string            `json:"mode"`
	Refuse      string            `json:"refuse"`
	Retry       []string          `json:"retry"`
	Timeouts    map[string]string `json:"timeouts"`
	ForwardHost string            `json:"forward_host"`
	DomainHosts map[string]string `json:"domain_hosts"`
	MaxSize     int64             `json:"max_size"`
	MaxInbound  int               `json:"max_inbound"`
	MaxOutbound int               `json:"max_outbound"`
	Accept      []string          `json:"accept"`
	Reject      []string          `json:"reject"`
	Relay       []string          `json:"relay"`
	Reroute     map[string]string `json:"reroute"`
	ETRN        map[string]string `json:"etrn"`
}

type storeData struct {
	Store gateway.Store `json:"store"`
	Title string        `json:"title"`
	gateway.Count
}

func runGatewayShow(ctx context.Context, p *output.Printer, gw gateway.Gateway, opts gatewayShowOptions) error {
	c, err := gw.Config(ctx)
	if err != nil {
		return reading(err)
	}
	n, err := gw.Census(ctx)
	if err != nil {
		return reading(err)
	}
	data := gatewayOf(c, n)
	if opts.clients {
		log, ok := gw.(gateway.ClientLog)
		if !ok {
			return fmt.Errorf("gateway %q (%s) cannot list its clients", c.Name, gw.Caps().Adapter)
		}
		if data.Clients, err = log.Clients(ctx); err != nil {
			return reading(err)
		}
	}
	if err := p.Result("gateway", data, func(page *output.Page) { gatewayPage(page, c, n, data, opts.clients) }); err != nil {
		return err
	}
	if _, known := n.Total(); !known {
		p.Note("ims: some stores could not be counted")
		return output.Said(output.Unknown)
	}
	return nil
}

func gatewayOf(c gateway.Config, n gateway.Census) gatewayData {
	d := gatewayData{
		Name: c.Name, State: stateWord(c), Generation: c.Generation, Instance: c.Instance, StartedAt: c.StartedAt,
		Listen: c.Listen, Hostname: c.Hostname, Apply: "start", Stored: settingsOf(c.Stored),
		Spaces: append([]gateway.Space{}, c.Spaces...), Sites: append([]gateway.Site{}, c.Sites...),
		AtRest: n.AtRest, InFlight: n.InFlight, Sessions: n.Sessions, Accepted: n.Accepted, Routed: n.Routed,
		Leftovers: append([]string{}, c.Leftovers...),
	}
	if c.ApplyLive {
		d.Apply = "live"
	}
	if c.Running {
		e := settingsOf(c.Effective)
		d.Effective = &e
	}
	for st := gateway.MTA; st < gateway.NumStores; st++ {
		d.Stores = append(d.Stores, storeData{st, st.Title(), n.Stores[st]})
	}
	return d
}

func settingsOf(s gateway.Settings) settingsData {
	d := settingsData{
		Mode: s.Mode.String(), Refuse: s.Refuse.String(), Retry: []string{}, ForwardHost: s.ForwardHost,
		DomainHosts: tableOf(s.DomainHosts), MaxSize: s.MaxSize, MaxInbound: s.MaxInbound, MaxOutbound: s.MaxOutbound, Reroute: tableOf(s.Reroute), ETRN: tableOf(s.ETRN),
		Accept: texts(setting.Admissions(s.Accept, false)), Reject: texts(setting.Admissions(s.Accept, true)), Relay: texts(s.Relay),
		Timeouts: map[string]string{
			"urgent": duration(s.Timeouts.Urgent), "normal": duration(s.Timeouts.Normal),
			"non_urgent": duration(s.Timeouts.NonUrgent), "report": duration(s.Timeouts.Report),
		},
	}
	for _, r := range s.Retry {
		d.Retry = append(d.Retry, duration(r))
	}
	return d
}

func tableOf(t map[string]string) map[string]string {
	if t == nil {
		return map[string]string{}
	}
	return t
}

func texts(list []netip.Prefix) []string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = gateway.NetworkText(n)
	}
	return out
}

type gatewaysData struct {
	Gateways []gatewayLine `json:"gateways"`
}

type gatewayLine struct {
	Name     string `json:"name"`
	State    string `json:"state"` // or unknown
	Mode     string `json:"mode,omitempty"`
	Listen   string `json:"listen"`
	Routes   int    `json:"routes"`
	Messages *int64 `json:"messages"` // in the five main stores; null is unknown
	Error    string `json:"error,omitempty"`
}

// runGatewayList prints a line for each gateway, the unreachable ones too.
func runGatewayList(ctx context.Context, s *session, p *output.Printer) error {
	conf, err := s.configuration()
	if err != nil {
		return err
	}
	data := gatewaysData{Gateways: []gatewayLine{}}
	t := output.Table{Columns: output.Columns("GATEWAY", "STATE", "MODE", "LISTEN", "ROUTES#", "MESSAGES#")}
	var errs []error
	for _, g := range conf.Gateways {
		gw, err := s.deps.Organizations.Gateway(g)
		if err != nil {
			return err
		}
		l := gatewayLine{Name: g.Name, State: "unknown", Listen: g.Listen}
		if err := l.read(ctx, gw); err != nil {
			errs = append(errs, reading(err))
			l.Error = err.Error()
			t.Add(l.Name, l.State, "", l.Listen, "unknown", "unknown")
		} else {
			t.Add(l.Name, l.State, l.Mode, l.Listen, l.Routes, l.messages())
		}
		data.Gateways = append(data.Gateways, l)
	}
	if err := p.Result("gateways", data, func(page *output.Page) { page.Table(t) }); err != nil {
		return err
	}
	return errors.Join(errs...)
}

func (l *gatewayLine) read(ctx context.Context, gw gateway.Gateway) error {
	c, err := gw.Config(ctx)
	if err != nil {
		return err
	}
	n, err := gw.Census(ctx)
	if err != nil {
		return err
	}
	l.State, l.Mode, l.Listen, l.Routes = stateWord(c), c.Stored.Mode.String(), c.Listen, len(c.Spaces)+len(c.Sites)
	if c.Running {
		l.Mode = c.Effective.Mode.String()
	}
	if total, ok := n.Total(); ok {
		l.Messages = &total
	}
	return nil
}

func (l *gatewayLine) messages() any {
	if l.Messages == nil {
		return "unknown"
	}
	return *l.Messages
}
