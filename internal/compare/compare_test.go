package compare

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/setting"
	"example.org/ims/pkg/gateway"
)

func networkOf(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func old() Side {
	stored := gateway.Settings{
		Mode: gateway.InboundOutbound, Retry: []time.Duration{time.Hour}, Timeouts: gateway.Timeouts{Normal: 48 * time.Hour}, MaxSize: 100,
		ForwardHost: "smart.example", DomainHosts: map[string]string{"a.example": "a-host.example", "w.example": "west.example"},
		Reroute: map[string]string{"b.example": gateway.Inbound}, ETRN: map[string]string{"c.example": ""},
		Accept: []gateway.Admission{{Net: networkOf("192.0.2.7/32")}, {Net: networkOf("192.0.2.0/24"), Reject: true}},
		Relay:  []netip.Prefix{networkOf("10.1.0.0/16")},
	}
	return Side{Site: "HQ", Config: gateway.Config{
		Name: "east", Exists: true, Hostname: "east.example", Stored: stored,
		Spaces: []gateway.Space{{Type: "SMTP", Pattern: "*", Cost: 1}, {Type: "SMTP", Pattern: "*@p.example", Cost: 2, Scope: gateway.ScopeSite}},
		Sites:  []gateway.Site{{Name: "Branch", Cost: 5, RoutingAddress: "branch.example"}, {Name: "South", Cost: 1, RoutingAddress: "west.example"}},
	}}
}

func west(s gateway.Settings) Side {
	return Side{Site: "South", Config: gateway.Config{Name: "west", Exists: true, Running: true, Hostname: "west.example", Listen: "192.0.2.9:25", Stored: s, Effective: s}}
}

func verdicts(r Report) map[setting.ID]Verdict {
	out := map[setting.ID]Verdict{}
	for _, l := range r.Lines {
		out[l.ID] = l.Verdict
	}
	return out
}

func TestNothingTransferred(t *testing.T) {
	next := west(gateway.Settings{Mode: gateway.OutboundOnly, MaxSize: 50, Accept: []gateway.Admission{{Net: networkOf("0.0.0.0/0"), Reject: true}}})
	r := Compare(old(), next, nil, time.Now())
	fixes := map[setting.ID][]string{}
	for _, l := range r.Lines {
		if l.Verdict == Different {
			fixes[l.ID] = l.Fix
		}
	}
	set := func(flag string) []string {
		return []string{"ims gateway set west --" + flag + " --restart --reason 'Q285090: as east has it'"}
	}
	if d := cmp.Diff(map[setting.ID][]string{
		"mode": set("mode inbound-outbound"), "retry": set("retry 1h"), "timeout-normal": set("timeout-normal 48h"), "max-size": set("max-size 100"),
		"forward-host": set("forward-host smart.example"), "domain-hosts": set("domain-hosts a.example=a-host.example"),
		"reroute": set("reroute b.example=inbound"), "etrn": set("etrn c.example="), "accept": set("accept 192.0.2.7"),
		"reject": set("reject 192.0.2.0/24"), "relay": set("relay 10.1.0.0/16"),
		"spaces": {
			"ims route add west --type SMTP --pattern '*' --cost 1 --scope organization --reason 'Q285090: as east has it'",
			"ims route add west --type SMTP --pattern '*@p.example' --cost 2 --scope site --reason 'Q285090: as east has it'",
		},
		"sites": {"ims route connect west --site Branch --via branch.example --cost 5 --reason 'Q285090: as east has it'"},
	}, fixes); d != "" {
		t.Errorf("commands that transfer (-want +got):\n%s", d)
	}
	if r.Differs != 13 || len(r.Differing()) != 13 {
		t.Errorf("%d settings differ, %v, want 13", r.Differs, r.Differing())
	}
}

func TestTransferred(t *testing.T) {
	s := old().Config.Stored
	s.Relay = []netip.Prefix{networkOf("10.0.0.0/8")} // wider, and without itself
	s.MaxSize = 0
	s.DomainHosts = map[string]string{"a.example": "a-host.example"} // w.example is itself
	next := west(s)
	next.Config.Spaces = []gateway.Space{{Type: "SMTP", Pattern: "*", Cost: 10}}
	next.Config.Sites = []gateway.Site{{Name: "Branch", Cost: 1, RoutingAddress: "branch.example"}}
	o := old()
	o.Config.Stored.Relay = append(o.Config.Stored.Relay, networkOf("192.0.2.9/32"))
	r := Compare(o, next, nil, time.Now())
	if r.Differs != 0 {
		t.Errorf("differ: %v", r.Differing())
	}
	next.Config.Effective.ForwardHost = "elsewhere.example"
	r = Compare(old(), next, nil, time.Now())
	if d := cmp.Diff([]string{"forward-host"}, r.Differing()); d != "" {
		t.Errorf("stored and not in effect (-want +got):\n%s", d)
	}
}

// TestStricter: what the new gateway leads elsewhere, or lets not in, and the old
// one carried, is a difference.
func TestStricter(t *testing.T) {
	line := func(net string, reject bool) gateway.Admission {
		return gateway.Admission{Net: networkOf(net), Reject: reject}
	}
	for _, tt := range []struct {
		name string
		next gateway.Settings
		id   setting.ID
		want Verdict
		fix  string
	}{
		{"another host of a domain", gateway.Settings{DomainHosts: map[string]string{"x.example": "x"}}, "domain-hosts", Different, "--domain-hosts ''"},
		{"a domain that goes inward", gateway.Settings{Reroute: map[string]string{"x.example": "inbound"}}, "reroute", Different, "--reroute ''"},
		{"a domain that waits to be fetched", gateway.Settings{ETRN: map[string]string{"x.example": ""}}, "etrn", Different, "--etrn ''"},
		{"a network that is kept out", gateway.Settings{Accept: []gateway.Admission{line("198.51.100.0/24", true)}}, "reject", Different, "--reject 192.0.2.0/24"},
		{"a part of a network that is kept out", gateway.Settings{Accept: []gateway.Admission{line("192.0.2.0/24", true), line("192.0.2.0/28", true)}}, "reject", Transferred, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := Side{Config: gateway.Config{Name: "east", Stored: gateway.Settings{Accept: []gateway.Admission{line("192.0.2.0/24", true)}}}}
			for _, l := range Compare(o, west(tt.next), nil, time.Now()).Lines {
				if l.ID == tt.id && (l.Verdict != tt.want || !strings.Contains(strings.Join(l.Fix, " "), tt.fix)) {
					t.Errorf("%s: %s, %s; fix %q, want %s, %q", l.ID, l.Verdict, l.Why, l.Fix, tt.want, tt.fix)
				}
			}
		})
	}
}

// A gateway that sends through its successor hands nothing on by that.
func TestThroughTheSuccessor(t *testing.T) {
	o := Side{Config: gateway.Config{Name: "east", Stored: gateway.Settings{ForwardHost: "192.0.2.9:25"}}}
	for _, host := range []string{"192.0.2.9:25", "West.example", "west.example:25", "[west.example]"} {
		o.Config.Stored.ForwardHost = host
		if r := Compare(o, west(gateway.Settings{}), nil, time.Now()); r.Differs != 0 {
			t.Errorf("forward host %s: %v differ", host, r.Differing())
		}
	}
}

func TestSessionLimits(t *testing.T) {
	for _, tt := range []struct {
		old, next int
		want      Verdict
	}{{0, 0, Transferred}, {20, 20, Transferred}, {20, 30, Transferred}, {20, 10, Different}, {0, 10, Different}, {20, 0, Different}} {
		o := Side{Config: gateway.Config{Name: "east", Stored: gateway.Settings{MaxInbound: tt.old}}}
		if got := verdicts(Compare(o, west(gateway.Settings{MaxInbound: tt.next}), nil, time.Now()))["max-inbound"]; got != tt.want {
			t.Errorf("at most %d, was %d: %s, want %s", tt.next, tt.old, got, tt.want)
		}
	}
}

func TestWaivers(t *testing.T) {
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	waivers := []Waiver{
		{ID: "compare:retry", Reason: "west has its own", Expires: now.Add(time.Hour)},
		{ID: "compare:timeout-normal", Reason: "late", Expires: now},
		{ID: "retry", Expires: now.Add(time.Hour)},
		{ID: "compare:mode", Expires: now.Add(time.Hour)},
		{ID: "compare:etnr", Expires: now.Add(time.Hour)},
	}
	o := Side{Config: gateway.Config{Name: "east", Stored: gateway.Settings{Retry: []time.Duration{1}, Timeouts: gateway.Timeouts{Normal: 1}}}}
	r := Compare(o, west(gateway.Settings{}), waivers, now)
	got := verdicts(r)
	if got["retry"] != Waived || got["timeout-normal"] != Different || got["mode"] != Transferred || r.Differs != 1 {
		t.Errorf("verdicts %v, %d differ", got, r.Differs)
	}
	if len(r.Unused) != 2 || r.Unused[0].ID != "compare:mode" || r.Unused[1].ID != "compare:etnr" {
		t.Errorf("waivers that waive nothing: %+v", r.Unused)
	}
	for _, l := range r.Lines {
		if (l.ID == "retry" || l.ID == "timeout-normal") != (l.Waiver != nil) {
			t.Errorf("%s: waiver %v", l.ID, l.Waiver)
		}
	}
}
