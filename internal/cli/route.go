package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/internal/patience"
	"example.org/ims/pkg/gateway"
)

func newRoute(s *session) *cobra.Command {
	return group(&cobra.Command{
		Use:   "route COMMAND",
		Short: "Show, test and change what routes mail to gateways",
		Long: `Show, test and change what routes mail to gateways.

Only address spaces and connected sites route: the transfer mode does not, nor
does it matter whether a gateway runs (Q285090, Q238719). The best match decides,
then the lowest cost; equal ones share the mail evenly (Q229961). Mail that is
already queued to a gateway is not routed again.`,
		Example: "  ims route list\n  ims route test ann@partner.test --count 100\n  ims route add west --pattern '*' --cost 10 --reason 'takes over'",
	}, newRouteAdd(s), newRouteConnect(s), newRouteDisconnect(s), newRouteList(s), newRouteRemove(s), newRouteTest(s))
}

type routeListOptions struct {
	format output.Format
	copies bool
	site   string
}

func newRouteList(s *session) *cobra.Command {
	var opts routeListOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the address spaces and connected sites of all gateways",
		Long: `List the address spaces and connected sites of all gateways, as they are stored.

With --copies, list each site's own copy of the routing table instead: the MTA
routes by that copy, and a change takes a while to get there.`,
		Example: "  ims route list\n  ims route list --copies --site hq",
		Args:    args(cobra.NoArgs, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if opts.copies || opts.site != "" {
				return runRouteCopies(patience.Look(cmd.Context()), s, opts)
			}
			return runRouteList(patience.Look(cmd.Context()), s, s.printer(opts.format))
		},
	}
	cmd.Flags().BoolVar(&opts.copies, "copies", false, "list the sites' copies of the routing table")
	cmd.Flags().StringVar(&opts.site, "site", "", "only the copy of this `site`")
	completeFlag(cmd, "site", s.completeSite)
	formatFlag(cmd, &opts.format, output.Text, output.JSON)
	return exits(cmd, output.Done, output.Unknown)
}

type routeListData struct {
	Routes  []gateway.Route `json:"routes"`
	Unknown []string        `json:"unknown"` // gateways that could not be asked
}

func runRouteList(ctx context.Context, s *session, p *output.Printer) error {
	conf, err := s.configuration()
	if err != nil {
		return err
	}
	data := routeListData{Routes: []gateway.Route{}, Unknown: []string{}}
	var errs []error
	for _, g := range conf.Gateways {
		gw, err := s.deps.Organizations.Gateway(g)
		if err != nil {
			return err
		}
		c, err := gw.Config(ctx)
		if err != nil {
			errs = append(errs, reading(err))
			data.Unknown = append(data.Unknown, g.Name)
			continue
		}
		for _, sp := range c.Spaces {
			data.Routes = append(data.Routes, gateway.Route{Gateway: g.Name, Space: &sp})
		}
		for _, site := range c.Sites {
			data.Routes = append(data.Routes, gateway.Route{Gateway: g.Name, Site: &site})
		}
	}
	err = p.Result("route-list", data, func(page *output.Page) {
		if len(data.Routes) > 0 || len(errs) == 0 {
			page.Table(routeTable(data.Routes))
		}
	})
	return errors.Join(append(errs, err)...)
}

func routeTable(routes []gateway.Route) output.Table {
	t := output.Table{Columns: output.Columns("GATEWAY", "ROUTE", "COST#", "SCOPE", "VIA")}
	for _, r := range routes {
		switch {
		case r.Space != nil:
			t.Add(r.Gateway, r.Space.Type+":"+r.Space.Pattern, r.Space.Cost, r.Space.Scope, "")
		case r.Site != nil:
			t.Add(r.Gateway, "site "+r.Site.Name, r.Site.Cost, "", r.Site.RoutingAddress)
		}
	}
	return t
}

type routeCopiesData struct {
	Copies []gateway.Table `json:"copies"`
}

func runRouteCopies(ctx context.Context, s *session, opts routeListOptions) error {
	router, err := s.router(opts.site)
	if err != nil {
		return err
	}
	tables, err := router.Tables(ctx)
	if err != nil {
		return reading(err)
	}
	data := routeCopiesData{Copies: []gateway.Table{}}
	for _, t := range tables {
		if opts.site == "" || t.Site == opts.site {
			if t.Routes == nil {
				t.Routes = []gateway.Route{}
			}
			data.Copies = append(data.Copies, t)
		}
	}
	return s.printer(opts.format).Result("route-copies", data, func(page *output.Page) {
		for i, t := range data.Copies {
			if i > 0 {
				page.Blank()
			}
			state := "current"
			if !t.Current {
				state = "STALE: changes are still on their way"
			}
			page.Line("site %s: version %d, built %s, %s", t.Site, t.Version, page.Time(t.Built), state)
			page.Table(routeTable(t.Routes))
		}
	})
}

// router is a gateway of the organization that answers questions about its
// routing: any of them, they share one MTA. A site that is named must be one
// of the organization's.
func (s *session) router(site string) (gateway.Router, error) {
	conf, err := s.configuration()
	if err != nil {
		return nil, err
	}
	if err := s.knownSite(site); err != nil {
		return nil, err
	}
	for _, g := range conf.Gateways {
		if g.Socket != conf.Organization.Socket {
			continue
		}
		gw, err := s.deps.Organizations.Gateway(g)
		if err != nil {
			return nil, err
		}
		if r, ok := gw.(gateway.Router); ok {
			return r, nil
		}
	}
	return nil, fmt.Errorf("no gateway of %s can answer questions about routing", s.config)
}
