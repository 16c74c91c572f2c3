package wire

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"example.org/ims/internal/cli"
	"example.org/ims/internal/notify"
	"example.org/ims/internal/preflight"
	"example.org/ims/internal/runner"
	"example.org/ims/internal/verdict"
	"example.org/ims/pkg/gateway"
)

// preflight makes one as the command does.
func (o *town) preflight(r runner.Request) *preflight.Report {
	o.t.Helper()
	s, book, err := observations{}.Observe(o.t.Context(), o.cfg, cli.Look{Request: r})
	if err != nil {
		o.t.Fatal(err)
	}
	rep, err := preflight.Make(preflight.Input{Snapshot: s, Book: book, Made: time.Now()})
	if err != nil {
		o.t.Fatal(err)
	}
	return rep
}

// agree makes a preflight and a dry run of a runbook: both must come to the
// same, by the same number of blockers, questions and unknowns.
func (o *town) agree(world, book string) verdict.Whole {
	o.t.Helper()
	r := runner.Request{Runbook: book}
	pre := o.preflight(r)
	p, err := runs{}.Plan(o.t.Context(), o.cfg, cli.Look{Request: r})
	if err != nil {
		o.t.Fatal(err)
	}
	same := func(a, b verdict.Tally) bool {
		return a.Blockers == b.Blockers && a.Questions == b.Questions && a.Unknown == b.Unknown
	}
	if n := p.Counts(); pre.Verdict != p.Verdict || !same(pre.Counts, n.Tally) || !same(n.Predicted, verdict.Tally{}) {
		var open []string
		for i := range pre.Checks {
			if c := &pre.Checks[i]; c.Open() {
				open = append(open, fmt.Sprintf("preflight: %s %s: %s", c.Verdict, c.ID, c.Reason))
			}
		}
		for i := range p.Checks {
			if c := &p.Checks[i]; c.Open() {
				open = append(open, fmt.Sprintf("dry run: %s %s: %s", c.Verdict, c.ID, cmp.Or(c.Why, c.That)))
			}
		}
		o.t.Errorf("%s, %s: preflight is %s (%s), dry run %s (%s): %q", world, book, pre.Verdict, pre.Counts, p.Verdict, n, open)
	}
	return pre.Verdict
}

// TestPreflightAgreesWithTheDryRun looks at worlds in which some runbooks can
// go on and some cannot.
func TestPreflightAgreesWithTheDryRun(t *testing.T) {
	o := newTown(t, false)
	o.cfg.Retire.Params = nil // they are not of every runbook
	o.cfg.Notify.Targets = []notify.Target{{Name: "ops", Exec: []string{"true"}}}
	stop, start, none, both, inbound, host := gateway.Stopped, gateway.Started, gateway.None, gateway.InboundOutbound, gateway.InboundOnly, "east.example.test"
	large := int64(1 << 20)
	west, err := o.gateway("west").Config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	old := west.Stored
	type world struct {
		name     string
		do, back func()
		want     map[string]verdict.Whole // of some
	}
	worlds := []world{
		{"all is well", func() {}, func() {}, map[string]verdict.Whole{"rescue": verdict.Blocked, "add-successor": verdict.Ready}},
		{
			"the gateway is in None", o.set("east", gateway.SettingsPatch{Mode: &none, Restart: true}), o.set("east", gateway.SettingsPatch{Mode: &both, Restart: true}),
			map[string]verdict.Whole{"rescue": verdict.Ready, "q285090": verdict.Blocked, "add-successor": verdict.Blocked},
		},
		{
			"the successor is stopped", func() { o.apply("west", gateway.Want{Running: &stop}) }, func() { o.apply("west", gateway.Want{Running: &start}) },
			map[string]verdict.Whole{"rescue": verdict.Blocked, "maintenance": verdict.Blocked, "last-gateway": verdict.Blocked},
		},
		{
			"the successor accepts and carries nothing", o.set("west", gateway.SettingsPatch{Mode: &inbound, Restart: true}),
			o.set("west", gateway.SettingsPatch{Mode: &both, Restart: true}),
			map[string]verdict.Whole{"rescue": verdict.Blocked, "q285090": verdict.Blocked, "replace": verdict.Blocked, "maintenance": verdict.Blocked},
		},
		{
			"the successor has no route", o.spaces("west"), o.spaces("west", west.Spaces...),
			map[string]verdict.Whole{"rescue": verdict.Blocked, "q285090": verdict.Asks, "last-gateway": verdict.Asks},
		},
		{
			"the successor names the gateway, and differs", o.set("west", gateway.SettingsPatch{ForwardHost: &host, MaxSize: &large, Restart: true}),
			o.set("west", gateway.SettingsPatch{ForwardHost: &old.ForwardHost, MaxSize: &old.MaxSize, Restart: true}),
			map[string]verdict.Whole{"rescue": verdict.Blocked, "q285090": verdict.Asks, "last-gateway": verdict.Blocked},
		},
	}
	authorities := o.cfg.Zones[0].Authorities
	worlds = append(worlds, world{
		"a server of the zone does not answer", func() { o.cfg.Zones[0].Authorities = append(slices.Clone(authorities), free(t)) },
		func() { o.cfg.Zones[0].Authorities = authorities },
		map[string]verdict.Whole{"rescue": verdict.Blocked, "maintenance": verdict.NotKnown, "q285090": verdict.NotKnown, "add-successor": verdict.NotKnown},
	})
	for _, w := range worlds {
		w.do()
		for _, book := range []string{"q285090", "eleven-steps", "replace", "last-gateway", "add-successor", "maintenance", "rescue"} {
			got := o.agree(w.name, book)
			if want, ok := w.want[book]; ok && got != want {
				t.Errorf("%s, %s: %s, want %s", w.name, book, got, want)
			}
		}
		w.back()
	}
}
