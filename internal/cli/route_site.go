package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/pkg/gateway"
)

// siteOptions are the flags of the commands that change connected sites.
type siteOptions struct {
	format output.Format
	name   string
	site   gateway.Site
	reason string
}

func (o *siteOptions) flags(s *session, cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.site.Name, "site", "", "`site` that is connected; required")
	completeFlag(cmd, "site", s.completeSite)
	reasonFlag(cmd, &o.reason)
	formatFlag(cmd, &o.format, output.Text, output.JSON)
}

func (o *siteOptions) check(cmd *cobra.Command, flags ...string) error {
	for _, f := range flags {
		if cmd.Flags().Lookup(f).Value.String() == "" {
			return output.As(output.Usage, cmd.CommandPath()+" --help", fmt.Errorf("%s: want --%s", cmd.CommandPath(), f))
		}
		if err := filledIn(cmd, f); err != nil {
			return err
		}
	}
	return checkReason(cmd, o.reason)
}

func newRouteConnect(s *session) *cobra.Command {
	var opts siteOptions
	cmd := &cobra.Command{
		Use:   "connect GATEWAY",
		Short: "Connect a site through a gateway",
		Long: `Connect a site through a gateway, or change the routing address and cost of a
connection that it has. Mail for users of that site is then sent to the routing
address, which is the host name of a gateway there.`,
		Example: "  ims route connect west --site Branch --via branch-gw.example.test --cost 5 --reason 'east goes'",
		Args:    args(cobra.ExactArgs(1), "a gateway"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			opts.name = argv[0]
			if err := opts.check(cmd, "site", "via"); err != nil {
				return err
			}
			return changeSites(cmd.Context(), s, opts, opts.connect)
		},
	}
	cmd.Flags().StringVar(&opts.site.RoutingAddress, "via", "", "`host` name of the gateway there; required")
	cmd.Flags().IntVar(&opts.site.Cost, "cost", 1, "`cost`, 1 to 100")
	opts.flags(s, cmd)
	return exits(cmd, output.Done, output.Drift, output.Unknown)
}

func newRouteDisconnect(s *session) *cobra.Command {
	var opts siteOptions
	cmd := &cobra.Command{
		Use:   "disconnect GATEWAY",
		Short: "Remove a connected site from a gateway",
		Long: `Remove a connected site from a gateway. New mail for that site is then routed
elsewhere, or returned if no other gateway connects it. What is already queued
leaves through the gateway.`,
		Example: "  ims route disconnect east --site Branch --reason 'eleven-steps.2'",
		Args:    args(cobra.ExactArgs(1), "a gateway"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			opts.name = argv[0]
			if err := opts.check(cmd, "site"); err != nil {
				return err
			}
			return changeSites(cmd.Context(), s, opts, opts.disconnect)
		},
	}
	opts.flags(s, cmd)
	return exits(cmd, output.Done, output.Drift, output.Unknown)
}

func (o *siteOptions) same(s gateway.Site) bool { return strings.EqualFold(s.Name, o.site.Name) }

func (o *siteOptions) connect(list []gateway.Site) ([]gateway.Site, error) {
	return append(slices.DeleteFunc(list, o.same), o.site), nil
}

func (o *siteOptions) disconnect(list []gateway.Site) ([]gateway.Site, error) {
	var names []string
	for _, s := range list {
		names = append(names, s.Name)
	}
	left := slices.DeleteFunc(slices.Clone(list), o.same)
	if len(left) == len(list) {
		return nil, fmt.Errorf("gateway %s does not connect site %q%s", o.name, o.site.Name, didYouMean(o.site.Name, names))
	}
	return left, nil
}

// changeSites edits a gateway's connected sites, unless somebody else changes it
// at the same time.
func changeSites(ctx context.Context, s *session, opts siteOptions, edit func([]gateway.Site) ([]gateway.Site, error)) error {
	return s.edit(ctx, s.printer(opts.format), opts.name, opts.reason, func(c gateway.Config) (gateway.Want, []string, error) {
		list, err := edit(c.Sites)
		return gateway.Want{Sites: &list}, nil, err
	})
}
