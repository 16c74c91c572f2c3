package gateway_test

import (
	"encoding/json"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/gateway"
)

func ptr[T any](v T) *T { return &v }

func TestWantSurvivesJSON(t *testing.T) {
	for name, w := range map[string]gateway.Want{
		"no spaces": {Spaces: ptr([]gateway.Space(nil))},
		"no sites":  {Sites: ptr([]gateway.Site(nil))},
		"no retry":  {Settings: &gateway.SettingsPatch{Retry: ptr([]time.Duration(nil))}},
		"no hosts":  {Settings: &gateway.SettingsPatch{DomainHosts: ptr(map[string]string(nil))}},
		"no lists": {Settings: &gateway.SettingsPatch{
			Reroute: ptr(map[string]string(nil)), ETRN: ptr(map[string]string(nil)),
			Accept: ptr([]gateway.Admission(nil)), Relay: ptr([]netip.Prefix(nil)),
		}},
		"lists": {Settings: &gateway.SettingsPatch{
			Reroute: &map[string]string{"a.example": "h.example"}, ETRN: &map[string]string{"b.example": ""},
			Accept: &[]gateway.Admission{{Net: prefix("192.0.2.0/24"), Reject: true}}, Relay: &[]netip.Prefix{prefix("2001:db8::/32")},
		}},
		"stopped":    {Running: ptr(gateway.Stopped)},
		"first mode": {Settings: &gateway.SettingsPatch{Mode: ptr(gateway.InboundOutbound)}},
		"absent":     {Absent: &gateway.Removal{}},
	} {
		b, err := json.Marshal(gateway.Change{Key: "k", Want: w})
		if err != nil {
			t.Fatal(err)
		}
		var got gateway.Change
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if err := got.Check(); err != nil {
			t.Errorf("%s: %s: %v", name, b, err)
		}
		again, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(b), string(again)); d != "" {
			t.Errorf("%s (-before +after):\n%s", name, d)
		}
	}
}

func TestCheck(t *testing.T) {
	spaces := func(s gateway.Space) gateway.Want { return gateway.Want{Spaces: &[]gateway.Space{s}} }
	for name, c := range map[string]gateway.Change{
		"no key":        {Want: gateway.Want{Running: ptr(gateway.Started)}},
		"nothing":       {Key: "k"},
		"two":           {Key: "k", Want: gateway.Want{Running: ptr(gateway.Started), Absent: &gateway.Removal{}}},
		"run state":     {Key: "k", Want: gateway.Want{Running: ptr(gateway.RunState(7))}},
		"mode":          {Key: "k", Want: gateway.Want{Settings: &gateway.SettingsPatch{Mode: ptr(gateway.Mode(4))}}},
		"way to refuse": {Key: "k", Want: gateway.Want{Settings: &gateway.SettingsPatch{Refuse: ptr(gateway.Refuse(3))}}},
		"retry":         {Key: "k", Want: gateway.Want{Settings: &gateway.SettingsPatch{Retry: &[]time.Duration{-1}}}},
		"time-out":      {Key: "k", Want: gateway.Want{Settings: &gateway.SettingsPatch{Timeouts: &gateway.Timeouts{Report: -1}}}},
		"size":          {Key: "k", Want: gateway.Want{Settings: &gateway.SettingsPatch{MaxSize: ptr(int64(-1))}}},
		"space type":    {Key: "k", Want: spaces(gateway.Space{Pattern: "*", Cost: 1})},
		"space cost":    {Key: "k", Want: spaces(gateway.Space{Type: "SMTP", Cost: 101})},
		"space scope":   {Key: "k", Want: spaces(gateway.Space{Type: "SMTP", Cost: 1, Scope: 3})},
		"site":          {Key: "k", Want: gateway.Want{Sites: &[]gateway.Site{{Name: "HQ"}}}},
	} {
		if err := c.Check(); !errors.Is(err, gateway.ErrRefused) {
			t.Errorf("%s: Check() = %v, want ErrRefused", name, err)
		}
	}
}

func TestWords(t *testing.T) {
	c := gateway.Config{
		Exists: true, Running: true,
		Stored:    gateway.Settings{Mode: gateway.None, MaxSize: 5},
		Effective: gateway.Settings{Mode: gateway.OutboundOnly, MaxSize: 5},
		Spaces:    []gateway.Space{{Type: "SMTP", Pattern: "*", Cost: 1}},
		Sites:     []gateway.Site{{Name: "Branch", Cost: 2, RoutingAddress: "gw.example"}},
	}
	for _, tt := range []struct {
		w    gateway.Want
		want string
	}{
		{
			gateway.Want{Settings: &gateway.SettingsPatch{Mode: ptr(gateway.None), MaxSize: ptr(int64(5))}},
			"mode none, largest size 5 (in effect: mode outbound-only, largest size 5)",
		},
		{gateway.Want{Settings: &gateway.SettingsPatch{MaxSize: ptr(int64(5))}}, "largest size 5"},
		{gateway.Want{Spaces: &[]gateway.Space{}}, "SMTP:* cost 1 scope organization"},
		{gateway.Want{Sites: &[]gateway.Site{}}, "Branch cost 2 via gw.example"},
		{gateway.Want{Running: ptr(gateway.Stopped)}, "started"},
		{gateway.Want{Absent: &gateway.Removal{}}, "present"},
	} {
		if got := tt.w.Words(c); got != tt.want {
			t.Errorf("Words() = %q, want %q", got, tt.want)
		}
	}
}
