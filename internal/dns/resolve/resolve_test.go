package resolve_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/dns/dnstest"
	"example.org/ims/internal/dns/resolve"
	"example.org/ims/internal/dns/rfc2136"
	"example.org/ims/internal/dns/server"
	"example.org/ims/pkg/zone"
)

const text = `$ORIGIN example.test.
$TTL 300
@      IN SOA ns1 hostmaster 1 3600 600 86400 120
       IN NS  ns1
       IN MX  20 back
       IN MX  10 gw
       IN MX  10 GW2
ns1    IN A   127.0.0.1
gw     IN A   192.0.2.10
       IN AAAA 2001:db8::10
gw2    IN A   192.0.2.12
back   IN A   192.0.2.20
null   IN MX  0 .
bare   IN A   192.0.2.30
dead   IN MX  10 gone
mixed  IN MX  10 gone
       IN MX  20 back
empty  IN TXT "nothing"
alias  IN CNAME mixed
loop   IN CNAME loop2
loop2  IN CNAME loop
away   IN CNAME other.other.test.
short  1 IN MX 10 gw
`

const otherText = `$ORIGIN other.test.
@ 300 IN SOA ns1 hostmaster 1 3600 600 86400 120
@ 300 IN NS ns1
other 60 IN MX 5 mail
mail 300 IN A 192.0.2.40
`

func resolver(t *testing.T, edit func(*resolve.Config)) *resolve.Resolver {
	t.Helper()
	a := dnstest.Start(t, server.Config{Zone: "example.test.", Text: text, Keys: dnstest.Grants(t)})
	b := dnstest.Start(t, server.Config{Zone: "other.test.", Text: otherText})
	cfg := resolve.Config{Servers: []string{a.Addr(), b.Addr()}}
	if edit != nil {
		edit(&cfg)
	}
	r, err := resolve.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestLookup(t *testing.T) {
	r := resolver(t, func(c *resolve.Config) {
		c.Hosts = map[string]string{"back.example.test": "127.0.0.1:2525", "sink.lab": "127.0.0.1:2526"}
	})
	for _, c := range []struct {
		domain string
		want   []resolve.Target
		err    error
		fail   bool
	}{
		{"example.TEST", []resolve.Target{
			{"gw.example.test", "192.0.2.10:25", 10},
			{"gw.example.test", "[2001:db8::10]:25", 10},
			{"gw2.example.test", "192.0.2.12:25", 10},
			{"back.example.test", "127.0.0.1:2525", 20},
		}, nil, false},
		{"null.example.test", nil, resolve.ErrNullMX, true},
		{"bare.example.test", []resolve.Target{{"bare.example.test", "192.0.2.30:25", 0}}, nil, false},
		{"mixed.example.test", []resolve.Target{{"back.example.test", "127.0.0.1:2525", 20}}, nil, false},
		{"alias.example.test", []resolve.Target{{"back.example.test", "127.0.0.1:2525", 20}}, nil, false},
		{"away.example.test", []resolve.Target{{"mail.other.test", "192.0.2.40:25", 5}}, nil, false},
		{"nope.example.test", nil, resolve.ErrNoSuchDomain, true},
		{"empty.example.test", nil, resolve.ErrNoSuchDomain, true},
		{"back.example.test", []resolve.Target{{"back.example.test", "127.0.0.1:2525", 0}}, nil, false},
		{"dead.example.test", nil, nil, true}, // temporary: the exchanger may come back
		{"loop.example.test", nil, nil, true}, // temporary
		{"somewhere.net", nil, nil, true},     // temporary: every server refuses
		{"nohost.sink.lab", nil, nil, true},   // temporary
	} {
		for range 2 { // from the servers, then from the cache
			got, err := r.Lookup(t.Context(), c.domain)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%s: %s", c.domain, d)
			}
			permanent := errors.Is(err, resolve.ErrNoSuchDomain) || errors.Is(err, resolve.ErrNullMX)
			if (err != nil) != c.fail || c.err != nil && !errors.Is(err, c.err) || c.err == nil && permanent {
				t.Errorf("%s: %v, want %v", c.domain, err, c.err)
			}
		}
	}
	if got, err := r.Host(t.Context(), "sink.lab"); err != nil || got[0].Addr != "127.0.0.1:2526" {
		t.Errorf("host from the list: %v, %v", got, err)
	}
}

// The cache holds what was published, also after the authority moved on.
func TestCacheKeepsTheOldExchanger(t *testing.T) {
	s := dnstest.Start(t, server.Config{Zone: "example.test.", Text: text, Keys: dnstest.Grants(t)})
	key := dnstest.UpdateKey(t)
	w, err := rfc2136.New(rfc2136.Config{Zone: "example.test.", Server: s.Addr(), Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	r, err := resolve.New(resolve.Config{Servers: []string{s.Addr()}, MinTTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	host := func() string {
		t.Helper()
		got, ttl, err := r.LookupMX(t.Context(), "short.example.test")
		if err != nil || len(got) == 0 || ttl < 50*time.Minute || ttl > time.Hour {
			t.Fatalf("%v for %v, %v", got, ttl, err)
		}
		return got[0].Host
	}
	if host() != "gw.example.test" {
		t.Error("first answer is wrong")
	}
	mx := func(data string) zone.RRset { return zone.NewRRset("short.example.test.", "MX", 1, data) }
	if o := w.Apply(t.Context(), zone.Change{Zone: "example.test.", Old: mx("10 gw.example.test."), New: mx("10 back.example.test.")}); o.Kind != zone.Applied {
		t.Fatal(o)
	}
	if host() != "gw.example.test" {
		t.Error("the stretched TTL is not obeyed")
	}
	r.Flush()
	if host() != "back.example.test" {
		t.Error("after a flush the new exchanger is found")
	}
}

func TestEndedContext(t *testing.T) {
	r := resolver(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Lookup(ctx, "example.test"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, cfg := range map[string]resolve.Config{
		"no servers":    {},
		"name":          {Servers: []string{"ns1.example.test"}},
		"host w/o port": {Servers: []string{"127.0.0.1"}, Hosts: map[string]string{"a": "127.0.0.1"}},
	} {
		if _, err := resolve.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestRRset follows no alias: whoever asks wants to know that there is one.
func TestRRset(t *testing.T) {
	r := resolver(t, func(c *resolve.Config) { c.Hosts = map[string]string{"own.test": "192.0.2.77:2525"} })
	for _, tt := range []struct {
		name, typ string
		want      []string
	}{
		{"gw.example.test", "A", []string{"192.0.2.10"}},
		{"gw.example.test", "AAAA", []string{"2001:db8::10"}},
		{"gw.example.test", "CNAME", nil},
		{"alias.example.test", "A", nil},
		{"alias.example.test", "CNAME", []string{"mixed.example.test."}},
		{"away.example.test", "CNAME", []string{"other.other.test."}},
		{"gone.example.test", "A", nil},
		{"own.test", "A", []string{"192.0.2.77"}},
		{"own.test", "AAAA", nil},
		{"own.test", "CNAME", nil},
	} {
		got, err := r.RRset(t.Context(), tt.name, tt.typ)
		if diff := cmp.Diff(tt.want, got.Data); diff != "" || err != nil || got.Name != tt.name+"." || got.Type != tt.typ {
			t.Errorf("%s %s: %s, %v (-want +got):\n%s", tt.name, tt.typ, got, err, diff)
		}
	}
	if got, err := r.RRset(t.Context(), "mx.nowhere.example", "A"); err == nil {
		t.Errorf("no server knows it, and it is %s", got)
	}
}
