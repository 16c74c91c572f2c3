package world

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"example.org/ims/pkg/zone"
)

// TestSuccessorIsPublished: an MX may name the successor only if the world finds
// it there.
func TestSuccessorIsPublished(t *testing.T) {
	addr := func(list ...string) (out []netip.Addr) {
		for _, a := range list {
			out = append(out, netip.MustParseAddr(a))
		}
		return out
	}
	const fix = "publish west.test. A 192.0.2.20, and no other address or alias of it, in zone test; or, if that is wrong, set gateways.west.addresses of ims.yaml"
	for _, tt := range []struct {
		name string
		sets []zone.RRset
		as   func(*World)
		want Publication
	}{
		{"as it should be", []zone.RRset{rr("west.test", "A", "192.0.2.20")}, nil, Publication{Verdict: zone.Yes, Why: "west.test leads to 192.0.2.20, and not to east"}},
		{"no address", nil, nil, Publication{zone.No, "west.test has no address, so mail for an MX that names it goes nowhere", fix}},
		{"a foreign address", []zone.RRset{rr("west.test", "A", "192.0.2.77")}, nil, Publication{zone.No, "west.test leads to 192.0.2.77, which is no address of west: it has 192.0.2.20", fix}},
		{"one too many", []zone.RRset{rr("west.test", "A", "192.0.2.20", "192.0.2.77")}, nil, Publication{zone.No, "west.test leads to 192.0.2.77, which is no address of west: it has 192.0.2.20", fix}},
		{"the gateway's address", []zone.RRset{rr("west.test", "A", "192.0.2.10", "192.0.2.20")}, nil, Publication{zone.No, "west.test leads to east: 192.0.2.10, so an MX that names it leads here", fix}},
		{"an alias of the gateway", []zone.RRset{rr("west.test", "CNAME", "east.test")}, nil, Publication{zone.No, "west.test leads to east: an alias of east.test, so an MX that names it leads here", fix}},
		{
			"an alias",
			[]zone.RRset{rr("west.test", "CNAME", "real.test"), rr("real.test", "A", "192.0.2.20")},
			nil,
			Publication{zone.No, "west.test is an alias of real.test, and an MX may name no alias (RFC 2181 10.3)", fix},
		},
		{"one of two addresses", []zone.RRset{rr("west.test", "A", "192.0.2.20")}, func(w *World) {
			w.cfg.SuccessorMachine.Addresses = addr("192.0.2.20", "2001:db8::20")
		}, Publication{
			zone.No, "west.test leads to 192.0.2.20, and the addresses of west are 192.0.2.20, 2001:db8::20",
			strings.Replace(fix, "192.0.2.20,", "192.0.2.20 and west.test. AAAA 2001:db8::20,", 1),
		}},
		{"where it listens, and elsewhere", []zone.RRset{rr("west.test", "A", "192.0.2.20", "192.0.2.77")}, func(w *World) { w.cfg.SuccessorMachine.Assumed = true }, Publication{
			Verdict: zone.Yes, Why: "west.test leads to 192.0.2.20, 192.0.2.77, and not to east",
		}},
		{"not where it listens", []zone.RRset{rr("west.test", "A", "192.0.2.77")}, func(w *World) { w.cfg.SuccessorMachine.Assumed = true }, Publication{
			zone.No, "west.test leads to 192.0.2.77, and west listens at 192.0.2.20", fix,
		}},
		{"translated on the way", []zone.RRset{rr("west.test", "A", "192.0.2.77")}, func(w *World) {
			w.cfg.SuccessorMachine = Machine{Addresses: addr("10.0.0.20"), Assumed: true}
		}, Publication{Verdict: zone.Yes, Why: "west.test leads to 192.0.2.77, and not to east"}},
		{"of a runbook that publishes nothing", nil, func(w *World) { w.want.publishes = false }, Publication{Verdict: zone.Yes, Why: "the runbook publishes no name of a successor"}},
		{"the same addresses by configuration", []zone.RRset{rr("west.test", "A", "192.0.2.10")}, func(w *World) {
			w.cfg.Machine.Addresses = addr("192.0.2.10")
			w.cfg.SuccessorMachine.Addresses = addr("192.0.2.10")
		}, Publication{Verdict: zone.Yes, Why: "west.test leads to 192.0.2.10, and not to east"}},
		{"a table of hosts hides nothing", []zone.RRset{rr("west.test", "A", "192.0.2.77")}, func(w *World) {
			w.cfg.LookUp = func(_ context.Context, name, typ string) (zone.RRset, error) { return rr(name, typ, "192.0.2.20"), nil }
		}, Publication{zone.No, "west.test leads to 192.0.2.77, which is no address of west: it has 192.0.2.20", fix}},
		{"outside, and nobody answers", nil, func(w *World) {
			w.cfg.SuccessorHostname = "west.other.example"
			w.cfg.LookUp = func(_ context.Context, name, typ string) (zone.RRset, error) {
				return zone.NewRRset(name, typ, 0), errors.New("no answer")
			}
		}, Publication{
			zone.Unsure, "where west.other.example leads is not known: no answer",
			"see that the servers of resolver.servers answer for west.other.example, or add its zone to zones",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, z := host()
			w.cfg.SuccessorName, w.want.publishes = "west", true
			for _, s := range tt.sets {
				z.Set(s)
			}
			if tt.as != nil {
				tt.as(w)
			}
			if got := w.Leads().Successor(t.Context()); got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// TestSuccessorInTheDark: while a server of the zone says nothing, nobody knows
// where the successor's name leads.
func TestSuccessorInTheDark(t *testing.T) {
	w, z := host()
	w.cfg.SuccessorName, w.want.publishes = "west", true
	z.Set(rr("west.test", "A", "192.0.2.20"))
	z.AddServer("ns2.test", 0)
	z.Down("ns2.test", true)
	w.cfg.Hosts = map[string]netip.Addr{"west.test.": netip.MustParseAddr("192.0.2.20")} // of no account while one answers
	got := w.Leads().Successor(t.Context())
	if got.Verdict != zone.Unsure || got.Fix != "see that every server of zone test answers for west.test" {
		t.Errorf("%+v", got)
	}
	z.Down(z.Primary(), true)
	want := Publication{Verdict: zone.Yes, Why: "west.test leads to 192.0.2.20, and not to east"}
	if got := w.Leads().Successor(t.Context()); got != want {
		t.Errorf("no server answers, and the table of hosts has it: %+v", got)
	}
}
