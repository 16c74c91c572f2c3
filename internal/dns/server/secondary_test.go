package server_test

import (
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/miekg/dns"

	"example.org/ims/internal/dns/dnstest"
	"example.org/ims/internal/dns/server"
	"example.org/ims/internal/dns/tsig"
	"example.org/ims/pkg/zone"
)

// freeAddr is a loopback address whose port is free for now.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// pair runs a primary and a secondary that share a key.
func pair(t *testing.T, edit func(primary, secondary *server.Config)) (p, s *server.Server) {
	t.Helper()
	at := freeAddr(t)
	pc := server.Config{Zone: "example.test.", Text: dnstest.Zone, Keys: dnstest.Grants(t), Secondaries: []server.Remote{{Addr: at, Key: "ims-xfer"}}}
	sc := server.Config{Zone: "example.test.", Keys: dnstest.Grants(t), Listen: at}
	if edit != nil {
		edit(&pc, &sc)
	}
	p = dnstest.Start(t, pc)
	sc.Primary = &server.Remote{Addr: p.Addr(), Key: "ims-xfer"}
	return p, dnstest.Start(t, sc)
}

func hasSerial(s *server.Server, want uint32) func() (bool, string) {
	return func() (bool, string) { return s.Serial() == want, fmt.Sprintf("serial %d, want %d", s.Serial(), want) }
}

func TestSecondaryFollows(t *testing.T) {
	p, s := pair(t, nil)
	dnstest.Eventually(t, "first transfer", hasSerial(s, 1))
	if o := writer(t, p.Addr()).Apply(t.Context(), move); o.Kind != zone.Applied {
		t.Fatal(o)
	}
	dnstest.Eventually(t, "transfer after NOTIFY", hasSerial(s, 2)) // the SOA's refresh is an hour
	m := ask(t, s.Addr(), "example.test", "MX", false)
	if got := texts(m.Answer); !m.Authoritative || len(got) != 1 || got[0] != "example.test. 300 IN MX 10 new.example.test." {
		t.Errorf("secondary says %v", got)
	}
	if o := writer(t, s.Addr()).Apply(t.Context(), zone.Change{Zone: "example.test.", Old: move.New, New: move.Old}); o.Kind != zone.Denied {
		t.Errorf("update sent to the secondary: %v", o)
	}
}

func TestSecondaryOutlivesItsPrimary(t *testing.T) {
	file := filepath.Join(t.TempDir(), "zone")
	p, stopP := dnstest.StartStoppable(t, server.Config{Zone: "example.test.", Text: dnstest.Zone, Keys: dnstest.Grants(t)})
	cfg := server.Config{Zone: "example.test.", Keys: dnstest.Grants(t), File: file, Primary: &server.Remote{Addr: p.Addr(), Key: "ims-xfer"}}
	s, stopS := dnstest.StartStoppable(t, cfg)
	dnstest.Eventually(t, "first transfer", hasSerial(s, 1))
	stopP()
	stopS()
	s = dnstest.Start(t, cfg)
	<-s.Loaded()
	if m := ask(t, s.Addr(), "example.test", "MX", false); len(m.Answer) != 1 {
		t.Errorf("secondary without primary answers %v", m)
	}
}

func TestSecondaryWithoutZoneAnswersSERVFAIL(t *testing.T) {
	s := dnstest.Start(t, server.Config{Zone: "example.test.", Keys: dnstest.Grants(t), Primary: &server.Remote{Addr: freeAddr(t), Key: "ims-xfer"}})
	if m := ask(t, s.Addr(), "example.test", "MX", false); m.Rcode != dns.RcodeServerFailure {
		t.Errorf("rcode %d", m.Rcode)
	}
}

func TestRefreshWithoutNotify(t *testing.T) {
	p, s := pair(t, func(p, s *server.Config) { p.Secondaries, s.Refresh = nil, 20*time.Millisecond })
	dnstest.Eventually(t, "first transfer", hasSerial(s, 1))
	writer(t, p.Addr()).Apply(t.Context(), move)
	dnstest.Eventually(t, "refresh", hasSerial(s, 2))
}

func TestTransferRights(t *testing.T) {
	key := dnstest.Key(t, "reader", "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=")
	text := dnstest.Zone
	for i := range 250 {
		text += fmt.Sprintf("host%d IN A 192.0.2.%d\n", i, i)
	}
	s := dnstest.Start(t, server.Config{Zone: "example.test.", Text: text, Keys: append(dnstest.Grants(t), server.Grant{Key: key})})
	transfer := func(k *tsig.Key) (n int, err error) {
		m, tr := new(dns.Msg), new(dns.Transfer)
		m.SetAxfr("example.test.")
		if k != nil {
			tr.TsigProvider = tsig.NewRing(*k)
			k.Sign(m, time.Now().Unix())
		}
		env, err := tr.In(m, s.Addr())
		if err != nil {
			return 0, err
		}
		for e := range env {
			n += len(e.RR)
			if e.Error != nil {
				err = e.Error
			}
		}
		return n, err
	}
	xfer := dnstest.TransferKey(t)
	if n, err := transfer(&xfer); err != nil || n != 250+18 {
		t.Errorf("with the right: %d records, %v", n, err)
	}
	if n, err := transfer(&key); err == nil || n > 0 {
		t.Errorf("without the right: %d records, %v", n, err)
	}
	if n, err := transfer(nil); err == nil || n > 0 {
		t.Errorf("unsigned: %d records, %v", n, err)
	}
}

func TestForgedNotifyIsRefused(t *testing.T) {
	_, s := pair(t, nil)
	m := new(dns.Msg)
	m.SetNotify("example.test.")
	r, _, err := new(dns.Client).Exchange(m, s.Addr())
	if err != nil || r.Rcode != dns.RcodeRefused {
		t.Errorf("unsigned NOTIFY: %v, %v", r, err)
	}
}
