package mem

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/zone"
	"example.org/ims/pkg/zone/zonetest"
)

func TestConformance(t *testing.T) {
	zonetest.Run(t, func(*testing.T) zonetest.Fixture {
		z := New("example.test.")
		return zonetest.Fixture{Zone: "example.test.", Writers: []zone.Writer{z}}
	})
}

func mx(ttl uint32, data ...string) zone.RRset {
	return zone.NewRRset("example.test.", "MX", ttl, data...)
}

var move = zone.Change{Zone: "example.test.", Old: mx(300, "10 gw."), New: mx(300, "10 new.")}

func namesGW(o zone.Observation) bool { return o.RRset.NamesHost("gw.") }

func TestLagMovesTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := New("example.test.", mx(300, "10 gw."))
		time.Sleep(time.Hour) // older than every lag
		z.AddServer("slow.example.test.", 40*time.Minute)
		var ledger []zone.Observation
		observe := func() []zone.Observation {
			round := z.Observe(t.Context(), "example.test.", "MX")
			ledger = append(ledger, round...)
			return round
		}
		observe()
		start := time.Now()
		if o := z.Apply(t.Context(), move); o.Kind != zone.Applied {
			t.Fatal(o)
		}
		time.Sleep(39 * time.Minute)
		if v := zone.Wanted(observe(), move.New); v != zone.No {
			t.Errorf("one server is behind: %v", v)
		}
		if d := zone.Deadline(ledger, namesGW, 0); !d.Open || len(d.Still) != 1 {
			t.Errorf("the slow server keeps it open: %+v", d)
		}
		time.Sleep(2 * time.Minute)
		if v := zone.Wanted(observe(), move.New); v != zone.Yes {
			t.Errorf("all servers have it: %v", v)
		}
		d := zone.Deadline(ledger, namesGW, 0)
		if want := start.Add(41*time.Minute + 300*time.Second); !d.At.Equal(want) || d.Open {
			t.Errorf("T_dns %v open %v, want %v", d.At, d.Open, want)
		}
	})
}

func TestServersThatDoNotCount(t *testing.T) {
	z := New("example.test.", mx(300, "10 gw."))
	z.AddServer("b.example.test.", 0)
	z.Freeze("b.example.test.")
	z.Apply(t.Context(), move)
	wanted := func() zone.Verdict {
		return zone.Wanted(z.Observe(t.Context(), "example.test.", "MX"), move.New)
	}
	for _, c := range []struct {
		name string
		do   func()
		want zone.Verdict
	}{
		{"frozen", func() {}, zone.No},
		{"down", func() { z.Down("b.example.test.", true) }, zone.Unsure},
		{"lame", func() { z.Down("b.example.test.", false); z.Lame("b.example.test.", true) }, zone.Unsure},
		{"thawed", func() { z.Lame("b.example.test.", false); z.Thaw("b.example.test.") }, zone.Yes},
	} {
		c.do()
		if got := wanted(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		fault Fault
		kind  zone.Kind
		made  int
		again zone.Kind
	}{
		{LoseRequest, zone.Unknown, 0, zone.Applied},
		{LoseReply, zone.Unknown, 1, zone.AlreadyApplied},
		{Refuse, zone.Denied, 0, zone.Applied},
		{Cut, zone.Unreachable, 0, zone.Applied},
	} {
		z := New("example.test.", mx(300, "10 gw."))
		z.Inject(func(zone.Change) Fault { return c.fault })
		if o := z.Apply(t.Context(), move); o.Kind != c.kind || len(z.Applied()) != c.made {
			t.Errorf("fault %d: %v, %d made", c.fault, o, len(z.Applied()))
		}
		z.Inject(nil)
		if o := z.Apply(t.Context(), move); o.Kind != c.again {
			t.Errorf("after fault %d: %v, want %v", c.fault, o, c.again)
		}
		if d := cmp.Diff([]zone.Change{move.Canonical()}, z.Applied()); d != "" {
			t.Errorf("after fault %d: %s", c.fault, d)
		}
	}
}

func TestPrimaryDown(t *testing.T) {
	z := New("example.test.", mx(300, "10 gw."))
	z.Down(z.Primary(), true)
	if _, err := z.Read(t.Context(), "example.test.", "MX"); err == nil {
		t.Error("a server that is down must not be read")
	}
	if o := z.Apply(t.Context(), move); o.Kind != zone.Unreachable {
		t.Error(o)
	}
}
