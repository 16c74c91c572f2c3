package wire

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/config"
	"example.org/ims/internal/notify"
	"example.org/ims/internal/preflight"
	"example.org/ims/pkg/gateway"
)

// routed is a gateway that can route.
type routed struct {
	gateway.Gateway
	hops map[string]int
	err  error
}

func (g routed) Route(context.Context, string, string, int) (map[string]int, error) {
	return g.hops, g.err
}

func (routed) Tables(context.Context) ([]gateway.Table, error) { return nil, nil }

// TestTold wants a way whose path cannot be found out called unknown.
func TestTold(t *testing.T) {
	const via = "127.0.0.1:2525"
	tests := []struct {
		name         string
		target       notify.Target
		gateway      gateway.Gateway
		through, err string
	}{
		{"program", notify.Target{Exec: []string{"mail"}}, told{}, "", ""},
		{"elsewhere", notify.Target{Mail: "a@b.test", Via: "127.0.0.9:25"}, told{}, "", ""},
		{"at the gateway", notify.Target{Mail: "a@b.test", Via: "127.0.0.1:2500"}, told{}, "where east listens", ""},
		{"routed there", notify.Target{Mail: "a@b.test", Via: via}, routed{hops: map[string]int{"east": 1}}, "which routes it to east", ""},
		{"routed past it", notify.Target{Mail: "a@b.test", Via: via}, routed{hops: map[string]int{"west": 1}}, "", ""},
		{"no route can be read", notify.Target{Mail: "a@b.test", Via: via}, routed{err: errors.New("no answer")}, "", "no answer"},
		{"the adapter cannot route", notify.Target{Mail: "a@b.test", Via: via}, told{}, "", "cannot route from site hq"},
		{"the host is not to be found", notify.Target{Mail: "a@b.test", Via: "no name:25"}, told{}, "", "look up no name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			east := config.Gateway{Name: "east", Listen: "127.0.0.1:2500", Socket: "/run/east.sock"}
			tt.target.Name = "ops"
			s := newSite(&config.Config{
				Organization: config.Organization{Sites: []config.Site{{Name: "hq", Submission: via}}},
				Gateways:     []config.Gateway{east}, Notify: config.Notify{Targets: []notify.Target{tt.target}},
			})
			s.wrapGateway = func(gateway.Gateway) gateway.Gateway { return tt.gateway }
			got := s.told(t.Context(), east)
			if len(got) != 1 || !strings.Contains(got[0].Through, tt.through) || !strings.Contains(got[0].Err, tt.err) ||
				(got[0].Through == "") != (tt.through == "") || (got[0].Err == "") != (tt.err == "") {
				t.Errorf("%+v, want through %q, error %q", got, tt.through, tt.err)
			}
		})
	}
	if diff := cmp.Diff([]preflight.Told{}, newSite(&config.Config{}).told(t.Context(), config.Gateway{})); diff != "" {
		t.Errorf("without a target nobody is told, and that is known (-want +got):\n%s", diff)
	}
}
