package wire

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/ims/internal/cli"
	"example.org/ims/internal/config"
	"example.org/ims/internal/plan"
	"example.org/ims/internal/preflight"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/zone"
)

// holds makes the checks of a saved plan again, as a runner does before it opens
// a run for somebody.
func (o *small) holds(raw []byte, actor string) []runner.Difference {
	o.t.Helper()
	s := runSite{newSite(o.cfg)}
	book, err := s.book(runner.Request{})
	if err != nil {
		o.t.Fatal(err)
	}
	err = s.Holds(o.t.Context(), raw, book, actor)
	drift, ok := errors.AsType[*runner.DriftError](err)
	if err != nil && !ok {
		o.t.Fatal(err)
	}
	if drift == nil {
		return nil
	}
	return drift.Differences
}

// want wants a difference among those of a drift.
func (o *small) want(name string, all []runner.Difference, want runner.Difference) {
	o.t.Helper()
	i := slices.IndexFunc(all, func(d runner.Difference) bool { return d.What == want.What && d.Name == want.Name })
	if i < 0 {
		o.t.Errorf("%s: %s %s is not among the differences: %+v", name, want.What, want.Name, all)
		return
	}
	if d := all[i]; want.Was != nil && (!slices.Equal(d.Was, want.Was) || !slices.Equal(d.Now, want.Now)) {
		o.t.Errorf("%s: %+v, want %+v", name, d, want)
	}
	if d := all[i]; d.What == "check" && (d.Fix == "" || len(d.Now) != 1 || !strings.Contains(d.Now[0], ": ")) {
		o.t.Errorf("%s: a check without a reason or a fix: %+v", name, d)
	}
}

// TestPlanNamesTheSettingThatDrifted sets what decides no fact, and wants the plan
// to be refused with its name and both values.
func TestPlanNamesTheSettingThatDrifted(t *testing.T) {
	o := newSmall(t)
	_, raw := o.plan()
	if all := o.holds(raw, "me"); len(all) > 0 {
		t.Fatalf("nothing has changed: %+v", all)
	}
	five, short, size := 5, gateway.Timeouts{Normal: 5 * time.Minute}, int64(5000)
	none, unlimited := 0, int64(0)
	hosts, nobody := map[string]string{"a.invalid": "b.invalid"}, map[string]string{}
	all, p := gateway.Space{Type: "SMTP", Pattern: "*", Cost: 1}, gateway.Space{Type: "SMTP", Pattern: "*@p.invalid", Cost: 1}
	costly := all
	costly.Cost = 7
	before, err := o.gatewayOf("east").Config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	normal := before.Stored.Timeouts
	setting := func(name, was, now string) runner.Difference {
		return runner.Difference{What: "setting", Name: name, Was: []string{was}, Now: []string{now}}
	}
	for name, d := range map[string]struct {
		do, back func()
		want     runner.Difference
	}{
		"east's size": {
			o.set("east", gateway.SettingsPatch{MaxSize: &size, Restart: true}), o.set("east", gateway.SettingsPatch{MaxSize: &unlimited, Restart: true}),
			setting("east: max-size", "0", "5000"),
		},
		"west's sessions": {
			o.set("west", gateway.SettingsPatch{MaxInbound: &five}), o.set("west", gateway.SettingsPatch{MaxInbound: &none}),
			setting("west: max-inbound", "0", "5, in effect 0"),
		},
		"east's time-out": {
			o.set("east", gateway.SettingsPatch{Timeouts: &short, Restart: true}), o.set("east", gateway.SettingsPatch{Timeouts: &normal, Restart: true}),
			runner.Difference{What: "setting", Name: "east: timeout-normal"},
		},
		"west's table": {
			o.set("west", gateway.SettingsPatch{DomainHosts: &hosts, Restart: true}), o.set("west", gateway.SettingsPatch{DomainHosts: &nobody, Restart: true}),
			setting("west: domain-hosts", "(none)", "a.invalid=b.invalid"),
		},
		"west's cost": {
			o.spaces("west", costly), o.spaces("west", all),
			setting("west: address space SMTP:*", "cost 1 scope organization", "cost 7 scope organization"),
		},
		"a space more": {
			o.spaces("west", all, p), o.spaces("west", all),
			runner.Difference{What: "setting", Name: "west: address space SMTP:*@p.invalid", Was: []string{}, Now: []string{"cost 1 scope organization"}},
		},
	} {
		d.do()
		o.want(name, o.holds(raw, "me"), d.want)
		d.back()
		if all := o.holds(raw, "me"); len(all) > 0 {
			t.Fatalf("%s is taken back: %+v", name, all)
		}
	}
}

func (o *small) gatewayOf(name string) gateway.Gateway { return newSite(o.cfg).gateway(name) }

// TestPlanBindsToItsVerdicts: a check that stands in the way since the plan was
// made refuses it, with its reason and what helps.
func TestPlanBindsToItsVerdicts(t *testing.T) {
	t.Run("an MX that leads here", func(t *testing.T) {
		o := newSmall(t)
		_, raw := o.plan()
		o.rrset(zone.NewMX("foo.example.test", 1, zone.MX{Pref: 10, Host: "east.example.test"}))
		var drift *runner.DriftError
		if err := o.open(raw); !errors.As(err, &drift) {
			t.Fatalf("the plan is taken: %v", err)
		}
		if !slices.ContainsFunc(drift.Differences, func(d runner.Difference) bool {
			return d.What == "check" && strings.HasPrefix(d.Name, "cover.in.foo.example.test.") && d.Fix != "" && d.Was[0] == "not judged"
		}) {
			t.Errorf("differences %+v", drift.Differences)
		}
		o.rrset(zone.NewRRset("foo.example.test", "MX", 1))
		if err := o.open(raw); err != nil {
			t.Errorf("when it is gone, the plan is refused: %v", err)
		}
	})
	t.Run("a waiver that expires", func(t *testing.T) {
		o := newSmall(t)
		size := int64(5000)
		o.set("west", gateway.SettingsPatch{MaxSize: &size, Restart: true})()
		until := time.Now().Add(time.Hour)
		o.cfg.Waivers = []config.Waiver{
			{ID: "compare:max-size", Gateway: "east", Reason: "nobody sends more", By: "me", Expires: until},
			{ID: "cover.in.tls", Reason: "one comes by itself", By: "me", Expires: until},
		}
		o.end()
		o.serve()
		_, raw := o.plan()
		if all := o.holds(raw, "me"); len(all) > 0 {
			t.Fatalf("nothing has changed: %+v", all)
		}
		o.end()
		for i := range o.cfg.Waivers {
			o.cfg.Waivers[i].Expires = time.Now().Add(-time.Minute)
		}
		o.serve()
		var drift *runner.DriftError
		if err := o.open(raw); !errors.As(err, &drift) {
			t.Fatalf("the plan is taken: %v", err)
		}
		for _, id := range []string{"waiver.compare:max-size", "waiver.cover.in.tls"} {
			o.want(id, drift.Differences, runner.Difference{What: "check", Name: id})
		}
		o.want("the setting", drift.Differences, runner.Difference{What: "fact", Name: facts.NextDiffers.String(), Was: []string{"0"}, Now: []string{"1"}})
	})
	t.Run("who may approve", func(t *testing.T) {
		o := newSmall(t)
		old, raw := o.plan()
		if !slices.Equal(old.Approvers, []string{"me"}) {
			t.Errorf("the plan says that %v may approve", old.Approvers)
		}
		o.cfg.People = append(o.cfg.People, config.Person{Name: "anna", UID: uint32(os.Getuid() + 1), May: "approve"})
		if all := o.holds(raw, "me"); len(all) > 0 {
			t.Errorf("one more may approve: %+v", all)
		}
		now, _ := o.plan()
		if !slices.ContainsFunc(old.News(now), func(d plan.Difference) bool { return d.Name == "may approve" && d.Now[0] == "me, anna" }) {
			t.Errorf("nobody is told of anna: %+v", old.News(now))
		}
		for i := range o.cfg.People {
			o.cfg.People[i].May = "operate"
		}
		all := o.holds(raw, "me")
		if !slices.ContainsFunc(all, func(d runner.Difference) bool {
			return d.What == "check" && strings.HasPrefix(d.Name, "people.") && d.Fix != ""
		}) {
			t.Errorf("nobody may answer: %+v", all)
		}
	})
}

// TestWhatBindsOfAPreflight: only checks that traffic alone does not change.
func TestWhatBindsOfAPreflight(t *testing.T) {
	o := newSmall(t)
	o.send(2)
	snap, book, err := observations{}.Observe(t.Context(), o.cfg, cli.Look{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := preflight.Make(preflight.Input{Snapshot: snap, Book: book, Made: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for i := range r.Checks {
		c := &r.Checks[i]
		bound := binds(c, book, snap)
		if bound {
			got[c.Group]++
		}
		for _, f := range c.Facts {
			name, _, _ := strings.Cut(f, " = ")
			if id, ok := facts.Lookup(name); c.Group == preflight.GroupGuard && (!ok || bound && id.Definition().Class != facts.Config) {
				t.Errorf("%s binds, and reads %s", c.ID, f)
			}
		}
		loose := c.ID == "cover.in.log" || c.ID == "cover.in.example.test.size" || c.Group == preflight.GroupNotify || c.Group == preflight.GroupRun
		if c.Group != preflight.GroupGuard && bound == loose {
			t.Errorf("%s binds: %t", c.ID, bound)
		}
	}
	for _, g := range []string{preflight.GroupGuard, preflight.GroupOutbound, preflight.GroupInbound, preflight.GroupDependents, preflight.GroupDNS, preflight.GroupPeople} {
		if got[g] == 0 {
			t.Errorf("no check of group %s binds; those that do: %v", g, got)
		}
	}
}
