package zonetest

import (
	"fmt"
	"testing"

	"example.org/ims/pkg/zone"
)

// Targets lie outside every test zone, so that no server looks for addresses.
const (
	gw   = "10 gw.example.net."
	back = "20 backup.example.net."
	succ = "10 successor.example.net."
)

func testCreate(t *testing.T, r *room) {
	r.holds(t, r.mx(0))
	o := r.apply(t, r.change(r.mx(0), r.mx(300, gw, back)), zone.Applied)
	if !o.Got.Equal(r.mx(300, gw, back)) {
		t.Errorf("outcome carries %v", o.Got)
	}
	r.holds(t, r.mx(300, gw, back))
	r.holds(t, zone.NewRRset(r.name, "TXT", 0))
}

func testReplace(t *testing.T, r *room) {
	r.seed(t, r.mx(300, gw, back))
	r.apply(t, r.change(r.mx(300, gw, back), r.mx(60, succ)), zone.Applied)
	r.holds(t, r.mx(60, succ))
}

func testAlreadyApplied(t *testing.T, r *room) {
	r.seed(t, r.mx(300, gw))
	c := r.change(r.mx(300, gw), r.mx(300, succ))
	r.apply(t, c, zone.Applied)
	r.apply(t, c, zone.AlreadyApplied)
	o := r.apply(t, r.change(r.mx(300, "5 elsewhere.example.net."), r.mx(300, succ)), zone.AlreadyApplied)
	if !o.Got.Equal(r.mx(300, succ)) {
		t.Errorf("outcome carries %v", o.Got)
	}
	r.holds(t, r.mx(300, succ))
}

func testStale(t *testing.T, r *room) {
	r.seed(t, r.mx(300, "5 somebody.example.net."))
	o := r.apply(t, r.change(r.mx(300, gw), r.mx(300, succ)), zone.Conflict)
	if !o.Got.Equal(r.mx(300, "5 somebody.example.net.")) {
		t.Errorf("conflict shows %v", o.Got)
	}
	r.holds(t, r.mx(300, "5 somebody.example.net."))
}

func testPart(t *testing.T, r *room) {
	r.seed(t, r.mx(300, gw, back))
	r.apply(t, r.change(r.mx(300, gw), r.mx(300, succ)), zone.Conflict)
	r.apply(t, r.change(r.mx(300, gw, back, "30 third.example.net."), r.mx(300, succ)), zone.Conflict)
	r.apply(t, r.change(r.mx(300, "11 gw.example.net.", back), r.mx(300, succ)), zone.Conflict)
	r.holds(t, r.mx(300, gw, back))
}

func testMustNotExist(t *testing.T, r *room) {
	r.seed(t, r.mx(300, gw))
	o := r.apply(t, r.change(r.mx(0), r.mx(300, succ)), zone.Conflict)
	if !o.Got.Equal(r.mx(300, gw)) {
		t.Errorf("conflict shows %v", o.Got)
	}
	r.holds(t, r.mx(300, gw))
}

func testDelete(t *testing.T, r *room) {
	r.seed(t, r.mx(300, gw, back))
	del := r.change(r.mx(300, gw, back), r.mx(0))
	r.apply(t, r.change(r.mx(300, gw), r.mx(0)), zone.Conflict)
	r.apply(t, del, zone.Applied)
	r.holds(t, r.mx(0))
	r.apply(t, del, zone.AlreadyApplied)
	o := r.apply(t, r.change(r.mx(300, gw), r.mx(300, succ)), zone.Conflict)
	if !o.Got.Empty() || o.Got.Name != r.name {
		t.Errorf("conflict with nothing shows %v", o.Got)
	}
	r.apply(t, r.change(r.mx(0), r.mx(300, gw)), zone.Applied)
	r.holds(t, r.mx(300, gw))
}

func testTTL(t *testing.T, r *room) {
	r.seed(t, r.mx(86400, gw, back))
	lower := r.change(r.mx(86400, gw, back), r.mx(60, gw, back))
	r.apply(t, lower, zone.Applied)
	r.holds(t, r.mx(60, gw, back))
	r.apply(t, lower, zone.AlreadyApplied)
	// Old's TTL is not a condition.
	r.apply(t, r.change(r.mx(86400, gw, back), r.mx(60, succ)), zone.Applied)
	r.holds(t, r.mx(60, succ))
}

func testNullMX(t *testing.T, r *room) {
	if !r.w.Caps().NullMX {
		t.Skip("writer cannot publish a null MX")
	}
	r.seed(t, r.mx(300, gw))
	r.apply(t, r.change(r.mx(300, gw), r.mx(300, "0 .")), zone.Applied)
	r.holds(t, r.mx(300, "0 ."))
	r.apply(t, r.change(r.mx(300, "0 ."), r.mx(300, "0 .", gw)), zone.Rejected)
	r.apply(t, r.change(r.mx(300, "0 ."), r.mx(300, gw)), zone.Applied)
	r.holds(t, r.mx(300, gw))
}

func testLetterCase(t *testing.T, r *room) {
	r.seed(t, zone.RRset{Name: "ZT-Letter-Case." + r.Zone, Type: "mx", TTL: 300, Data: []string{"10 GW.Example.NET"}})
	r.apply(t, r.change(r.mx(300, gw), r.mx(300, "10 Successor.Example.net.")), zone.Applied)
	r.holds(t, r.mx(300, succ))
	txt := func(s string) zone.RRset { return zone.NewRRset(r.name, "TXT", 300, s) }
	r.seed(t, txt(`"id=Ab"`))
	r.apply(t, r.change(txt(`"id=ab"`), txt(`"id=cd"`)), zone.Conflict)
	r.holds(t, txt(`"id=Ab"`))
}

func testTypes(t *testing.T, r *room) {
	for _, c := range []struct{ typ, old, new string }{
		{"A", "192.0.2.1", "192.0.2.2"},
		{"AAAA", "2001:db8::1", "2001:DB8:0::2"},
		{"TXT", `"v=spf1 mx -all"`, `"v=spf1 mx" " ip4:192.0.2.1 -all"`},
		{"SRV", "0 5 587 gw.example.net.", "0 5 587 successor.example.net."},
		{"TLSA", "3 1 1 aa", "3 1 1 BB"},
		{"PTR", "gw.example.net.", "successor.example.net."},
	} {
		old, new := zone.NewRRset(r.name, c.typ, 300, c.old), zone.NewRRset(r.name, c.typ, 300, c.new)
		r.seed(t, old)
		r.apply(t, r.change(old, new), zone.Applied)
		r.holds(t, new)
	}
	cname := func(data ...string) zone.RRset { return zone.NewRRset("c."+r.name, "CNAME", 300, data...) }
	r.seed(t, cname("gw.example.net."))
	r.apply(t, r.change(cname("gw.example.net."), cname("successor.example.net.")), zone.Applied)
	r.holds(t, cname("successor.example.net."))
	beside := zone.NewRRset("c."+r.name, "MX", 300, gw)
	if o := r.w.Apply(t.Context(), r.change(zone.NewRRset("c."+r.name, "MX", 0), beside)); o.Done() || o.Kind == zone.Unknown {
		t.Errorf("an MX beside a CNAME: %v", o)
	}
	r.holds(t, cname("successor.example.net."))
}

// testNames makes the records of a name that did not exist, and takes them away
// again: of each type alone, whatever the others are.
func testNames(t *testing.T, r *room) {
	types := []struct{ typ, data string }{
		{"A", "192.0.2.9"}, {"AAAA", "2001:db8::9"}, {"TXT", `"v=spf1 a -all"`}, {"PTR", "drain.example.net."},
	}
	absent := func(typ string) zone.RRset { return zone.NewRRset(r.name, typ, 0) }
	made := func(i int) zone.RRset { return zone.NewRRset(r.name, types[i].typ, 300, types[i].data) }
	for i, c := range types {
		r.holds(t, absent(c.typ))
		r.apply(t, r.change(absent(c.typ), made(i)), zone.Applied)
		r.apply(t, r.change(absent(c.typ), made(i)), zone.AlreadyApplied)
	}
	for i, c := range types {
		r.holds(t, made(i))
		r.apply(t, r.change(made(i), absent(c.typ)), zone.Applied)
		r.holds(t, absent(c.typ))
	}
}

// testMany uses an answer that fits no UDP datagram without EDNS.
func testMany(t *testing.T, r *room) {
	var data []string
	for i := range 60 {
		data = append(data, fmt.Sprintf("%d a-mail-exchanger-with-a-long-name-%d.example.net.", i, i))
	}
	r.seed(t, r.mx(300, data...))
	r.apply(t, r.change(r.mx(300, data[:59]...), r.mx(300, succ)), zone.Conflict)
	r.apply(t, r.change(r.mx(300, data...), r.mx(300, data[:59]...)), zone.Applied)
	r.holds(t, r.mx(300, data[:59]...))
}

func testReverse(t *testing.T, r *room) {
	r.seed(t, r.mx(300, gw, back))
	c := r.change(r.mx(300, gw, back), r.mx(60, succ))
	r.apply(t, c, zone.Applied)
	r.apply(t, c.Reverse(), zone.Applied)
	r.holds(t, r.mx(300, gw, back))
	r.apply(t, r.change(r.mx(300, gw, back), r.mx(60, "1 third.example.net.")), zone.Applied)
	r.apply(t, c.Reverse(), zone.Conflict)
	r.holds(t, r.mx(60, "1 third.example.net."))
}
