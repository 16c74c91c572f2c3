package service

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/mail/delivery"
	"example.org/ims/pkg/gateway"
)

// A gateway that keeps names goes on sending to where its forward host was.
func TestNamesAreKeptUntilTheStart(t *testing.T) {
	play(t, func(c *Config) {
		c.Gateways[0].KeepNames = true
		c.Gateways[0].Settings.ForwardHost = "smart.example"
		c.Gateways[1].Settings.ForwardHost = "smart.example"
	}, func(t *testing.T, w *world) {
		lead := func(to string) {
			w.net.mu.Lock()
			defer w.net.mu.Unlock()
			w.net.mx["smart.example"] = delivery.Target{Host: "smart.example", Addr: to}
		}
		send := func() {
			w.submit("hq", "ann@corp.example", "joe@elsewhere.example")
			pass(time.Minute)
		}
		lead("far.example:25")
		send()
		lead("away.example:25")
		send()
		if far, away := len(w.far.letters()), len(w.away.letters()); far != 2 || away != 0 {
			t.Errorf("%d messages at the old address, %d at the new: want 2 and 0", far, away)
		}
		w.run("alpha", gateway.Restarted)
		if got := w.conf("alpha").Resolved; got != nil {
			t.Errorf("kept over a restart: %v", got)
		}
		send()
		if n := len(w.away.letters()); n != 1 {
			t.Errorf("%d messages at the new address after a restart, want 1", n)
		}
		w.spaces("alpha") // beta keeps nothing
		send()
		lead("far.example:25")
		send()
		if far, away := len(w.far.letters()), len(w.away.letters()); far != 3 || away != 2 {
			t.Errorf("a gateway that keeps nothing: %d and %d messages, want 3 and 2", far, away)
		}
	})
}

func TestResolved(t *testing.T) {
	k := &keeper{kept: map[string][]delivery.Target{"smart.example": {{Addr: "192.0.2.1:25"}, {Addr: "[2001:db8::1]:25"}}}}
	want := map[string][]netip.AddrPort{"smart.example": {netip.MustParseAddrPort("192.0.2.1:25"), netip.MustParseAddrPort("[2001:db8::1]:25")}}
	if d := cmp.Diff(want, k.resolved(), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); d != "" {
		t.Errorf("resolved (-want +got):\n%s", d)
	}
}
