package dependents

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/gateway"
)

var (
	east  = Target{Name: "east", Hostname: "east.org.example", Listen: "192.0.2.1:25", Site: "HQ"}
	west  = Target{Name: "west", Hostname: "west.org.example", Listen: "192.0.2.2:25", Site: "HQ"}
	other = Target{Name: "north", Hostname: "north.org.example", Listen: "192.0.2.3:2525", Site: "Branch"}
)

// names is the DNS of these tests.
func names(_ context.Context, host string) ([]netip.AddrPort, error) {
	at := map[string]string{
		"east.org.example": "192.0.2.1:25", "west.org.example": "192.0.2.2:25", "north.org.example": "192.0.2.3:2525",
		"smart.org.example": "192.0.2.1:25", "far.example": "198.51.100.1:25", "moved.org.example": "192.0.2.2:25",
	}
	switch addr, ok := at[host]; {
	case host == "broken.example":
		return nil, errors.New("server failure")
	case !ok:
		return nil, fmt.Errorf("%s: %w", host, ErrNoHost)
	default:
		return []netip.AddrPort{netip.MustParseAddrPort(addr)}, nil
	}
}

func single32(s string) netip.Prefix { return netip.PrefixFrom(netip.MustParseAddr(s), 32) }

func found(r Report) []string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, fmt.Sprintf("%s %s %s=%s %s (%s)", f.Gateway, f.Setting, f.Key, f.Value, f.State, f.Why))
	}
	for _, u := range r.Unsure {
		out = append(out, "unsure "+u.Value)
	}
	return out
}

func TestFind(t *testing.T) {
	running := func(stored, effective gateway.Settings) gateway.Config {
		return gateway.Config{Name: "north", Exists: true, Running: true, Stored: stored, Effective: effective}
	}
	both := func(s gateway.Settings) gateway.Config { return running(s, s) }
	for name, tt := range map[string]struct {
		c    gateway.Config
		want []string
	}{
		"nothing": {both(gateway.Settings{
			ForwardHost: "far.example", DomainHosts: map[string]string{"a.example": "", "b.example": "nowhere.example"},
			Reroute: map[string]string{"c.example": gateway.Inbound}, Accept: []gateway.Admission{{Net: netip.MustParsePrefix("192.0.2.0/24")}},
			Relay: []netip.Prefix{single32("192.0.2.2")},
		}), nil},
		"by name":               {both(gateway.Settings{ForwardHost: "East.Org.Example."}), []string{"north forward-host =East.Org.Example. stored (its name)"}},
		"by name, with port":    {both(gateway.Settings{ForwardHost: "east.org.example:25"}), []string{"north forward-host =east.org.example:25 stored (its name)"}},
		"by the gateway's name": {both(gateway.Settings{ForwardHost: "east"}), []string{"north forward-host =east stored (its name)"}},
		"by address":            {both(gateway.Settings{ForwardHost: "[192.0.2.1]"}), []string{"north forward-host =[192.0.2.1] stored (its address)"}},
		"another port":          {both(gateway.Settings{ForwardHost: "192.0.2.1:2525"}), nil},
		"by alias":              {both(gateway.Settings{ForwardHost: "smart.org.example"}), []string{"north forward-host =smart.org.example stored (an alias of 192.0.2.1)"}},
		"unknown":               {both(gateway.Settings{ForwardHost: "broken.example"}), []string{"unsure broken.example"}},
		"tables": {both(gateway.Settings{
			DomainHosts: map[string]string{"a.example": "east.org.example"}, Reroute: map[string]string{"b.example": "192.0.2.1:25"},
			ETRN: map[string]string{"c.example": "east.org.example"}, Relay: []netip.Prefix{single32("192.0.2.1")},
			Accept: []gateway.Admission{{Net: single32("192.0.2.1")}, {Net: netip.MustParsePrefix("0.0.0.0/0"), Reject: true}},
		}), []string{
			"north accept =192.0.2.1 stored (its address)", "north domain-hosts a.example=east.org.example stored (its name)",
			"north etrn c.example=east.org.example stored (its name)", "north relay =192.0.2.1 stored (its address)",
			"north reroute b.example=192.0.2.1:25 stored (its address)",
		}},
		"in effect only": {
			running(gateway.Settings{ForwardHost: "west.org.example"}, gateway.Settings{ForwardHost: "east.org.example"}),
			[]string{"north forward-host =east.org.example effective (its name)"},
		},
		"stopped": {gateway.Config{Name: "north", Exists: true, Effective: gateway.Settings{ForwardHost: "east.org.example"}}, nil},
		"removed": {gateway.Config{Name: "north", Stored: gateway.Settings{ForwardHost: "east.org.example"}}, nil},
		"itself":  {gateway.Config{Name: "east", Exists: true, Stored: gateway.Settings{ForwardHost: "east.org.example"}}, nil},
		"cached": {gateway.Config{
			Name: "north", Exists: true, Running: true, Stored: gateway.Settings{ForwardHost: "moved.org.example"},
			Effective: gateway.Settings{ForwardHost: "moved.org.example"},
			Resolved:  map[string][]netip.AddrPort{"moved.org.example": {netip.MustParseAddrPort("192.0.2.1:25")}},
		}, []string{"north forward-host =moved.org.example cached (an alias of 192.0.2.1)"}},
		"site": {
			gateway.Config{Name: "north", Exists: true, Sites: []gateway.Site{{Name: "HQ", Cost: 1, RoutingAddress: "@east.org.example"}}},
			[]string{"north site HQ=@east.org.example stored (its name)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := Find(t.Context(), east, &Heir{Target: west}, []Target{west, other}, []gateway.Config{tt.c}, names)
			if d := cmp.Diff(tt.want, found(r)); d != "" {
				t.Errorf("found (-want +got):\n%s", d)
			}
		})
	}
}

// Two gateways behind one address are told apart by their ports alone.
func TestSharedAddress(t *testing.T) {
	a, b := east, west
	a.Listen, b.Listen = "192.0.2.1:2525", "192.0.2.1:2526"
	c := gateway.Config{Name: "north", Exists: true, Stored: gateway.Settings{
		ForwardHost: "192.0.2.1:2525", DomainHosts: map[string]string{"a.example": "192.0.2.1:2526"}, Relay: []netip.Prefix{single32("192.0.2.1")},
	}}
	none := func(context.Context, string) ([]netip.AddrPort, error) { return nil, ErrNoHost }
	r := Find(t.Context(), a, &Heir{Target: b}, []Target{b}, []gateway.Config{c}, none)
	if d := cmp.Diff([]string{"north forward-host =192.0.2.1:2525 stored (its address)"}, found(r)); d != "" {
		t.Errorf("found (-want +got):\n%s", d)
	}
}

// A gateway whose name was given to another is not behind the other's address.
func TestNameTakenOver(t *testing.T) {
	flipped := func(ctx context.Context, host string) ([]netip.AddrPort, error) {
		if host == "east.org.example" {
			host = "west.org.example"
		}
		return names(ctx, host)
	}
	c := gateway.Config{Name: "north", Exists: true, Stored: gateway.Settings{
		ForwardHost: "west.org.example", DomainHosts: map[string]string{"a.example": "moved.org.example", "b.example": "smart.org.example"},
	}}
	r := Find(t.Context(), east, &Heir{Target: west}, []Target{west}, []gateway.Config{c}, flipped)
	if d := cmp.Diff([]string{"north domain-hosts b.example=smart.org.example stored (an alias of 192.0.2.1)"}, found(r)); d != "" {
		t.Errorf("found (-want +got):\n%s", d)
	}
}

// A gateway that listens everywhere, and whose name cannot be looked up, may be
// behind every other name.
func TestOwnAddressUnknown(t *testing.T) {
	a := Target{Name: "east", Hostname: "broken.example", Listen: "0.0.0.0:25"}
	c := gateway.Config{Name: "north", Exists: true, Stored: gateway.Settings{ForwardHost: "far.example"}}
	r := Find(t.Context(), a, nil, nil, []gateway.Config{c}, names)
	if d := cmp.Diff([]string{"unsure far.example"}, found(r)); d != "" {
		t.Errorf("found (-want +got):\n%s", d)
	}
}

func TestFixes(t *testing.T) {
	north := gateway.Config{
		Name: "north", Exists: true, Running: true,
		Stored: gateway.Settings{
			ForwardHost: "east.org.example", DomainHosts: map[string]string{"a.example": "192.0.2.1:25", "b.example": "far.example"},
			Relay: []netip.Prefix{single32("192.0.2.1"), single32("198.51.100.9")},
		},
		Effective: gateway.Settings{ETRN: map[string]string{"c.example": "east.org.example"}},
		Sites:     []gateway.Site{{Name: "HQ", Cost: 3, RoutingAddress: "east.org.example"}},
	}
	fixes := func(next *Heir, c gateway.Config) []string {
		var out []string
		for _, f := range Find(t.Context(), east, next, []Target{west, other}, []gateway.Config{c}, names).Findings {
			out = append(out, f.Fix)
		}
		return out
	}
	if d := cmp.Diff([]string{
		"ims gateway set north --domain-hosts a.example=192.0.2.2:25,b.example=far.example --restart --reason eleven-steps.2",
		"ims gateway set north --forward-host west.org.example --restart --reason eleven-steps.2",
		"ims gateway set north --relay 192.0.2.2,198.51.100.9 --restart --reason eleven-steps.2",
		"ims route connect north --site HQ --via west.org.example --cost 3 --reason eleven-steps.2",
		"ims gateway restart north --reason eleven-steps.2",
	}, fixes(&Heir{Target: west}, north)); d != "" {
		t.Errorf("fixes (-want +got):\n%s", d)
	}
	for _, f := range fixes(nil, gateway.Config{Name: "north", Exists: true, Stored: gateway.Settings{ForwardHost: "east"}}) {
		if !strings.HasPrefix(f, "decide: no gateway succeeds east") {
			t.Errorf("without a successor: %s", f)
		}
	}
}

// What relays through the gateway would be refused by a successor that does not
// relay for it.
func TestHeirIsNotReady(t *testing.T) {
	heir := &Heir{Target: west, Old: gateway.Config{Name: "east", Stored: gateway.Settings{
		Relay: []netip.Prefix{single32("192.0.2.3")}, Reroute: map[string]string{"b.example": "branch.example"},
	}}, New: gateway.Config{Name: "west", Exists: true}}
	c := gateway.Config{Name: "north", Exists: true, Stored: gateway.Settings{
		ForwardHost: "east.org.example", Reroute: map[string]string{"b.example": "east.org.example", "c.example": "east.org.example"},
	}}
	fixes := func() string {
		var all []string
		for _, f := range Find(t.Context(), east, heir, []Target{west, other}, []gateway.Config{c}, names).Findings {
			all = append(all, f.Fix)
		}
		return strings.Join(all, "\n")
	}
	if d := cmp.Diff(`decide: west does not relay for 192.0.2.3 yet: ims compare east west
decide: west does not take mail for b.example yet: ims compare east west
ims gateway set north --reroute b.example=east.org.example,c.example=west.org.example --restart --reason eleven-steps.2`, fixes()); d != "" {
		t.Errorf("fixes (-want +got):\n%s", d)
	}
	heir.New.Stored = gateway.Settings{Relay: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Reroute: heir.Old.Stored.Reroute}
	if got := fixes(); strings.Contains(got, "decide") {
		t.Errorf("fixes with a successor that is ready:\n%s", got)
	}
	heir.New.Running = true // with what it started with
	if got := fixes(); !strings.Contains(got, "west does not relay") {
		t.Errorf("fixes with a successor that is not ready before it starts again:\n%s", got)
	}
	heir.New.Exists = false
	if got := fixes(); strings.Count(got, "decide: west was removed") != 3 {
		t.Errorf("fixes with a successor that was removed:\n%s", got)
	}
}

// Where everything else is forwarded, a domain that is looked up says so.
func TestHeirLooksADomainUp(t *testing.T) {
	c := gateway.Config{Name: "west", Exists: true, Stored: gateway.Settings{
		ForwardHost: "smart2.example", DomainHosts: map[string]string{"a.example": "east.org.example", "b.example": "x.example"},
	}}
	p := rewrite(east, &Heir{Target: west}, c, []hit{{mention{setting: "domain-hosts", key: "a.example", value: "east.org.example"}, Stored, "its name"}})
	if d := cmp.Diff(map[string]string{"a.example": "", "b.example": "x.example"}, p.settings.DomainHosts); d != "" {
		t.Errorf("hosts of domains (-want +got):\n%s", d)
	}
}

// The successor that sends through the gateway is to do what the gateway does.
func TestHeirNamesTheGateway(t *testing.T) {
	old := gateway.Config{Stored: gateway.Settings{
		ForwardHost: "provider.example", DomainHosts: map[string]string{"a.example": "host.example"},
		Reroute: map[string]string{"b.example": "branch.example"},
	}, Sites: []gateway.Site{{Name: "Branch", RoutingAddress: "north.org.example"}}}
	c := gateway.Config{Name: "west", Exists: true, Stored: gateway.Settings{
		ForwardHost: "east.org.example", DomainHosts: map[string]string{"a.example": "east.org.example", "x.example": "east.org.example"},
		Reroute: map[string]string{"b.example": "east.org.example", "c.example": "east.org.example"}, Relay: []netip.Prefix{single32("192.0.2.1")},
	}, Sites: []gateway.Site{{Name: "Branch", Cost: 1, RoutingAddress: "east.org.example"}, {Name: "HQ", Cost: 1, RoutingAddress: "east.org.example"}}}
	r := Report{}
	heir := &Heir{Target: west, Old: old}
	s := search{ctx: t.Context(), id: identify(east, []Target{west}, names), c: c, report: &r}
	s.all(east, heir)
	p := rewrite(east, heir, c, s.hits)
	want := gateway.Settings{
		ForwardHost: "provider.example", DomainHosts: map[string]string{"a.example": "host.example", "x.example": "provider.example"},
		Reroute: map[string]string{"b.example": "branch.example"},
	}
	if !p.settings.Equal(want) {
		t.Errorf("settings %+v, want %+v", p.settings, want)
	}
	if d := cmp.Diff("north.org.example", p.sites[0].RoutingAddress); d != "" {
		t.Errorf("routing address (-want +got):\n%s", d)
	}
	if len(p.open) != 1 || p.open[0].key != "HQ" {
		t.Errorf("undecided %+v, want the way to HQ", p.open)
	}
}
