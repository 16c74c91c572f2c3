package zone

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCanonical(t *testing.T) {
	for _, c := range []struct {
		name string
		in   RRset
		want []string
	}{
		{"mx folds, sorts, dedupes", NewRRset("Example.TEST", "mx", 1, "20  B.example", "10 a.example.", "10 A.Example"), []string{"10 a.example.", "20 b.example."}},
		{"txt keeps its letters", NewRRset("x.", "TXT", 1, ` "v=STSv1; id=Ab;" `), []string{`"v=STSv1; id=Ab;"`}},
		{"ipv6", NewRRset("x.", "AAAA", 1, "2001:DB8:0:0::1"), []string{"2001:db8::1"}},
		{"tlsa joins hex", NewRRset("x.", "TLSA", 1, "3 1 1 AB cd"), []string{"3 1 1 abcd"}},
		{"soa folds names only", NewRRset("x.", "SOA", 1, "NS.x H.x 1 2 3 4 5"), []string{"ns.x. h.x. 1 2 3 4 5"}},
		{"srv", NewRRset("x.", "SRV", 1, "0 5 25 MX.x"), []string{"0 5 25 mx.x."}},
	} {
		if d := cmp.Diff(c.want, c.in.Data); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

func TestSameDataAndEqual(t *testing.T) {
	a := NewRRset("x.test.", "MX", 300, "10 a.", "20 b.")
	raw := RRset{Name: "X.test", Type: "mx", TTL: 60, Data: []string{"20 B.", "10 A."}}
	if !a.SameData(raw) || a.Equal(raw) {
		t.Errorf("letter case and order must not count, TTL must in Equal")
	}
	if a.SameData(NewRRset("x.test.", "MX", 300, "10 a.")) {
		t.Errorf("a part of an RRset is not the RRset")
	}
	if !NewRRset("x.", "MX", 5).Equal(NewRRset("x.", "MX", 9)) {
		t.Errorf("absent equals absent, whatever the negative TTL")
	}
}

func TestIsSubdomain(t *testing.T) {
	for _, c := range []struct {
		name, zone string
		want       bool
	}{
		{"a.example.test", "example.test.", true},
		{"EXAMPLE.test.", "example.test", true},
		{"badexample.test.", "example.test.", false},
		{`a\.example.test.`, "example.test.", false},
		{`a\\.example.test.`, "example.test.", true},
		{"test.", "example.test.", false},
		{"x.", ".", true},
	} {
		if got := IsSubdomain(c.name, c.zone); got != c.want {
			t.Errorf("IsSubdomain(%q, %q) = %v", c.name, c.zone, got)
		}
	}
}

func TestMX(t *testing.T) {
	r := NewRRset("d.", "MX", 1, "100 c.", "9 b.", "9 a.")
	mx, err := r.MX()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]MX{{9, "a."}, {9, "b."}, {100, "c."}}, mx); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"a.", "b."}, r.PrimaryMX()); d != "" {
		t.Error(d)
	}
	for host, want := range map[string]bool{"A": true, "c.": true, "d.": false, ".": false} {
		if r.NamesHost(host) != want {
			t.Errorf("NamesHost(%q) is not %v", host, want)
		}
	}
	if !NewRRset("h.", "A", 1, "192.0.2.1").NamesHost("::ffff:192.0.2.1") {
		t.Error("an address names its host")
	}
	if !NewMX("d.", 1, MX{0, "."}).HasNullMX() || r.HasNullMX() {
		t.Error("null MX")
	}
	got := r.ReplaceHost("A", "b")
	if d := cmp.Diff([]string{"100 c.", "9 b."}, got.Data); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{"10", "x a.", "70000 a.", "10 a. b."} {
		if _, err := NewRRset("d.", "MX", 1, bad).MX(); err == nil {
			t.Errorf("%q must not parse", bad)
		}
	}
}

func TestChangeCheck(t *testing.T) {
	mx := func(data ...string) RRset { return NewRRset("example.test.", "MX", 300, data...) }
	for _, c := range []struct {
		name string
		c    Change
		want Kind
	}{
		{"plain", Change{"example.test", mx("10 a."), mx("10 b.")}, Ready},
		{"null", Change{"example.test", mx("10 a."), mx("0 .")}, Ready},
		{"null beside others", Change{"example.test", mx(), mx("0 .", "10 a.")}, Rejected},
		{"nothing", Change{"example.test", mx(), mx()}, Rejected},
		{"other name", Change{"test", NewRRset("a.test", "MX", 1, "10 a."), mx("10 b.")}, Rejected},
		{"outside", Change{"other.test", mx("10 a."), mx("10 b.")}, NotInZone},
		{"soa", Change{"e.", NewRRset("e.", "SOA", 1, "a. b. 1 2 3 4 5"), NewRRset("e.", "SOA", 1, "a. b. 2 2 3 4 5")}, Rejected},
		{"ns gone", Change{"e.", NewRRset("e.", "NS", 1, "a."), NewRRset("e.", "NS", 1)}, Rejected},
		{"ttl", Change{"e.", NewRRset("e.", "A", 1), NewRRset("e.", "A", 1<<31, "192.0.2.1")}, Rejected},
		{"bad mx", Change{"e.", NewRRset("e.", "MX", 1), NewRRset("e.", "MX", 1, "a.")}, Rejected},
	} {
		if got := c.c.Check(); got.Kind != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestKindText(t *testing.T) {
	for k := Unknown; k <= Unsupported; k++ {
		b, _ := k.MarshalText()
		var back Kind
		if err := back.UnmarshalText(b); err != nil || back != k {
			t.Errorf("%v reads back as %v, %v", k, back, err)
		}
	}
	var k Kind
	if k.UnmarshalText([]byte("fine")) == nil {
		t.Error("an unknown word must not read as a kind")
	}
}

func FuzzCanonical(f *testing.F) {
	f.Add("Example.test", "MX", "10 a.")
	f.Add(`a\.b`, "TLSA", "3 1 1 AB cd ef")
	f.Fuzz(func(t *testing.T, name, typ, data string) {
		r := NewRRset(name, typ, 1, data)
		if d := cmp.Diff(r, r.Canonical()); d != "" {
			t.Errorf("canonical form is not stable: %s", d)
		}
		_, _ = r.MX()
	})
}
