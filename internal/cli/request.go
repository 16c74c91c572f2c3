package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"example.org/ims/internal/config"
	"example.org/ims/internal/output"
	"example.org/ims/internal/runner"
)

// requestOptions say what a run, or a look at what a run would find, is about.
type requestOptions struct {
	request runner.Request
	params  []string
}

func (o *requestOptions) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.request.Successor, "to", "", "the `gateway` that takes over; retire.successor is the default")
	flags.StringVar(&o.request.Runbook, "runbook", "", "a shipped runbook, or a `file`; retire.runbook is the default")
	flags.StringArrayVar(&o.params, "param", nil, "set a parameter of the runbook, as `NAME=VALUE`; may be repeated")
}

// Look is what is looked at before a run, and how far the look goes.
type Look struct {
	runner.Request
	// Probe has the primaries of the zones asked whether they would make the
	// changes of a run: by UPDATEs that cannot succeed (RFC 2136 3.2).
	Probe bool
}

// probeFlag lets a look probe.
func probeFlag(cmd *cobra.Command, probe *bool) {
	cmd.Flags().BoolVar(probe, "probe", false, "ask the name servers, by UPDATEs that cannot succeed, whether they would make the changes")
}

func (o *requestOptions) parse(cmd *cobra.Command, argv []string) error {
	if len(argv) == 1 {
		o.request.Gateway = argv[0]
	}
	o.request.Params = map[string]string{}
	for _, p := range o.params {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return output.As(output.Usage, cmd.CommandPath()+" --help", fmt.Errorf("%s: --param %q: want NAME=VALUE", cmd.CommandPath(), p))
		}
		o.request.Params[name] = value
	}
	return nil
}

// check wants the gateways that are named to be configured.
func (o *requestOptions) check(s *session, c *config.Config) error {
	for _, name := range []string{o.request.Gateway, o.request.Successor} {
		if name == "" {
			continue
		}
		if _, err := s.configured(c, name); err != nil {
			return err
		}
	}
	return nil
}
