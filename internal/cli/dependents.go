package cli

import (
	"cmp"
	"context"
	"errors"

	"github.com/spf13/cobra"

	"example.org/ims/internal/config"
	"example.org/ims/internal/dependents"
	"example.org/ims/internal/output"
	"example.org/ims/internal/patience"
)

func newDependents(s *session) *cobra.Command {
	var format output.Format
	var to string
	cmd := &cobra.Command{
		Use:   "dependents NAME",
		Short: "List the settings of other gateways that name a gateway",
		Long: `List the settings of other gateways that name a gateway: forward host, hosts of
domains, rerouted and dequeued domains, routing addresses of connected sites,
networks that may connect or relay. They name it by name, by address, or by an
alias that leads to its address. Each comes with the command that makes it name
the successor (eleven-steps.2).

A gateway goes on with what it read and looked up when it started: that is
listed too, until the gateway starts again.`,
		Example: "  ims dependents east\n  ims dependents east --to west -o json",
		Args:    args(cobra.ExactArgs(1), "a gateway"),
		RunE: func(cmd *cobra.Command, argv []string) error {
			return runDependents(patience.Look(cmd.Context()), s, s.printer(format), argv[0], to)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "`successor` that the commands name; retire.successor sets the default")
	formatFlag(cmd, &format, output.Text, output.JSON)
	return exits(cmd, output.Done, output.Blocked, output.Unknown)
}

type dependentsData struct {
	Gateway   string `json:"gateway"`
	Successor string `json:"successor"`
	dependents.Report
}

func runDependents(ctx context.Context, s *session, p *output.Printer, name, to string) error {
	c, successor, err := s.pair(name, to)
	if err != nil {
		return err
	}
	m, err := s.deps.Organizations.Dependents(c, name, successor)
	if err != nil {
		return err
	}
	r := m.Report(ctx)
	if err := p.Result("dependents", dependentsData{name, successor, r}, func(page *output.Page) { dependentsPage(page, name, r) }); err != nil {
		return err
	}
	switch {
	case len(r.Findings) > 0:
		return output.Said(output.Blocked)
	case len(r.Unsure) > 0:
		return output.Said(output.Unknown)
	}
	return nil
}

// pair finds a gateway and its successor in the configuration; the successor
// may be "".
func (s *session) pair(name, to string) (*config.Config, string, error) {
	c, err := s.configuration()
	if err != nil {
		return nil, "", err
	}
	if to == "" && c.Retire.Successor != name {
		to = c.Retire.Successor
	}
	for _, n := range []string{name, cmp.Or(to, name)} {
		if _, err := s.configured(c, n); err != nil {
			return nil, "", err
		}
	}
	if to == name {
		return nil, "", output.As(output.Usage, "", errors.New("a gateway cannot succeed itself"))
	}
	return c, to, nil
}

func dependentsPage(page *output.Page, name string, r dependents.Report) {
	if len(r.Findings) == 0 && len(r.Unsure) == 0 {
		page.Line("No setting of another gateway names %s.", name)
		return
	}
	t := output.Table{Columns: output.Columns("GATEWAY", "SETTING", "OF", "VALUE", "STATE", "NAMES IT BY", "SINCE")}
	for _, f := range r.Findings {
		t.Add(f.Gateway, f.Setting, f.Key, f.Value, f.State, f.Why, page.Time(f.Since))
	}
	for _, u := range r.Unsure {
		t.Add(u.Gateway, u.Setting, "", u.Value, "unknown", "", "")
	}
	page.Table(t)
	for _, u := range r.Unsure {
		page.Line("unknown: %s", u)
	}
	said := map[string]bool{}
	for _, f := range r.Findings {
		if !said[f.Fix] {
			said[f.Fix] = true
			page.Line("  %s", f.Fix)
		}
	}
}
