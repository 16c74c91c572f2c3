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

// routeOptions are the flags of the commands that change routes.
type routeOptions struct {
	format output.Format
	name   string
	space  gateway.Space
	reason string
}

func (o *routeOptions) flags(s *session, cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.space.Pattern, "pattern", "", "`pattern` of the address space: * stands for any characters, % for one; required")
	cmd.Flags().StringVar(&o.space.Type, "type", "SMTP", "`type` of the addresses")
	completeFlag(cmd, "pattern", s.completePattern)
	reasonFlag(cmd, &o.reason)
	formatFlag(cmd, &o.format, output.Text, output.JSON)
}

// oneGateway wants a gateway alone. Whoever adds an address space means --pattern.
func oneGateway(cmd *cobra.Command, argv []string) error {
	err := args(cobra.ExactArgs(1), "a gateway")(cmd, argv)
	if err == nil || len(argv) != 2 {
		return err
	}
	kind, pattern, ok := strings.Cut(argv[1], ":")
	if !ok {
		kind, pattern = "SMTP", argv[1]
	}
	hint := fmt.Sprintf("%s %s --pattern %s --reason …", cmd.CommandPath(), quoted(argv[0]), quoted(pattern))
	if !strings.EqualFold(kind, "SMTP") {
		hint = fmt.Sprintf("%s %s --type %s --pattern %s --reason …", cmd.CommandPath(), quoted(argv[0]), quoted(kind), quoted(pattern))
	}
	return output.As(output.Usage, hint, fmt.Errorf("%s: an address space is given with --pattern, not as %q", cmd.CommandPath(), argv[1]))
}

func (o *routeOptions) check(cmd *cobra.Command) error {
	if !cmd.Flags().Changed("pattern") {
		return output.As(output.Usage, cmd.CommandPath()+" --help", fmt.Errorf("%s: want --pattern", cmd.CommandPath()))
	}
	if err := filledIn(cmd, "pattern"); err != nil {
		return err
	}
	return checkReason(cmd, o.reason)
}

func newRouteAdd(s *session) *cobra.Command {
	var opts routeOptions
	cmd := &cobra.Command{
		Use:   "add GATEWAY",
		Short: "Give a gateway an address space",
		Long: `Give a gateway an address space, or change the cost and scope of one that it has.
The organization then routes mail here where no other gateway matches better or
costs less. It takes the replication delay until every site knows.`,
		Example: "  ims route add west --pattern '*' --cost 10 --reason 'takes over from east'\n  ims route add west --pattern '*@partner.test' --scope site --reason 'test'",
		Args:    oneGateway,
		RunE: func(cmd *cobra.Command, argv []string) error {
			opts.name = argv[0]
			if err := opts.check(cmd); err != nil {
				return err
			}
			if opts.space.Cost < 1 || opts.space.Cost > 100 {
				return output.As(output.Usage, "", fmt.Errorf("ims route add: cost is %d, want 1 to 100", opts.space.Cost))
			}
			return changeRoutes(cmd.Context(), s, opts, opts.add)
		},
	}
	cmd.Flags().IntVar(&opts.space.Cost, "cost", 1, "`cost`, 1 to 100")
	wordFlag(cmd, &opts.space.Scope, "scope", "who is routed by it", words(gateway.ScopeLocation))
	opts.flags(s, cmd)
	return exits(cmd, output.Done, output.Drift, output.Unknown)
}

func newRouteRemove(s *session) *cobra.Command {
	var opts routeOptions
	cmd := &cobra.Command{
		Use:   "remove GATEWAY",
		Short: "Take an address space from a gateway",
		Long: `Take an address space from a gateway. New mail is then routed elsewhere, or
returned if nothing else matches: ims route test shows which. What is already
queued to the gateway stays there and leaves through it.`,
		Example: "  ims route remove east --pattern '*' --reason 'west covers it'",
		Args:    oneGateway,
		RunE: func(cmd *cobra.Command, argv []string) error {
			opts.name = argv[0]
			if err := opts.check(cmd); err != nil {
				return err
			}
			return changeRoutes(cmd.Context(), s, opts, opts.remove)
		},
	}
	opts.flags(s, cmd)
	return exits(cmd, output.Done, output.Drift, output.Unknown)
}

func (o *routeOptions) same(sp gateway.Space) bool {
	return strings.EqualFold(sp.Type, o.space.Type) && strings.EqualFold(sp.Pattern, o.space.Pattern)
}

func (o *routeOptions) add(list []gateway.Space) ([]gateway.Space, error) {
	return append(slices.DeleteFunc(list, o.same), o.space), nil
}

func (o *routeOptions) remove(list []gateway.Space) ([]gateway.Space, error) {
	var patterns []string
	for _, sp := range list {
		patterns = append(patterns, sp.Pattern)
	}
	left := slices.DeleteFunc(slices.Clone(list), o.same)
	if len(left) == len(list) {
		return nil, fmt.Errorf("gateway %s has no address space %s:%s%s", o.name, o.space.Type, o.space.Pattern, didYouMean(o.space.Pattern, patterns))
	}
	return left, nil
}

// changeRoutes edits a gateway's address spaces, unless somebody else changes
// it at the same time.
func changeRoutes(ctx context.Context, s *session, opts routeOptions, edit func([]gateway.Space) ([]gateway.Space, error)) error {
	return s.edit(ctx, s.printer(opts.format), opts.name, opts.reason, func(c gateway.Config) (gateway.Want, []string, error) {
		list, err := edit(c.Spaces)
		var notes []string
		if len(list) < len(c.Spaces) {
			notes = append(notes, fmt.Sprintf("what is queued to %s is not routed again: it leaves through %s", opts.name, opts.name))
		}
		return gateway.Want{Spaces: &list}, notes, err
	})
}

// edit changes what a gateway has into something made from it. It is refused if
// somebody else changes the gateway meanwhile.
func (s *session) edit(ctx context.Context, p *output.Printer, name, reason string, want func(gateway.Config) (gateway.Want, []string, error)) error {
	gw, err := s.gateway(name)
	if err != nil {
		return err
	}
	c, err := gw.Config(ctx)
	if err != nil {
		return reading(err)
	}
	w, notes, err := want(c)
	if err != nil {
		return err
	}
	ask := change(w, reason)
	ask.IfGeneration = c.Generation
	return perform(ctx, p, gw, name, ask, notes...)
}
