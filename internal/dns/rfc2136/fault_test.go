package rfc2136_test

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"example.org/ims/internal/dns/dnstest"
	"example.org/ims/internal/dns/rfc2136"
	"example.org/ims/internal/dns/server"
	"example.org/ims/internal/dns/tsig"
	"example.org/ims/pkg/zone"
)

// proxy passes DNS over TCP through to a server. Every update is shown to
// tamper with its number, preflights included, which makes a reply of it: nil
// closes the connection. ask forwards it to the server.
func proxy(t *testing.T, target string, tamper func(n int, update []byte, ask func([]byte) []byte) []byte) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	n := 0
	one := func(c net.Conn) {
		defer c.Close()
		q, err := readMsg(c)
		if err != nil {
			return
		}
		ask := func(b []byte) []byte {
			up, err := net.Dial("tcp", target)
			if err != nil {
				return nil
			}
			defer up.Close()
			if _, err := up.Write(frame(b)); err != nil {
				return nil
			}
			r, _ := readMsg(up)
			return r
		}
		var r []byte
		if q[2]>>3&0xF == dns.OpcodeUpdate {
			mu.Lock()
			n++
			k := n
			mu.Unlock()
			r = tamper(k, q, ask)
		} else {
			r = ask(q)
		}
		if r != nil {
			_, _ = c.Write(frame(r))
		}
	}
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { one(c) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return l.Addr().String()
}

func frame(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}

func readMsg(r io.Reader) ([]byte, error) {
	var n uint16
	if err := binary.Read(r, binary.BigEndian, &n); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}

// forge makes an unsigned reply.
func forge(q []byte, edit func(*dns.Msg)) []byte {
	m, r := new(dns.Msg), new(dns.Msg)
	if m.Unpack(q) != nil {
		return nil
	}
	r.SetReply(m)
	edit(r)
	b, err := r.Pack()
	if err != nil {
		return nil
	}
	return b
}

func mx(data ...string) zone.RRset { return zone.NewRRset("example.test.", "MX", 300, data...) }

var move = zone.Change{Zone: "example.test.", Old: mx("10 gw.example.test."), New: mx("10 new.example.test.")}

// The first update of an Apply is the preflight, the second the change.
func TestAmbiguousExchanges(t *testing.T) {
	pass := func(q []byte, ask func([]byte) []byte) []byte { return ask(q) }
	loseReply := func(q []byte, ask func([]byte) []byte) []byte { ask(q); return nil }
	loseRequest := func([]byte, func([]byte) []byte) []byte { return nil }
	rcode := func(code int) func([]byte, func([]byte) []byte) []byte {
		return func(q []byte, _ func([]byte) []byte) []byte {
			return forge(q, func(r *dns.Msg) { r.Rcode = code })
		}
	}
	type fault = func([]byte, func([]byte) []byte) []byte
	for _, c := range []struct {
		name    string
		faults  []fault // for the first updates; later ones pass
		want    zone.Kind
		made    bool
		updates int32
	}{
		{"good", nil, zone.Applied, true, 2},
		{"reply lost after the change", []fault{pass, loseReply}, zone.Applied, true, 2},
		{"request lost", []fault{pass, loseRequest}, zone.Applied, true, 3},
		{"request lost, then reply lost", []fault{pass, loseRequest, loseReply}, zone.Applied, true, 3},
		{"request lost three times", []fault{pass, loseRequest, loseRequest, loseRequest}, zone.Unknown, false, 4},
		{"unsigned NOERROR is not believed", []fault{pass, rcode(dns.RcodeSuccess), rcode(dns.RcodeSuccess), rcode(dns.RcodeSuccess)}, zone.Unknown, false, 4},
		{"unsigned NXRRSET is not believed", []fault{pass, rcode(dns.RcodeNXRrset)}, zone.Applied, true, 3},
		{"SERVFAIL says nothing", []fault{pass, rcode(dns.RcodeServerFailure)}, zone.Applied, true, 3},
		{"unsigned REFUSED is final", []fault{pass, rcode(dns.RcodeRefused)}, zone.Denied, false, 2},
		{"preflight lost", []fault{loseRequest}, zone.Unreachable, false, 1},
		{"preflight answered unsigned", []fault{rcode(dns.RcodeYXRrset)}, zone.Unreachable, false, 1},
		{"not implemented", []fault{rcode(dns.RcodeNotImplemented)}, zone.Unsupported, false, 1},
		{"malformed", []fault{rcode(dns.RcodeFormatError)}, zone.Rejected, false, 1},
		{"not in zone", []fault{rcode(dns.RcodeNotZone)}, zone.NotInZone, false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := dnstest.Primary(t)
			var updates atomic.Int32
			addr := proxy(t, s.Addr(), func(n int, q []byte, ask func([]byte) []byte) []byte {
				updates.Add(1)
				if n <= len(c.faults) {
					return c.faults[n-1](q, ask)
				}
				return ask(q)
			})
			o := writer(t, addr, nil).Apply(t.Context(), move)
			if n := updates.Load(); o.Kind != c.want || n != c.updates {
				t.Errorf("%v after %d updates, want %v after %d", o, n, c.want, c.updates)
			}
			if made := s.Serial() != 1; made != c.made {
				t.Errorf("change made: %v, want %v", made, c.made)
			}
		})
	}
}

// Somebody else changes the data while the reply is lost.
func TestLostReplyThenOtherData(t *testing.T) {
	s := dnstest.Primary(t)
	direct := writer(t, s.Addr(), nil)
	other := mx("10 other.example.net.")
	addr := proxy(t, s.Addr(), func(n int, q []byte, ask func([]byte) []byte) []byte {
		r := ask(q)
		if n == 2 {
			direct.Apply(t.Context(), zone.Change{Zone: "example.test.", Old: move.New, New: other})
			return nil
		}
		return r
	})
	if o := writer(t, addr, nil).Apply(t.Context(), move); o.Kind != zone.Conflict || !o.Got.Equal(other) {
		t.Errorf("%v, want a conflict that shows %v", o, other)
	}
}

func TestEveryAttemptIsSignedAnew(t *testing.T) {
	s := dnstest.Primary(t)
	seen := map[uint16]bool{}
	var mu sync.Mutex
	addr := proxy(t, s.Addr(), func(n int, q []byte, ask func([]byte) []byte) []byte {
		m := new(dns.Msg)
		if err := m.Unpack(q); err != nil {
			t.Error(err)
		}
		count := 0
		for _, rr := range m.Extra {
			if rr.Header().Rrtype == dns.TypeTSIG {
				count++
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if count != 1 || seen[m.Id] {
			t.Errorf("update %d: %d signatures, id used before: %v", n, count, seen[m.Id])
		}
		seen[m.Id] = true
		if n == 2 || n == 3 {
			return nil
		}
		return ask(q)
	})
	if o := writer(t, addr, nil).Apply(t.Context(), move); o.Kind != zone.Applied {
		t.Error(o)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != 4 {
		t.Errorf("%d updates, want 4", len(seen))
	}
}

func TestKeysAndRights(t *testing.T) {
	s := dnstest.Start(t, server.Config{Zone: "example.test.", Text: dnstest.Zone, Keys: dnstest.Grants(t), CheckTargets: true})
	reader := dnstest.TransferKey(t)
	wrong := dnstest.Key(t, "ims-update", "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=")
	unknown := dnstest.Key(t, "nobody", "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=")
	algorithm, err := tsig.NewKey("ims-update", "hmac-sha512", "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		edit func(*rfc2136.Config)
		want zone.Kind
	}{
		{"good", nil, zone.Ready},
		{"wrong secret", func(c *rfc2136.Config) { c.Key = &wrong }, zone.BadSig},
		{"unknown key", func(c *rfc2136.Config) { c.Key = &unknown }, zone.BadKey},
		{"other algorithm", func(c *rfc2136.Config) { c.Key = &algorithm }, zone.BadKey},
		{"no right", func(c *rfc2136.Config) { c.Key = &reader }, zone.Denied},
		{"unsigned", func(c *rfc2136.Config) { c.Key, c.Unsigned = nil, true }, zone.Denied},
	} {
		w := writer(t, s.Addr(), c.edit)
		if o := w.Preflight(t.Context(), move); o.Kind != c.want {
			t.Errorf("%s: preflight: %v, want %v", c.name, o, c.want)
		}
		if c.want != zone.Ready {
			if o := w.Apply(t.Context(), move); o.Kind != c.want || !o.Got.Equal(move.Old) {
				t.Errorf("%s: apply: %v with %v, want %v", c.name, o, o.Got, c.want)
			}
		}
	}
	other := writer(t, s.Addr(), func(c *rfc2136.Config) { c.Zone = "other.test." })
	c := zone.Change{Zone: "other.test.", Old: zone.NewRRset("other.test.", "MX", 1), New: zone.NewRRset("other.test.", "MX", 1, "10 a.")}
	if o := other.Preflight(t.Context(), c); o.Kind != zone.NotAuthZone {
		t.Errorf("zone not served: %v", o)
	}
	if o := other.Apply(t.Context(), c); o.Kind != zone.NotAuthZone {
		t.Errorf("zone not served: %v", o)
	}
	if s.Serial() != 1 {
		t.Error("a refused update changed the zone")
	}
}

func TestClockSkew(t *testing.T) {
	s := dnstest.Primary(t)
	const off = 1000
	addr := proxy(t, s.Addr(), func(_ int, q []byte, _ func([]byte) []byte) []byte {
		return forge(q, func(r *dns.Msg) {
			now := time.Now().Unix()
			r.Rcode = dns.RcodeNotAuth
			r.SetTsig("ims-update.", dns.HmacSHA256, 300, now)
			ts := r.IsTsig()
			ts.Error, ts.OtherLen = dns.RcodeBadTime, 6
			var b [8]byte
			binary.BigEndian.PutUint64(b[:], uint64(now+off))
			ts.OtherData = hexOf(b[2:])
			ts.MACSize, ts.MAC = 0, ""
		})
	})
	if o := writer(t, addr, nil).Apply(t.Context(), move); o.Kind != zone.ClockSkew || o.Skew != off*time.Second {
		t.Errorf("%v, skew %v", o, o.Skew)
	}
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	var out []byte
	for _, x := range b {
		out = append(out, digits[x>>4], digits[x&15])
	}
	return string(out)
}

func TestTargetsAndAliases(t *testing.T) {
	s := dnstest.Primary(t)
	w := writer(t, s.Addr(), nil)
	for _, c := range []struct {
		target string
		want   zone.Kind
	}{
		{"10 missing.example.test.", zone.Rejected},
		{"10 alias.example.test.", zone.Rejected},
		{"10 mail.child.example.test.", zone.Applied}, // below a delegation: not ours to judge
	} {
		if o := w.Apply(t.Context(), zone.Change{Zone: "example.test.", Old: move.Old, New: mx(c.target)}); o.Kind != c.want {
			t.Errorf("%s: %v, want %v", c.target, o, c.want)
		}
	}
	at := func(data ...string) zone.RRset { return zone.NewRRset("alias.example.test.", "MX", 300, data...) }
	if o := w.Apply(t.Context(), zone.Change{Zone: "example.test.", Old: at(), New: at("10 new.example.test.")}); o.Kind != zone.Rejected {
		t.Errorf("MX beside an alias: %v", o)
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	w := writer(t, addr, nil)
	if o := w.Apply(t.Context(), move); o.Kind != zone.Unreachable {
		t.Errorf("nothing listens: %v", o)
	}
	if o := w.Preflight(t.Context(), move); o.Kind != zone.Unreachable {
		t.Errorf("nothing listens: %v", o)
	}
}

func TestNewRefuses(t *testing.T) {
	key := dnstest.UpdateKey(t)
	for name, cfg := range map[string]rfc2136.Config{
		"no key":         {Zone: "z.", Server: "127.0.0.1"},
		"key and none":   {Zone: "z.", Server: "127.0.0.1", Key: &key, Unsigned: true},
		"name as server": {Zone: "z.", Server: "ns1.example.test", Key: &key},
	} {
		if _, err := rfc2136.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// What the data already decides, and what a dry run asks, never becomes an
// update on the wire.
func TestNoUpdateIsSent(t *testing.T) {
	s := dnstest.Primary(t)
	var updates atomic.Int32
	addr := proxy(t, s.Addr(), func(_ int, q []byte, ask func([]byte) []byte) []byte {
		updates.Add(1)
		return ask(q)
	})
	w := writer(t, addr, nil)
	for _, c := range []struct {
		name string
		got  zone.Outcome
		want zone.Kind
	}{
		{"stale", w.Apply(t.Context(), zone.Change{Zone: "example.test.", Old: mx("10 other.example.net."), New: move.New}), zone.Conflict},
		{"already so", w.Apply(t.Context(), zone.Change{Zone: "example.test.", Old: move.New, New: move.Old}), zone.AlreadyApplied},
		{"outside", w.Apply(t.Context(), zone.Change{Zone: "example.test.", Old: zone.NewRRset("x.", "MX", 1), New: zone.NewRRset("x.", "MX", 1, "10 a.")}), zone.NotInZone},
		{"dry run", zone.ReadOnly(w).Apply(t.Context(), move), zone.Unsupported},
		{"dry run, preflight", zone.ReadOnly(w).Preflight(t.Context(), move), zone.Unsupported},
	} {
		if c.got.Kind != c.want {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
	if n := updates.Load(); n != 0 {
		t.Errorf("%d updates were sent", n)
	}
}
