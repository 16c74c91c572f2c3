package zone

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// monday is the day of the worked example: TTL lowered Monday, MX switched
// Tuesday.
var monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func at(d time.Duration, addr string, r RRset) Observation {
	return Observation{At: monday.Add(d), Server: Server{Addr: addr}, RRset: r, AA: true}
}

func failed(d time.Duration, addr string) Observation {
	return Observation{At: monday.Add(d), Server: Server{Addr: addr}, RRset: NewRRset("x.", "MX", 0), Err: "i/o timeout"}
}

func finding(d time.Duration) Observation {
	o := failed(d, "")
	o.Server.NS = "delegation"
	return o
}

func oldMX(ttl uint32) RRset { return NewRRset("x.", "MX", ttl, "10 gw.x.") }
func newMX(ttl uint32) RRset { return NewRRset("x.", "MX", ttl, "10 new.x.") }

func namesGW(o Observation) bool { return o.RRset.NamesHost("gw.x.") }

func TestDeadline(t *testing.T) {
	const h, m, s = time.Hour, time.Minute, time.Second
	for _, c := range []struct {
		name   string
		obs    []Observation
		known  uint32
		want   time.Duration // after monday
		open   bool
		still  int
		lost   int
		assume string
	}{
		{"worked example: lowered, switched a day later, one slow secondary", []Observation{
			at(0, "a", oldMX(86400)), at(5*s, "a", oldMX(300)), at(24*h+5*m, "a", newMX(300)),
			at(0, "b", oldMX(86400)), at(5*s, "b", oldMX(300)), at(24*h+41*m, "b", newMX(300)),
		}, 0, 24*h + 46*m, false, 0, 0, ""},
		{"switched five minutes after lowering: the old TTL still counts", []Observation{
			at(0, "a", oldMX(86400)), at(5*s, "a", oldMX(300)), at(5*m, "a", newMX(300)),
		}, 0, 24*h + 5*s, false, 0, 0, ""},
		{"the gap between two polls counts as old", []Observation{
			at(0, "a", oldMX(300)), at(2*h, "a", newMX(300)),
		}, 0, 2*h + 5*m, false, 0, 0, ""},
		{"failures in the gap are no evidence", []Observation{
			at(0, "a", oldMX(300)), failed(h, "a"), at(2*h, "a", newMX(300)), failed(3*h, "a"),
		}, 0, 2*h + 5*m, false, 0, 0, ""},
		{"rolled back and forth", []Observation{
			at(0, "a", oldMX(300)), at(m, "a", newMX(300)), at(h, "a", oldMX(300)), at(h+m, "a", newMX(300)),
		}, 0, h + 6*m, false, 0, 0, ""},
		{"still old", []Observation{
			at(0, "a", oldMX(300)), at(h, "a", newMX(300)), at(0, "b", oldMX(300)), at(h, "b", oldMX(300)),
		}, 0, h + 5*m, true, 1, 0, ""},
		{"old last, then silent", []Observation{
			at(0, "a", oldMX(300)), failed(h, "a"),
		}, 0, 5 * m, true, 0, 1, ""},
		{"never seen before the change, TTL known from the other", []Observation{
			at(0, "a", oldMX(900)), at(m, "a", newMX(300)), at(10*m, "b", newMX(300)),
		}, 0, 25 * m, false, 0, 0, "largest TTL known"},
		{"never seen before the change, TTL known from a file", []Observation{
			at(0, "a", newMX(300)),
		}, 3600, h, false, 0, 0, "TTL 3600 s"},
		{"never seen before the change, nothing known", []Observation{
			at(0, "a", newMX(300)),
		}, 0, 24 * h, false, 0, 0, "TTL 86400 s"},
		{"never answered", []Observation{
			at(0, "a", oldMX(300)), at(m, "a", newMX(300)), failed(0, "b"), failed(m, "b"),
		}, 0, 6 * m, true, 0, 1, ""},
		{"a finding about the delegation, now", []Observation{
			at(0, "a", oldMX(300)), at(m, "a", newMX(300)), finding(m),
		}, 0, 6 * m, true, 0, 1, ""},
		{"a finding about the delegation that went away", []Observation{
			at(0, "a", oldMX(300)), finding(0), at(m, "a", newMX(300)),
		}, 0, 6 * m, false, 0, 0, ""},
		{"order of arrival does not matter", []Observation{
			at(24*h+5*m, "a", newMX(300)), at(0, "a", oldMX(86400)), at(5*s, "a", oldMX(300)),
		}, 0, 24*h + 10*m, false, 0, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Deadline(c.obs, namesGW, c.known)
			if got := d.At.Sub(monday); got != c.want {
				t.Errorf("T_dns is monday + %v, want %v", got, c.want)
			}
			if d.Open != c.open || len(d.Still) != c.still || len(d.Lost) != c.lost {
				t.Errorf("open %v still %v lost %v", d.Open, d.Still, d.Lost)
			}
			if got := strings.Join(d.Assumed, ";"); !strings.Contains(got, c.assume) || (c.assume == "") != (got == "") {
				t.Errorf("assumed %q, want %q", got, c.assume)
			}
		})
	}
}

func TestDeadlineOfNothingIsOpen(t *testing.T) {
	d := Deadline(nil, namesGW, 0)
	if !d.Open || d.Expired(monday, 0) != Unsure {
		t.Errorf("no observation must not expire anything: %+v", d)
	}
}

func TestOldAbsence(t *testing.T) {
	implicit := func(o Observation) bool { return o.RRset.Empty() }
	d := Deadline([]Observation{at(0, "a", NewRRset("x.", "MX", 3600)), at(time.Minute, "a", newMX(300))}, implicit, 0)
	if want := monday.Add(time.Hour + time.Minute); !d.At.Equal(want) {
		t.Errorf("implicit MX lasts as long as its absence may be cached: %v, want %v", d.At, want)
	}
}

func TestExpired(t *testing.T) {
	moved := []Observation{at(0, "a", oldMX(300)), at(time.Minute, "a", newMX(300))}
	day := []Observation{at(0, "a", oldMX(86400)), at(0, "a", newMX(300))}
	for _, c := range []struct {
		name  string
		obs   []Observation
		now   time.Duration
		floor time.Duration
		want  Verdict
	}{
		{"before", moved, 6*time.Minute - 1, 0, No},
		{"a tenth is added", moved, 6*time.Minute + 29*time.Second, 0, No},
		{"after", moved, 6*time.Minute + 30*time.Second, 0, Yes},
		{"before the floor", moved, 65 * time.Minute, time.Hour, No},
		{"after the floor", moved, 66 * time.Minute, time.Hour, Yes},
		{"a tenth beats a small floor", day, 26 * time.Hour, time.Hour, No},
		{"a tenth of a day", day, 27 * time.Hour, time.Hour, Yes},
		{"still old", append(moved[:2:2], at(time.Minute, "b", oldMX(300))), 90 * 24 * time.Hour, 0, No},
		{"silent, early", append(moved[:2:2], failed(time.Minute, "b")), time.Minute, 0, No},
		{"silent, late", append(moved[:2:2], failed(time.Minute, "b")), 90 * 24 * time.Hour, 0, Unsure},
	} {
		if got := Deadline(c.obs, namesGW, 0).Expired(monday.Add(c.now), c.floor); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestAgreeAndWanted(t *testing.T) {
	serial := func(o Observation, n uint32) Observation { o.Serial = n; return o }
	lame := at(0, "c", newMX(300))
	lame.AA = false
	for _, c := range []struct {
		name   string
		obs    []Observation
		agree  Verdict
		wanted Verdict
		note   string
	}{
		{"none", nil, Unsure, Unsure, ""},
		{"all", []Observation{at(0, "a", newMX(300)), at(0, "b", newMX(300))}, Yes, Yes, ""},
		{"n-1 is not n", []Observation{at(0, "a", newMX(300)), failed(0, "b")}, Unsure, Unsure, "i/o timeout"},
		{"only failures", []Observation{failed(0, "a")}, Unsure, Unsure, "i/o timeout"},
		{"lame", []Observation{at(0, "a", newMX(300)), lame}, Unsure, Unsure, "not authoritative"},
		{"a no beats an unknown", []Observation{failed(0, "b"), at(0, "a", oldMX(300)), at(0, "c", newMX(300))}, No, No, "i/o timeout"},
		{"other TTL", []Observation{at(0, "a", newMX(300)), at(0, "b", newMX(60))}, No, No, "TTL is 60"},
		{"all old", []Observation{at(0, "a", oldMX(300)), at(0, "b", oldMX(300))}, Yes, No, "publishes"},
		{"lagging", []Observation{serial(at(0, "a", newMX(300)), 9), serial(at(0, "b", oldMX(300)), 8)}, No, No, "lagging"},
		{"diverged at the same serial", []Observation{serial(at(0, "a", newMX(300)), 9), serial(at(0, "b", oldMX(300)), 9)}, No, No, "diverged"},
		{"lagging over the wrap of serials", []Observation{serial(at(0, "a", newMX(300)), 1), serial(at(0, "b", oldMX(300)), 1<<32-2)}, No, No, "lagging"},
		{"the last answer of a server decides", []Observation{at(time.Minute, "a", newMX(300)), at(0, "a", oldMX(300))}, Yes, Yes, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Agree(c.obs); got != c.agree {
				t.Errorf("agree: %v, want %v", got, c.agree)
			}
			if got := Wanted(c.obs, newMX(300)); got != c.wanted {
				t.Errorf("wanted: %v, want %v", got, c.wanted)
			}
			var notes []string
			for _, r := range Compare(c.obs, newMX(300)) {
				if r.Note != "" {
					notes = append(notes, r.Note)
				}
			}
			if all := strings.Join(notes, ";"); !strings.Contains(all, c.note) || (c.note == "") != (all == "") {
				t.Errorf("notes %q, want %q", all, c.note)
			}
		})
	}
	if d := cmp.Diff(0, len(Compare([]Observation{at(0, "a", newMX(1))}, NewRRset("y.", "MX", 1)))); d != "" {
		t.Error("observations of another name are not compared")
	}
}
