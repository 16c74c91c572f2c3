package service

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/gateway"
)

// The client of these tests is 198.51.100.7.
func network(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func TestRelayOnlyForItsNetworks(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		if got := w.inbound("alpha", "joe@away.example"); got != "550 5.7.1 relaying is prohibited" {
			t.Errorf("a stranger was told %q", got)
		}
		w.set("alpha", gateway.SettingsPatch{Relay: &[]netip.Prefix{network("198.51.100.0/24")}, Restart: true})
		if got := w.inbound("alpha", "joe@away.example", "ann@corp.example"); got[:3] != "250" {
			t.Fatalf("a host that may relay was told %q", got)
		}
		if got := w.inbound("alpha", "nobody@corp.example"); got != "550 5.1.1 no such user here" {
			t.Errorf("a host that may relay named an unknown user and was told %q", got)
		}
		if got := w.inbound("beta", "joe@away.example"); got != "550 5.7.1 relaying is prohibited" {
			t.Errorf("the other gateway answered %q", got)
		}
		pass(time.Minute)
		if d := cmp.Diff(map[string]int{"joe@away.example": 1}, w.away.rcpts()); d != "" {
			t.Errorf("away.example (-want +got):\n%s", d)
		}
		if d := cmp.Diff(map[string]int{"ann@corp.example": 1}, w.mail.rcpts()); d != "" {
			t.Errorf("mail host (-want +got):\n%s", d)
		}
	})
}

func TestRelayNeedsAWayOut(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.set("alpha", gateway.SettingsPatch{Relay: &[]netip.Prefix{network("198.51.100.7/32")}})
		w.mode("alpha", gateway.InboundOnly)
		if got := w.inbound("alpha", "joe@away.example"); got[:9] != "450 4.3.2" {
			t.Errorf("relaying in Inbound Only: %q, want a refusal for now", got)
		}
		w.mode("alpha", gateway.OutboundOnly)
		if got := w.inbound("alpha", "joe@away.example"); got[:9] != "450 4.3.2" {
			t.Errorf("relaying in Outbound Only: %q, want a refusal for now", got)
		}
		list, err := w.gw("alpha").Clients(t.Context())
		if err != nil || len(list) != 1 || list[0].Deferred != 1 || list[0].LastValid.IsZero() {
			t.Errorf("client log %+v, %v: want the host that relays as one that is waited for", list, err)
		}
	})
}

func TestReroute(t *testing.T) {
	table := map[string]string{"branch.example": "away.example", "sub.branch.example": gateway.Inbound, "corp.example": "far.example:25"}
	play(t, func(c *Config) { c.Gateways[0].Settings.Reroute = table }, func(t *testing.T, w *world) {
		forward := "far.example"
		w.set("alpha", gateway.SettingsPatch{ForwardHost: &forward, Restart: true}) // is not for rerouted mail
		if got := w.inbound("alpha", "u@branch.example", "v@sub.branch.example", "ann@corp.example"); got[:3] != "250" {
			t.Fatalf("rerouted domains: %q", got)
		}
		pass(time.Minute)
		if d := cmp.Diff(map[string]int{"u@branch.example": 1}, w.away.rcpts()); d != "" {
			t.Errorf("host of branch.example (-want +got):\n%s", d)
		}
		if d := cmp.Diff(map[string]int{"v@sub.branch.example": 1}, w.mail.rcpts()); d != "" {
			t.Errorf("mail host (-want +got):\n%s", d)
		}
		if d := cmp.Diff(map[string]int{"ann@corp.example": 1}, w.far.rcpts()); d != "" {
			t.Errorf("host of corp.example (-want +got):\n%s", d)
		}
	})
}

func TestAcceptList(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.set("alpha", gateway.SettingsPatch{Restart: true, Accept: &[]gateway.Admission{
			{Net: network("198.51.100.0/24"), Reject: true}, {Net: network("198.51.100.8/32")},
		}})
		if got := w.inbound("alpha", "ann@corp.example"); got != "521 5.7.1 alpha.corp.example access denied" {
			t.Errorf("a rejected host was told %q", got)
		}
		w.mode("alpha", gateway.OutboundOnly)
		if got := w.inbound("alpha", "ann@corp.example"); got[:9] != "450 4.3.2" {
			t.Errorf("a rejected host was told %q while the gateway refuses: want nothing for good", got)
		}
	})
}
