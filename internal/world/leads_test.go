package world

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/engine"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/zone"
)

func rr(name, typ string, data ...string) zone.RRset { return zone.NewRRset(name, typ, 60, data...) }

// TestWays: an MX leads here by the host name, by an alias of it, and by an
// address of the machine, if only beside others; and where that cannot be found
// out, nobody says that it does not.
func TestWays(t *testing.T) {
	outside := func(set zone.RRset, err error) func(*World) {
		return func(w *World) {
			w.cfg.LookUp = func(_ context.Context, name, typ string) (zone.RRset, error) {
				if set.Name == zone.CanonicalName(name) && set.Type == typ {
					return set, err
				}
				return zone.NewRRset(name, typ, 0), err
			}
		}
	}
	for _, tt := range []struct {
		name string
		mx   zone.RRset
		more []zone.RRset
		as   func(*World)
		here zone.Verdict
		how  []string
	}{
		{"its host name", rr("example.test", "MX", "10 east.test"), nil, nil, zone.Yes, []string{"10 east.test"}},
		{"another name", rr("example.test", "MX", "5 mx1.test"), []zone.RRset{rr("mx1.test", "A", "192.0.2.10")}, nil, zone.Yes, []string{"5 mx1.test (leads to east: 192.0.2.10)"}},
		{"by IPv6", rr("example.test", "MX", "5 mx1.test"), []zone.RRset{rr("mx1.test", "AAAA", "2001:db8::10")}, nil, zone.Yes, []string{"5 mx1.test (leads to east: 2001:db8::10)"}},
		{"beside others", rr("example.test", "MX", "5 mx1.test"), []zone.RRset{rr("mx1.test", "A", "192.0.2.9", "192.0.2.10")}, nil, zone.Yes, []string{"5 mx1.test (leads to east: 192.0.2.10)"}},
		{"an alias", rr("example.test", "MX", "5 mx1.test"), []zone.RRset{rr("mx1.test", "CNAME", "east.test")}, nil, zone.Yes, []string{"5 mx1.test (leads to east: an alias of east.test)"}},
		{
			"an alias of an alias", rr("example.test", "MX", "5 mx1.test"),
			[]zone.RRset{rr("mx1.test", "CNAME", "mx2.test"), rr("mx2.test", "CNAME", "east.test")},
			nil,
			zone.Yes,
			[]string{"5 mx1.test (leads to east: an alias of east.test)"},
		},
		{"a circle of aliases", rr("example.test", "MX", "5 mx1.test"), []zone.RRset{rr("mx1.test", "CNAME", "mx1.test")}, nil, zone.Unsure, []string{
			"5 mx1.test (where it leads is not known: the chain of aliases that mx1.test is in is too long)",
		}},
		{"a neighbour", rr("example.test", "MX", "5 mx1.test"), []zone.RRset{rr("mx1.test", "A", "192.0.2.11")}, nil, zone.No, []string{"5 mx1.test"}},
		{"nobody", rr("example.test", "MX", "5 mx1.test"), nil, nil, zone.No, []string{"5 mx1.test"}},
		{"nobody wants mail", rr("example.test", "MX", "0 ."), []zone.RRset{rr("example.test", "A", "192.0.2.10")}, nil, zone.No, nil},
		{"without an MX", rr("example.test", "MX"), []zone.RRset{rr("example.test", "A", "192.0.2.10")}, nil, zone.Yes, []string{
			"example.test itself, for want of an MX (RFC 5321 5.1) (leads to east: 192.0.2.10)",
		}},
		{"without an MX, elsewhere", rr("example.test", "MX"), []zone.RRset{rr("example.test", "A", "192.0.2.11")}, nil, zone.No, []string{"example.test itself, for want of an MX (RFC 5321 5.1)"}},
		{"a domain that is an alias", rr("example.test", "MX"), []zone.RRset{rr("example.test", "CNAME", "other.test"), rr("other.test", "MX", "10 east.test")}, nil, zone.Yes, []string{
			"example.test itself, for want of an MX (RFC 5321 5.1) (leads to east: an alias of other.test, MX 10 east.test)",
		}},
		{"outside, and nobody asks", rr("example.test", "MX", "5 mx.other.example"), nil, nil, zone.Unsure, []string{
			"5 mx.other.example (where it leads is not known: mx.other.example is in no zone of the configuration, and nobody looks it up)",
		}},
		{"outside, here", rr("example.test", "MX", "5 mx.other.example"), nil, outside(rr("mx.other.example", "A", "192.0.2.10"), nil), zone.Yes, []string{"5 mx.other.example (leads to east: 192.0.2.10)"}},
		{"outside, an alias of a name inside", rr("example.test", "MX", "5 mx.other.example"), nil, outside(rr("mx.other.example", "CNAME", "east.test"), nil), zone.Yes, []string{
			"5 mx.other.example (leads to east: an alias of east.test)",
		}},
		{"outside, elsewhere", rr("example.test", "MX", "5 mx.other.example"), nil, outside(rr("mx.other.example", "A", "192.0.2.11"), nil), zone.No, []string{"5 mx.other.example"}},
		{"one that is known is enough", rr("example.test", "MX", "5 mx1.test", "6 mx.other.example"), []zone.RRset{rr("mx1.test", "A", "192.0.2.10")}, outside(zone.RRset{}, errors.New("no answer")), zone.Yes, []string{
			"5 mx1.test (leads to east: 192.0.2.10)", "6 mx.other.example (where it leads is not known: no answer)",
		}},
		{
			"the same addresses behind another port", rr("example.test", "MX", "5 mx1.test", "6 mx2.test"),
			[]zone.RRset{rr("mx1.test", "A", "192.0.2.10"), rr("mx2.test", "CNAME", "east.test")},
			func(w *World) {
				w.cfg.Neighbours = []Neighbour{{"north", w.cfg.Machine.Addresses}}
			}, zone.Yes,
			[]string{"5 mx1.test", "6 mx2.test (leads to east: an alias of east.test)"},
		},
		{
			"where it listens is not what is published", rr("example.test", "MX", "5 mx1.test"),
			[]zone.RRset{rr("mx1.test", "A", "203.0.113.1")},
			func(w *World) {
				w.cfg.Machine = Machine{Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1")}, Assumed: true}
			}, zone.Yes,
			[]string{"5 mx1.test (leads to east: 203.0.113.1)"},
		},
		{
			"no address of it is known", rr("example.test", "MX", "5 mx1.test"),
			[]zone.RRset{rr("mx1.test", "A", "203.0.113.1")},
			func(w *World) { w.cfg.Machine, w.cfg.Hostname = Machine{}, "gone.test" }, zone.Unsure,
			[]string{
				"5 mx1.test (where it leads is not known: the addresses of east are not known, add addresses to gateways.east of ims.yaml: its host name has no address)",
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, z := host()
			for _, s := range tt.more {
				z.Set(s)
			}
			if tt.as != nil {
				tt.as(w)
			}
			here, ways := w.Leads().Ways(t.Context(), tt.mx)
			var how []string
			for _, v := range ways {
				how = append(how, v.String())
			}
			if diff := cmp.Diff(tt.how, how); diff != "" || here != tt.here {
				t.Errorf("leads here: %s, want %s; by (-want +got):\n%s", here, tt.here, diff)
			}
		})
	}
}

// TestAServerThatLagsOrIsSilent: a name leads here while one server says so, and
// of what no server says nobody is sure.
func TestAServerThatLagsOrIsSilent(t *testing.T) {
	w, z := host()
	z.Set(rr("mx1.test", "A", "192.0.2.10"))
	z.AddServer("ns2.test", 0)
	z.Freeze("ns2.test")
	z.Set(rr("mx1.test", "A", "192.0.2.20"))
	if got := w.Leads().Host(t.Context(), "mx1.test"); got.Here != zone.Yes {
		t.Errorf("one server still leads here: %+v", got)
	}
	z.Down("ns2.test", true)
	if got := w.Leads().Host(t.Context(), "mx1.test"); got.Here != zone.Unsure || !strings.Contains(got.How, "ns2.test. (192.0.2.54:53) does not say what mx1.test A is: i/o timeout") {
		t.Errorf("one server says nothing: %+v", got)
	}
}

// TestMovesWhatLeadsHere: an effect moves whatever led here when it was decided,
// and nothing else; undone, everything is as it was.
func TestMovesWhatLeadsHere(t *testing.T) {
	for _, tt := range []struct {
		name string
		mx   zone.RRset
		args machine.Args
		want zone.RRset
		back string // data of the MX once it is undone; "" is what it was
	}{
		{"another name, and one of others", rr("example.test", "MX", "5 mx1.test", "7 backup.test", "10 east.test"), machine.Args{}, rr("example.test", "MX", "5 west.test", "7 backup.test", "10 west.test"), ""},
		{"an alias alone", rr("example.test", "MX", "5 alias.test"), machine.Args{}, rr("example.test", "MX", "5 west.test"), "5 east.test"},
		{"without an MX", rr("example.test", "MX"), machine.Args{}, zone.NewRRset("example.test", "MX", newTTL, "10 west.test"), ""},
		{"nobody wants mail", rr("example.test", "MX", "0 ."), machine.Args{}, rr("example.test", "MX", "0 ."), ""},
		{"of others alone", rr("example.test", "MX", "5 backup.test"), machine.Args{}, rr("example.test", "MX", "5 backup.test"), ""},
		{"both, at the preference of the other name", rr("example.test", "MX", "5 backup.test", "7 mx1.test"), machine.Args{Also: true}, rr("example.test", "MX", "5 backup.test", "7 mx1.test", "7 west.test"), ""},
		{"both, without an MX", rr("example.test", "MX"), machine.Args{Also: true}, zone.NewRRset("example.test", "MX", newTTL, "10 east.test", "10 west.test"), ""},
		{"null, without an MX", rr("example.test", "MX"), machine.Args{NullMX: true}, zone.NewRRset("example.test", "MX", newTTL, "0 ."), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, z := host()
			for _, s := range []zone.RRset{tt.mx, rr("mx1.test", "A", "192.0.2.10"), rr("alias.test", "CNAME", "east.test"), rr("backup.test", "A", "192.0.2.99"), rr("example.test", "A", "192.0.2.10")} {
				z.Set(s)
			}
			e := engine.Effect{Action: machine.DNSRRset, Args: tt.args, Target: "example.test"}
			var err error
			if e.Image, _, err = w.Image(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			z.Set(rr("mx1.test", "A", "192.0.2.20")) // that was decided before
			w = New(w.cfg)                           // and by another process
			check := func(what string, want zone.RRset) {
				t.Helper()
				if res := w.Perform(t.Context(), e); res.State != machine.Done {
					t.Errorf("%s: %+v", what, res)
				}
				if got, err := z.Read(t.Context(), "example.test", "MX"); err != nil || !got.SameData(want) || (!want.Empty() && got.TTL != want.TTL) {
					t.Errorf("%s: %s, %v, want %s", what, got, err, want)
				}
				if res := w.Look(t.Context(), e); res.State != machine.Done {
					t.Errorf("%s: a look finds %+v", what, res)
				}
			}
			check("done", tt.want)
			e.Undo = true
			if tt.back != "" {
				tt.mx.Data = []string{tt.back}
			}
			check("undone", tt.mx)
		})
	}
}

// TestUndoOfWhatWasNotDone leaves an alias where it is: nobody changed it.
func TestUndoOfWhatWasNotDone(t *testing.T) {
	w, z := host()
	z.Set(rr("example.test", "MX", "5 alias.test"))
	z.Set(rr("alias.test", "CNAME", "east.test"))
	e := engine.Effect{Action: machine.DNSRRset, Target: "example.test"}
	var err error
	if e.Image, _, err = w.Image(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	e.Undo = true
	if res := w.Perform(t.Context(), e); res.State != machine.Done || len(z.Applied()) > 0 {
		t.Errorf("%+v, changes %v", res, z.Applied())
	}
	if res := w.Look(t.Context(), e); res.State != machine.Done {
		t.Errorf("a look finds %+v", res)
	}
}

// TestNothingIsDecidedInTheDark: an effect waits until it is known where every
// name leads.
func TestNothingIsDecidedInTheDark(t *testing.T) {
	w, z := host()
	z.Set(rr("example.test", "MX", "5 mx.other.example", "10 east.test"))
	_, _, err := w.Image(t.Context(), engine.Effect{Action: machine.DNSRRset, Target: "example.test"})
	if err == nil || !strings.Contains(err.Error(), "5 mx.other.example (where it leads is not known") {
		t.Errorf("the image is decided: %v", err)
	}
}

// TestImagesOfBefore reads the image of a run that an earlier version began.
func TestImagesOfBefore(t *testing.T) {
	for _, image := range []string{
		`[{"name":"example.test.","type":"MX","ttl":60,"data":["10 east.test."]}]`, `{"name":"example.test.","type":"MX","ttl":60,"data":["10 east.test."]}`,
	} {
		got, err := before(image)
		if diff := cmp.Diff([]former{{RRset: rr("example.test", "MX", "10 east.test")}}, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
}

// mxFacts observes the MX as a run that remembers.
func mxFacts(t *testing.T, w *World, memory map[string]string) (here, wanted, agree, expired facts.Value) {
	t.Helper()
	o := &observer{World: w, ctx: t.Context(), set: facts.NewSet(), now: time.Now(), memory: memory}
	o.recall()
	o.mx()
	o.memorize()
	v := o.set.Vector()
	return v[facts.MxHere], v[facts.MxWanted], v[facts.MxAgree], v[facts.MxExpired]
}

// TestCachesOfOtherNames: what led here by another name is cached as long as the
// record that was changed: the MX, the address, the alias, or the absence of an MX.
func TestCachesOfOtherNames(t *testing.T) {
	ttl := func(n uint32, r zone.RRset) zone.RRset { r.TTL = n; return r }
	at := func(m ...int) (out []time.Duration) {
		for _, n := range m {
			out = append(out, time.Duration(n)*time.Minute)
		}
		return out
	}
	mx1 := ttl(600, rr("example.test", "MX", "5 mx1.test"))
	address := ttl(7200, rr("mx1.test", "A", "192.0.2.10"))
	for _, tt := range []struct {
		name    string
		sets    []zone.RRset // here
		change  []zone.RRset // and no more
		no, yes []time.Duration
	}{
		{"the MX moves, the name stays", []zone.RRset{mx1, address}, []zone.RRset{ttl(600, rr("example.test", "MX", "5 west.test"))}, at(1, 9), at(12)},
		{"the address changes", []zone.RRset{mx1, address}, []zone.RRset{ttl(7200, rr("mx1.test", "A", "192.0.2.20")), rr("west.test", "A", "192.0.2.20")}, at(11, 60, 142), at(144)},
		{
			"the alias changes",
			[]zone.RRset{mx1, ttl(3600, rr("mx1.test", "CNAME", "east.test"))},
			[]zone.RRset{ttl(60, rr("mx1.test", "CNAME", "west.test")), rr("west.test", "A", "192.0.2.20")},
			at(11, 76), at(78),
		},
		{
			"an MX comes where none was",
			[]zone.RRset{rr("example.test", "MX"), ttl(7200, rr("example.test", "A", "192.0.2.10"))},
			[]zone.RRset{ttl(60, rr("example.test", "MX", "10 west.test"))},
			at(1, 4), at(7), // dns.NegativeTTL is five minutes
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, z := host()
				for _, s := range append(tt.sets, rr("west.test", "A", "192.0.2.20")) {
					z.Set(s)
				}
				time.Sleep(time.Hour)
				memory := map[string]string{}
				if here, wanted, _, expired := mxFacts(t, w, memory); here != 1 || wanted != 0 || expired != 0 {
					t.Fatalf("before: here %d, wanted %d, expired %d", here, wanted, expired)
				}
				for _, s := range tt.change {
					z.Set(s)
				}
				begun := time.Now()
				for i, when := range append(tt.no, tt.yes...) {
					time.Sleep(time.Until(begun.Add(when)))
					if i == 0 {
						mxFacts(t, w, memory)
					}
					w = New(w.cfg) // another process
					here, _, _, expired := mxFacts(t, w, memory)
					if want := facts.Bool(i >= len(tt.no)); here != 0 || expired != want {
						t.Errorf("after %s: here %d, expired %d, want 0, %d", when, here, expired, want)
					}
				}
			})
		})
	}
}

// TestLeadsBack: an address that is put back leads here again, and a name of
// which nobody knows makes nothing known.
func TestLeadsBack(t *testing.T) {
	w, z := host()
	memory := map[string]string{}
	z.Set(rr("example.test", "MX", "5 mx1.test"))
	for _, tt := range []struct {
		address string
		here    facts.Value
	}{{"192.0.2.20", 0}, {"192.0.2.10", 1}, {"192.0.2.20", 0}, {"192.0.2.10", 1}} {
		z.Set(rr("mx1.test", "A", tt.address))
		if here, _, _, expired := mxFacts(t, w, memory); here != tt.here || expired == 1 {
			t.Errorf("at %s: here %d, expired %d", tt.address, here, expired)
		}
	}
	z.Set(rr("example.test", "MX", "5 mx.other.example"))
	if here, wanted, agree, expired := mxFacts(t, w, memory); here != facts.Unknown || wanted != 0 || agree != 1 || expired == 1 {
		t.Errorf("here %d, wanted %d, agree %d, expired %d", here, wanted, agree, expired)
	}
}
