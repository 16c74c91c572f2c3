package routing_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/mail/routing"
)

var noon = time.Date(2001, 2, 1, 12, 0, 0, 0, time.UTC)

func TestCopiesLag(t *testing.T) {
	old, next := gw("old", "HQ", sp("*", 1)), gw("next", "Branch", sp("*", 2))
	org := routing.Org{Sites: twoSites, Gateways: []routing.Gateway{old, next}}
	c := routing.NewCopies(org, routing.Delays{Recalculation: time.Minute, Replication: 10 * time.Minute}, noon)

	gone := old
	gone.Spaces = nil
	c.Record(routing.Change{At: noon, Site: "HQ", Name: "old", Gateway: &gone})
	// A later change made at Branch reaches Branch before the first one does.
	dear := next
	dear.Spaces = append(dear.Spaces, sp("*@x.org", 3))
	c.Record(routing.Change{At: noon.Add(2 * time.Minute), Site: "Branch", Name: "next", Gateway: &dear})

	type seen struct {
		Version uint64
		Current bool
		Via     string
	}
	tests := []struct {
		at         time.Duration
		hq, branch seen
	}{
		{0, seen{0, false, "old"}, seen{0, false, "old"}},
		{time.Minute, seen{1, false, "next"}, seen{0, false, "old"}},
		{3 * time.Minute, seen{1, false, "next"}, seen{2, false, "old"}},
		{11 * time.Minute, seen{1, false, "next"}, seen{2, true, "next"}},
		{13 * time.Minute, seen{2, true, "next"}, seen{2, true, "next"}},
	}
	look := func(site string, now time.Time) seen {
		cp := c.Copy(site, now)
		_, ch := cp.Table.Route("u@y.org", "")
		return seen{cp.Version, cp.Current, ch[0].Gateway}
	}
	for _, tt := range tests {
		now := noon.Add(tt.at)
		if d := cmp.Diff(tt.hq, look("HQ", now)); d != "" {
			t.Errorf("HQ after %v (-want +got):\n%s", tt.at, d)
		}
		if d := cmp.Diff(tt.branch, look("Branch", now)); d != "" {
			t.Errorf("Branch after %v (-want +got):\n%s", tt.at, d)
		}
	}
	var steps []time.Duration
	for at, ok := c.Next(noon); ok; at, ok = c.Next(at) {
		steps = append(steps, at.Sub(noon))
	}
	want := []time.Duration{time.Minute, 3 * time.Minute, 11 * time.Minute, 13 * time.Minute}
	if d := cmp.Diff(want, steps); d != "" {
		t.Errorf("moments of change (-want +got):\n%s", d)
	}
}

func TestCopiesCompactChangesNothing(t *testing.T) {
	org := routing.Org{Sites: twoSites, Gateways: []routing.Gateway{gw("a", "HQ", sp("*", 1)), gw("b", "HQ", sp("*", 1))}}
	c := routing.NewCopies(org, routing.Delays{Replication: time.Hour}, noon)
	c.Record(routing.Change{At: noon, Site: "HQ", Name: "a"})
	c.Record(routing.Change{At: noon.Add(30 * time.Minute), Site: "HQ", Name: "b"})
	now := noon.Add(70 * time.Minute)
	before := c.Tables(now)
	c.Compact(now)
	if d := cmp.Diff(before, c.Tables(now)); d != "" {
		t.Errorf("tables after compaction (-before +after):\n%s", d)
	}
	if len(before) != 2 || before[1].Version != 1 || before[1].Current || len(before[1].Routes) != 1 {
		t.Errorf("Branch's table: %+v", before[1])
	}
}
