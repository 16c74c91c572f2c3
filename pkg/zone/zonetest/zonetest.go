// Package zonetest is the conformance suite of zone.Writer. Every adapter runs
// it; the in-memory one first. It tests the promises of the contract against
// whatever is behind the writer, a real name server included, and never looks
// at an implementation.
package zonetest

import (
	"strings"
	"testing"

	"example.org/ims/pkg/zone"
)

// Fixture is what a test of the suite runs against.
type Fixture struct {
	// Zone is the apex of an existing zone in which the suite may create and
	// change names that begin with "zt-". It must not hold any beforehand.
	Zone string
	// Writers are writers of the zone, at least one. With several, races run
	// over all of them.
	Writers []zone.Writer
}

// Run runs the suite. setup is called once for every test; it may return the
// same fixture each time, because every test uses names of its own.
func Run(t *testing.T, setup func(t *testing.T) Fixture) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *room)
	}{
		{"create", testCreate},
		{"replace", testReplace},
		{"already applied", testAlreadyApplied},
		{"stale old is a conflict", testStale},
		{"part of the old data is a conflict", testPart},
		{"must not exist", testMustNotExist},
		{"delete", testDelete},
		{"TTL alone", testTTL},
		{"null MX", testNullMX},
		{"letter case", testLetterCase},
		{"other types", testTypes},
		{"names made and taken away", testNames},
		{"many records", testMany},
		{"reverse", testReverse},
		{"outside", testOutside},
		{"preflight changes nothing", testPreflight},
		{"read-only", testReadOnly},
		{"ended context", testContext},
		{"race, different values", testRace},
		{"race, creation", testRaceCreate},
		{"race, same value", testRaceSame},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := setup(t)
			if len(f.Writers) == 0 {
				t.Fatal("fixture has no writer")
			}
			label := "zt-" + strings.NewReplacer(" ", "-", ",", "").Replace(strings.ToLower(c.name))
			c.test(t, &room{Fixture: f, w: f.Writers[0], name: zone.CanonicalName(label + "." + f.Zone)})
		})
	}
}

// room is one test's own place in the zone.
type room struct {
	Fixture
	w    zone.Writer
	name string
}

func (r *room) mx(ttl uint32, data ...string) zone.RRset {
	return zone.NewRRset(r.name, "MX", ttl, data...)
}

// change is a change of the room's MX RRset.
func (r *room) change(old, new zone.RRset) zone.Change {
	return zone.Change{Zone: r.Zone, Old: old, New: new}
}

// apply applies and requires an outcome of kind.
func (r *room) apply(t *testing.T, c zone.Change, kind zone.Kind) zone.Outcome {
	t.Helper()
	o := r.w.Apply(t.Context(), c)
	if o.Kind != kind {
		t.Fatalf("apply %v to %v: %v, want %v", c.Old, c.New, o, kind)
	}
	return o
}

// holds requires that want is what is published, TTL included.
func (r *room) holds(t *testing.T, want zone.RRset) {
	t.Helper()
	got, err := r.w.Read(t.Context(), want.Name, want.Type)
	if err != nil {
		t.Fatalf("read back: %v", err)
	}
	if !got.Equal(want) {
		t.Fatalf("zone holds %v, want %v", got, want)
	}
	if got.Name != want.Name || got.Type != want.Type {
		t.Fatalf("read of %s %s is named %s %s", want.Name, want.Type, got.Name, got.Type)
	}
}

// seed creates data that must not exist yet.
func (r *room) seed(t *testing.T, data zone.RRset) {
	t.Helper()
	r.apply(t, r.change(zone.NewRRset(data.Name, data.Type, 0), data), zone.Applied)
}
