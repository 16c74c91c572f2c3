package plan_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/plan"
	"example.org/ims/internal/setting"
	"example.org/ims/pkg/gateway"
)

// two are the configurations of a gateway in service and of its successor.
func two(in *plan.Input) {
	in.Before.Gateway = &gateway.Config{Name: "east", Exists: true, Running: true, Spaces: []gateway.Space{{Type: "SMTP", Pattern: "*", Cost: 1}}}
	in.Before.Successor = &gateway.Config{
		Name: "west", Exists: true, Running: true,
		Stored: gateway.Settings{MaxSize: 10485760}, Effective: gateway.Settings{MaxSize: 10485760},
		Spaces: []gateway.Space{{Type: "SMTP", Pattern: "*", Cost: 10}},
		Sites:  []gateway.Site{{Name: "branch", Cost: 1, RoutingAddress: "branch.test"}},
	}
}

// TestSettingsAreDrift sets every setting of both gateways to another value: each
// is named, with both values. What the gateway counts for itself is none.
func TestSettingsAreDrift(t *testing.T) {
	made := func(do func(east, west *gateway.Config)) *plan.Plan {
		in := input(t, nil)
		two(&in)
		do(in.Before.Gateway, in.Before.Successor)
		return plan.Make(in)
	}
	base := made(func(_, _ *gateway.Config) {})
	net := netip.MustParsePrefix("192.0.2.0/24")
	host := map[string]string{"a.test": "b.test"}
	other := gateway.Settings{
		Mode: gateway.OutboundOnly, Refuse: gateway.RefuseConnect, Retry: []time.Duration{time.Hour},
		Timeouts: gateway.Timeouts{Urgent: 1, Normal: 2, NonUrgent: 3, Report: 4}, ForwardHost: "smart.test", DomainHosts: host, MaxSize: 5000,
		Reroute: host, Accept: []gateway.Admission{{Net: net}, {Net: net, Reject: true}}, Relay: []netip.Prefix{net}, MaxInbound: 5, MaxOutbound: 6, ETRN: host,
	}
	for _, one := range setting.All() {
		for _, name := range []string{"east", "west"} {
			now := made(func(east, west *gateway.Config) {
				c := map[string]*gateway.Config{"east": east, "west": west}[name]
				patch := setting.Patch(other, []setting.ID{one.ID})
				c.Stored, c.Effective = c.Stored.Patch(patch), c.Effective.Patch(patch)
			})
			all := base.Differences(now)
			i := slices.IndexFunc(all, func(d plan.Difference) bool { return d.What == "setting" && d.Name == name+": "+string(one.ID) })
			if i < 0 || slices.Equal(all[i].Was, all[i].Now) || all[i].Now[0] != one.Text(other) || base.ID.Hash == now.ID.Hash {
				t.Errorf("%s of %s: %+v", one.ID, name, all)
			}
		}
	}
	for name, tt := range map[string]struct {
		do   func(east, west *gateway.Config)
		want []plan.Difference
	}{
		"stored": {
			func(_, west *gateway.Config) { west.Stored.MaxSize = 5000 },
			[]plan.Difference{{What: "setting", Name: "west: max-size", Was: []string{"10485760"}, Now: []string{"5000, in effect 10485760"}, Why: "largest message"}},
		},
		"cost": {
			func(_, west *gateway.Config) { west.Spaces[0].Cost = 20 },
			[]plan.Difference{{What: "setting", Name: "west: address space SMTP:*", Was: []string{"cost 10 scope organization"}, Now: []string{"cost 20 scope organization"}}},
		},
		"scope": {
			func(_, west *gateway.Config) { west.Spaces[0].Scope = gateway.ScopeSite },
			[]plan.Difference{{What: "setting", Name: "west: address space SMTP:*", Was: []string{"cost 10 scope organization"}, Now: []string{"cost 10 scope site"}}},
		},
		"a space more": {
			func(_, west *gateway.Config) {
				west.Spaces = append(west.Spaces, gateway.Space{Type: "SMTP", Pattern: "*@p.test", Cost: 3})
			},
			[]plan.Difference{{What: "setting", Name: "west: address space SMTP:*@p.test", Was: []string{}, Now: []string{"cost 3 scope organization"}}},
		},
		"via": {
			func(_, west *gateway.Config) { west.Sites[0].RoutingAddress = "elsewhere.test" },
			[]plan.Difference{{What: "setting", Name: "west: connected site branch", Was: []string{"cost 1 via branch.test"}, Now: []string{"cost 1 via elsewhere.test"}}},
		},
		"no site": {
			func(_, west *gateway.Config) { west.Sites = nil },
			[]plan.Difference{{What: "setting", Name: "west: connected site branch", Was: []string{"cost 1 via branch.test"}, Now: []string{}}},
		},
		"at once": {
			func(east, _ *gateway.Config) { east.ApplyLive = true },
			[]plan.Difference{{What: "setting", Name: "east: changes take effect", Was: []string{"at service start"}, Now: []string{"at once"}}},
		},
		"gone": {
			func(_, west *gateway.Config) { *west = gateway.Config{Name: "west"} },
			[]plan.Difference{{What: "setting", Name: "settings of west", Was: []string{"known"}, Now: []string{"the gateway does not exist"}, Why: "its configuration was read from the gateway itself"}},
		},
		"counts and times": {
			func(east, west *gateway.Config) {
				for _, c := range []*gateway.Config{east, west} {
					c.Generation, c.Instance, c.StartedAt, c.ChangedAt, c.Epoch = 7, "x", time.Unix(1, 0), time.Unix(1, 0), 3
				}
			},
			nil,
		},
	} {
		now := made(tt.do)
		all := base.Differences(now)
		if d := cmp.Diff(tt.want, all); d != "" && len(tt.want)+len(all) > 0 {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if (len(all) == 0) != (base.ID.Hash == now.ID.Hash) {
			t.Errorf("%s: same hash %t", name, base.ID.Hash == now.ID.Hash)
		}
	}
	in := input(t, nil)
	two(&in)
	in.Before.Successor = nil
	if all := base.Differences(plan.Make(in)); !plan.NotKnown(all) {
		t.Errorf("a configuration that cannot be read now: %+v", all)
	}
}
