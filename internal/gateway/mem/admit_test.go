package mem_test

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/gateway/mem"
	"example.org/ims/pkg/gateway"
)

func TestAdmission(t *testing.T) {
	o := mem.New(mem.Options{Domains: []string{"org.example"}}, mem.Spec{Name: "east", Site: "HQ", Settings: gateway.Settings{
		Accept:  []gateway.Admission{{Net: netip.MustParsePrefix("192.0.2.66/32"), Reject: true}},
		Relay:   []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32")},
		Reroute: map[string]string{"branch.example": "host.example", "org.example": gateway.Inbound, "alias.example": gateway.Inbound},
	}})
	g := o.Gateway("east")
	if _, err := g.Arrive("192.0.2.66", mem.Mail{Rcpts: []string{"u@org.example"}}); code(err) != 521 {
		t.Errorf("a rejected host: %v, want 521", err)
	}
	if _, err := g.Arrive("192.0.2.8", mem.Mail{Rcpts: []string{"x@far.example"}}); code(err) != 550 {
		t.Errorf("a stranger relays: %v, want 550", err)
	}
	rcpts := []string{"x@far.example", "y@branch.example", "u@org.example", "v@alias.example"}
	if _, err := g.Arrive("192.0.2.7", mem.Mail{Rcpts: rcpts}); err != nil {
		t.Fatal(err)
	}
	o.Settle()
	got := map[string]string{}
	for _, h := range o.Taken() {
		got[h.Rcpt] = h.Dest
		if h.Inbound {
			got[h.Rcpt] = "mail host"
		}
	}
	want := map[string]string{"x@far.example": "far.example", "y@branch.example": "host.example", "u@org.example": "mail host", "v@alias.example": "mail host"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("taken by (-want +got):\n%s", d)
	}
	in := gateway.InboundOnly
	patch := gateway.SettingsPatch{Mode: &in, Restart: true}
	if _, err := g.Apply(t.Context(), gateway.Change{Key: "k", Want: gateway.Want{Settings: &patch}}); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Arrive("192.0.2.7", mem.Mail{Rcpts: []string{"x@far.example"}}); code(err) != 450 {
		t.Errorf("relaying in Inbound Only: %v, want 450", err)
	}
}

func code(err error) int {
	if r, ok := errors.AsType[*mem.Refusal](err); ok {
		return r.Code
	}
	return 0
}
