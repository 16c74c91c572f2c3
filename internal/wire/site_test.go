package wire

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/config"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/gateway"
)

// told is a gateway that answers one question.
type told struct {
	gateway.Gateway
	config gateway.Config
	err    error
}

func (g told) Config(context.Context) (gateway.Config, error) { return g.config, g.err }

// A space that was added since the configuration was written is taken away
// too, so the run must hold it.
func TestLeasesAreOfWhatTheGatewayHas(t *testing.T) {
	g := told{config: gateway.Config{
		Exists: true,
		Spaces: []gateway.Space{{Type: "SMTP", Pattern: "*.Added.test"}, {Type: "smtp", Pattern: "*.added.test"}},
		Sites:  []gateway.Site{{Name: "Branch"}},
	}}
	s := newSite(&config.Config{Gateways: []config.Gateway{{
		Name: "east", Socket: "/run/e.sock", Spaces: []gateway.Space{{Type: "SMTP", Pattern: "*.removed.test"}},
	}}})
	s.wrapGateway = func(gateway.Gateway) gateway.Gateway { return g }
	got, err := s.leases(t.Context(), "east", "west")
	if diff := cmp.Diff([]string{"gateway/east", "gateway/west", "site/branch", "space/SMTP:*.added.test"}, got); diff != "" || err != nil {
		t.Errorf("leases differ (-want +got), %v:\n%s", err, diff)
	}
	g.err = gateway.ErrUnreachable
	if got, err := s.leases(t.Context(), "east", "west"); !errors.Is(err, runner.ErrUnknown) {
		t.Errorf("leases of a gateway that does not answer: %v, %v", got, err)
	}
	g.err, g.config = nil, gateway.Config{}
	if got, err := s.leases(t.Context(), "east", "west"); !errors.Is(err, runner.ErrRefused) {
		t.Errorf("leases of a gateway that was removed: %v, %v", got, err)
	}
}
