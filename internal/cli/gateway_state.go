package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"example.org/ims/internal/output"
	"example.org/ims/pkg/gateway"
)

// stateOptions are the flags of the commands that start and stop a gateway.
type stateOptions struct {
	format output.Format
	name   string
	reason string
	yes    bool
}

// newGatewayState makes one of the commands that start and stop a gateway.
func newGatewayState(s *session, verb, short, long, why string, run func(context.Context, *session, stateOptions) error) (*cobra.Command, *stateOptions) {
	opts := new(stateOptions)
	cmd := &cobra.Command{
		Use: verb + " NAME", Short: short, Long: long,
		Example: fmt.Sprintf("  ims gateway %s east --reason %s", verb, quoted(why)),
		Args:    args(cobra.ExactArgs(1), "a gateway"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			opts.name = argv[0]
			if err := checkReason(cmd, opts.reason); err != nil {
				return err
			}
			return run(cmd.Context(), s, *opts)
		},
	}
	reasonFlag(cmd, &opts.reason)
	formatFlag(cmd, &opts.format, output.Text, output.JSON)
	return cmd, opts
}

// toState asks for a state, without a question.
func toState(want gateway.RunState) func(context.Context, *session, stateOptions) error {
	return func(ctx context.Context, s *session, o stateOptions) error {
		gw, err := s.gateway(o.name)
		if err != nil {
			return err
		}
		return perform(ctx, s.printer(o.format), gw, o.name, change(gateway.Want{Running: &want}, o.reason))
	}
}

func newGatewayStart(s *session) *cobra.Command {
	cmd, _ := newGatewayState(s, "start", "Start a gateway's service", `Start a gateway's service, with the stored settings. A paused one accepts again.`,
		"maintenance is over", toState(gateway.Started))
	return exits(cmd, output.Done, output.Unknown)
}

func newGatewayRestart(s *session) *cobra.Command {
	cmd, _ := newGatewayState(s, "restart", "Stop and start a gateway's service in one operation",
		`Stop and start a gateway's service in one operation: whoever dies in between, it
does not stay stopped. The stored settings take effect.`, "the new mode", toState(gateway.Restarted))
	return exits(cmd, output.Done, output.Unknown)
}

func newGatewayPause(s *session) *cobra.Command {
	cmd, _ := newGatewayState(s, "pause", "Let a gateway take no new connection",
		`Let a gateway take no new connection: clients get 421 and come back. Open
sessions and the queues go on.`, "the mail host is being moved", toState(gateway.PausedState))
	return exits(cmd, output.Done, output.Unknown)
}

func newGatewayResume(s *session) *cobra.Command {
	cmd, _ := newGatewayState(s, "resume", "Let a paused gateway take connections again",
		`Let a paused gateway take connections again. One that is stopped is not started.`,
		"the mail host is back", runGatewayResume)
	cmd.SuggestFor = []string{"unpause", "continue", "unhold"}
	return exits(cmd, output.Done, output.Blocked, output.Drift, output.Unknown)
}

func runGatewayResume(ctx context.Context, s *session, o stateOptions) error {
	gw, err := s.gateway(o.name)
	if err != nil {
		return err
	}
	c, err := gw.Config(ctx)
	if err != nil {
		return reading(err)
	}
	if !c.Running {
		return output.As(output.Blocked, "ims gateway start "+o.name+" --reason …", fmt.Errorf("gateway %s is %s: there is nothing to resume", o.name, stateWord(c)))
	}
	started := gateway.Started
	return perform(ctx, s.printer(o.format), gw, o.name, change(gateway.Want{Running: &started}, o.reason))
}

func newGatewayStop(s *session) *cobra.Command {
	cmd, opts := newGatewayState(s, "stop", "Stop a gateway's service",
		`Stop a gateway's service.

It is refused without --yes while an address space or a connected site names the
gateway, or while it holds mail: stopping does not stop the organization from
routing mail here, what is here is neither delivered nor rerouted nor returned,
and its senders are told nothing (Q285090).`, "move to another rack", runGatewayStop)
	cmd.Flags().BoolVar(&opts.yes, "yes", false, "stop it although routes or mail are there")
	return exits(cmd, output.Done, output.Blocked, output.Unknown)
}

func runGatewayStop(ctx context.Context, s *session, o stateOptions) error {
	gw, err := s.gateway(o.name)
	if err != nil {
		return err
	}
	c, err := gw.Config(ctx)
	if err != nil {
		return reading(err)
	}
	n, err := gw.Census(ctx)
	if err != nil {
		return reading(err)
	}
	p, stopped := s.printer(o.format), gateway.Stopped
	blockers := stranding(c, n)
	if len(blockers) == 0 || o.yes {
		return perform(ctx, p, gw, o.name, change(gateway.Want{Running: &stopped}, o.reason), blockers...)
	}
	data := changeData{Gateway: o.name, After: stateWord(c), Before: stateWord(c), Blockers: blockers}
	err = p.Result("gateway-change", data, func(page *output.Page) {
		page.Line("%s was not stopped:", o.name)
		for _, b := range blockers {
			page.Line("  - %s", b)
		}
		page.Line("Stopping a gateway does not stop mail from being routed to it, and what is queued there")
		page.Line("is not rerouted and not returned: it strands, and nobody is told (Q285090). First give its")
		page.Line("routes to another gateway and let its stores run empty, or pause it: clients then come back.")
	})
	if err != nil {
		return err
	}
	p.Note("ims: hint: to stop it all the same: ims gateway stop %s --yes --reason %s", o.name, quoted(o.reason))
	return output.Said(output.Blocked)
}

// stranding says what would strand if a gateway were stopped now.
func stranding(c gateway.Config, n gateway.Census) []string {
	var out []string
	for _, sp := range c.Spaces {
		out = append(out, fmt.Sprintf("address space %s:%s (cost %d) routes mail here", sp.Type, sp.Pattern, sp.Cost))
	}
	for _, site := range c.Sites {
		out = append(out, fmt.Sprintf("connected site %s (cost %d) routes mail here", site.Name, site.Cost))
	}
	for st := gateway.MTA; st < gateway.NumStores; st++ {
		switch k := n.Stores[st]; {
		case k.Known == gateway.Unknown:
			out = append(out, fmt.Sprintf("it is not known what %q (%s) holds: %s", st.Title(), st, k.Why))
		case k.Messages > 0 && !st.Side():
			out = append(out, fmt.Sprintf("%q (%s) holds %s", st.Title(), st, output.Count(k.Messages, "message")))
		}
	}
	return out
}

// routesWord counts what makes the organization route mail to a gateway.
func routesWord(c gateway.Config) string {
	var parts []string
	if n := len(c.Spaces); n > 0 {
		parts = append(parts, output.Count(int64(n), "address space"))
	}
	if n := len(c.Sites); n > 0 {
		parts = append(parts, output.Count(int64(n), "connected site"))
	}
	return strings.Join(parts, " and ")
}
