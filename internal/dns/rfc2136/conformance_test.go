package rfc2136_test

import (
	"testing"
	"time"

	"example.org/ims/internal/dns/dnstest"
	"example.org/ims/internal/dns/rfc2136"
	"example.org/ims/pkg/zone"
	"example.org/ims/pkg/zone/zonetest"
)

func writer(t *testing.T, addr string, edit func(*rfc2136.Config)) *rfc2136.Writer {
	t.Helper()
	key := dnstest.UpdateKey(t)
	cfg := rfc2136.Config{Zone: "example.test.", Server: addr, Key: &key, Timeout: 5 * time.Second, Backoff: time.Millisecond}
	if edit != nil {
		edit(&cfg)
	}
	w, err := rfc2136.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestConformance(t *testing.T) {
	s := dnstest.Primary(t)
	zonetest.Run(t, func(t *testing.T) zonetest.Fixture {
		return zonetest.Fixture{Zone: "example.test.", Writers: []zone.Writer{writer(t, s.Addr(), nil), writer(t, s.Addr(), nil)}}
	})
}

func TestConformanceStrict(t *testing.T) {
	s := dnstest.Primary(t)
	zonetest.Run(t, func(t *testing.T) zonetest.Fixture {
		strict := writer(t, s.Addr(), func(c *rfc2136.Config) { c.Strict = true })
		return zonetest.Fixture{Zone: "example.test.", Writers: []zone.Writer{strict}}
	})
}
