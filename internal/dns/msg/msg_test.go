package msg

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"example.org/ims/pkg/zone"
)

func TestRoundTrip(t *testing.T) {
	for _, want := range []zone.RRset{
		zone.NewRRset("Example.test", "MX", 300, "20 B.example.", "10 a.example."),
		zone.NewRRset("example.test", "MX", 300, "0 ."),
		zone.NewRRset("x.test", "A", 1, "192.0.2.1"),
		zone.NewRRset("x.test", "AAAA", 1, "2001:DB8::1", "::ffff:192.0.2.1"),
		zone.NewRRset("x.test", "TXT", 1, `"v=spf1 mx" " -all"`, `"a;b"`),
		zone.NewRRset("x.test", "TLSA", 1, "3 1 1 AB cd"),
		zone.NewRRset("x.test", "SRV", 1, "0 5 25 Gw.test"),
		zone.NewRRset("x.test", "SOA", 1, "Ns.test. h.test. 1 2 3 4 5"),
		zone.NewRRset("x.test", "CNAME", 1, "y.test."),
		zone.NewRRset(`a\.b.test`, "MX", 1, `10 c\.d.test.`),
		zone.NewRRset("x.test", "CAA", 1, `0 issue "ca.test"`),
		zone.NewRRset("x.test", "MX", 0),
	} {
		rrs, err := RRs(want)
		if err != nil {
			t.Errorf("%v: %v", want, err)
			continue
		}
		m := &dns.Msg{Answer: rrs}
		wire, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		back := new(dns.Msg)
		if err := back.Unpack(wire); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, RRset(want.Name, want.Type, back.Answer)); d != "" {
			t.Errorf("%v: %s", want, d)
		}
	}
}

func TestRRsRefuses(t *testing.T) {
	for _, r := range []zone.RRset{
		zone.NewRRset("x.", "MX", 1, "ten a."),
		zone.NewRRset("x.", "NOPE", 1, "a"),
		zone.NewRRset("x.", "TXT", 1, "\"a\"\nx. IN A 192.0.2.1"),
		zone.NewRRset("x.", "A", 1, ""),
		zone.NewRRset("x.", "MX", 1, " "),
		zone.NewRRset("x.", "MX", 1, "; comment"),
	} {
		if rrs, err := RRs(r); err == nil {
			t.Errorf("%v makes %v", r, rrs)
		}
	}
}

func TestAnswerOfAbsence(t *testing.T) {
	soa, err := dns.NewRR("test. 300 IN SOA a. b. 1 2 3 4 120")
	if err != nil {
		t.Fatal(err)
	}
	if r := Answer("x.test", "MX", &dns.Msg{Ns: []dns.RR{soa}}); !r.Empty() || r.TTL != 120 {
		t.Errorf("absence may be cached for min(SOA TTL, minimum): %+v", r)
	}
	if r := Answer("x.test", "MX", &dns.Msg{}); r.TTL != 0 {
		t.Errorf("without SOA nothing is known: %+v", r)
	}
}

func TestWithPort(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1": "192.0.2.1:53", "192.0.2.1:5353": "192.0.2.1:5353", "2001:db8::1": "[2001:db8::1]:53", "[2001:db8::1]": "[2001:db8::1]:53", "[::1]:99": "[::1]:99",
	} {
		if got := WithPort(in); got != want {
			t.Errorf("WithPort(%q) = %q, want %q", in, got, want)
		}
	}
}
