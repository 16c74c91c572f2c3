package service

import (
	"errors"
	"fmt"
	"net/netip"
	"net/textproto"
	"strings"
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
		list, err := w.gw("alpha").Clients(t.Context())
		if err != nil || len(list) != 1 || list[0].Sessions != 2 || list[0].Deferred != 0 || !list[0].LastValid.IsZero() {
			t.Errorf("client log %+v, %v: want a rejected host as one that nobody waits for", list, err)
		}
	})
}

// etrn says EHLO and ETRN to a gateway, and returns what was said.
func (w *world) etrn(gw, node string) (ehlo, said string) {
	w.t.Helper()
	c, err := w.net.dial(w.t.Context(), "198.51.100.7:999", gw+":25")
	if err != nil {
		w.t.Fatal(err)
	}
	p := textproto.NewConn(c)
	defer func() { _ = p.Close() }()
	for i, cmd := range []string{"", "EHLO client.example", "ETRN " + node} {
		if i > 0 {
			if err := p.PrintfLine("%s", cmd); err != nil {
				w.t.Fatal(err)
			}
		}
		code, text, err := p.ReadResponse(0)
		if _, reply := errors.AsType[*textproto.Error](err); err != nil && !reply {
			w.t.Fatal(err)
		}
		ehlo, said = said, fmt.Sprintf("%d %s", code, text)
	}
	return ehlo, said
}

func TestMailIsSentOnDemand(t *testing.T) {
	play(t, func(c *Config) {
		c.Gateways[0].Settings.ETRN = map[string]string{"far.example": "", "dial.example": "away.example:25"}
	}, func(t *testing.T, w *world) {
		up := w.down("far.example")
		w.submit("hq", "ann@corp.example", "joe@far.example")
		w.submit("hq", "ann@corp.example", "joe@sub.dial.example")
		pass(time.Second)
		if n := len(w.away.letters()); n != 1 {
			t.Errorf("%d messages at the host of dial.example, want 1", n)
		}
		up()
		ehlo, said := w.etrn("alpha", "far.example")
		if !strings.Contains(ehlo, "\nETRN\n") {
			t.Errorf("EHLO: %q, want ETRN among the extensions", ehlo)
		}
		if said != "253 2.0.0 OK, 1 pending messages for node far.example started" {
			t.Errorf("ETRN: %q", said)
		}
		pass(time.Second)
		if n := len(w.far.letters()); n != 1 {
			t.Errorf("%d messages at far.example a second after it asked, want 1", n)
		}
		if _, said := w.etrn("alpha", "away.example"); said != "459 4.7.1 node is not sent on demand" {
			t.Errorf("ETRN for another domain: %q", said)
		}
		if _, said := w.etrn("alpha", "@dial.example"); said != "251 2.0.0 OK, no messages waiting for node dial.example" {
			t.Errorf("ETRN for nothing: %q", said)
		}
		if ehlo, said := w.etrn("beta", "far.example"); strings.Contains(ehlo, "ETRN") || said[:3] != "500" {
			t.Errorf("a gateway that sends nothing on demand: %q, %q", ehlo, said)
		}
		w.mode("alpha", gateway.InboundOnly)
		if _, said := w.etrn("alpha", "far.example"); said != "458 4.3.2 nothing is sent in this mode" {
			t.Errorf("ETRN in Inbound Only: %q", said)
		}
	})
}
