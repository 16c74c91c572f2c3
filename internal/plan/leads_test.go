package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/internal/plan"
	"example.org/ims/pkg/zone"
)

// TestMovesWhatLeadsToTheGateway: a plan shows which names lead to the gateway,
// and what becomes of them, and so do the commands for doing it by hand.
func TestMovesWhatLeadsToTheGateway(t *testing.T) {
	for _, tt := range []struct {
		name          string
		mx            zone.RRset
		leads         map[string]string
		before, after []string
		update        string // of the commands
	}{
		{
			"another name", zone.NewRRset("example.test", "MX", 300, "5 mx1.example.test", "7 backup.example.test", "10 east.example.test"),
			map[string]string{"mx1.example.test.": "east: 192.0.2.1"},
			[]string{"example.test. 300 MX 10 east.example.test.", "example.test. 300 MX 5 mx1.example.test. (leads to east: 192.0.2.1)", "example.test. 300 MX 7 backup.example.test."},
			[]string{"example.test. 300 MX 10 west.example.test.", "example.test. 300 MX 5 west.example.test.", "example.test. 300 MX 7 backup.example.test."},
			"update add example.test. 300 MX 5 west.example.test.",
		},
		{
			"without an MX", zone.NewRRset("example.test", "MX", 300),
			map[string]string{"example.test.": "east: 192.0.2.1"},
			[]string{"example.test. has no MX, so its mail goes to that name itself (RFC 5321 5.1; leads to east: 192.0.2.1)"},
			[]string{"example.test. 300 MX 10 west.example.test."},
			"prereq nxrrset example.test. MX\nupdate add example.test. 300 MX 10 west.example.test.",
		},
		{"without an MX, elsewhere", zone.NewRRset("example.test", "MX", 300), nil, []string{}, []string{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := input(t, nil)
			in.Before.Zones["example.test"] = tt.mx
			in.Before.Leads = map[string]map[string]string{"example.test": tt.leads}
			p := plan.Make(in)
			found := false
			for i := range p.States {
				s := &p.States[i]
				if s.ID != "move_mx" {
					continue
				}
				found = true
				if diff := cmp.Diff([][]string{tt.before, tt.after}, [][]string{s.Changes[0].Before, s.Changes[0].After}); diff != "" {
					t.Errorf("before and after (-want +got):\n%s", diff)
				}
			}
			for _, h := range p.ByHand(plan.Begun{}) {
				if h.State == "move_mx" && tt.update != "" && !strings.Contains(strings.Join(h.Do, "\n"), tt.update) {
					t.Errorf("by hand: %q, want %q", h.Do, tt.update)
				}
			}
			if !found {
				t.Error("the plan does not come to move_mx")
			}
		})
	}
}
