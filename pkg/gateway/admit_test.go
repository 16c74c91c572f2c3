package gateway_test

import (
	"errors"
	"net/netip"
	"testing"

	"example.org/ims/pkg/gateway"
)

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func TestAdmits(t *testing.T) {
	s := gateway.Settings{Accept: []gateway.Admission{
		{Net: prefix("192.0.2.0/28")},
		{Net: prefix("0.0.0.0/0"), Reject: true},
		{Net: prefix("192.0.2.7/32"), Reject: true},
		{Net: prefix("192.0.2.8/32"), Reject: true},
		{Net: prefix("192.0.2.8/32")},
	}}
	for client, want := range map[string]bool{
		"192.0.2.1": true, "192.0.2.7": false, "198.51.100.1": false, "2001:db8::1": true, "::ffff:192.0.2.1": true,
		"192.0.2.8": false,
	} {
		if got := s.Admits(netip.MustParseAddr(client)); got != want {
			t.Errorf("Admits(%s) = %v, want %v", client, got, want)
		}
	}
	if !(gateway.Settings{}).Admits(netip.MustParseAddr("192.0.2.1")) {
		t.Error("without a list a host may not connect")
	}
}

func TestRelays(t *testing.T) {
	s := gateway.Settings{Relay: []netip.Prefix{prefix("10.0.0.0/8")}}
	for client, want := range map[string]bool{"10.1.2.3": true, "::ffff:10.1.2.3": true, "11.0.0.1": false} {
		if got := s.Relays(netip.MustParseAddr(client)); got != want {
			t.Errorf("Relays(%s) = %v, want %v", client, got, want)
		}
	}
	if (gateway.Settings{}).Relays(netip.MustParseAddr("10.1.2.3")) {
		t.Error("without a list a host may relay")
	}
}

func TestReroutes(t *testing.T) {
	s := gateway.Settings{
		Reroute: map[string]string{"sea.example": "a.example", "#sea.example": "b.example:2525", "x.sea.example": gateway.Inbound},
		ETRN:    map[string]string{"sea.example": ""},
	}
	for domain, want := range map[string]string{
		"sea.example": "b.example:2525", "Y.Sea.Example.": "a.example", "x.sea.example": "inbound", "y.x.sea.example": "inbound",
		"chelsea.example": "", "example": "",
	} {
		if got := s.Reroutes(domain); got != want {
			t.Errorf("Reroutes(%s) = %q, want %q", domain, got, want)
		}
	}
	for domain, want := range map[string]bool{"SEA.example": true, "x.sea.example": true, "chelsea.example": false, "": false} {
		if got := s.Dequeues(domain); got != want {
			t.Errorf("Dequeues(%s) = %v, want %v", domain, got, want)
		}
	}
}

func TestCheckLists(t *testing.T) {
	for name, p := range map[string]gateway.SettingsPatch{
		"reroute to nowhere": {Reroute: &map[string]string{"a.example": ""}},
		"reroute nothing":    {Reroute: &map[string]string{"#": "h.example"}},
		"reroute case":       {Reroute: &map[string]string{"A.example": "h.example"}},
		"etrn nothing":       {ETRN: &map[string]string{"": "h.example"}},
		"accept bits":        {Accept: &[]gateway.Admission{{Net: prefix("192.0.2.1/24")}}},
		"accept none":        {Accept: &[]gateway.Admission{{}}},
		"relay bits":         {Relay: &[]netip.Prefix{prefix("192.0.2.1/24")}},
	} {
		c := gateway.Change{Key: "k", Want: gateway.Want{Settings: &p}}
		if err := c.Check(); !errors.Is(err, gateway.ErrRefused) {
			t.Errorf("%s: Check() = %v, want ErrRefused", name, err)
		}
	}
}

func TestParseNetwork(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "192.0.2.0/24": "192.0.2.0/24", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8::/32": "2001:db8::/32",
		"192.0.2.7/24": "", "host.example": "", "fe80::1%eth0": "", "::ffff:192.0.2.0/120": "",
	} {
		n, err := gateway.ParseNetwork(text)
		if want == "" && err == nil || want != "" && (err != nil || gateway.NetworkText(n) != want) {
			t.Errorf("ParseNetwork(%s) = %v, %v, want %q", text, n, err, want)
		}
	}
}
