package world

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"example.org/ims/pkg/zone"
)

// TestPastSurvives draws what servers gave over time: put away and taken up
// again after any round, the past leads to the same deadline, and while nothing
// changes little is written.
func TestPastSurvives(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	old := func(ob zone.Observation) bool { return ob.RRset.NamesHost("east.example.test") }
	rapid.Check(t, func(t *rapid.T) {
		var all, past []zone.Observation
		for i := range rapid.IntRange(1, 10).Draw(t, "rounds") {
			var round []zone.Observation
			for s := range 3 {
				ob := zone.Observation{
					At: at.Add(time.Duration(i)*time.Minute + time.Duration(s)), AA: true, RTT: time.Millisecond,
					Server: zone.Server{Addr: fmt.Sprintf("192.0.2.%d:53", s)}, Serial: uint32(i),
				}
				host := rapid.SampledFrom([]string{"east", "east", "west"}).Draw(t, "host")
				ttl := rapid.SampledFrom([]uint32{300, 3600}).Draw(t, "ttl")
				ob.RRset = zone.NewMX("example.test", ttl, zone.MX{Pref: 10, Host: host + ".example.test"})
				if rapid.IntRange(0, 5).Draw(t, "fails") == 0 {
					ob.Err = "i/o timeout"
				}
				round = append(round, ob)
			}
			all = append(all, round...)
			past = compact(append(past, round...))
			kept, seen := freeze(past)
			again := thaw(kept, seen)
			want, got := zone.Deadline(past, old, 0), zone.Deadline(again, old, 0)
			ignore := cmpopts.IgnoreFields(zone.Observation{}, "RTT", "Serial")
			if diff := cmp.Diff(want, got, ignore, cmpopts.EquateApproxTime(0)); diff != "" {
				t.Fatalf("deadline after round %d (-kept +taken up):\n%s", i, diff)
			}
			if whole := zone.Deadline(good(all), old, 0); !whole.At.Equal(got.At) {
				t.Fatalf("deadline after round %d is %s, of everything it is %s", i, got.At, whole.At)
			}
		}
	})
}

// good are the observations that prove something.
func good(obs []zone.Observation) (out []zone.Observation) {
	for _, ob := range obs {
		if ob.Counts() {
			out = append(out, ob)
		}
	}
	return out
}

// TestQuietRoundWritesLittle: what is remembered of an RRset that nobody
// changes is a time a server.
func TestQuietRoundWritesLittle(t *testing.T) {
	round := func(at time.Time) (obs []zone.Observation) {
		for s := range 4 {
			obs = append(obs, zone.Observation{
				At: at, AA: true, Server: zone.Server{NS: fmt.Sprintf("ns%d.example.test.", s), Addr: fmt.Sprintf("192.0.2.%d:53", s), Role: "child"},
				RRset: zone.NewMX("example.test", 300, zone.MX{Pref: 10, Host: "east.example.test"}),
			})
		}
		return obs
	}
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	o := &observer{World: New(Config{}), memory: map[string]string{}}
	s := subject{"example.test", typeMX}
	o.remember(s, round(now))
	given, seen := s.memory()
	first := o.memory[given]
	for i := range 50 {
		o.remember(s, round(now.Add(time.Duration(i+1)*time.Minute)))
	}
	if o.memory[given] != first {
		t.Errorf("what was given is written anew:\n%s\n%s", first, o.memory[given])
	}
	if n := len(o.memory[seen]); n > 200 {
		t.Errorf("a quiet round writes %d bytes: %s", n, o.memory[seen])
	}
	again := &observer{World: New(Config{}), memory: o.memory}
	want := now.Add(50 * time.Minute)
	if due := zone.Deadline(again.past(s), func(zone.Observation) bool { return true }, 0); !due.Why.At.Equal(want) {
		t.Errorf("seen last at %s, want %s", due.Why.At, want)
	}
}
