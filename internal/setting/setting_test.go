package setting

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/gateway"
)

func sample() gateway.Settings {
	return gateway.Settings{
		Mode: gateway.OutboundOnly, Retry: []time.Duration{15 * time.Minute, time.Hour}, Timeouts: gateway.Timeouts{Normal: 48 * time.Hour},
		ForwardHost: "smart.example", DomainHosts: map[string]string{"b.example": "", "a.example": "h.example"}, MaxSize: 7,
		Reroute: map[string]string{"#c.example": gateway.Inbound},
		Accept:  []gateway.Admission{{Net: netip.MustParsePrefix("192.0.2.7/32")}, {Net: netip.MustParsePrefix("0.0.0.0/0"), Reject: true}},
		Relay:   []netip.Prefix{netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("10.0.0.0/8")},
	}
}

func TestCommand(t *testing.T) {
	got := Command("old one", sample(), []ID{"mode", "retry", "timeout-normal", "max-size", ForwardHost, DomainHosts, Reroute, ETRN, Accept, Reject, Relay}, "it's time")
	want := `ims gateway set 'old one' --mode outbound-only --retry 15m,1h --timeout-normal 48h --max-size 7 --forward-host smart.example ` +
		`--domain-hosts a.example=h.example,b.example= --reroute '#c.example=inbound' --etrn '' --accept 192.0.2.7 --reject 0.0.0.0/0 ` +
		`--relay 10.0.0.0/8,2001:db8::/32 --restart --reason 'it'\''s time'`
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("command (-want +got):\n%s", d)
	}
}

// TestAllSettings fails when the contract gains a setting that has no name here:
// it would be neither compared nor transferred.
func TestAllSettings(t *testing.T) {
	var p gateway.SettingsPatch
	for _, one := range All() {
		one.Patch(sample(), &p)
	}
	v := reflect.ValueOf(p)
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.Type.Kind() == reflect.Pointer && v.Field(i).IsNil() {
			t.Errorf("setting %s has no name", f.Name)
		}
	}
}

func TestDifferAndPatch(t *testing.T) {
	a, b := sample(), sample()
	b.Relay = []netip.Prefix{b.Relay[1], b.Relay[0]} // in another order
	if ids := Differ(a, b); ids != nil {
		t.Errorf("Differ = %v, want nothing", ids)
	}
	b = gateway.Settings{}.Patch(Patch(a, []ID{ForwardHost, Reject}))
	if b.ForwardHost != a.ForwardHost || len(b.Accept) != 2 || b.MaxSize != 0 {
		t.Errorf("patched %+v, want the forward host and who may connect alone", b)
	}
	if ids := Differ(a, b); len(ids) == 0 || ids[0] != "mode" {
		t.Errorf("Differ = %v, want the mode first", ids)
	}
}
