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

// Census is of empty stores.
func (g told) Census(context.Context) (gateway.Census, error) {
	var c gateway.Census
	for i := range c.Stores {
		c.Stores[i].Known = gateway.Counted
	}
	return c, g.err
}

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

// TestBindFitsTheRunbook: a runbook gets those of the configured parameters that
// it has, and a successor only if it is for two.
func TestBindFitsTheRunbook(t *testing.T) {
	s := runSite{newSite(&config.Config{
		Organization: config.Organization{Domains: []string{"example.test"}},
		Gateways:     []config.Gateway{{Name: "east"}, {Name: "west"}},
		Zones:        []config.Zone{{Name: "example.test", Domains: []string{"example.test"}}},
		Retire: config.Retire{Default: "east", Successor: "west", Runbook: "q285090", Params: map[string]string{
			"floor": "1s", "poll": "1s", "quiet": "1s",
		}},
	})}
	for _, tt := range []struct {
		request   runner.Request
		successor string
		params    map[string]string
	}{
		{runner.Request{}, "west", map[string]string{"floor": "1s", "poll": "1s", "quiet": "1s"}},
		{runner.Request{Runbook: "q285090.yaml"}, "west", map[string]string{"floor": "1s", "poll": "1s", "quiet": "1s"}},
		{runner.Request{Runbook: "rescue", Params: map[string]string{"patience": "1h"}}, "", map[string]string{"poll": "1s", "patience": "1h"}},
		{runner.Request{Runbook: "last-gateway"}, "", map[string]string{"floor": "1s", "poll": "1s", "quiet": "1s"}},
		{runner.Request{Runbook: "last-gateway", Successor: "west"}, "west", map[string]string{"floor": "1s", "poll": "1s", "quiet": "1s"}},
		{runner.Request{Runbook: "add-successor"}, "west", map[string]string{"poll": "1s"}},
	} {
		book, err := s.book(tt.request)
		if err != nil {
			t.Errorf("%+v: %v", tt.request, err)
			continue
		}
		if diff := cmp.Diff(tt.params, book.Bound.Params); diff != "" || book.Bound.Successor != tt.successor {
			t.Errorf("%+v: successor %q, parameters (-want +got):\n%s", tt.request, book.Bound.Successor, diff)
		}
	}
	// A parameter of the configured runbook that it has not is a mistake.
	s.cfg.Retire.Params["floors"] = "1s"
	if _, err := s.book(runner.Request{}); err == nil {
		t.Error("a parameter that the configured runbook has not is let through")
	}
}
