package wire

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/smtp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.org/ims/internal/config"
	"example.org/ims/internal/dns/dnstest"
	"example.org/ims/internal/dns/rfc2136"
	"example.org/ims/internal/dns/server"
	"example.org/ims/internal/mail/service"
	"example.org/ims/internal/plan"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/zone"
)

// small is an organization on loopback with everything that a retirement
// needs: gateways east and west, a zone, and a runner.
type small struct {
	t      *testing.T
	cfg    *config.Config
	writer zone.Writer
	client *runner.Client
	end    func() // of the runner
}

const zoneText = `$ORIGIN example.test.
$TTL 1
@    IN SOA ns1 hostmaster 1 3600 600 86400 1
     IN NS  ns1
     IN MX  10 east
ns1  IN A   127.0.0.1
east IN A   127.0.0.1
west IN A   127.0.0.1
`

func newSmall(t *testing.T) *small {
	t.Helper()
	dir, err := os.MkdirTemp("", "ims") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	dns := dnstest.Start(t, server.Config{Zone: "example.test.", Text: zoneText, Keys: dnstest.Grants(t)})
	text := fmt.Sprintf(`apiVersion: ims/v1
kind: Config
state_dir: state
organization: {domains: [example.test], recipients: [ann@example.test], mailhost: "%[1]s", sites: {hq: {submission: "%[2]s"}, branch: {}, other: {}}, handover: 20ms}
gateways:
  east: {site: hq, hostname: east.example.test, listen: "%[3]s", spaces: [{pattern: "*"}], sites: [{name: branch, routing_address: bridge.example.test}]}
  west: {site: hq, hostname: west.example.test, listen: "%[4]s", spaces: [{pattern: "*"}], sites: [{name: branch, routing_address: bridge.example.test}]}
zones:
  example.test: {server: "%[5]s", key_file: update.key, authorities: ["%[5]s"]}
resolver: {servers: ["%[5]s"], hosts: {east.example.test: "%[3]s", west.example.test: "%[4]s"}}
retire: {default: east, successor: west, params: {poll: 20ms, quiet: 1h}}
people:
  me: {user: "%[6]d", may: approve}
`, free(t), free(t), free(t), free(t), dns.Addr(), os.Getuid())
	file := filepath.Join(dir, "ims.yaml")
	key := "key \"ims-update\" {\n\talgorithm hmac-sha256;\n\tsecret \"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\";\n};\n"
	for path, content := range map[string]string{file: text, filepath.Join(dir, "update.key"): key} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := &small{t: t}
	if o.cfg, err = config.Load(file); err != nil {
		t.Fatal(err)
	}
	update := dnstest.UpdateKey(t)
	if o.writer, err = rfc2136.New(rfc2136.Config{Zone: "example.test.", Server: dns.Addr(), Key: &update}); err != nil {
		t.Fatal(err)
	}
	o.host()
	o.serve()
	return o
}

// free is an address on loopback that nobody listens at.
func free(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// host hosts the gateways until the test ends.
func (o *small) host() {
	o.t.Helper()
	ctx, cancel := context.WithCancel(o.t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- serveOrganization(ctx, o.cfg, slog.New(slog.DiscardHandler), func(*service.Organization, []gateway.Config) { close(ready) })
	}()
	o.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			o.t.Errorf("organization: %v", err)
		}
	})
	select {
	case <-ready:
	case err := <-done:
		done <- err
		o.t.Fatalf("organization: %v", err)
	}
}

// serve runs a runner until the test or end ends it.
func (o *small) serve() {
	o.t.Helper()
	opts, err := runs{}.Runner(o.cfg)
	if err != nil {
		o.t.Fatal(err)
	}
	s, err := runner.Open(o.t.Context(), opts)
	if err != nil {
		o.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(o.t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	o.client = s.Client()
	o.end = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			o.t.Errorf("runner: %v", err)
		}
	})
	o.t.Cleanup(o.end)
}

// plan makes a dry run and saves it.
func (o *small) plan() (*plan.Plan, []byte) {
	o.t.Helper()
	return o.planOf(runner.Request{})
}

func (o *small) planOf(r runner.Request) (*plan.Plan, []byte) {
	o.t.Helper()
	p, err := runs{}.Plan(o.t.Context(), o.cfg, r)
	if err != nil {
		o.t.Fatal(err)
	}
	if !p.Complete() {
		o.t.Fatalf("the plan is %s, and comes to no end: %+v", p.Verdict, p.Checks)
	}
	raw, err := p.Save()
	if err != nil {
		o.t.Fatal(err)
	}
	return p, raw
}

func (o *small) open(raw []byte) error {
	_, err := o.client.Open(o.t.Context(), runner.Request{Plan: raw})
	return err
}

func (o *small) apply(name string, w gateway.Want) {
	o.t.Helper()
	g, _ := o.cfg.Gateway(name)
	gw, err := newGateway(g)
	if err != nil {
		o.t.Fatal(err)
	}
	if _, err := gw.Apply(o.t.Context(), gateway.Change{Key: rand.Text(), Reason: "test", Want: w}); err != nil {
		o.t.Fatal(err)
	}
}

// send brings mail to east from both sides: for users here, whose mail host
// does not answer, and for the Internet, where nobody does.
func (o *small) send(n int) {
	o.t.Helper()
	east, _ := o.cfg.Gateway("east")
	for i := range n {
		for addr, to := range map[string]string{east.Listen: "ann@example.test", o.cfg.Organization.Sites[0].Submission: fmt.Sprintf("bob@far%d.invalid", i)} {
			if err := smtp.SendMail(addr, nil, "ann@example.test", []string{to}, []byte("Subject: test\r\n\r\nHello.\r\n")); err != nil {
				o.t.Error(err) // not Fatal: this may be another goroutine
			}
		}
	}
}

// TestPlanIsAcceptedAlthoughEveryCountMoved: under mail, a plan holds; it is
// good for one run, also for the next runner.
func TestPlanIsAcceptedAlthoughEveryCountMoved(t *testing.T) {
	o := newSmall(t)
	o.send(1)
	old, raw := o.plan()
	o.send(4)
	stop, flow := make(chan struct{}), sync.WaitGroup{}
	flow.Go(func() { // and on, while the runner looks
		for {
			select {
			case <-stop:
				return
			default:
				o.send(1)
			}
		}
	})
	now, _ := o.plan()
	err := o.open(raw)
	close(stop)
	flow.Wait()
	if err != nil {
		t.Fatalf("the plan is refused: %v", err)
	}
	moved := map[string]bool{}
	for _, d := range old.News(now) {
		moved[d.Name] = true
	}
	for _, id := range []facts.ID{facts.GwQTotal, facts.LedgerPresent} {
		if !moved[id.String()] {
			t.Errorf("%s has not moved: the test proves nothing; what has: %v", id, moved)
		}
	}
	for range 2 {
		if used, ok := errors.AsType[*runner.UsedError](o.open(raw)); !ok || used.Run != "east-1" {
			t.Errorf("the same plan again: %v", used)
		}
		o.end()
		o.serve()
	}
	all, err := o.client.List(t.Context())
	if err != nil || len(all) != 1 || all[0].Nonce != old.Nonce {
		t.Errorf("runs = %+v, %v", all, err)
	}
	fresh, _ := o.plan()
	if raw, err = fresh.Save(); err != nil {
		t.Fatal(err)
	}
	if held, ok := errors.AsType[*runner.HeldError](o.open(raw)); !ok || held.Run != "east-1" {
		t.Errorf("another plan while a run is open: %v", held)
	}
}

// drift is a change of the world, and how it is taken back.
type drift struct {
	facts []facts.ID // that differ then
	do    func()
	back  func()
}

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
	both, outbound, forward, none, large := gateway.InboundOutbound, gateway.OutboundOnly, "east.example.test", "", int64(1<<20)
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
		"a dependent":        {[]facts.ID{facts.RouteDependents}, set("west", gateway.SettingsPatch{ForwardHost: &forward}), set("west", gateway.SettingsPatch{ForwardHost: &none})},
		"the successor down": {[]facts.ID{facts.NextAccepts, facts.NextCoversIn}, run("west", gateway.Stopped), run("west", gateway.Started)},
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
			"null MX": {[]facts.ID{facts.MxNull}, mx(zone.MX{Host: "."}), mx(east)},
			"SPF":     {[]facts.ID{facts.SpfNone}, func() { txt("example.test", "v=spf1 -all") }, func() { txt("example.test", "v=spf1 mx -all") }},
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
			now, err := runs{}.Plan(o.t.Context(), o.cfg, r)
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
			o.drifting(runner.Request{Runbook: name}, all, tried)
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
		p, _ := o.planOf(runner.Request{Runbook: name})
		for state, text := range states {
			i := slices.IndexFunc(p.States, func(s plan.Step) bool { return s.ID == state })
			if i < 0 || len(p.States[i].Changes) == 0 || !slices.Equal(p.States[i].Changes[0].After, []string{text}) {
				t.Errorf("%s %s: %+v, want %s after it", name, state, p.States, text)
			}
		}
	}
}
