package gateway_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/gateway"
)

var now = time.Date(2026, 6, 16, 12, 0, 0, 0, time.UTC)

func line(store gateway.Store, dest string, age time.Duration, attempts int) *gateway.Line {
	l := &gateway.Line{Store: store, Dest: dest, Recipients: 2, Size: 10, Accepted: now.Add(-age), Attempts: attempts}
	if store == gateway.Out {
		l.Next, l.Expires = now.Add(time.Duration(attempts)*time.Minute), l.Accepted.Add(48*time.Hour)
	}
	return l
}

// sum adds up a small queue.
func sum(q gateway.SummaryQuery) gateway.Summary {
	s := gateway.NewSumming(q, now)
	for _, l := range []*gateway.Line{
		line(gateway.Out, "Slow.example", 2*time.Hour, 3), line(gateway.Out, "slow.example", 30*time.Hour, 5),
		line(gateway.Out, "fast.example", time.Second, 0), line(gateway.Hold, "slow.example", 100*time.Hour, 0),
		line(gateway.MTSOut, "", time.Minute, 0),
	} {
		s.Add(l)
	}
	return s.Done()
}

func names(rows []gateway.Destination) []string {
	var list []string
	for _, r := range rows {
		list = append(list, r.Store.String()+"/"+r.Dest)
	}
	return list
}

func TestSumming(t *testing.T) {
	for _, c := range []struct {
		name  string
		query gateway.SummaryQuery
		found int
		want  []string
	}{
		{"oldest first", gateway.SummaryQuery{}, 4, []string{"hold/slow.example", "out/slow.example", "mts-out/", "out/fast.example"}},
		{"by count, then by name", gateway.SummaryQuery{Sort: gateway.ByCount}, 4, []string{"out/slow.example", "mts-out/", "out/fast.example", "hold/slow.example"}},
		{"by next, none last", gateway.SummaryQuery{Sort: gateway.ByNext}, 4, []string{"out/fast.example", "out/slow.example", "mts-out/", "hold/slow.example"}},
		{"by name", gateway.SummaryQuery{Sort: gateway.ByDest}, 4, []string{"mts-out/", "out/fast.example", "out/slow.example", "hold/slow.example"}},
		{"a window", gateway.SummaryQuery{Offset: 1, Limit: 2}, 4, []string{"out/slow.example", "mts-out/"}},
		{"past the end", gateway.SummaryQuery{Offset: 9}, 4, nil},
		{"a part of a name, in any case", gateway.SummaryQuery{Match: "SLOW"}, 2, []string{"hold/slow.example", "out/slow.example"}},
	} {
		got := sum(c.query)
		if d := cmp.Diff(c.want, names(got.Rows)); d != "" || got.Found != c.found {
			t.Errorf("%s: found %d, want %d; rows (-want +got):\n%s", c.name, got.Found, c.found, d)
		}
	}
}

func TestSummingOneRow(t *testing.T) {
	got := sum(gateway.SummaryQuery{Before: now.Add(20 * time.Hour)})
	want := gateway.Destination{
		Store: gateway.Out, Dest: "slow.example", Messages: 2, Recipients: 4, Bytes: 20, Ages: [gateway.NumAges]int64{0, 0, 1, 0, 1, 0},
		Oldest: now.Add(-30 * time.Hour), Next: now.Add(3 * time.Minute), Latest: now.Add(5 * time.Minute),
		Expires: now.Add(18 * time.Hour), Ends: now.Add(46 * time.Hour), Expiring: 1, Tried: 2, Most: 5,
	}
	if d := cmp.Diff(want, got.Rows[1]); d != "" {
		t.Errorf("row (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"hold/slow.example", "out/slow.example"}, names(got.Worst)); d != "" {
		t.Errorf("worst (-want +got):\n%s", d)
	}
	if got.Total.Messages != 5 || got.Total.Expiring != 1 || !got.Total.Oldest.Equal(now.Add(-100*time.Hour)) {
		t.Errorf("total %+v", got.Total)
	}
}

// BenchmarkSumming sums up 100,000 messages in 10,000 destinations.
func BenchmarkSumming(b *testing.B) {
	lines := make([]*gateway.Line, 100_000)
	for i := range lines {
		lines[i] = line(gateway.Out, fmt.Sprintf("d%05d.example", i%10_000), time.Duration(i)*time.Second, i%5)
	}
	b.ReportAllocs()
	for b.Loop() {
		s := gateway.NewSumming(gateway.SummaryQuery{Limit: 100}, now)
		for _, l := range lines {
			s.Add(l)
		}
		if s.Done().Found != 10_000 {
			b.Fatal("not all")
		}
	}
}
