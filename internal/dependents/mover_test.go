package dependents

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"example.org/ims/internal/gateway/mem"
	"example.org/ims/pkg/gateway"
)

// pool is three gateways, two of which name east.
func pool() (*mem.Org, *Mover) {
	o := mem.New(mem.Options{Domains: []string{"org.example"}},
		mem.Spec{Name: "east", Site: "HQ", Hostname: east.Hostname, Settings: gateway.Settings{ForwardHost: "provider.example"}},
		mem.Spec{
			Name: "north", Site: "Branch", Hostname: other.Hostname,
			Settings: gateway.Settings{ForwardHost: "east.org.example", Relay: []netip.Prefix{single32("192.0.2.1")}},
			Sites:    []gateway.Site{{Name: "HQ", Cost: 1, RoutingAddress: "east.org.example"}},
		},
		mem.Spec{Name: "west", Site: "HQ", Hostname: west.Hostname, Settings: gateway.Settings{ForwardHost: "east.org.example"}},
	)
	m := &Mover{Target: east, Next: &west, Others: []Target{west, other}, Gateways: map[string]gateway.Gateway{}, Look: names}
	for _, name := range []string{"east", "north", "west"} {
		m.Gateways[name] = o.Gateway(name)
	}
	return o, m
}

func ask(key string) Ask { return Ask{Key: key, Actor: "tester", Reason: "test"} }

func config(t *testing.T, m *Mover, name string) gateway.Config {
	t.Helper()
	c, err := m.Gateways[name].Config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func set(t *testing.T, m *Mover, name string, p gateway.SettingsPatch) {
	t.Helper()
	if _, err := m.Gateways[name].Apply(t.Context(), gateway.Change{Key: t.Name() + name, Want: gateway.Want{Settings: &p}}); err != nil {
		t.Fatal(err)
	}
}

func image(t *testing.T, m *Mover) string {
	t.Helper()
	img, _, err := m.Image(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// holds reports what Redirected or Restored says.
func holds(t *testing.T) func(bool, error) bool {
	return func(ok bool, err error) bool {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
}

func TestRedirectAndRestore(t *testing.T) {
	o, m := pool()
	is := holds(t)
	before := map[string]gateway.Config{"north": config(t, m, "north"), "west": config(t, m, "west")}
	img := image(t, m)
	if is(m.Redirected(t.Context(), img)) || !is(m.Restored(t.Context(), img)) {
		t.Error("redirected before anything was done")
	}
	for range 2 { // the second time finds everything done
		if err := m.Redirect(t.Context(), img, ask("run/do")); err != nil {
			t.Fatal(err)
		}
	}
	if !is(m.Redirected(t.Context(), img)) || is(m.Restored(t.Context(), img)) {
		t.Error("not redirected afterwards")
	}
	if r := m.Report(t.Context()); len(r.Findings)+len(r.Unsure) > 0 {
		t.Errorf("left over: %+v", r)
	}
	n, w := config(t, m, "north"), config(t, m, "west")
	if n.Effective.ForwardHost != "west.org.example" || n.Sites[0].RoutingAddress != "west.org.example" || n.Effective.Relay[0] != single32("192.0.2.2") {
		t.Errorf("north: %+v %+v", n.Effective, n.Sites)
	}
	if w.Effective.ForwardHost != "provider.example" {
		t.Errorf("west forwards to %s, want to where east did", w.Effective.ForwardHost)
	}
	if n := o.Gateway("north").Starts(); n != 2 {
		t.Errorf("north was started %d times, want one restart", n)
	}
	for range 2 {
		if err := m.Restore(t.Context(), img, ask("run/undo")); err != nil {
			t.Fatal(err)
		}
	}
	if !is(m.Restored(t.Context(), img)) {
		t.Error("not restored")
	}
	for name, c := range before {
		if now := config(t, m, name); !now.Stored.Equal(c.Stored) || !now.Effective.Equal(c.Effective) || now.Sites == nil != (c.Sites == nil) {
			t.Errorf("%s: %+v, want %+v", name, now, c)
		}
	}
}

func TestRedirectOverARace(t *testing.T) {
	_, m := pool()
	img := image(t, m)
	size := int64(5)
	set(t, m, "north", gateway.SettingsPatch{MaxSize: &size})
	if err := m.Redirect(t.Context(), img, ask("k")); !errors.Is(err, gateway.ErrConflict) {
		t.Errorf("Redirect over somebody else's change = %v, want ErrConflict", err)
	}
	if c := config(t, m, "north"); c.Stored.ForwardHost != "east.org.example" || c.Stored.MaxSize != 5 {
		t.Errorf("north: %+v, want it as somebody left it", c.Stored)
	}
	if err := m.Redirect(t.Context(), image(t, m), ask("k")); err != nil {
		t.Errorf("with a new look: %v", err)
	}
}

func TestRestoreLeavesWhatOthersChanged(t *testing.T) {
	_, m := pool()
	img := image(t, m)
	if err := m.Redirect(t.Context(), img, ask("do")); err != nil {
		t.Fatal(err)
	}
	third := "third.example"
	set(t, m, "north", gateway.SettingsPatch{ForwardHost: &third})
	if err := m.Restore(t.Context(), img, ask("undo")); !errors.Is(err, ErrChanged) {
		t.Errorf("Restore = %v, want ErrChanged", err)
	}
	n, w := config(t, m, "north"), config(t, m, "west")
	if n.Stored.ForwardHost != third || n.Sites[0].RoutingAddress != "east.org.example" || w.Stored.ForwardHost != "east.org.example" {
		t.Errorf("north %+v %+v, west %+v: want everything back but what somebody changed", n.Stored, n.Sites, w.Stored)
	}
}

func TestRedirectRestartsWhatKeepsTheName(t *testing.T) {
	o, m := pool()
	moved := "moved.org.example"
	set(t, m, "north", gateway.SettingsPatch{ForwardHost: &moved, Relay: &[]netip.Prefix{}, Restart: true})
	sites := []gateway.Site{}
	if _, err := o.Gateway("north").Apply(t.Context(), gateway.Change{Key: "s", Want: gateway.Want{Sites: &sites}}); err != nil {
		t.Fatal(err)
	}
	o.Gateway("north").Resolve(moved, netip.MustParseAddrPort("192.0.2.1:25"))
	img := image(t, m)
	if !strings.Contains(img, `"restart":true`) {
		t.Fatalf("image %s, want a restart", img)
	}
	if err := m.Redirect(t.Context(), img, ask("k")); err != nil {
		t.Fatal(err)
	}
	if r := m.Report(t.Context()); len(r.Findings) > 0 {
		t.Errorf("left over %v", r.Findings)
	}
	if !holds(t)(m.Redirected(t.Context(), img)) {
		t.Error("not redirected after the restart")
	}
}

func TestRedirectRefusesToGuess(t *testing.T) {
	_, m := pool()
	m.Next = nil
	img := image(t, m)
	if err := m.Redirect(t.Context(), img, ask("k")); !errors.Is(err, gateway.ErrRefused) || !strings.Contains(err.Error(), "no gateway succeeds east") {
		t.Errorf("Redirect without a successor = %v, want it refused", err)
	}
	if c := config(t, m, "north"); c.Generation != 1 {
		t.Errorf("something was changed: %+v", c)
	}
}

func TestImageNeedsEveryName(t *testing.T) {
	_, m := pool()
	broken := "broken.example"
	set(t, m, "north", gateway.SettingsPatch{ForwardHost: &broken})
	if _, _, err := m.Image(t.Context()); err == nil || !strings.Contains(err.Error(), "broken.example") {
		t.Errorf("Image with a name that cannot be looked up: %v", err)
	}
}

func TestUnreachableGatewayIsUnsure(t *testing.T) {
	_, m := pool()
	m.Gateways["south"] = gone{}
	r := m.Report(t.Context())
	if len(r.Findings) != 4 || len(r.Unsure) != 1 || r.Unsure[0].Gateway != "south" {
		t.Errorf("report %+v, want what is known, and south unsure", r)
	}
	if _, _, err := m.Image(t.Context()); err == nil || !strings.Contains(err.Error(), "south") {
		t.Errorf("Image without south: %v", err)
	}
}

// gone is a gateway that nobody reaches.
type gone struct{ gateway.Gateway }

func (gone) Config(context.Context) (gateway.Config, error) {
	return gateway.Config{}, gateway.ErrUnreachable
}
