package wire

import (
	"slices"
	"strings"
	"testing"

	"example.org/ims/internal/preflight"
	"example.org/ims/internal/runner"
	"example.org/ims/pkg/zone"
)

// TestWhatLeadsToTheGateway: a preflight knows the gateway by every name that
// leads to it, and the successor by what is published of it.
func TestWhatLeadsToTheGateway(t *testing.T) {
	o := newTown(t, false)
	o.cfg.Retire.Params = nil // they are not of every runbook
	one := func(name, typ string, data ...string) zone.RRset { return zone.NewRRset(name, typ, 1, data...) }
	const domain, moved, named, zones = "example.test", "cover.in.example.test.moved", "cover.in.name", "cover.in.mx.example.test"
	for _, tt := range []struct {
		name  string
		sets  []zone.RRset
		book  string
		check string
		want  preflight.Verdict
		words string // in the reason or the fix
	}{
		{"as it should be", nil, "q285090", named, preflight.Pass, "west.example.test leads to 127.0.0.3, and not to east"},
		{"the host name", nil, "q285090", moved, preflight.Pass, "it comes by 10 east.example.test"},
		{
			"another name",
			[]zone.RRset{one("mx1.example.test", "A", eastAddress), one(domain, "MX", "5 mx1.example.test")},
			"q285090", moved, preflight.Pass,
			"it comes by 5 mx1.example.test (leads to east: 127.0.0.2)",
		},
		{
			"another name that keeps its address",
			[]zone.RRset{one("mx1.example.test", "A", eastAddress), one(domain, "MX", "5 mx1.example.test")},
			"replace", moved, preflight.Fail,
			"let the MX of example.test name east.example.test",
		},
		{
			"another name, and the last gateway",
			[]zone.RRset{one("mx1.example.test", "A", eastAddress), one("sub.example.test", "MX", "5 mx1.example.test")},
			"last-gateway",
			"cover.in.sub.example.test.moved", preflight.Fail, "the run moves the MX of example.test only",
		},
		{
			"a domain that the run does not move",
			[]zone.RRset{
				one("mx1.example.test", "A", eastAddress), one("sub.example.test", "MX", "5 mx1.example.test"), one("mx1.example.test", "A"), one("mx1.example.test", "CNAME", "east.example.test"),
			},
			"q285090",
			"cover.in.sub.example.test.moved", preflight.Fail, "it comes by 5 mx1.example.test (leads to east: an alias of east.example.test)",
		},
		{"without an MX", []zone.RRset{one(domain, "MX"), one(domain, "A", eastAddress)}, "q285090", moved, preflight.Pass, "it comes by example.test itself, for want of an MX (RFC 5321 5.1)"},
		{
			"names that take no mail",
			[]zone.RRset{one("www.example.test", "CNAME", "mx1.example.test"), one("mx1.example.test", "A", eastAddress)},
			"q285090", zones, preflight.Pass,
			"east takes no mail for the names without an MX that lead to it: east.example.test, mx1.example.test, www.example.test",
		},
		{"a name that nobody can look up", []zone.RRset{one(domain, "MX", "5 mx.nowhere.example", "10 east.example.test")}, "q285090", "cover.in.mx.0.0.127.in-addr.arpa", preflight.Pass, "read whole"},
		{"a name that nobody can look up, alone", []zone.RRset{one(domain, "MX", "5 mx.nowhere.example")}, "q285090", zones, preflight.Unknown, "whether the MX of example.test leads here is not known: 5 mx.nowhere.example"},
		{"no address", []zone.RRset{one("west.example.test", "A")}, "q285090", named, preflight.Fail, "publish west.example.test. A 127.0.0.3, and no other address or alias of it, in zone example.test"},
		{"no address, in the run", []zone.RRset{one("west.example.test", "A")}, "q285090", "ready.assert[3]", preflight.Fail, ""},
		{"no address, and none is needed", []zone.RRset{one("west.example.test", "A")}, "replace", named, preflight.Pass, "publishes no name"},
		{"the gateway's address", []zone.RRset{one("west.example.test", "A", eastAddress)}, "q285090", named, preflight.Fail, "west.example.test leads to east: 127.0.0.2, so an MX that names it leads here"},
		{"an alias of the gateway", []zone.RRset{one("west.example.test", "A"), one("west.example.test", "CNAME", "east.example.test")}, "maintenance", named, preflight.Fail, "an alias of east.example.test"},
		{"a foreign address", []zone.RRset{one("west.example.test", "A", "127.0.0.77")}, "add-successor", named, preflight.Fail, "leads to 127.0.0.77, and west listens at 127.0.0.3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, s := range tt.sets {
				if was, err := o.writer.Read(t.Context(), s.Name, s.Type); err != nil {
					t.Fatal(err)
				} else if !was.SameData(s) {
					o.rrset(s)
					defer o.rrset(was)
				}
			}
			rep := o.preflight(runner.Request{Runbook: tt.book})
			i := slices.IndexFunc(rep.Checks, func(c preflight.Check) bool { return c.ID == tt.check })
			if i < 0 {
				t.Fatalf("there is no check %s", tt.check)
			}
			if c := rep.Checks[i]; c.Verdict != tt.want || !strings.Contains(c.Reason+" "+c.Fix, tt.words) {
				t.Errorf("%s is %s: %s; fix: %s", c.ID, c.Verdict, c.Reason, c.Fix)
			}
		})
	}
}

// TestRetiresWhatOtherNamesLeadTo performs a run of which the MX names an alias, an
// address of the machine, and somebody else.
func TestRetiresWhatOtherNamesLeadTo(t *testing.T) {
	o := newTown(t, false)
	for _, s := range []zone.RRset{
		zone.NewRRset("mx1.example.test", "A", 1, eastAddress), zone.NewRRset("mx2.example.test", "A", 1, eastAddress), zone.NewRRset("backup.example.test", "A", 1, "127.0.0.9"),
		zone.NewRRset("example.test", "MX", 1, "5 mx1.example.test", "7 mx2.example.test", "9 backup.example.test"),
		zone.NewRRset("mx2.example.test", "A", 1), zone.NewRRset("mx2.example.test", "CNAME", 1, "east.example.test"),
	} {
		o.rrset(s)
	}
	for _, k := range []string{"drain_known", "verify_for", "work_within"} { // of other runbooks
		delete(o.cfg.Retire.Params, k)
	}
	o.ends(o.run("q285090", nil, nil), "retired", "move_mx", "mx_agrees", "remove")
	o.records(map[string]string{"example.test MX": "5 west.example.test. | 7 west.example.test. | 9 backup.example.test."})
}
