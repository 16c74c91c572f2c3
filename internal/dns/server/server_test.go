package server_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"example.org/ims/internal/dns/dnstest"
	"example.org/ims/internal/dns/msg"
	"example.org/ims/internal/dns/rfc2136"
	"example.org/ims/internal/dns/server"
	"example.org/ims/internal/dns/tsig"
	"example.org/ims/pkg/zone"
)

func ask(t *testing.T, addr, name, typ string, tcp bool) *dns.Msg {
	t.Helper()
	m, _, err := msg.Ask(t.Context(), msg.Query{Addr: addr, Name: name, Type: typ, TCP: tcp, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func texts(rrs []dns.RR) []string {
	out := []string{}
	for _, rr := range rrs {
		if rr.Header().Rrtype != dns.TypeOPT {
			out = append(out, strings.Join(strings.Fields(rr.String()), " "))
		}
	}
	slices.Sort(out)
	return out
}

func TestQuery(t *testing.T) {
	s := dnstest.Primary(t)
	soa := "example.test. 120 IN SOA ns1.example.test. hostmaster.example.test. 1 3600 600 86400 120"
	for _, c := range []struct {
		name, typ string
		rcode     int
		aa        bool
		answer    []string
		authority []string
	}{
		{"example.test", "MX", 0, true, []string{"example.test. 300 IN MX 10 gw.example.test."}, nil},
		{"EXAMPLE.test", "MX", 0, true, []string{"example.test. 300 IN MX 10 gw.example.test."}, nil},
		{"gw.example.test", "A", 0, true, []string{"gw.example.test. 300 IN A 192.0.2.10"}, nil},
		{"gw.example.test", "MX", 0, true, nil, []string{soa}},
		{"nope.example.test", "MX", 3, true, nil, []string{soa}},
		{"b.c.example.test", "A", 0, true, nil, []string{soa}}, // an empty non-terminal exists
		{"alias.example.test", "A", 0, true, []string{"alias.example.test. 300 IN CNAME gw.example.test.", "gw.example.test. 300 IN A 192.0.2.10"}, nil},
		{"alias.example.test", "MX", 0, true, []string{"alias.example.test. 300 IN CNAME gw.example.test."}, []string{soa}},
		{"chain.example.test", "AAAA", 0, true, []string{"alias.example.test. 300 IN CNAME gw.example.test.", "chain.example.test. 300 IN CNAME alias.example.test.", "gw.example.test. 300 IN AAAA 2001:db8::10"}, nil},
		{"out.example.test", "A", 0, true, []string{"out.example.test. 300 IN CNAME www.example.net."}, nil},
		{"x.child.example.test", "A", 0, false, nil, []string{"child.example.test. 300 IN NS ns.child.example.test."}},
		{"child.example.test", "DS", 0, true, nil, []string{soa}},
		{"any.wild.example.test", "MX", 0, true, []string{"any.wild.example.test. 300 IN MX 10 gw.example.test."}, nil},
		{"any.wild.example.test", "A", 0, true, nil, []string{soa}},
		{"www.example.net", "A", dns.RcodeRefused, false, nil, nil},
		{"badexample.test", "A", dns.RcodeRefused, false, nil, nil},
	} {
		for _, tcp := range []bool{false, true} {
			m := ask(t, s.Addr(), c.name, c.typ, tcp)
			if m.Rcode != c.rcode || m.Authoritative != c.aa || m.RecursionAvailable {
				t.Errorf("%s %s: rcode %d aa %v ra %v", c.name, c.typ, m.Rcode, m.Authoritative, m.RecursionAvailable)
			}
			if d := cmp.Diff(append([]string{}, c.answer...), texts(m.Answer)); d != "" {
				t.Errorf("%s %s answer: %s", c.name, c.typ, d)
			}
			if d := cmp.Diff(append([]string{}, c.authority...), texts(m.Ns)); d != "" {
				t.Errorf("%s %s authority: %s", c.name, c.typ, d)
			}
		}
	}
	if got := texts(ask(t, s.Addr(), "example.test", "MX", false).Extra); len(got) != 2 {
		t.Errorf("addresses of the exchanger: %v", got)
	}
}

func TestTruncation(t *testing.T) {
	s := dnstest.Start(t, server.Config{
		Zone: "example.test.", Keys: dnstest.Grants(t),
		Text: dnstest.Zone + many(60),
	})
	m := new(dns.Msg)
	m.SetQuestion("big.example.test.", dns.TypeMX)
	r, _, err := new(dns.Client).Exchange(m, s.Addr())
	if err != nil || !r.Truncated {
		t.Errorf("over UDP without EDNS: %v, TC %v", err, r != nil && r.Truncated)
	}
	if got := ask(t, s.Addr(), "big.example.test", "MX", false); len(got.Answer) != 60 || got.Truncated {
		t.Errorf("%d answers after truncation, want 60", len(got.Answer))
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("big IN MX " + string(rune('1'+i%9)) + " exchanger-" + strings.Repeat("x", i%20) + "-" + string(rune('a'+i/20)) + ".example.net.\n")
	}
	return b.String()
}

func TestBadZones(t *testing.T) {
	head := "@ 300 IN SOA ns h 1 2 3 4 5\n@ 300 IN NS ns\n"
	for name, text := range map[string]string{
		"no SOA":       "@ 300 IN NS ns\n",
		"two SOA":      head + "@ 300 IN SOA ns h 2 2 3 4 5\n",
		"no NS":        "@ 300 IN SOA ns h 1 2 3 4 5\n",
		"outside":      head + "x.other. 300 IN A 192.0.2.1\n",
		"beside alias": head + "a 300 IN CNAME b\na 300 IN A 192.0.2.1\n",
		"two aliases":  head + "a 300 IN CNAME b\na 300 IN CNAME c\n",
		"include":      head + "$INCLUDE /etc/hostname\n",
		"chaos":        head + "a 300 CH TXT x\n",
		"syntax":       head + "a 300 IN MX\n",
		"nothing":      "",
	} {
		s, err := server.New(server.Config{Zone: "example.test.", Text: text, Listen: "127.0.0.1:0"})
		if err == nil {
			t.Errorf("%s: accepted", name)
			_ = s.Close()
		}
	}
	_, err := server.New(server.Config{
		Zone: "example.test.", Text: dnstest.Zone, Listen: "127.0.0.1:0",
		Secondaries: []server.Remote{{Addr: "127.0.0.1:1", Key: "missing"}},
	})
	if err == nil {
		t.Error("a remote with an unknown key: accepted")
	}
}

func writer(t *testing.T, addr string) *rfc2136.Writer {
	t.Helper()
	key := dnstest.UpdateKey(t)
	w, err := rfc2136.New(rfc2136.Config{Zone: "example.test.", Server: addr, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func mx(data ...string) zone.RRset { return zone.NewRRset("example.test.", "MX", 300, data...) }

var move = zone.Change{Zone: "example.test.", Old: mx("10 gw.example.test."), New: mx("10 new.example.test.")}

func TestRestartKeepsTheZone(t *testing.T) {
	cfg := server.Config{Zone: "example.test.", Text: dnstest.Zone, Keys: dnstest.Grants(t), File: filepath.Join(t.TempDir(), "zone")}
	s, stop := dnstest.StartStoppable(t, cfg)
	if o := writer(t, s.Addr()).Apply(t.Context(), move); o.Kind != zone.Applied {
		t.Error(o)
	}
	serial := s.Serial()
	stop()
	s, stop = dnstest.StartStoppable(t, cfg)
	defer stop()
	if s.Serial() != serial || serial != 2 {
		t.Errorf("serial %d after restart, was %d", s.Serial(), serial)
	}
	got, err := writer(t, s.Addr()).Read(t.Context(), "example.test.", "MX")
	if err != nil || !got.Equal(move.New) {
		t.Errorf("after restart: %v, %v", got, err)
	}
	files, err := os.ReadDir(filepath.Dir(cfg.File))
	if err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

// exchange sends m signed with key at a time.
func exchange(t *testing.T, addr string, m *dns.Msg, key tsig.Key, at time.Time) *dns.Msg {
	t.Helper()
	c := &dns.Client{Net: "tcp", TsigProvider: tsig.NewRing(key)}
	key.Sign(m, at.Unix())
	r, _, _ := c.Exchange(m, addr) // a refusal by TSIG is an error with a reply
	if r == nil {
		t.Fatal("no reply")
	}
	return r
}

func TestTSIGErrors(t *testing.T) {
	s := dnstest.Primary(t)
	good := dnstest.UpdateKey(t)
	wrong := dnstest.Key(t, "ims-update", "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=")
	nobody := dnstest.Key(t, "nobody", "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=")
	for _, c := range []struct {
		name  string
		key   tsig.Key
		at    time.Time
		rcode int
		err   uint16
		mac   bool
	}{
		{"good", good, time.Now(), dns.RcodeSuccess, 0, true},
		{"bad signature", wrong, time.Now(), dns.RcodeNotAuth, dns.RcodeBadSig, false},
		{"bad key", nobody, time.Now(), dns.RcodeNotAuth, dns.RcodeBadKey, false},
		{"bad time", good, time.Now().Add(-1000 * time.Second), dns.RcodeNotAuth, dns.RcodeBadTime, true},
	} {
		m := new(dns.Msg)
		m.SetUpdate("example.test.")
		r := exchange(t, s.Addr(), m, c.key, c.at)
		ts := r.IsTsig()
		if ts == nil || r.Rcode != c.rcode || ts.Error != c.err || (ts.MACSize > 0) != c.mac {
			t.Errorf("%s: rcode %d, %v", c.name, r.Rcode, ts)
			continue
		}
		if c.err == dns.RcodeBadTime {
			b, err := hex.DecodeString(ts.OtherData)
			if err != nil || len(b) != 6 || int64(ts.TimeSigned) != c.at.Unix() {
				t.Errorf("%s: other data %q, time %d", c.name, ts.OtherData, ts.TimeSigned)
			}
		}
	}
}

// rr makes a record as it appears in an update.
func rr(t *testing.T, text string) []dns.RR {
	t.Helper()
	r, err := dns.NewRR(text)
	if err != nil {
		t.Fatal(err)
	}
	return []dns.RR{r}
}

func TestUpdateRules(t *testing.T) {
	for _, c := range []struct {
		name   string
		edit   func(t *testing.T, m *dns.Msg)
		rcode  int
		serial uint32
	}{
		{"insert", func(t *testing.T, m *dns.Msg) { m.Insert(rr(t, "x.example.test. 60 IN A 192.0.2.1")) }, 0, 2},
		{"identical insert does not move the serial", func(t *testing.T, m *dns.Msg) { m.Insert(rr(t, "example.test. 300 IN MX 10 GW.example.test.")) }, 0, 1},
		{"TTL-only insert counts for the whole RRset", func(t *testing.T, m *dns.Msg) { m.Insert(rr(t, "example.test. 60 IN MX 10 gw.example.test.")) }, 0, 2},
		{"last NS stays", func(t *testing.T, m *dns.Msg) { m.RemoveRRset(rr(t, "example.test. 0 IN NS x.")) }, 0, 1},
		{"SOA stays", func(t *testing.T, m *dns.Msg) { m.RemoveName(rr(t, "example.test. 0 IN A 192.0.2.1")) }, 0, 2},
		{"data beside an alias is ignored", func(t *testing.T, m *dns.Msg) { m.Insert(rr(t, "alias.example.test. 60 IN MX 10 gw.example.test.")) }, 0, 1},
		{"alias beside data is ignored", func(t *testing.T, m *dns.Msg) { m.Insert(rr(t, "gw.example.test. 60 IN CNAME new.example.test.")) }, 0, 1},
		{"older SOA is ignored", func(t *testing.T, m *dns.Msg) { m.Insert(rr(t, "example.test. 300 IN SOA a. b. 1 2 3 4 5")) }, 0, 1},
		{"newer SOA is taken", func(t *testing.T, m *dns.Msg) { m.Insert(rr(t, "example.test. 300 IN SOA a. b. 77 2 3 4 5")) }, 0, 77},
		{"one bad record spoils all", func(t *testing.T, m *dns.Msg) {
			m.Insert(rr(t, "x.example.test. 60 IN A 192.0.2.1"))
			m.Insert(rr(t, "x.other.test. 60 IN A 192.0.2.1"))
		}, dns.RcodeNotZone, 1},
		{"prerequisite outside", func(t *testing.T, m *dns.Msg) { m.Used(rr(t, "x.other.test. 0 IN A 192.0.2.1")) }, dns.RcodeNotZone, 1},
		{"prerequisite with TTL", func(t *testing.T, m *dns.Msg) {
			m.Used(rr(t, "example.test. 0 IN MX 10 gw.example.test."))
			m.Answer[0].Header().Ttl = 300
		}, dns.RcodeFormatError, 1},
		{"name in use", func(t *testing.T, m *dns.Msg) { m.NameUsed(rr(t, "nope.example.test. 0 IN A 192.0.2.1")) }, dns.RcodeNameError, 1},
		{"name not in use", func(t *testing.T, m *dns.Msg) { m.NameNotUsed(rr(t, "gw.example.test. 0 IN A 192.0.2.1")) }, dns.RcodeYXDomain, 1},
		{"RRset in use", func(t *testing.T, m *dns.Msg) { m.RRsetUsed(rr(t, "gw.example.test. 0 IN TXT x")) }, dns.RcodeNXRrset, 1},
		{"RRset not in use", func(t *testing.T, m *dns.Msg) { m.RRsetNotUsed(rr(t, "gw.example.test. 0 IN A 192.0.2.1")) }, dns.RcodeYXRrset, 1},
		{"meta type", func(_ *testing.T, m *dns.Msg) {
			m.Ns = []dns.RR{&dns.ANY{Hdr: dns.RR_Header{Name: "example.test.", Rrtype: dns.TypeAXFR, Class: dns.ClassANY}}}
		}, dns.RcodeFormatError, 1},
		{"record without data", func(_ *testing.T, m *dns.Msg) {
			m.Ns = []dns.RR{&dns.ANY{Hdr: dns.RR_Header{Name: "example.test.", Rrtype: dns.TypeMX, Class: dns.ClassINET}}}
		}, dns.RcodeFormatError, 1},
		{"one record removed", func(t *testing.T, m *dns.Msg) { m.Remove(rr(t, "gw.example.test. 0 IN A 192.0.2.10")) }, 0, 2},
		{"absent record removed", func(t *testing.T, m *dns.Msg) { m.Remove(rr(t, "gw.example.test. 0 IN A 192.0.2.11")) }, 0, 1},
		{"exchanger without address", func(t *testing.T, m *dns.Msg) { m.Insert(rr(t, "m.example.test. 60 IN MX 10 nope.example.test.")) }, dns.RcodeRefused, 1},
		{"exchanger that is an alias", func(t *testing.T, m *dns.Msg) { m.Insert(rr(t, "m.example.test. 60 IN MX 10 alias.example.test.")) }, dns.RcodeRefused, 1},
		{"too many records", func(t *testing.T, m *dns.Msg) {
			for i := range 101 {
				m.Insert(rr(t, fmt.Sprintf("x.example.test. 60 IN A 192.0.2.%d", i)))
			}
		}, dns.RcodeServerFailure, 1},
		{"null MX", func(t *testing.T, m *dns.Msg) { m.Insert(rr(t, "m.example.test. 60 IN MX 0 .")) }, 0, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := dnstest.Start(t, server.Config{Zone: "example.test.", Text: dnstest.Zone, Keys: dnstest.Grants(t), CheckTargets: true})
			m := new(dns.Msg)
			m.SetUpdate("example.test.")
			c.edit(t, m)
			r := exchange(t, s.Addr(), m, dnstest.UpdateKey(t), time.Now())
			if r.Rcode != c.rcode || s.Serial() != c.serial {
				t.Errorf("rcode %d serial %d, want %d and %d", r.Rcode, s.Serial(), c.rcode, c.serial)
			}
			if ask(t, s.Addr(), "example.test", "NS", true).Answer == nil || ask(t, s.Addr(), "example.test", "SOA", true).Answer == nil {
				t.Error("the zone lost its SOA or its name servers")
			}
		})
	}
}
