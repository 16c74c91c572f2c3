package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/ims/internal/output"
	"example.org/ims/internal/setting"
	"example.org/ims/pkg/gateway"
)

// gatewaySetOptions are the flags of gateway set; which of them were given,
// only the command knows.
type gatewaySetOptions struct {
	format   output.Format
	name     string
	mode     gateway.Mode
	refuse   gateway.Refuse
	retry    []time.Duration
	timeouts gateway.Timeouts
	forward  string
	maxSize  int64
	inbound  int
	outbound int
	hosts    map[string]string
	reroute  map[string]string
	etrn     map[string]string
	accept   []netip.Prefix
	reject   []netip.Prefix
	relay    []netip.Prefix
	restart  bool
	reason   string
}

func newGatewaySet(s *session) *cobra.Command {
	var opts gatewaySetOptions
	cmd := &cobra.Command{
		Use:   "set NAME",
		Short: "Change a gateway's settings",
		Long: `Change a gateway's settings. They are stored at once and take effect when the
service starts, as they always did; --restart restarts it in the same operation.
A gateway with apply: live in the configuration file takes them at once.

The transfer mode is not a routing input: the organization routes mail here in
every mode, as long as an address space or a connected site says so (Q285090,
Q238719).`,
		Example: "  ims gateway set east --mode outbound-only --restart --reason 'MX moved'\n" +
			"  ims gateway set east --retry .25h --timeout-normal 1h --reason 'eleven-steps.5'\n" +
			"  ims gateway set west --relay 10.0.0.0/8,192.0.2.7 --reroute branch.test=10.1.2.3,alias.test=inbound --reason 'as east has it'",
		Args: args(cobra.ExactArgs(1), "a gateway"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			opts.name = argv[0]
			if err := checkReason(cmd, opts.reason); err != nil {
				return err
			}
			return runGatewaySet(cmd.Context(), s, opts, cmd.Flags().Changed)
		},
	}
	f := cmd.Flags()
	wordFlag(cmd, &opts.mode, "mode", "transfer mode", words(gateway.None))
	wordFlag(cmd, &opts.refuse, "refuse", "how to refuse while not accepting", words(gateway.RefuseClosed))
	f.Var(durationsValue{&opts.retry}, "retry", "retry intervals, as in .25h,.5h,1h,4h; the last one repeats, an empty list means no retry")
	f.Var(durationValue{&opts.timeouts.Urgent}, "timeout-urgent", "time after which urgent mail is returned")
	f.Var(durationValue{&opts.timeouts.Normal}, "timeout-normal", "the same for normal mail")
	f.Var(durationValue{&opts.timeouts.NonUrgent}, "timeout-non-urgent", "the same for non-urgent mail")
	f.Var(durationValue{&opts.timeouts.Report}, "timeout-report", "the same for delivery reports")
	f.StringVar(&opts.forward, "forward-host", "", "`host` to forward all outbound mail to; an empty one turns forwarding off")
	f.Int64Var(&opts.maxSize, "max-size", 0, "largest message in `bytes`; 0 means no limit")
	f.IntVar(&opts.inbound, "max-inbound", 0, "most sessions from the Internet at once; 0 means the service's own limit")
	f.IntVar(&opts.outbound, "max-outbound", 0, "most sessions to the Internet at once; 0 means the service's own limit")
	opts.lists(f)
	f.BoolVar(&opts.restart, "restart", false, "restart a running service, if its settings differ then")
	reasonFlag(cmd, &opts.reason)
	formatFlag(cmd, &opts.format, output.Text, output.JSON)
	return exits(cmd, output.Done, output.Drift, output.Unknown)
}

func runGatewaySet(ctx context.Context, s *session, opts gatewaySetOptions, given func(string) bool) error {
	gw, err := s.gateway(opts.name)
	if err != nil {
		return err
	}
	patch, any := opts.patch(given)
	timeouts := given("timeout-urgent") || given("timeout-normal") || given("timeout-non-urgent") || given("timeout-report")
	if !any && !timeouts {
		return output.As(output.Usage, "ims gateway set --help", errors.New("ims gateway set: nothing to set"))
	}
	c, err := gw.Config(ctx)
	if err != nil {
		return reading(err)
	}
	ask := change(gateway.Want{Settings: &patch}, opts.reason)
	if timeouts {
		t := opts.merge(c.Stored.Timeouts, given)
		patch.Timeouts, ask.IfGeneration = &t, c.Generation
	}
	if given("accept") != given("reject") { // the other half stays
		if given("accept") {
			opts.reject = setting.Admissions(c.Stored.Accept, true)
		} else {
			opts.accept = setting.Admissions(c.Stored.Accept, false)
		}
		list := setting.Admission(opts.accept, opts.reject)
		patch.Accept, ask.IfGeneration = &list, c.Generation
	}
	return perform(ctx, s.printer(opts.format), gw, opts.name, ask, opts.notes(c, patch)...)
}

// patch names the settings that were given, time-outs left out.
func (o *gatewaySetOptions) patch(given func(string) bool) (p gateway.SettingsPatch, any bool) {
	p.Restart = o.restart
	if given("mode") {
		p.Mode, any = &o.mode, true
	}
	if given("refuse") {
		p.Refuse, any = &o.refuse, true
	}
	if given("retry") {
		p.Retry, any = &o.retry, true
	}
	if given("forward-host") {
		p.ForwardHost, any = &o.forward, true
	}
	if given("max-size") {
		p.MaxSize, any = &o.maxSize, true
	}
	if given("max-inbound") {
		p.MaxInbound, any = &o.inbound, true
	}
	if given("max-outbound") {
		p.MaxOutbound, any = &o.outbound, true
	}
	for flag, to := range map[string]struct {
		field **map[string]string
		value *map[string]string
	}{
		"domain-hosts": {&p.DomainHosts, &o.hosts}, "reroute": {&p.Reroute, &o.reroute}, "etrn": {&p.ETRN, &o.etrn},
	} {
		if given(flag) {
			*to.field, any = to.value, true
		}
	}
	if given("relay") {
		p.Relay, any = &o.relay, true
	}
	if given("accept") || given("reject") {
		list := setting.Admission(o.accept, o.reject)
		p.Accept, any = &list, true
	}
	return p, any
}

// lists are the flags that replace a list or a table as a whole.
func (o *gatewaySetOptions) lists(f *pflag.FlagSet) {
	f.Var(tableValue{&o.hosts}, "domain-hosts", "host for each of these domains and those below; a domain without a host is looked up")
	f.Var(tableValue{&o.reroute}, "reroute", "where mail from the Internet for other domains goes: to a host, or inbound; #domain means it alone")
	f.Var(tableValue{&o.etrn}, "etrn", "domains whose mail is sent when their host asks for it (RFC 1985), each with that host or without")
	f.Var(networksValue{&o.accept}, "accept", "networks that may connect, where a wider one is rejected")
	f.Var(networksValue{&o.reject}, "reject", "networks that may not connect")
	f.Var(networksValue{&o.relay}, "relay", "networks that may send to the Internet through the gateway")
}

// merge puts the time-outs that were given into those of the gateway.
func (o *gatewaySetOptions) merge(t gateway.Timeouts, given func(string) bool) gateway.Timeouts {
	for _, f := range []struct {
		flag     string
		to, from *time.Duration
	}{
		{"timeout-urgent", &t.Urgent, &o.timeouts.Urgent},
		{"timeout-normal", &t.Normal, &o.timeouts.Normal},
		{"timeout-non-urgent", &t.NonUrgent, &o.timeouts.NonUrgent},
		{"timeout-report", &t.Report, &o.timeouts.Report},
	} {
		if given(f.flag) {
			*f.to = *f.from
		}
	}
	return t
}

// notes say what a change of settings does not do.
func (o *gatewaySetOptions) notes(c gateway.Config, p gateway.SettingsPatch) []string {
	var notes []string
	after := c.Stored.Patch(p)
	if c.Running && !c.ApplyLive && !p.Restart && !c.Effective.Equal(after) {
		notes = append(notes, stored(o.name))
	}
	if routes := len(c.Spaces) + len(c.Sites); p.Mode != nil && routes > 0 && (after.Mode == gateway.None || after.Mode == gateway.InboundOnly) {
		notes = append(notes, fmt.Sprintf("in this mode nothing leaves mts-out, and mail is still routed there by %s: the mode is no routing input (Q285090)",
			routesWord(c)))
	}
	return notes
}
