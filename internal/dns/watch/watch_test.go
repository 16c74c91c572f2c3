package watch_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"example.org/ims/internal/dns/dnstest"
	"example.org/ims/internal/dns/rfc2136"
	"example.org/ims/internal/dns/server"
	"example.org/ims/internal/dns/watch"
	"example.org/ims/pkg/zone"
)

func mx(data ...string) zone.RRset { return zone.NewRRset("example.test.", "MX", 300, data...) }

var (
	oldMX = mx("10 gw.example.test.")
	newMX = mx("10 new.example.test.")
)

func namesGW(o zone.Observation) bool { return o.RRset.NamesHost("gw.example.test.") }

func watcher(t *testing.T, cfg watch.Config) *watch.Watcher {
	t.Helper()
	if cfg.Zone == "" {
		cfg.Zone = "example.test."
	}
	w, err := watch.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// fake runs a name server over UDP and TCP that answers with edit.
func fake(t *testing.T, edit func(w dns.ResponseWriter, r *dns.Msg)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pc, err := net.ListenPacket("udp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	h := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		r := new(dns.Msg)
		r.SetReply(q)
		edit(w, r)
		_ = w.WriteMsg(r)
	})
	done := make(chan error, 2)
	for _, s := range []*dns.Server{{Listener: l, Handler: h}, {PacketConn: pc, Handler: h}} {
		up := make(chan struct{})
		s.NotifyStartedFunc = func() { close(up) }
		go func() { done <- s.ActivateAndServe() }()
		<-up
		t.Cleanup(func() {
			_ = s.Shutdown()
			<-done
		})
	}
	return l.Addr().String()
}

func record(t *testing.T, s string) dns.RR {
	rr, err := dns.NewRR(s)
	if err != nil {
		t.Error(err)
	}
	return rr
}

// The secondary gets its zone only when it is told, so the test decides how
// long it lags.
func TestLaggingSecondary(t *testing.T) {
	p := dnstest.Primary(t)
	cfg := server.Config{Zone: "example.test.", Keys: dnstest.Grants(t), Primary: &server.Remote{Addr: p.Addr(), Key: "ims-xfer"}}
	s := dnstest.Start(t, cfg)
	<-s.Loaded()
	w := watcher(t, watch.Config{Authorities: []string{p.Addr(), s.Addr()}})
	var ledger []zone.Observation
	observe := func() []zone.Observation {
		round := w.Observe(t.Context(), "example.test.", "MX")
		ledger = append(ledger, round...)
		return round
	}
	if round := observe(); zone.Agree(round) != zone.Yes || zone.Wanted(round, oldMX) != zone.Yes || len(round) != 2 {
		t.Fatalf("before: %+v", round)
	}
	key := dnstest.UpdateKey(t)
	wr, err := rfc2136.New(rfc2136.Config{Zone: "example.test.", Server: p.Addr(), Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	if o := wr.Apply(t.Context(), zone.Change{Zone: "example.test.", Old: oldMX, New: newMX}); o.Kind != zone.Applied {
		t.Fatal(o)
	}
	round := observe()
	if zone.Agree(round) != zone.No || zone.Wanted(round, newMX) != zone.No {
		t.Errorf("one server is behind: %+v", round)
	}
	rows := zone.Compare(round, newMX)
	if !strings.Contains(rows[1].Note, "lagging: serial 1, wanted data since 2") {
		t.Errorf("%+v", rows)
	}
	if d := zone.Deadline(ledger, namesGW, 0); !d.Open || len(d.Still) != 1 || d.Still[0].Addr != s.Addr() {
		t.Errorf("deadline while one is behind: %+v", d)
	}
	m := new(dns.Msg)
	m.SetNotify("example.test.")
	x := dnstest.TransferKey(t)
	x.Sign(m, time.Now().Unix())
	c := &dns.Client{TsigSecret: map[string]string{"ims-xfer.": "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="}}
	if r, _, err := c.Exchange(m, s.Addr()); err != nil || r.Rcode != 0 {
		t.Fatal(r, err)
	}
	dnstest.Eventually(t, "convergence", func() (bool, string) {
		round := observe()
		return zone.Wanted(round, newMX) == zone.Yes, fmt.Sprint(zone.Compare(round, newMX))
	})
	d := zone.Deadline(ledger, namesGW, 0)
	last := ledger[len(ledger)-1]
	if d.Open || d.At.After(last.At.Add(300*time.Second)) || d.At.Before(last.At.Add(295*time.Second)) || len(d.Assumed) > 0 {
		t.Errorf("deadline: %+v, last %v", d, last.At)
	}
}

func TestWhatDoesNotCount(t *testing.T) {
	good := dnstest.Primary(t)
	answer := func(r *dns.Msg) { r.Answer = []dns.RR{record(t, "example.test. 300 IN MX 10 gw.example.test.")} }
	closed := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.Addr().String()
	}()
	for _, c := range []struct {
		name, addr string
		note       string
	}{
		{"recursive", fake(t, func(_ dns.ResponseWriter, r *dns.Msg) { r.RecursionAvailable = true; answer(r) }), "not authoritative"},
		{"refused", fake(t, func(_ dns.ResponseWriter, r *dns.Msg) { r.Rcode = dns.RcodeRefused }), "rcode 5"},
		{"broken", fake(t, func(_ dns.ResponseWriter, r *dns.Msg) { r.Rcode = dns.RcodeServerFailure }), "rcode 2"},
		{"truncated for ever", fake(t, func(_ dns.ResponseWriter, r *dns.Msg) { r.Authoritative, r.Truncated = true, true; answer(r) }), "truncated"},
		{"another question", fake(t, func(_ dns.ResponseWriter, r *dns.Msg) {
			r.Authoritative = true
			r.Question[0].Name = "other.test."
			answer(r)
		}), "another question"},
		{"closed", closed, "refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			round := watcher(t, watch.Config{Authorities: []string{good.Addr(), c.addr}}).Observe(t.Context(), "example.test.", "MX")
			if zone.Agree(round) != zone.Unsure || zone.Wanted(round, oldMX) != zone.Unsure {
				t.Errorf("certified: %+v", round)
			}
			if rows := zone.Compare(round, oldMX); rows[0].Verdict != zone.Yes || !strings.Contains(rows[1].Note, c.note) {
				t.Errorf("%+v, want %q", rows, c.note)
			}
		})
	}
}

func TestUDPSilentTCPAnswers(t *testing.T) {
	addr := fake(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if w.RemoteAddr().Network() == "udp" {
			r.Id++ // never accepted
			return
		}
		r.Authoritative = true
		r.Answer = []dns.RR{record(t, "example.test. 300 IN MX 10 gw.example.test.")}
	})
	round := watcher(t, watch.Config{Authorities: []string{addr}, Timeout: 200 * time.Millisecond}).Observe(t.Context(), "example.test.", "MX")
	if zone.Wanted(round, oldMX) != zone.Yes {
		t.Errorf("%+v", round)
	}
}

func TestTruncatedAnswerIsReadWhole(t *testing.T) {
	text := dnstest.Zone
	var data []string
	for i := range 80 {
		data = append(data, fmt.Sprintf("%d a-mail-exchanger-with-a-long-name-%d.example.net.", i, i))
		text += fmt.Sprintf("big 300 IN MX %s\n", data[i])
	}
	s := dnstest.Start(t, server.Config{Zone: "example.test.", Text: text})
	round := watcher(t, watch.Config{Authorities: []string{s.Addr()}}).Observe(t.Context(), "big.example.test.", "MX")
	if zone.Wanted(round, zone.NewRRset("big.example.test.", "MX", 300, data...)) != zone.Yes {
		t.Errorf("%d of %d records", len(round[0].RRset.Data), len(data))
	}
}

func TestAbsence(t *testing.T) {
	s := dnstest.Primary(t)
	w := watcher(t, watch.Config{Authorities: []string{s.Addr()}})
	for _, name := range []string{"gw.example.test.", "nope.example.test."} {
		round := w.Observe(t.Context(), name, "MX")
		if zone.Wanted(round, zone.NewRRset(name, "MX", 0)) != zone.Yes || round[0].RRset.TTL != 120 || round[0].Serial != 1 {
			t.Errorf("%s: %+v", name, round)
		}
	}
}

const parentText = `$ORIGIN test.
$TTL 300
@       IN SOA ns h 1 3600 600 86400 120
        IN NS  ns
ns      IN A   127.0.0.1
example IN NS  ns1.example
        IN NS  ns2.example
ns1.example IN A 127.0.0.1
ns2.example IN A 127.0.0.1
`

func TestDiscovery(t *testing.T) {
	child := dnstest.Primary(t)
	second := dnstest.Primary(t)
	other := dnstest.Start(t, server.Config{Zone: "test.", Text: strings.ReplaceAll(parentText, "ns2", "ns3")})
	parent := dnstest.Start(t, server.Config{Zone: "test.", Text: parentText})
	hosts := map[string][]string{
		"ns1.example.test": {child.Addr()}, "ns2.example.test": {second.Addr()},
		"ns3.example.test": {second.Addr()}, "ns.test": {parent.Addr()},
	}
	without := map[string][]string{"ns1.example.test": {child.Addr()}}
	full := []string{child.Addr() + " parent+child+mname", second.Addr() + " parent+child"}
	for _, c := range []struct {
		name    string
		cfg     watch.Config
		servers []string
		finding string
		want    zone.Verdict
	}{
		{
			"parents configured",
			watch.Config{Discover: true, Parents: []string{parent.Addr()}, Hosts: hosts, Authorities: []string{child.Addr()}},
			[]string{child.Addr() + " configured+parent+child+mname", second.Addr() + " parent+child"},
			"", zone.Yes,
		},
		{"parents through a resolver", watch.Config{Discover: true, Resolvers: []string{parent.Addr()}, Hosts: hosts}, full, "", zone.Yes},
		{
			"no parent known",
			watch.Config{Discover: true, Hosts: hosts, Authorities: []string{child.Addr()}},
			[]string{child.Addr() + " configured+child+mname", second.Addr() + " child"},
			"", zone.Yes,
		},
		{
			"parent and child differ",
			watch.Config{Discover: true, Parents: []string{other.Addr()}, Hosts: hosts, Authorities: []string{child.Addr()}},
			[]string{child.Addr() + " configured+parent+child+mname", second.Addr() + " parent+child"},
			"under way", zone.Unsure,
		},
		{
			"name server without address",
			watch.Config{
				Discover: true, Hosts: map[string][]string{"ns1.example.test": {child.Addr()}, "ns2.example.test": nil},
				Parents: []string{parent.Addr()}, Resolvers: []string{fake(t, func(_ dns.ResponseWriter, r *dns.Msg) { r.RecursionAvailable = true })},
			},
			[]string{child.Addr() + " parent+child+mname"},
			"ns2.example.test.: name server ns2.example.test. has no address", zone.Unsure,
		},
		{
			"resolver is silent",
			watch.Config{Discover: true, Hosts: without, Resolvers: []string{fake(t, func(_ dns.ResponseWriter, r *dns.Msg) { r.Rcode = dns.RcodeServerFailure })}},
			nil, "no answer", zone.Unsure,
		},
		{
			"parent is silent",
			watch.Config{
				Discover: true, Hosts: hosts, Authorities: []string{child.Addr()},
				Parents: []string{fake(t, func(_ dns.ResponseWriter, r *dns.Msg) { r.Rcode = dns.RcodeServerFailure })},
			},
			[]string{child.Addr() + " configured+child+mname", second.Addr() + " child"},
			"SERVFAIL", zone.Unsure,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := watcher(t, c.cfg)
			list, findings := w.Authorities(t.Context())
			var got []string
			for _, s := range list {
				got = append(got, s.Addr+" "+s.Role)
			}
			slices.Sort(got)
			slices.Sort(c.servers)
			if d := cmp.Diff(c.servers, got); d != "" {
				t.Error(d)
			}
			if all := strings.Join(findings, "; "); !strings.Contains(all, c.finding) || (c.finding == "") != (all == "") {
				t.Errorf("findings %q, want %q", all, c.finding)
			}
			round := w.Observe(t.Context(), "example.test.", "MX")
			if len(round) != len(list)+len(findings) || len(round) == 0 {
				t.Errorf("%d observations of %d servers and %d findings", len(round), len(list), len(findings))
			}
			if v := zone.Wanted(round, oldMX); v != c.want {
				t.Errorf("wanted: %v, want %v: %+v", v, c.want, round)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for name, cfg := range map[string]watch.Config{
		"nothing":             {Zone: "z."},
		"discovery from void": {Zone: "z.", Discover: true},
	} {
		if _, err := watch.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
