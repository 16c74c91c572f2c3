package report

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
)

// TestTicks: whatever a run lasts, its axis has a few times on it, and not so
// many that they overlap.
func TestTicks(t *testing.T) {
	from := time.Date(2026, 6, 16, 12, 0, 7, 0, time.UTC)
	for _, lasted := range []time.Duration{
		20 * time.Second, 45 * time.Second, 100 * time.Second, 5 * time.Minute, 570 * time.Second, 50 * time.Minute,
		100 * time.Minute, 5 * time.Hour, 30 * time.Hour, 9 * 24 * time.Hour, 16 * 24 * time.Hour, 35 * 24 * time.Hour,
	} {
		if n := len(axis{from, from.Add(lasted)}.ticks()); n < 3 || n > 9 {
			t.Errorf("%v: %d times on the axis, want 3 to 9", lasted, n)
		}
	}
}

// observed is a record of what was seen of the chart's first store, and of MX.
func observed(at time.Time, queued, mx string) machine.Record {
	return machine.Record{Kind: machine.Observed, At: at, Detail: machine.Detail{
		From: at, Facts: map[string]string{facts.GwQMTA.String(): queued, facts.MxHere.String(): mx, "memory.seen": at.String()},
	}}
}

// TestUnknownIsNotZero: where a store was not counted its line breaks, and the
// time is hatched; so is the time without a runner.
func TestUnknownIsNotZero(t *testing.T) {
	from := time.Date(2026, 6, 16, 12, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return from.Add(time.Duration(minutes) * time.Minute) }
	resumed := machine.Record{Kind: machine.Resumed.String(), At: at(50)}
	for _, tt := range []struct {
		name    string
		longest time.Duration
		records []machine.Record
		gaps    []gap
		path    string // of the first store: 8.28 a minute from 120 on, 5 messages high
		spans   []span // of MX
	}{
		{
			"unknown", 2 * time.Hour,
			[]machine.Record{observed(at(0), "5", "true"), observed(at(10), "unknown", "true"), observed(at(20), "2", "false")},
			[]gap{{at(10), at(20), "unknown: MTA"}},
			"M120.0 10.0V10.0H202.8M285.6 148.0V148.0H948.0",
			[]span{{at(0), at(20), "true"}, {at(20), at(100), "false"}},
		},
		{
			"without a runner", 2 * time.Hour,
			[]machine.Record{observed(at(0), "5", "true"), observed(at(10), "4", "true"), resumed, observed(at(50), "4", "true")},
			[]gap{{at(10), at(50), "not observed"}},
			"M120.0 10.0H202.8V56.0V56.0H202.8M534.0 56.0V56.0H948.0",
			[]span{{at(0), at(10), "true"}, {at(50), at(100), "true"}},
		},
		{
			"silent to the end", 45 * time.Minute,
			[]machine.Record{observed(at(0), "5", "true"), observed(at(10), "5", "true")},
			[]gap{{at(10), at(100), "not observed"}},
			"M120.0 10.0V10.0H202.8",
			[]span{{at(0), at(10), "true"}},
		},
		{
			"as it was", 45 * time.Minute,
			[]machine.Record{observed(at(0), "5", "true"), observed(at(40), "5", "true"), observed(at(80), "5", "true")},
			nil, "M120.0 10.0V10.0H948.0",
			[]span{{at(0), at(100), "true"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for i := range tt.records {
				for _, st := range stores[1:] {
					if f := tt.records[i].Detail.Facts; f != nil {
						f[st.id.String()] = "0"
					}
				}
			}
			a := axis{from, at(100)}
			all := series(tt.records, tt.longest, a.to)
			if diff := cmp.Diff(tt.gaps, gaps(all, a.to, uncounted), cmp.AllowUnexported(gap{})); diff != "" {
				t.Errorf("gaps (-want +got):\n%s", diff)
			}
			y := func(n int) float64 { return plotHeight - float64(n)/5*(plotHeight-10) }
			if got := steps(all, 0, a, y); got != tt.path {
				t.Errorf("line %s, want %s", got, tt.path)
			}
			if diff := cmp.Diff(tt.spans, spans(all, len(stores), a.to), cmp.AllowUnexported(span{})); diff != "" {
				t.Errorf("spans of MX (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWeeksAreSmall: what stays as it is takes no room.
func TestWeeksAreSmall(t *testing.T) {
	from := time.Date(2026, 6, 16, 12, 0, 0, 0, time.UTC)
	records := make([]machine.Record, 60480) // three weeks, every 30 s
	for i := range records {
		records[i] = observed(from.Add(time.Duration(i)*30*time.Second), "7", "false")
	}
	if n := len(series(records, time.Hour, records[len(records)-1].At)); n != 1 {
		t.Errorf("%d samples of one value", n)
	}
}
