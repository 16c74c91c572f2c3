package wire

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mrand "math/rand/v2"
	"net"
	"net/smtp"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"example.org/ims/internal/cli"
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
	at := freeAt(t, "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1")
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
notify: {targets: {ops: {exec: ["true"]}}}
`, at[0], at[1], at[2], at[3], dns.Addr(), os.Getuid())
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
	return freeAt(t, "127.0.0.1")[0]
}

// freeAt are ports of addresses on loopback that nobody listens at. They lie
// below those that the kernel gives to outgoing connections: what listens there
// begins later, ends, and begins again.
func freeAt(t *testing.T, addresses ...string) []string {
	t.Helper()
	var free []string
	for _, address := range addresses {
		ln := listenBelow(t, address)
		defer ln.Close() // at the end, so that they differ
		free = append(free, ln.Addr().String())
	}
	return free
}

func listenBelow(t *testing.T, address string) net.Listener {
	t.Helper()
	var err error
	for range 1000 {
		var ln net.Listener
		if ln, err = net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(5000+mrand.IntN(5000)))); err == nil {
			return ln
		}
		if errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Skipf("this machine has one loopback address: %v", err)
		}
	}
	t.Fatal(err)
	return nil
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
	p, err := runs{}.Plan(o.t.Context(), o.cfg, cli.Look{Request: r})
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
