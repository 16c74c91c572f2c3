package axfr_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/dns/axfr"
	"example.org/ims/internal/dns/dnstest"
)

func TestRRsets(t *testing.T) {
	s := dnstest.Primary(t)
	key := dnstest.TransferKey(t)
	got, err := axfr.RRsets(t.Context(), axfr.Config{Zone: "example.test", Server: s.Addr(), Key: &key}, "MX")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range got {
		if !r.NamesHost("gw.example.test") || r.TTL != 300 {
			t.Errorf("%v does not name gw", r)
		}
		names = append(names, r.Name)
	}
	if diff := cmp.Diff([]string{"*.wild.example.test.", "example.test."}, names); diff != "" {
		t.Errorf("owners of MX records (-want +got):\n%s", diff)
	}
}

func TestRRsetsOfSeveralTypes(t *testing.T) {
	s := dnstest.Primary(t)
	key := dnstest.TransferKey(t)
	got, err := axfr.RRsets(t.Context(), axfr.Config{Zone: "example.test", Server: s.Addr(), Key: &key}, "MX", "AAAA", "A", "CNAME")
	if err != nil {
		t.Fatal(err)
	}
	var of []string
	for _, r := range got {
		of = append(of, r.Name+" "+r.Type)
	}
	want := []string{
		"*.wild.example.test. MX", "a.b.c.example.test. A", "alias.example.test. CNAME", "chain.example.test. CNAME", "example.test. MX", "gw.example.test. AAAA", "gw.example.test. A",
		"new.example.test. A", "ns.child.example.test. A", "ns1.example.test. A", "ns2.example.test. A", "out.example.test. CNAME",
	}
	if diff := cmp.Diff(want, of); diff != "" {
		t.Errorf("RRsets (-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeTransferred(t *testing.T) {
	s := dnstest.Primary(t)
	stranger := dnstest.Key(t, "stranger", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	key := dnstest.TransferKey(t)
	for name, cfg := range map[string]axfr.Config{
		"without a key": {Zone: "example.test", Server: s.Addr()},
		"other key":     {Zone: "example.test", Server: s.Addr(), Key: &stranger},
		"other zone":    {Zone: "example.net", Server: s.Addr(), Key: &key},
		"silence":       {Zone: "example.test", Server: silent.Addr().String(), Timeout: time.Millisecond},
	} {
		if got, err := axfr.RRsets(t.Context(), cfg, "MX"); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := axfr.RRsets(ctx, axfr.Config{Zone: "example.test", Server: s.Addr(), Key: &key}, "MX"); err == nil {
		t.Error("a transfer goes on after its context has ended")
	}
}
