package wire

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"example.org/ims/internal/cli"
	"example.org/ims/internal/dns/dnstest"
	"example.org/ims/internal/plan"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/zone"
)

// rrset replaces an RRset of the zone, whatever it is now.
func (o *small) rrset(next zone.RRset) { o.put(o.writer, "example.test", next) }

func (o *small) put(w zone.Writer, in string, next zone.RRset) {
	o.t.Helper()
	old, err := w.Read(o.t.Context(), next.Name, next.Type)
	if err != nil {
		o.t.Fatal(err)
	}
	if out := w.Apply(o.t.Context(), zone.Change{Zone: in, Old: old, New: next}); !out.Done() {
		o.t.Fatal(out)
	}
}

func (o *small) set(name string, p gateway.SettingsPatch) func() {
	return func() { o.apply(name, gateway.Want{Settings: &p}) }
}

func (o *small) spaces(name string, s ...gateway.Space) func() {
	return func() { o.apply(name, gateway.Want{Spaces: &s}) }
}

// drift is a change of the world, and how it is taken back.
type drift struct {
	facts []facts.ID // that differ then
	do    func()
	back  func()
}

// drifts are changes of the config facts of a gateway in service.
func (o *small) drifts() map[string]drift {
	set, spaces := o.set, o.spaces
	run := func(name string, r gateway.RunState) func() {
		return func() { o.apply(name, gateway.Want{Running: &r}) }
	}
	sites := func(s ...gateway.Site) func() { return func() { o.apply("east", gateway.Want{Sites: &s}) } }
	mx := func(all ...zone.MX) func() {
		return func() { o.rrset(zone.NewMX("example.test", 1, all...)) }
	}
	both, inbound, outbound, forward, none, large := gateway.InboundOutbound, gateway.InboundOnly, gateway.OutboundOnly, "east.example.test", "", int64(1<<20)
	unlimited := int64(0)
	all := gateway.Space{Type: "SMTP", Pattern: "*", Cost: 1}
	branch := gateway.Site{Name: "branch", Cost: 1, RoutingAddress: "bridge.example.test"}
	other := gateway.Site{Name: "other", Cost: 1, RoutingAddress: "other.example.test"}
	east, west := zone.MX{Pref: 10, Host: "east.example.test"}, zone.MX{Pref: 10, Host: "west.example.test"}
	return map[string]drift{
		"mode stored":        {[]facts.ID{facts.GwModeSet}, set("east", gateway.SettingsPatch{Mode: &outbound}), set("east", gateway.SettingsPatch{Mode: &both})},
		"mode in effect":     {[]facts.ID{facts.GwMode}, set("east", gateway.SettingsPatch{Mode: &outbound, Restart: true}), set("east", gateway.SettingsPatch{Mode: &both, Restart: true})},
		"stopped":            {[]facts.ID{facts.GwRunning}, run("east", gateway.Stopped), run("east", gateway.Started)},
		"no route":           {[]facts.ID{facts.RouteHere, facts.RouteSites}, func() { spaces("east")(); sites()() }, func() { spaces("east", all)(); sites(branch)() }},
		"another site":       {[]facts.ID{facts.RouteSites}, sites(branch, other), sites(branch)},
		"no cover":           {[]facts.ID{facts.RouteUncovered, facts.NextCoversOut}, spaces("west"), spaces("west", all)},
		"a black hole":       {[]facts.ID{facts.RouteSwallowed, facts.NextCoversOut, facts.NextSends}, set("west", gateway.SettingsPatch{Mode: &inbound, Restart: true}), set("west", gateway.SettingsPatch{Mode: &both, Restart: true})},
		"a dependent":        {[]facts.ID{facts.RouteDependents}, set("west", gateway.SettingsPatch{ForwardHost: &forward}), set("west", gateway.SettingsPatch{ForwardHost: &none})},
		"the successor down": {[]facts.ID{facts.NextAccepts, facts.NextSends, facts.NextCoversIn}, run("west", gateway.Stopped), run("west", gateway.Started)},
		"a setting":          {[]facts.ID{facts.NextDiffers}, set("west", gateway.SettingsPatch{MaxSize: &large}), set("west", gateway.SettingsPatch{MaxSize: &unlimited})},
		"MX moved":           {[]facts.ID{facts.MxHere, facts.MxWanted, facts.MxPrimaryWanted}, mx(west), mx(east)},
	}
}

// named are changes of what only runbooks look at that change host names, share
// the work, or end a domain's mail, by the runbook.
func (o *town) named() map[string]map[string]drift {
	txt := func(name, text string) { o.rrset(zone.NewRRset(name, "TXT", 1, `"`+text+`"`)) }
	address := func(name, to string) { o.rrset(zone.NewRRset(name, "A", 1, to)) }
	pointer := func(to string) {
		o.put(o.reverse, "0.0.127.in-addr.arpa", zone.NewRRset("2.0.0.127.in-addr.arpa", "PTR", 1, to))
	}
	mx := func(all ...zone.MX) func() {
		return func() { o.rrset(zone.NewMX("example.test", 1, all...)) }
	}
	limit := func(n int) func() {
		return func() {
			for _, name := range []string{"east", "west"} {
				o.set(name, gateway.SettingsPatch{MaxInbound: &n, MaxOutbound: &n, Restart: true})()
			}
		}
	}
	east, west := zone.MX{Pref: 10, Host: "east.example.test"}, zone.MX{Pref: 10, Host: "west.example.test"}
	all, costly := gateway.Space{Type: "SMTP", Pattern: "*", Cost: 1}, gateway.Space{Type: "SMTP", Pattern: "*", Cost: 10}
	return map[string]map[string]drift{
		"replace": {
			"name flipped": {
				[]facts.ID{facts.NameHere, facts.NameWanted},
				func() { address("east.example.test", westAddress) },
				func() { address("east.example.test", eastAddress) },
			},
			"drain named": {
				[]facts.ID{facts.DrainNamed},
				func() {
					address("drain.example.test", eastAddress)
					pointer("drain.example.test.")
					txt("example.test", "v=spf1 a:drain.example.test mx -all")
				},
				func() {
					o.rrset(zone.NewRRset("drain.example.test", "A", 1))
					pointer("east.example.test.")
					txt("example.test", "v=spf1 mx -all")
				},
			},
		},
		"add-successor": {
			"limits":    {[]facts.ID{facts.NextLimited}, limit(30), limit(0)},
			"a split":   {[]facts.ID{facts.NextSplit}, o.spaces("west", all), o.spaces("west", costly)},
			"MX shared": {[]facts.ID{facts.NextNamed}, mx(east, west), mx(east)},
		},
		"last-gateway": {
			"another gateway": {[]facts.ID{facts.RouteOthers}, o.spaces("west", costly), o.spaces("west")},
			"null MX":         {[]facts.ID{facts.MxNull}, mx(zone.MX{Host: "."}), mx(east)},
			"SPF":             {[]facts.ID{facts.SpfNone}, func() { txt("example.test", "v=spf1 -all") }, func() { txt("example.test", "v=spf1 mx -all") }},
		},
	}
}

// refused wants the plan to be refused because of facts.
func (o *small) refused(raw []byte, hash, name string, because []facts.ID) {
	o.t.Helper()
	err := o.open(raw)
	drift, ok := errors.AsType[*runner.DriftError](err)
	if !ok || drift.Plan != hash {
		o.t.Fatalf("%s: the plan is taken: %v", name, err)
	}
	for _, id := range because {
		if !slices.ContainsFunc(drift.Differences, func(x runner.Difference) bool {
			return x.What == "fact" && x.Name == id.String() && !slices.Equal(x.Was, x.Now)
		}) {
			o.t.Errorf("%s: %s is not among the differences: %+v", name, id, drift.Differences)
		}
	}
}

// drifting makes each change for real, one after another, wants the plan to be
// refused because of it, and takes it back. It notes which facts were tried.
func (o *small) drifting(r runner.Request, all map[string]drift, tried map[facts.ID]bool) (raw []byte) {
	o.t.Helper()
	old, raw := o.planOf(r)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		d := all[name]
		d.do()
		o.refused(raw, old.ID.Hash, name, d.facts)
		for _, id := range d.facts {
			tried[id] = true
		}
		d.back()
		dnstest.Eventually(o.t, name+" is taken back", func() (bool, string) {
			now, err := runs{}.Plan(o.t.Context(), o.cfg, cli.Look{Request: r})
			if err != nil {
				return false, err.Error()
			}
			return now.ID.Hash == old.ID.Hash, fmt.Sprint(old.Differences(now))
		})
	}
	return raw
}

// TestPlanIsRefusedOnDrift changes everything that a plan can bind to; the
// refusals do not use the plan up.
func TestPlanIsRefusedOnDrift(t *testing.T) {
	tried := map[facts.ID]bool{facts.GwExists: true} // at the end of the first
	t.Run("q285090", func(t *testing.T) {
		o := newSmall(t)
		o.send(2)
		raw := o.drifting(runner.Request{}, o.drifts(), tried)
		if err := o.open(raw); err != nil {
			t.Errorf("when all is as it was, the plan is refused: %v", err)
		}
		_, fresh := o.plan()
		o.apply("east", gateway.Want{Absent: &gateway.Removal{Discard: true}})
		if err := o.open(fresh); !errors.Is(err, runner.ErrRefused) || !strings.Contains(err.Error(), "removed already") {
			t.Errorf("a plan for a gateway that is gone: %v", err)
		}
	})
	t.Run("others", func(t *testing.T) {
		o := newTown(t, false)
		for name, all := range o.named() {
			if name == "last-gateway" {
				o.spaces("west")() // so that it is the last
			}
			o.drifting(runner.Request{Runbook: name}, all, tried)
			o.spaces("west", gateway.Space{Type: "SMTP", Pattern: "*", Cost: 10})()
		}
		for _, id := range facts.All() {
			config := id.Definition().Class == facts.Config && !strings.HasPrefix(id.String(), "run.")
			if config && !tried[id] {
				t.Errorf("a plan binds to %s, and no drift of it was tried", id)
			}
		}
	})
}

// TestPlanShowsTheRecordsThatItWants: a plan names the data of every record
// that it would publish, so that what it binds to can be read.
func TestPlanShowsTheRecordsThatItWants(t *testing.T) {
	o := newTown(t, false)
	want := map[string]map[string]string{
		"replace": {
			"flip_a": "east.example.test. 1 A " + westAddress, "flip_aaaa": "east.example.test. AAAA (none)",
			"drain_a": "drain.example.test. 300 A " + eastAddress, "drain_ptr": "2.0.0.127.in-addr.arpa. 1 PTR drain.example.test.",
		},
		"add-successor": {"name_next": "example.test. 1 MX 10 east.example.test. | 10 west.example.test."},
		"last-gateway":  {"spf_none": `example.test. 1 TXT "v=spf1 -all"`},
	}
	for name, states := range want {
		if name == "last-gateway" {
			o.spaces("west")() // so that it is the last
		}
		p, _ := o.planOf(runner.Request{Runbook: name})
		for state, text := range states {
			i := slices.IndexFunc(p.States, func(s plan.Step) bool { return s.ID == state })
			if i < 0 || len(p.States[i].Changes) == 0 || !slices.Equal(p.States[i].Changes[0].After, []string{text}) {
				t.Errorf("%s %s: %+v, want %s after it", name, state, p.States, text)
			}
		}
	}
}
