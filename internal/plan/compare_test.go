package plan_test

import (
	"slices"
	"testing"

	"example.org/ims/internal/plan"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/runbook"
	"example.org/ims/pkg/zone"
	"example.org/ims/runbooks"
)

// shipped are the names of the shipped runbooks.
func shipped(t *testing.T) []string {
	t.Helper()
	names := runbooks.Names()
	if len(names) < 7 {
		t.Fatalf("%d runbooks are shipped: %v", len(names), names)
	}
	return names
}

// inputOf is the input of a shipped runbook, with words for what it reads.
func inputOf(b *runbook.Book, change map[facts.ID]facts.Value) plan.Input {
	in := plan.Input{Book: b, Facts: live(change), Now: now, Before: before(), Places: places()}
	in.Before.Words, in.Before.Wanted = map[string]string{}, map[string]string{}
	for key := range plan.Readings(in.Book.Def) {
		in.Before.Words[key] = "east.example.test. 300 A 192.0.2.1"
		in.Before.Wanted[key] = "east.example.test. 300 A 192.0.2.2"
	}
	return in
}

// TestNoDifferenceIsTheSameHash changes whatever a plan of any shipped runbook
// is made from: what is shown as drift, and nothing else, makes another hash.
func TestNoDifferenceIsTheSameHash(t *testing.T) {
	for _, name := range shipped(t) {
		t.Run(name, func(t *testing.T) {
			b := book(t, name)
			base := plan.Make(inputOf(b, nil))
			same := 0
			for change, now := range variations(b) {
				all := base.Differences(now)
				if (len(all) == 0) != (base.ID.Hash == now.ID.Hash) {
					t.Errorf("%s: same hash %v, differences %+v", change, base.ID.Hash == now.ID.Hash, all)
				}
				if self := now.Differences(now); len(self) > 0 {
					t.Errorf("%s: it differs from itself: %+v", change, self)
				}
				if len(all) == 0 {
					same++
				}
			}
			if same == 0 {
				t.Error("whatever changes is drift: the test proves nothing")
			}
		})
	}
}

// variations are plans of a runbook in worlds that differ in one thing each.
func variations(b *runbook.Book) map[string]*plan.Plan {
	out := map[string]*plan.Plan{}
	for _, id := range facts.All() {
		in := inputOf(b, nil)
		f := in.Facts[id]
		f.Value ^= 1
		in.Facts.Put(f)
		out[id.String()] = plan.Make(in)
	}
	for change, do := range map[string]func(*plan.Input){
		"nothing":       func(*plan.Input) {},
		"later":         func(in *plan.Input) { in.Now = in.Now.Add(1) },
		"no gateway":    func(in *plan.Input) { in.Before.Gateway = nil },
		"no zones":      func(in *plan.Input) { in.Before.Zones = nil },
		"no words":      func(in *plan.Input) { in.Before.Words, in.Before.Wanted = nil, nil },
		"stopped":       func(in *plan.Input) { in.Before.Gateway.Running = false },
		"the archive":   func(in *plan.Input) { in.Places.ArchiveDir = "/elsewhere" },
		"the key":       func(in *plan.Input) { in.Places.Zones[0].KeyFile = "/elsewhere" },
		"host name":     func(in *plan.Input) { in.Places.Hostname = "mx.example.test" },
		"another space": func(in *plan.Input) { in.Before.Gateway.Spaces[0].Pattern = "*.test" },
		"another site":  func(in *plan.Input) { in.Before.Gateway.Sites[0].Cost = 7 },
		"a mode":        func(in *plan.Input) { in.Before.Gateway.Stored.Mode = gateway.OutboundOnly },
		"an MX": func(in *plan.Input) {
			in.Before.Zones["example.test"] = zone.NewMX("example.test", 60, zone.MX{Pref: 1, Host: "east.example.test"})
		},
	} {
		in := inputOf(b, nil)
		do(&in)
		out[change] = plan.Make(in)
	}
	return out
}

// TestPlacesAreDrift: a plan is for the organization that it was made in, not
// for another one of the same shape.
func TestPlacesAreDrift(t *testing.T) {
	names := []plan.Zone{{Domain: "east.example.test", Zone: "example.test", Server: "192.0.2.53:53", Authorities: []string{"192.0.2.53:53"}}}
	b := book(t, "q285090")
	make := func(change func(*plan.Places)) *plan.Plan {
		in := inputOf(b, nil)
		in.Places.Next = plan.Place{Adapter: "embedded", Socket: "/run/ims/gateway.sock", Listen: "192.0.2.2:25"}
		in.Places.Names = slices.Clone(names)
		change(&in.Places)
		return plan.Make(in)
	}
	base := make(func(*plan.Places) {})
	for want, change := range map[string]func(*plan.Places){
		"adapter of east":                   func(p *plan.Places) { p.Adapter = "postfix" },
		"socket of east":                    func(p *plan.Places) { p.Socket = "/run/other/gateway.sock" },
		"listener of east":                  func(p *plan.Places) { p.Listen = "192.0.2.7:25" },
		"adapter of west":                   func(p *plan.Places) { p.Next.Adapter = "postfix" },
		"socket of west":                    func(p *plan.Places) { p.Next.Socket = "/run/other/gateway.sock" },
		"listener of west":                  func(p *plan.Places) { p.Next.Listen = "192.0.2.7:25" },
		"zone of example.test":              func(p *plan.Places) { p.Zones[0].Zone = "test" },
		"server for example.test":           func(p *plan.Places) { p.Zones[0].Server = "192.0.2.99:53" },
		"authorities for example.test":      func(p *plan.Places) { p.Zones[0].Authorities = p.Zones[0].Authorities[:1] },
		"server for east.example.test":      func(p *plan.Places) { p.Names[0].Server = "192.0.2.99:53" },
		"authorities for east.example.test": func(p *plan.Places) { p.Names[0].Authorities = nil },
	} {
		now := make(change)
		all := base.Differences(now)
		if len(all) != 1 || all[0].What != "place" || all[0].Name != want || slices.Equal(all[0].Was, all[0].Now) || base.ID.Hash == now.ID.Hash {
			t.Errorf("%s: differences %+v", want, all)
		}
		if plan.NotKnown(all) {
			t.Errorf("%s: another place counts as something that could not be read", want)
		}
	}
	for what, change := range map[string]func(*plan.Places){
		"archive":     func(p *plan.Places) { p.ArchiveDir = "/elsewhere" },
		"recipient":   func(p *plan.Places) { p.Rcpt = "bob@example.test" },
		"key file":    func(p *plan.Places) { p.Zones[0].KeyFile = "/elsewhere" },
		"replication": func(p *plan.Places) { p.Replication *= 2 },
		"order":       func(p *plan.Places) { slices.Reverse(p.Zones[0].Authorities) },
	} {
		if all := base.Differences(make(change)); len(all) > 0 {
			t.Errorf("%s: it binds: %+v", what, all)
		}
	}
	if all := base.Differences(make(func(p *plan.Places) { p.Names = nil })); len(all) != 3 {
		t.Errorf("a name that is changed no more: %+v", all)
	}
}
