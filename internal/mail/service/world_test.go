package service

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.org/ims/internal/mail/delivery"
	"example.org/ims/internal/mail/spool"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/ledger"
)

// world is an organization with two gateways, its mail host, and an Internet
// of two hosts.
//
//	alpha at site hq, SMTP:* cost 1; beta at site branch, SMTP:* cost 10
type world struct {
	t    *testing.T
	cfg  Config
	fs   *spool.CrashableFS
	net  *internet
	mail *host // of corp.example
	far  *host // of far.example
	away *host // of away.example
	o    *Organization
	arch string

	ctx   context.Context // of the hosts
	hosts sync.WaitGroup
	stop  context.CancelFunc // of the organization
	done  chan error
	lost  int // pairs that a fault lost on purpose
}

const hour = time.Hour

func smtpSpace(pattern string, cost int) gateway.Space {
	return gateway.Space{Type: "SMTP", Pattern: pattern, Cost: cost}
}

func config() Config {
	return Config{
		Domains: []string{"corp.example"}, MailHost: "mail.corp.example:25",
		Recipients: []string{"ann@corp.example", "bob@corp.example"},
		Sites: []Site{
			{Name: "hq", Submission: "submit.hq:25", Locations: []string{"tower"}},
			{Name: "branch", Submission: "submit.branch:25"},
		},
		Gateways: []GatewayConfig{
			{Name: "alpha", Site: "hq", Hostname: "alpha.corp.example", Listen: "alpha:25", Spaces: []gateway.Space{smtpSpace("*", 1)}},
			{Name: "beta", Site: "branch", Hostname: "beta.corp.example", Listen: "beta:25", Spaces: []gateway.Space{smtpSpace("*", 10)}},
		},
	}
}

// play runs f in a bubble of its own, where time is free, and balances the
// ledger of every gateway at the end.
func play(t *testing.T, change func(*Config), f func(t *testing.T, w *world)) {
	t.Helper()
	arch := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, arch, change)
		f(t, w)
		synctest.Wait()
		w.balance()
	})
}

func newWorld(t *testing.T, arch string, change func(*Config)) *world {
	t.Helper()
	w := &world{t: t, cfg: config(), fs: spool.NewCrashableFS(), net: newInternet(), arch: arch}
	if change != nil {
		change(&w.cfg)
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() {
		if w.o != nil {
			w.end()
		}
		cancel()
		w.hosts.Wait()
	})
	w.ctx = ctx
	w.mail = w.net.host(ctx, t, &w.hosts, "mail.corp.example")
	w.far = w.net.host(ctx, t, &w.hosts, "far.example")
	w.away = w.net.host(ctx, t, &w.hosts, "away.example")
	w.open()
	return w
}

// open opens the organization on what is on the disk, and runs it.
func (w *world) open() {
	w.t.Helper()
	o, err := Open(w.t.Context(), w.cfg, Deps{
		Spool: "spool", Options: spool.Options{FS: w.fs}, Archives: w.arch, Resolver: w.net, Listen: w.net.listen,
		Dial: func(ctx context.Context, addr string) (net.Conn, error) {
			return w.net.dial(ctx, "192.0.2.1:4000", addr)
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	w.o, w.stop, w.done = o, cancel, make(chan error, 1)
	go func() { w.done <- o.Run(ctx) }()
	select {
	case <-o.Ready():
	case err := <-w.done:
		w.t.Fatalf("Run() = %v", err)
	}
}

// end stops the organization.
func (w *world) end() {
	w.t.Helper()
	w.stop()
	if err := <-w.done; err != nil {
		w.t.Errorf("Run() = %v", err)
	}
	if err := w.o.Close(); err != nil {
		w.t.Errorf("Close() = %v", err)
	}
	w.o = nil
}

// reopen is an orderly restart of the process.
func (w *world) reopen() {
	w.t.Helper()
	w.end()
	w.open()
}

// crash is a loss of power and a new process on what was on the disk.
func (w *world) crash() {
	w.t.Helper()
	left := w.fs.Crash()
	w.net.sever() // what the dead process still does reaches nobody
	w.end()
	w.net.mend()
	w.fs = left
	w.open()
}

// balance requires that every ledger balances and that exactly the pairs that
// a fault lost are unaccounted.
func (w *world) balance() {
	w.t.Helper()
	events, err := w.o.Track(w.t.Context(), 0, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	lost := 0
	for _, gw := range append([]string{""}, w.o.Gateways()...) {
		present, err := w.o.Present(w.t.Context(), gw)
		if err != nil {
			w.t.Fatal(err)
		}
		l := ledger.Compute(events, present, gw)
		lost += l.Unaccounted
		if err := l.Balance(); err != nil && l.Unaccounted == 0 {
			w.t.Error(err)
		}
		for _, f := range l.UnaccountedPairs {
			if w.lost == 0 {
				w.t.Errorf("gateway %q: %v", gw, f)
			}
		}
	}
	if lost != w.lost {
		w.t.Errorf("%d pairs are unaccounted, want %d", lost, w.lost)
	}
}

// pass lets time pass, and everything settle.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (w *world) gw(name string) *Gateway {
	w.t.Helper()
	g, err := w.o.Gateway(name)
	if err != nil {
		w.t.Fatal(err)
	}
	return g
}

const text = "Subject: hello\r\n\r\nbody\r\n"

// send runs a transaction and returns what was said; a listener that is closed
// says "closed".
func (w *world) send(addr, from, data string, rcpts ...string) []string {
	w.t.Helper()
	c, err := w.net.dial(w.t.Context(), "198.51.100.7:999", addr)
	if err != nil {
		return []string{"closed"}
	}
	said, err := talk(c, from, rcpts, data)
	if err != nil {
		w.t.Fatalf("talk to %s: %v after %q", addr, err, said)
	}
	return said
}

// last is the last line of what was said.
func last(said []string) string { return said[len(said)-1] }

// submit sends from a site and requires that it is taken.
func (w *world) submit(site, from string, rcpts ...string) string {
	w.t.Helper()
	return w.submitText(site, from, text, rcpts...)
}

func (w *world) submitText(site, from, data string, rcpts ...string) string {
	w.t.Helper()
	said := last(w.send("submit."+site+":25", from, data, rcpts...))
	_, id, ok := strings.Cut(said, "queued as ")
	if !ok {
		w.t.Fatalf("submission: %s", said)
	}
	return id
}

// inbound sends from the Internet to a gateway.
func (w *world) inbound(gw string, rcpts ...string) string {
	w.t.Helper()
	return last(w.send(gw+":25", "zoe@far.example", text, rcpts...))
}

// stores are the counts of a gateway that are not zero, "mts-out:1 out:2".
func (w *world) stores(gw string) string {
	w.t.Helper()
	c, err := w.gw(gw).Census(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	var list []string
	for st, n := range c.Stores {
		if n.Messages != 0 {
			list = append(list, fmt.Sprintf("%s:%d", gateway.Store(st), n.Messages))
		}
	}
	return strings.Join(list, " ")
}

var keyCount int

// apply makes a change that must succeed.
func (w *world) apply(gw string, want gateway.Want) gateway.Op {
	w.t.Helper()
	keyCount++
	op, err := w.gw(gw).Apply(w.t.Context(), gateway.Change{Key: fmt.Sprintf("k%d", keyCount), Actor: "tester", Reason: "test", Want: want})
	if err != nil || !op.Done {
		w.t.Fatalf("Apply(%+v) = %+v, %v", want, op, err)
	}
	return op
}

func (w *world) run(gw string, s gateway.RunState) {
	w.t.Helper()
	w.apply(gw, gateway.Want{Running: &s})
}

func (w *world) spaces(gw string, list ...gateway.Space) {
	w.t.Helper()
	w.apply(gw, gateway.Want{Spaces: &list})
}

// mode sets a mode and restarts.
func (w *world) mode(gw string, m gateway.Mode) {
	w.t.Helper()
	w.set(gw, gateway.SettingsPatch{Mode: &m, Restart: true})
}

func (w *world) set(gw string, p gateway.SettingsPatch) {
	w.t.Helper()
	w.apply(gw, gateway.Want{Settings: &p})
}

func (w *world) conf(gw string) gateway.Config {
	w.t.Helper()
	c, err := w.gw(gw).Config(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// ends lists what the log says of a message, "gateway kind rcpt".
func (w *world) ends(message string) []string {
	w.t.Helper()
	events, err := w.o.Track(w.t.Context(), 0, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, e := range events {
		switch e.Kind {
		case ledger.Delivered, ledger.Failed, ledger.Absorbed, ledger.Deleted:
			if e.Message == message {
				out = append(out, fmt.Sprintf("%s %s %s", e.Gateway, e.Kind, strings.Join(e.Rcpts, ",")))
			}
		}
	}
	slices.Sort(out)
	return out
}

// down and up take a host's listener away and bring it back.
func (w *world) down(domain string) (up func()) {
	w.net.mu.Lock()
	defer w.net.mu.Unlock()
	addr := domain + ":25"
	p := w.net.open[addr]
	delete(w.net.open, addr)
	return func() {
		w.net.mu.Lock()
		defer w.net.mu.Unlock()
		w.net.open[addr] = p
	}
}

var _ delivery.Resolver = (*internet)(nil)
