package plan_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/plan"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/zone"
)

// before is the configuration of a gateway in service.
func before() plan.Before {
	return plan.Before{
		Gateway: &gateway.Config{
			Name: "east", Exists: true, Running: true,
			Spaces: []gateway.Space{{Type: "SMTP", Pattern: "*", Cost: 1}},
			Sites:  []gateway.Site{{Name: "branch", Cost: 2, RoutingAddress: "branch.test"}},
		},
		Zones: map[string]zone.RRset{"example.test": zone.NewMX("example.test", 300, zone.MX{Pref: 10, Host: "east.example.test"}, zone.MX{Pref: 20, Host: "backup.example.test"})},
	}
}

func places() plan.Places {
	return plan.Places{
		Adapter: "embedded", Socket: "/run/ims/gateway.sock", Listen: "192.0.2.1:25", Hostname: "east.example.test", Successor: "west.example.test",
		Rcpt: "ann@example.test", ArchiveDir: "/var/lib/ims/archive", Replication: time.Minute,
		Zones: []plan.Zone{{Domain: "example.test", Zone: "example.test", Server: "192.0.2.53:53", KeyFile: "/etc/ims/it's.key", Authorities: []string{"192.0.2.53:53", "192.0.2.54:53"}}},
	}
}

func input(t *testing.T, change map[facts.ID]facts.Value) plan.Input {
	t.Helper()
	return plan.Input{Book: book(t, "q285090"), Facts: live(change), Now: now, Before: before(), Places: places()}
}

func save(t *testing.T, p *plan.Plan) []byte {
	t.Helper()
	raw, err := p.Save()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestSavedPlanIsRead(t *testing.T) {
	in := input(t, nil)
	in.Queue = []gateway.Item{{Message: "m1", Store: gateway.Out, From: "a\u2028\xff@x.test", Rcpts: []string{"b@y.test"}, Attempts: 1, Last: "451 <later> & more"}}
	p := plan.Make(in)
	raw := save(t, p)
	got, err := plan.Read(raw)
	if err != nil {
		t.Fatal(err)
	}
	if all := p.Differences(got); len(all) > 0 || got.ID != p.ID || got.Nonce == "" || got.Definition.Source == "" {
		t.Errorf("what is read differs: %+v, %+v", all, got.ID)
	}
	one, err := p.Beside(plan.Begun{})
	two, err2 := got.Beside(plan.Begun{})
	if diff := cmp.Diff(one, two); diff != "" || len(one) == 0 || err != nil || err2 != nil {
		t.Errorf("the states beside the path differ, %v, %v (-made +read):\n%s", err, err2, diff)
	}
	// A client sends it through encoders that change the form, not the content.
	again, err := json.Marshal(json.RawMessage(raw))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Read(again); err != nil || bytes.Equal(again, bytes.TrimSpace(raw)) {
		t.Errorf("the same content in another form: %v", err)
	}
	if other := save(t, plan.Make(in)); bytes.Equal(raw, other) {
		t.Error("two plans have one nonce")
	}
}

func TestAlteredPlanIsRefused(t *testing.T) {
	raw := string(save(t, plan.Make(input(t, nil))))
	for name, tt := range map[string]struct {
		old, new string
		want     error
	}{
		"a value":                {`"gw.running"`, `"gw.walking"`, plan.ErrAltered},
		"an argument":            {`"mode":"outbound-only"`, `"mode":"none"`, plan.ErrAltered},
		"the nonce":              {`"nonce":"`, `"nonce":"A`, plan.ErrAltered},
		"something unknown":      {`"format":3`, `"format":3,"more":true`, plan.ErrAltered},
		"another core":           {`"core":"`, `"core":"9`, plan.ErrVersion},
		"another format":         {`"format":3`, `"format":2`, plan.ErrVersion},
		"another schema":         {`"schema":"ims/plan/v1"`, `"schema":"ims/plans/v1"`, nil},
		"no seal":                {`"seal":"sha256:`, `"sael":"sha256:`, nil},
		"the text of a runbook":  {`Remove the gateway?`, `Remove the gateway!`, plan.ErrAltered},
		"half of it is not JSON": {`"format":3`, `"format":`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.ReplaceAll(raw, tt.old, tt.new)
			if text == raw {
				t.Fatalf("%q is not in the plan", tt.old)
			}
			if _, err := plan.Read([]byte(text)); err == nil || (tt.want != nil && !errors.Is(err, tt.want)) {
				t.Errorf("Read = %v, want %v", err, tt.want)
			}
		})
	}
}

// TestWhatBinds changes every fact, one at a time: those of class config are
// drift, no other is.
func TestWhatBinds(t *testing.T) {
	in := input(t, nil)
	base := plan.Make(in)
	for _, id := range facts.All() {
		d := id.Definition()
		own := strings.HasPrefix(d.Name, "run.") // what a run was granted; none has begun
		set := live(nil)
		f := set[id]
		f.Value ^= 1
		f.Provenance = facts.Live
		set.Put(f)
		in.Facts = set
		now := plan.Make(in)
		var named, path bool
		for _, diff := range base.Differences(now) {
			named = named || (diff.What == "fact" && diff.Name == d.Name)
			path = path || diff.What == "path"
		}
		binds := d.Class == facts.Config && !own
		if named != binds {
			t.Errorf("%s, of class %s: drift %v, want %v", d.Name, d.Class, named, binds)
		}
		if same := base.ID.Hash == now.ID.Hash; same != (!binds && !path) {
			t.Errorf("%s, of class %s: same hash %v; path differs %v", d.Name, d.Class, same, path)
		}
	}
}

// TestChangedValuesAreDrift: facts are coarse; what would be changed is not.
func TestChangedValuesAreDrift(t *testing.T) {
	base := plan.Make(input(t, nil))
	for name, change := range map[string]func(*plan.Input){
		"another record beside the gateway's": func(in *plan.Input) {
			in.Before.Zones["example.test"] = zone.NewMX("example.test", 300, zone.MX{Pref: 10, Host: "east.example.test"}, zone.MX{Pref: 30, Host: "backup.example.test"})
		},
		"another TTL": func(in *plan.Input) {
			rr := in.Before.Zones["example.test"]
			rr.TTL = 60
			in.Before.Zones["example.test"] = rr
		},
		"an address space more": func(in *plan.Input) {
			in.Before.Gateway.Spaces = append(in.Before.Gateway.Spaces, gateway.Space{Type: "SMTP", Pattern: "*.new.test", Cost: 1})
		},
		"another way to refuse": func(in *plan.Input) { in.Before.Gateway.Stored.Refuse = gateway.RefuseConnect },
	} {
		in := input(t, nil)
		change(&in)
		now := plan.Make(in)
		all := base.Differences(now)
		changes := slices.DeleteFunc(slices.Clone(all), func(d plan.Difference) bool { return d.What == "setting" })
		if len(changes) != 1 || changes[0].What != "change" || len(all) > 2 || base.ID.Hash == now.ID.Hash {
			t.Errorf("%s: differences %+v", name, all)
		}
	}
	in := input(t, map[facts.ID]facts.Value{facts.GwQOut: 40, facts.GwQTotal: 45})
	in.Now, in.Expires = now.Add(time.Minute), now.Add(time.Hour)
	later := plan.Make(in)
	if all := base.Differences(later); len(all) > 0 || base.ID.Hash != later.ID.Hash {
		t.Errorf("a minute later, with other counts: %+v", all)
	}
	if news := base.News(later); !slices.ContainsFunc(news, func(d plan.Difference) bool { return d.Name == "gw.q.out" }) {
		t.Errorf("nobody is told what has moved: %+v", news)
	}
}

// TestUnreadIsNotDrift: what cannot be read now is unknown, whatever else the
// prediction makes of it.
func TestUnreadIsNotDrift(t *testing.T) {
	base := plan.Make(input(t, nil))
	in := input(t, nil)
	in.Facts.Put(facts.Fact{ID: facts.NextAccepts, Value: facts.Unknown, Provenance: facts.NotKnown, Why: "no answer"})
	in.Before.Zones = nil
	all := base.Differences(plan.Make(in))
	if !plan.NotKnown(all) {
		t.Errorf("only one fact is unknown, and the differences are %+v", all)
	}
	in.Facts.Put(facts.Fact{ID: facts.GwModeSet, Value: 2, Provenance: facts.Live})
	if all := base.Differences(plan.Make(in)); plan.NotKnown(all) {
		t.Errorf("a fact differs: %+v", all)
	}
}

func TestChangesAreDifferencesFromTheStepBefore(t *testing.T) {
	p := plan.Make(input(t, nil))
	want := map[string][]string{
		"move_mx": {
			"- example.test. 300 MX 10 east.example.test.", "  example.test. 300 MX 20 backup.example.test.",
			"+ example.test. 300 MX 10 west.example.test.",
		},
		"outbound_only": {"- transfer mode inbound-outbound", "  refuse rcpt", "+ transfer mode outbound-only"},
		"remove_spaces": {"- address space SMTP:* cost 1 scope organization"},
		"remove_sites":  {"- connected site branch cost 2 via branch.test"},
		"close":         {"- refuse rcpt", "+ refuse closed"},
		"remove":        {"- gateway east exists", "+ gateway east removed"},
	}
	for _, s := range p.States {
		lines, ok := want[s.ID]
		if !ok {
			continue
		}
		delete(want, s.ID)
		if len(s.Changes) != 1 {
			t.Errorf("%s changes %+v", s.ID, s.Changes)
			continue
		}
		if diff := cmp.Diff(lines, s.Changes[0].Lines()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.ID, diff)
		}
		if s.Undo == nil || (s.Undo.Kind == plan.Restore) != (s.Undo.Cost != "") {
			t.Errorf("%s: undo %+v", s.ID, s.Undo)
		}
	}
	if len(want) > 0 {
		t.Errorf("the path leaves out %v", want)
	}
}

func TestRemovedAlready(t *testing.T) {
	p := plan.Make(input(t, map[facts.ID]facts.Value{facts.GwExists: 0, facts.GwRunning: 0}))
	if p.Verdict != plan.Blocked || len(p.Checks) != 1 || p.Checks[0].ID != plan.Removed || !strings.Contains(p.Checks[0].Why, "removed already") || p.Complete() {
		t.Errorf("verdict %s, checks %+v", p.Verdict, p.Checks)
	}
}

func TestFates(t *testing.T) {
	old := now.Add(-time.Hour)
	items := []gateway.Item{
		{Message: "waits", Store: gateway.MTSOut},
		{Message: "held", Store: gateway.Hold, Held: "by ann: look at it"},
		{Message: "slow", Store: gateway.Out, Attempts: 2, Accepted: old, Expires: now.Add(400 * 24 * time.Hour), Last: "451 later"},
		{Message: "dies", Store: gateway.Out, Attempts: 3, Accepted: old, Expires: now.Add(time.Hour), Last: "connection refused"},
		{Message: "report", Class: "report", Store: gateway.Out, Attempts: 1, Accepted: old, Expires: now.Add(400 * 24 * time.Hour)},
	}
	for runbook, want := range map[string]map[string]string{
		"q285090":      {"waits": plan.Deliver, "held": plan.Held, "slow": plan.Deliver, "dies": plan.Return, "report": plan.Deliver},
		"eleven-steps": {"waits": plan.Deliver, "held": plan.Held, "slow": plan.Return, "dies": plan.Return, "report": plan.Deliver},
	} {
		in := input(t, nil)
		in.Book, in.Queue = book(t, runbook), items
		got := map[string]string{}
		m := plan.Make(in).Messages
		for _, f := range m.Fates {
			got[f.Message] = f.Fate
			if f.Why == "" {
				t.Errorf("%s: the fate of %s has no reason", runbook, f.Message)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || m.Queued != len(items) || m.Delivered+m.Returned+m.Held != m.Queued {
			t.Errorf("%s: fates (-want +got):\n%s%+v", runbook, diff, m)
		}
	}
}

func TestByHand(t *testing.T) {
	p := plan.Make(input(t, nil))
	hands := map[string]plan.Hand{}
	for _, h := range p.ByHand(plan.Begun{}) {
		hands[h.State] = h
	}
	reason := func(state string) string { return " --reason 'plan " + p.ID.Hash[7:19] + ", " + state + ", by hand'" }
	for state, want := range map[string]struct{ do, undo string }{
		"move_mx": {
			"nsupdate -k '/etc/ims/it'\\''s.key' <<'END'\nserver 192.0.2.53 53\nzone example.test.\n" +
				"prereq yxrrset example.test. MX 10 east.example.test.\nprereq yxrrset example.test. MX 20 backup.example.test.\n" +
				"update delete example.test. MX\n" +
				"update add example.test. 300 MX 10 west.example.test.\nupdate add example.test. 300 MX 20 backup.example.test.\nsend\nEND",
			"nsupdate -k '/etc/ims/it'\\''s.key' <<'END'\nserver 192.0.2.53 53\nzone example.test.\n" +
				"prereq yxrrset example.test. MX 10 west.example.test.\nprereq yxrrset example.test. MX 20 backup.example.test.\n" +
				"update delete example.test. MX\n" +
				"update add example.test. 300 MX 10 east.example.test.\nupdate add example.test. 300 MX 20 backup.example.test.\nsend\nEND",
		},
		"outbound_only": {
			"ims gateway set east --mode outbound-only --refuse rcpt --restart" + reason("outbound_only"),
			"ims gateway set east --mode inbound-outbound --refuse rcpt --restart" + reason("outbound_only"),
		},
		"remove_spaces": {
			"ims route remove east --type SMTP --pattern '*'" + reason("remove_spaces"),
			"ims route add east --type SMTP --pattern '*' --cost 1 --scope organization" + reason("remove_spaces"),
		},
		"remove_sites": {
			"ims route disconnect east --site branch" + reason("remove_sites"),
			"ims route connect east --site branch --via branch.test --cost 2" + reason("remove_sites"),
		},
		"remove": {"", ""},
	} {
		h := hands[state]
		if diff := cmp.Diff(want.undo, strings.Join(h.Undo, "\n")); diff != "" {
			t.Errorf("undo %s (-want +got):\n%s", state, diff)
		}
		if diff := cmp.Diff(want.do, strings.Join(h.Do, "\n")); diff != "" && want.do != "" {
			t.Errorf("do %s (-want +got):\n%s", state, diff)
		}
		if len(h.See) == 0 {
			t.Errorf("%s: nothing shows that it is done", state)
		}
	}
	if h := hands["remove"]; len(h.Do) != 1 || !strings.Contains(h.Do[0], `"absent":{"archive":"/var/lib/ims/archive/east-by-hand.archive"}`) || h.Warning == "" {
		t.Errorf("remove = %+v", h)
	}
}
