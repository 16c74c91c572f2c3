package server

import (
	"log/slog"
	"testing"

	"github.com/miekg/dns"

	"example.org/ims/internal/dns/tsig"
)

const fuzzZone = `$ORIGIN example.test.
$TTL 300
@ IN SOA ns h 1 2 3 4 5
@ IN NS ns
@ IN MX 10 ns
ns IN A 127.0.0.1
alias IN CNAME ns
sub IN NS ns
*.wild IN A 127.0.0.1
`

// whatever a message says, the zone stays one that could be loaded, and no
// question is left without a code.
func FuzzMessage(f *testing.F) {
	seed := func(edit func(*dns.Msg)) {
		m := new(dns.Msg)
		edit(m)
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	mx, err := dns.NewRR("example.test. 300 IN MX 10 new.example.test.")
	if err != nil {
		f.Fatal(err)
	}
	seed(func(m *dns.Msg) { m.SetQuestion("x.wild.example.test.", dns.TypeA) })
	seed(func(m *dns.Msg) { m.SetQuestion("alias.example.test.", dns.TypeANY) })
	seed(func(m *dns.Msg) { m.SetUpdate("example.test."); m.RemoveName([]dns.RR{mx}) })
	seed(func(m *dns.Msg) {
		m.SetUpdate("example.test.")
		m.Used([]dns.RR{dns.Copy(mx)})
		m.Remove([]dns.RR{dns.Copy(mx)})
		m.Insert([]dns.RR{dns.Copy(mx)})
	})
	key, err := tsig.NewKey("k", "hmac-sha256", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		q := new(dns.Msg)
		if q.Unpack(b) != nil || len(q.Question) != 1 {
			return
		}
		d, err := parse("example.test.", fuzzZone)
		if err != nil {
			t.Fatal(err)
		}
		s := &Server{cfg: Config{Zone: "example.test.", CheckTargets: true}, loaded: make(chan struct{})}
		s.current.Store(d)
		s.cfg.Log = discard()
		s.update(q, Grant{Key: key, Update: true})
		r := new(dns.Msg)
		r.SetReply(q)
		s.query(q.Question[0], r)
		if _, err := r.Pack(); err != nil {
			t.Errorf("reply cannot be sent: %v", err)
		}
		if _, err := build("example.test.", s.current.Load().all()); err != nil {
			t.Errorf("update spoiled the zone: %v", err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(fuzzZone)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parse("example.test.", text)
		if err != nil {
			return
		}
		if _, err := build("example.test.", d.all()); err != nil {
			t.Errorf("parsed, but does not build again: %v", err)
		}
	})
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
