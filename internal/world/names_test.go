package world

import (
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	dns "example.org/ims/internal/dns/mem"
	"example.org/ims/internal/engine"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/zone"
)

func TestSPF(t *testing.T) {
	drain := []netip.Addr{netip.MustParseAddr("192.0.2.9"), netip.MustParseAddr("2001:db8::9")}
	for _, tt := range []struct {
		spf     string
		permits bool
		with    string // after the drain name was let in
	}{
		{"v=spf1 mx -all", false, "v=spf1 a:drain.test mx -all"},
		{"v=spf1 mx ~all", false, "v=spf1 a:drain.test mx ~all"},
		{"v=spf1 +all", true, ""},
		{"v=spf1 -all a:drain.test", false, "v=spf1 a:drain.test -all a:drain.test"}, // what follows all is never looked at
		{"V=SPF1 mx A:Drain.TEST. -all", true, ""},
		{"v=spf1 -a:drain.test -all", false, "v=spf1 a:drain.test -a:drain.test -all"},
		{"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::9 -all", true, ""},
		{"v=spf1 ip4:192.0.2.9 -all", false, "v=spf1 a:drain.test ip4:192.0.2.9 -all"}, // the other address is not let
		{"v=spf1 include:drain.test -all", false, "v=spf1 a:drain.test include:drain.test -all"},
	} {
		if got := permits("example.test.", tt.spf, "drain.test", drain); got != tt.permits {
			t.Errorf("%q permits the drain: %v", tt.spf, got)
		}
		if tt.with == "" {
			tt.with = tt.spf
		}
		if got := permitting("example.test.", tt.spf, "drain.test", drain); got != tt.with {
			t.Errorf("%q becomes %q, want %q", tt.spf, got, tt.with)
		}
	}
	if !permits("drain.test.", spfDrain, "drain.test", drain) {
		t.Error("the drain's own record does not permit it")
	}
}

func TestTXT(t *testing.T) {
	for data, text := range map[string]string{
		`"v=spf1 mx" " -all"`: "v=spf1 mx -all", `"a \"b\" \\ \059"`: `a "b" \ ;`, `plain`: "plain", `""`: "",
	} {
		if got := unquote(data); got != text {
			t.Errorf("unquote(%s) = %q, want %q", data, got, text)
		}
		if got := unquote(quote(text)); got != text {
			t.Errorf("unquote(quote(%q)) = %q", text, got)
		}
	}
	long := zone.NewRRset("x.", "TXT", 60, `"v=spf1 -all"`, `"site=1"`, `"v=spf1 mx -all"`, `"v=spf10"`)
	want := zone.NewRRset("x.", "TXT", 60, `"v=spf1 -all"`, `"site=1"`, `"v=spf10"`)
	if got := withSPF(long, spfNone); !got.Equal(want) {
		t.Errorf("withSPF = %s, want %s", got, want)
	}
}

func TestReverse(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.10":  "10.2.0.192.in-addr.arpa.",
		"2001:db8::1": "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
	} {
		if got := reverse(netip.MustParseAddr(addr)); got != want {
			t.Errorf("reverse(%s) = %s, want %s", addr, got, want)
		}
	}
}

// host is a world in which east.test has two addresses and its machine a name
// of its own.
func host() (*World, *dns.Zone) {
	z := dns.New("test",
		zone.NewRRset("east.test", "A", 3600, "192.0.2.10", "203.0.113.1"), // the second is of another machine
		zone.NewRRset("east.test", "AAAA", 300, "2001:db8::10"),
		zone.NewMX("example.test", 300, zone.MX{Pref: 10, Host: "east.test"}, zone.MX{Pref: 20, Host: "backup.test"}))
	parse := func(list ...string) (out []netip.Addr) {
		for _, a := range list {
			out = append(out, netip.MustParseAddr(a))
		}
		return out
	}
	w := New(Config{
		Name: "east", Hostname: "east.test", SuccessorHostname: "west.test", Zones: []Zone{{"test", z, z}},
		Domains:          []Domain{{Name: "example.test", Zone: "test", Writer: z, Watch: z}},
		Machine:          Machine{Addresses: parse("192.0.2.10", "2001:db8::10"), Drain: "drain.test", DrainAddresses: parse("192.0.2.10", "2001:db8::10")},
		SuccessorMachine: Machine{Addresses: parse("192.0.2.20")}, Floor: time.Minute,
	})
	return w, z
}

// TestRecords: what each effect makes of what there is, there and back.
func TestRecords(t *testing.T) {
	for _, tt := range []struct {
		name string
		args machine.Args
		on   string // target
		want []zone.RRset
	}{
		{"flip IPv4, of this machine alone", machine.Args{Type: "A"}, "east", []zone.RRset{zone.NewRRset("east.test", "A", 3600, "192.0.2.20", "203.0.113.1")}},
		{"flip IPv6 to a successor without", machine.Args{Type: "AAAA"}, "east", []zone.RRset{zone.NewRRset("east.test", "AAAA", 0)}},
		{"drain name", machine.Args{Type: "A", Drain: true}, "east", []zone.RRset{zone.NewRRset("drain.test", "A", newTTL, "192.0.2.10")}},
		{"null MX", machine.Args{Type: "MX", NullMX: true}, "example.test", []zone.RRset{zone.NewMX("example.test", 300, zone.MX{Host: "."})}},
		{"both", machine.Args{Type: "MX", Also: true}, "example.test", []zone.RRset{zone.NewMX("example.test", 300,
			zone.MX{Pref: 10, Host: "east.test"}, zone.MX{Pref: 10, Host: "west.test"}, zone.MX{Pref: 20, Host: "backup.test"})}},
		{"SPF where there is none", machine.Args{Type: "TXT", Drain: true}, "example.test", []zone.RRset{zone.NewRRset("example.test", "TXT", 0)}},
		{"SPF of nobody", machine.Args{Type: "TXT", SPF: "none"}, "example.test", []zone.RRset{zone.NewRRset("example.test", "TXT", newTTL, `"v=spf1 -all"`)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, z := host()
			e := engine.Effect{Action: machine.DNSRRset, Args: tt.args, Target: tt.on}
			var words string
			var err error
			if e.Image, words, err = w.Image(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			read := func() (got []zone.RRset) {
				for _, want := range tt.want {
					rr, err := z.Read(t.Context(), want.Name, want.Type)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, rr)
				}
				return got
			}
			before := read()
			for i, again := range []bool{false, true} {
				if res := w.Perform(t.Context(), e); res.State != machine.Done || (i == 0 && res.Before != words) {
					t.Errorf("Perform() = %+v, again %v", res, again)
				}
				for i, rr := range read() {
					if !rr.Equal(tt.want[i]) {
						t.Errorf("record is %s, want %s", rr, tt.want[i])
					}
				}
			}
			if res := w.Look(t.Context(), e); res.State != machine.Done {
				t.Errorf("Look() = %+v", res)
			}
			e.Undo = true
			if res := w.Perform(t.Context(), e); res.State != machine.Done {
				t.Errorf("undo = %+v", res)
			}
			for i, rr := range read() {
				if !rr.SameData(before[i]) {
					t.Errorf("record was %s and is %s", before[i], rr)
				}
			}
		})
	}
}

// TestNoZone: a name that lives nowhere is said to, with what to do.
func TestNoZone(t *testing.T) {
	w, _ := host()
	e := engine.Effect{Action: machine.DNSRRset, Args: machine.Args{Type: "PTR", Drain: true}, Target: "east"}
	_, _, err := w.Image(t.Context(), e)
	want := "10.2.0.192.in-addr.arpa is in no zone of the configuration, so it can be neither read nor changed; add its zone to zones\n" +
		"0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa is in no zone of the configuration, so it can be neither read nor changed; add its zone to zones"
	if err == nil {
		t.Fatal("there is an image")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

// TestNameExpires: the addresses of a host name obey the law of MX records, each
// type with its TTL, and a server that lags counts.
func TestNameExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, z := host()
		w.want.byName = true
		z.AddServer("ns2.test", 10*time.Minute)
		memory := map[string]string{}
		look := func() (out [4]facts.Value) {
			o := &observer{World: w, ctx: t.Context(), set: facts.NewSet(), now: time.Now(), memory: memory}
			o.recall()
			o.hostName()
			v := o.set.Vector()
			return [4]facts.Value{v[facts.NameHere], v[facts.NameWanted], v[facts.NameAgree], v[facts.NameExpired]}
		}
		time.Sleep(time.Hour)
		expect := func(when string, here, wanted, agree, expired facts.Value) {
			t.Helper()
			if diff := cmp.Diff([4]facts.Value{here, wanted, agree, expired}, look()); diff != "" {
				t.Errorf("%s: here, wanted, agree, expired (-want +got):\n%s", when, diff)
			}
		}
		expect("before", 1, 0, 1, 0)
		for _, typ := range []string{"A", "AAAA"} {
			e := engine.Effect{Action: machine.DNSRRset, Args: machine.Args{Type: typ}, Target: "east"}
			var err error
			if e.Image, _, err = w.Image(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			if res := w.Perform(t.Context(), e); res.State != machine.Done {
				t.Fatal(res)
			}
		}
		expect("one server lags", 1, 0, 0, 0)
		time.Sleep(10*time.Minute + time.Second)
		expect("all have followed", 0, 1, 1, 0)
		w = New(w.cfg) // another process, which remembers
		w.want.byName = true
		time.Sleep(50 * time.Minute)
		expect("the TTL of the A has passed since the switch, not since it was seen last", 0, 1, 1, 0)
		time.Sleep(16 * time.Minute)
		expect("after TTL and floor", 0, 1, 1, 1)
	})
}

// TestNoDrainName: a machine without a name of its own cannot give its name
// away, and the edit that gives it one is told apart from why it needs one.
func TestNoDrainName(t *testing.T) {
	w, _ := host()
	w.cfg.Machine.Drain = ""
	_, _, err := w.Image(t.Context(), engine.Effect{Action: machine.DNSRRset, Args: machine.Args{Type: "A", Drain: true}, Target: "east"})
	lack, ok := errors.AsType[*LackError](err)
	if !ok {
		t.Fatalf("the error is %v", err)
	}
	want := &LackError{"the machine of east has no name of its own to send what it still holds under", "add drain: {name: NAME} to gateways.east of ims.yaml"}
	if diff := cmp.Diff(want, lack); diff != "" {
		t.Errorf("lacks (-want +got):\n%s", diff)
	}
}

// TestAgesBelowAMinute: what was held a moment ago does not wait for 0s.
func TestAgesBelowAMinute(t *testing.T) {
	for d, want := range map[time.Duration]string{
		2300 * time.Millisecond: "2s", 23 * time.Second: "23s", time.Minute + 20*time.Second: "1m0s", 72*time.Hour + 31*time.Second: "72h1m0s",
	} {
		if got := age(d).String(); got != want {
			t.Errorf("%s is told as %s, want %s", d, got, want)
		}
	}
}
