package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"example.org/ims/internal/config"
	"example.org/ims/internal/dependents"
	"example.org/ims/internal/output"
	"example.org/ims/internal/setting"
	"example.org/ims/pkg/gateway"
)

// Organizations are what the commands about gateways, routes and queues need.
type Organizations interface {
	// Serve hosts the organization of a configuration in this process until
	// ctx is done. It calls ready once every listener is open, with the
	// gateways as they then are.
	Serve(ctx context.Context, c *config.Config, log *slog.Logger, ready func([]gateway.Config)) error
	// Gateway is a configured gateway, wherever it runs. It does not connect.
	Gateway(g config.Gateway) (gateway.Gateway, error)
	// Dependents finds and changes what names a configured gateway elsewhere;
	// the successor may be "". It does not connect.
	Dependents(c *config.Config, name, successor string) (*dependents.Mover, error)
}

// configuration reads the configuration file.
func (s *session) configuration() (*config.Config, error) {
	c, err := config.Load(s.config)
	hint := ""
	if errors.Is(err, fs.ErrNotExist) {
		hint = "ims init writes one; or ims --config FILE …, or export IMS_CONFIG=FILE; ims lab run makes one to practise with"
	}
	return c, output.As(output.Usage, hint, err)
}

// gateway finds a configured gateway by name.
func (s *session) gateway(name string) (gateway.Gateway, error) {
	c, err := s.configuration()
	if err != nil {
		return nil, err
	}
	found, err := s.configured(c, name)
	if err != nil {
		return nil, err
	}
	return s.deps.Organizations.Gateway(found)
}

// configured is what the configuration says of a gateway.
func (s *session) configured(c *config.Config, name string) (config.Gateway, error) {
	found, ok := c.Gateway(name)
	if !ok {
		return config.Gateway{}, output.As(output.Usage, "ims gateway show", fmt.Errorf("no gateway %q in %s%s", name, s.config, didYouMean(name, gatewayNames(c))))
	}
	return found, nil
}

func gatewayNames(c *config.Config) []string {
	names := make([]string, len(c.Gateways))
	for i, g := range c.Gateways {
		names[i] = g.Name
	}
	return names
}

// able finds a configured gateway that has an ability T.
func able[T any](s *session, name, what string) (T, error) {
	gw, err := s.gateway(name)
	if err != nil {
		var none T
		return none, err
	}
	a, ok := gw.(T)
	if !ok {
		return a, fmt.Errorf("gateway %q (%s) cannot %s", name, gw.Caps().Adapter, what)
	}
	return a, nil
}

// reading gives an error of a question to a gateway its kind.
func reading(err error) error {
	silent, hangs := errors.AsType[*gateway.SilentError](err)
	switch {
	case hangs:
		return output.As(output.Unknown, silent.Fix(), err)
	case errors.Is(err, fs.ErrPermission):
		return output.As(output.Failed, "", fmt.Errorf("this user may not open the control socket: %w", err))
	case errors.Is(err, gateway.ErrUnreachable):
		return output.As(output.Unknown, "ims gateway run", err)
	case errors.Is(err, gateway.ErrRefused): // by people: nothing was to be changed
		return output.As(output.Failed, "", errors.New(strings.TrimSuffix(err.Error(), ": "+gateway.ErrRefused.Error())))
	}
	return err
}

// answering is what helps where a gateway does not answer, for a reason of which
// only the words are left.
func answering(why string) string { return cmp.Or(gateway.FixOfSilence(why), "ims gateway run") }

// changing gives an error of a change of a gateway its kind. What was neither
// refused nor never sent may have been done.
func changing(name string, err error) error {
	switch {
	case err == nil, errors.Is(err, fs.ErrPermission), errors.Is(err, gateway.ErrUnreachable):
		return reading(err)
	case errors.Is(err, gateway.ErrConflict), errors.Is(err, gateway.ErrStaleEpoch):
		return output.As(output.Drift, "ims gateway show "+name, err)
	case errors.Is(err, gateway.ErrRefused), errors.Is(err, gateway.ErrNotFound), errors.Is(err, errors.ErrUnsupported):
		return err
	}
	return output.As(output.Unknown, "ims gateway show "+name, fmt.Errorf("it is not known whether this was done: %w", err))
}

// reasonFlag adds --reason, without which nothing is changed.
func reasonFlag(cmd *cobra.Command, reason *string) {
	cmd.Flags().StringVar(reason, "reason", "", "`why`; required")
}

// commentFlag adds --comment, which may be left out, and its other name.
func commentFlag(cmd *cobra.Command, comment *string) {
	cmd.Flags().StringVar(comment, "comment", "", "`why`; it is kept in the journal")
	cmd.Flags().StringVar(comment, "reason", "", "the same as --comment, `why`")
	cmd.MarkFlagsMutuallyExclusive("comment", "reason")
}

func checkReason(cmd *cobra.Command, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return output.As(output.Usage, cmd.CommandPath()+" --help", fmt.Errorf("%s: a change needs a reason: --reason \"…\"", cmd.CommandPath()))
	}
	return nil
}

// change is a change that an operator asks for at the keyboard. Who that is,
// the service learns from the kernel.
func change(want gateway.Want, reason string) gateway.Change {
	return gateway.Change{Key: "operator/" + rand.Text(), Reason: reason, Want: want}
}

type changeData struct {
	Gateway  string   `json:"gateway"`
	Done     bool     `json:"done"`
	Before   string   `json:"before,omitempty"`
	After    string   `json:"after,omitempty"`
	Blockers []string `json:"blockers,omitempty"`
	Notes    []string `json:"notes,omitempty"`
}

// perform applies a change and prints what came of it, with notes on what it
// does not do.
func perform(ctx context.Context, p *output.Printer, gw gateway.Gateway, name string, c gateway.Change, notes ...string) error {
	op, err := gw.Apply(ctx, c)
	if err != nil {
		return changing(name, err)
	}
	if !op.Done {
		return changing(name, fmt.Errorf("gateway %s has not finished: %s", name, cmp.Or(op.Failed, "no word why")))
	}
	return p.Result("gateway-change", changeData{Gateway: name, Done: op.Done, Before: op.Before, After: op.After, Notes: notes}, func(page *output.Page) {
		switch again := c.Want.Running != nil && *c.Want.Running == gateway.Restarted; {
		case again:
			page.Line("%s: restarted", name)
		case op.Before == op.After:
			page.Line("%s: %s, as before", name, op.After)
		default:
			page.Line("%s: %s", name, op.After)
			page.Line("  before: %s", op.Before)
		}
		for _, n := range notes {
			page.Line("  note: %s", n)
		}
	})
}

// quoted is a word as a shell wants it.
func quoted(word string) string {
	return setting.Quote(word)
}
