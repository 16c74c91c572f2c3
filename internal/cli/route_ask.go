package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
)

type routeTestOptions struct {
	format  output.Format
	address string
	site    string
	count   int
}

func newRouteTest(s *session) *cobra.Command {
	var opts routeTestOptions
	cmd := &cobra.Command{
		Use:   "test ADDRESS",
		Short: "Say which gateway mail to an address would take",
		Long: `Say which gateway mail to an address would take from each site, by the site's
own copy of the routing table. Nothing is sent. With --count, that many messages
are routed, to see how equal routes share them.

Mail without a route is returned to its sender; the exit status is then 1.`,
		Example: "  ims route test ann@partner.test\n  ims route test ann@partner.test --site hq --count 100",
		Args:    args(cobra.ExactArgs(1), "an address"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			opts.address = argv[0]
			if !strings.Contains(opts.address, "@") {
				return output.As(output.Usage, "", fmt.Errorf("ims route test: %q is not an address such as user@example.org", opts.address))
			}
			if opts.count < 1 {
				return output.As(output.Usage, "", fmt.Errorf("ims route test: count is %d, want at least 1", opts.count))
			}
			return runRouteTest(cmd.Context(), s, opts)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().StringVar(&opts.site, "site", "", "only from this `site`; site/location is a location of it")
	cmd.Flags().IntVar(&opts.count, "count", 1, "how many messages to route")
	completeFlag(cmd, "site", s.completeSite)
	formatFlag(cmd, &opts.format, output.Text, output.JSON)
	return exits(cmd, output.Done, output.Unknown)
}

type routeTestData struct {
	Address string      `json:"address"`
	Count   int         `json:"count"`
	Sites   []siteRoute `json:"sites"`
}

type siteRoute struct {
	Site     string         `json:"site"`
	Local    bool           `json:"local"`
	Gateways map[string]int `json:"gateways"`
	Unrouted int            `json:"unrouted"`
}

func runRouteTest(ctx context.Context, s *session, opts routeTestOptions) error {
	router, err := s.router(opts.site)
	if err != nil {
		return err
	}
	sites := []string{opts.site}
	if opts.site == "" {
		sites = s.completeSite(nil)
	}
	data := routeTestData{Address: opts.address, Count: opts.count, Sites: []siteRoute{}}
	t := output.Table{Columns: output.Columns("FROM SITE", "GATEWAY", "MESSAGES#")}
	unrouted := 0
	for _, site := range sites {
		counts, err := router.Route(ctx, site, opts.address, opts.count)
		if err != nil {
			return reading(err)
		}
		r := siteRoute{Site: site, Local: len(counts) == 0, Gateways: map[string]int{}}
		for _, name := range slices.Sorted(maps.Keys(counts)) {
			if name == "" {
				r.Unrouted = counts[name]
				t.Add(site, "no route: it would be returned", counts[name])
				continue
			}
			r.Gateways[name] = counts[name]
			t.Add(site, name, counts[name])
		}
		if r.Local {
			t.Add(site, "none: local, to the mail host", opts.count)
		}
		unrouted += r.Unrouted
		data.Sites = append(data.Sites, r)
	}
	if err := s.printer(opts.format).Result("route-test", data, func(page *output.Page) { page.Table(t) }); err != nil || unrouted == 0 {
		return err
	}
	return output.Said(output.Failed)
}

// knownSite requires that a site, or site/location, is one of the
// organization's; "" is all of them.
func (s *session) knownSite(site string) error {
	if site == "" {
		return nil
	}
	name, _, _ := strings.Cut(site, "/")
	known := s.completeSite(nil)
	if slices.Contains(known, name) {
		return nil
	}
	return output.As(output.Usage, "", fmt.Errorf("no site %q in %s%s", name, s.config, didYouMean(name, known)))
}
