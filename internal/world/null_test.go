package world

import (
	"testing"

	"example.org/ims/pkg/zone"
)

// TestNullMXStandsAlone: beside another MX a null MX tells nobody that the domain
// takes no mail (RFC 7505 3).
func TestNullMXStandsAlone(t *testing.T) {
	for _, tt := range []struct {
		mx   []zone.MX
		want bool
	}{
		{[]zone.MX{{Host: "."}}, true},
		{[]zone.MX{{Host: "."}, {Pref: 10, Host: "east.test"}}, false},
		{[]zone.MX{{Pref: 10, Host: "east.test"}}, false},
		{nil, false},
	} {
		r := zone.NewMX("example.test", 300, tt.mx...)
		o := &observer{World: &World{want: wish{mx: mxNull}}}
		if got := takesNone(r); got != tt.want || o.wantedRRset(r) != got {
			t.Errorf("%s takes no mail: %v, want %v; it is the wanted MX: %v", r, got, tt.want, o.wantedRRset(r))
		}
	}
}
