package bindtest

import (
	"fmt"
	"net"
	"testing"
	"time"

	"example.org/ims/internal/dns/dnstest"
	"example.org/ims/internal/dns/rfc2136"
	"example.org/ims/internal/dns/server"
	"example.org/ims/internal/dns/watch"
	"example.org/ims/pkg/zone"
	"example.org/ims/pkg/zone/zonetest"
)

// pair runs a primary that tells a secondary, both BIND.
func pair(t *testing.T) (primary, secondary string) {
	t.Helper()
	primary, secondary = FreeAddr(t), FreeAddr(t)
	Named(t, primary, primaryZone(secondary), "example.test.", map[string]string{"zone": dnstest.Zone})
	Named(t, secondary, secondaryZone(primary), "example.test.", nil)
	return primary, secondary
}

func primaryZone(secondary string) string {
	host, port, _ := net.SplitHostPort(secondary)
	return fmt.Sprintf(`zone "example.test" { type primary; file "DIR/zone"; journal "DIR/zone.jnl";
  update-policy { grant ims-update. zonesub ANY; };
  allow-transfer { key ims-xfer.; key ims-update.; }; also-notify { %s port %s key ims-xfer.; }; };
`, host, port)
}

func secondaryZone(primary string) string {
	host, port, _ := net.SplitHostPort(primary)
	return fmt.Sprintf(`zone "example.test" { type secondary; primaries port %s { %s key ims-xfer.; };
  file "DIR/zone"; masterfile-format text; allow-notify { key ims-xfer.; }; allow-update-forwarding { none; }; };
`, port, host)
}

func writer(t *testing.T, addr string, edit func(*rfc2136.Config)) *rfc2136.Writer {
	t.Helper()
	key := dnstest.UpdateKey(t)
	cfg := rfc2136.Config{Zone: "example.test.", Server: addr, Key: &key}
	if edit != nil {
		edit(&cfg)
	}
	w, err := rfc2136.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func mx(ttl uint32, data ...string) zone.RRset {
	return zone.NewRRset("example.test.", "MX", ttl, data...)
}

var (
	oldMX = mx(300, "10 gw.example.test.")
	newMX = mx(60, "10 new.example.test.")
	move  = zone.Change{Zone: "example.test.", Old: oldMX, New: newMX}
)

func TestConformance(t *testing.T) {
	primary, _ := pair(t)
	zonetest.Run(t, func(t *testing.T) zonetest.Fixture {
		f := zonetest.Fixture{Zone: "example.test."}
		for range 8 {
			f.Writers = append(f.Writers, writer(t, primary, nil))
		}
		return f
	})
}

func TestConvergence(t *testing.T) {
	primary, secondary := pair(t)
	converges(t, primary, primary, secondary)
}

// converges moves the MX at primary and waits until all servers have it.
func converges(t *testing.T, primary string, servers ...string) {
	t.Helper()
	w, err := watch.New(watch.Config{Zone: "example.test.", Authorities: servers})
	if err != nil {
		t.Fatal(err)
	}
	round := w.Observe(t.Context(), "example.test.", "MX")
	ledger := round
	if zone.Wanted(round, oldMX) != zone.Yes {
		t.Fatalf("before: %+v", round)
	}
	if o := writer(t, primary, nil).Apply(t.Context(), move); o.Kind != zone.Applied || o.TSIGErr != 0 {
		t.Fatal(o)
	}
	dnstest.Eventually(t, "convergence", func() (bool, string) {
		round = w.Observe(t.Context(), "example.test.", "MX")
		ledger = append(ledger, round...)
		return zone.Wanted(round, newMX) == zone.Yes, fmt.Sprint(zone.Compare(round, newMX))
	})
	if len(round) != len(servers) || zone.Agree(round) != zone.Yes {
		t.Errorf("after: %+v", round)
	}
	d := zone.Deadline(ledger, func(o zone.Observation) bool { return o.RRset.NamesHost("gw.example.test.") }, 0)
	if d.Open || d.TTL != 300 || len(d.Assumed) != 0 {
		t.Errorf("deadline: %+v", d)
	}
}

func TestRefusals(t *testing.T) {
	primary, secondary := pair(t)
	reader := dnstest.TransferKey(t)
	wrong := dnstest.Key(t, "ims-update", "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=")
	unknown := dnstest.Key(t, "nobody", "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=")
	for _, c := range []struct {
		name, addr string
		edit       func(*rfc2136.Config)
		want       zone.Kind
	}{
		{"wrong secret", primary, func(c *rfc2136.Config) { c.Key = &wrong }, zone.BadSig},
		{"unknown key", primary, func(c *rfc2136.Config) { c.Key = &unknown }, zone.BadKey},
		{"no right", primary, func(c *rfc2136.Config) { c.Key = &reader }, zone.Denied},
		{"unsigned", primary, func(c *rfc2136.Config) { c.Key, c.Unsigned = nil, true }, zone.Denied},
		{"secondary", secondary, nil, zone.Denied},
	} {
		w := writer(t, c.addr, c.edit)
		for what, o := range map[string]zone.Outcome{"preflight": w.Preflight(t.Context(), move), "apply": w.Apply(t.Context(), move)} {
			if o.Kind != c.want {
				t.Errorf("%s: %s: %v, want %v", c.name, what, o, c.want)
			}
		}
	}
	if o := writer(t, primary, nil).Preflight(t.Context(), move); o.Kind != zone.Ready {
		t.Errorf("good: %v", o)
	}
	other := writer(t, primary, func(c *rfc2136.Config) { c.Zone = "other.test." })
	o := other.Preflight(t.Context(), zone.Change{Zone: "other.test.", Old: zone.NewRRset("other.test.", "MX", 0), New: zone.NewRRset("other.test.", "MX", 1, "10 a.test.")})
	if o.Kind != zone.NotAuthZone {
		t.Errorf("zone not served: %v", o)
	}
	if got, err := writer(t, primary, nil).Read(t.Context(), "example.test.", "MX"); err != nil || !got.Equal(oldMX) {
		t.Errorf("zone holds %v, %v", got, err)
	}
}

func TestStrict(t *testing.T) {
	primary, _ := pair(t)
	w := writer(t, primary, func(c *rfc2136.Config) { c.Strict = true })
	if o := w.Apply(t.Context(), move); o.Kind != zone.Applied {
		t.Error(o)
	}
	if o := w.Apply(t.Context(), move.Reverse()); o.Kind != zone.Applied {
		t.Error(o)
	}
}

// Our server feeds a BIND secondary.
func TestOurPrimaryFeedsBIND(t *testing.T) {
	at := FreeAddr(t)
	ours := dnstest.Start(t, server.Config{
		Zone: "example.test.", Text: dnstest.Zone, Keys: dnstest.Grants(t),
		Secondaries: []server.Remote{{Addr: at, Key: "ims-xfer"}},
	})
	Named(t, at, secondaryZone(ours.Addr()), "example.test.", nil)
	converges(t, ours.Addr(), ours.Addr(), at)
}

// A BIND primary feeds our server.
func TestBINDFeedsOurSecondary(t *testing.T) {
	primary, at := FreeAddr(t), FreeAddr(t)
	Named(t, primary, primaryZone(at), "example.test.", map[string]string{"zone": dnstest.Zone})
	ours := dnstest.Start(t, server.Config{
		Zone: "example.test.", Listen: at, Keys: dnstest.Grants(t),
		Primary: &server.Remote{Addr: primary, Key: "ims-xfer"},
	})
	select {
	case <-ours.Loaded():
	case <-time.After(10 * time.Second):
		t.Fatal("no zone after ten seconds")
	}
	converges(t, primary, primary, at)
}

// reverseZone leads addresses back to names.
const reverseZone = `$ORIGIN 2.0.192.in-addr.arpa.
$TTL 300
@  IN SOA ns1.example.test. hostmaster.example.test. 1 3600 600 86400 120
   IN NS  ns1.example.test.
10 IN PTR gw.example.test.
`

// What a machine is called is changed in a reverse zone by compare-and-swap, as
// anything else, and seen there.
func TestReverseZone(t *testing.T) {
	at := FreeAddr(t)
	const apex, name = "2.0.192.in-addr.arpa.", "10.2.0.192.in-addr.arpa."
	Named(t, at, fmt.Sprintf(`zone "%s" { type primary; file "DIR/zone"; journal "DIR/zone.jnl";
  update-policy { grant ims-update. zonesub ANY; }; allow-transfer { key ims-xfer.; }; };
`, apex), apex, map[string]string{"zone": reverseZone})
	w := writer(t, at, func(c *rfc2136.Config) { c.Zone = apex })
	ptr := func(host string) zone.RRset { return zone.NewRRset(name, "PTR", 300, host) }
	move := zone.Change{Zone: apex, Old: ptr("gw.example.test."), New: ptr("drain.example.test.")}
	for _, step := range []struct {
		change zone.Change
		want   zone.Kind
	}{
		{zone.Change{Zone: apex, Old: ptr("other.example.test."), New: ptr("drain.example.test.")}, zone.Conflict},
		{move, zone.Applied},
		{move, zone.AlreadyApplied},
		{move.Reverse(), zone.Applied},
		{move, zone.Applied},
	} {
		if o := w.Apply(t.Context(), step.change); o.Kind != step.want {
			t.Fatalf("%s to %s: %v, want %v", step.change.Old, step.change.New, o, step.want)
		}
	}
	watcher, err := watch.New(watch.Config{Zone: apex, Authorities: []string{at}})
	if err != nil {
		t.Fatal(err)
	}
	if round := watcher.Observe(t.Context(), name, "PTR"); zone.Wanted(round, move.New) != zone.Yes {
		t.Errorf("observed %+v", round)
	}
}
