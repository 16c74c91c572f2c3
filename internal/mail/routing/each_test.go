package routing

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/ims/pkg/gateway"
)

func TestCoverEach(t *testing.T) {
	all := gateway.Space{Type: "SMTP", Pattern: "*", Cost: 1}
	local := all
	local.Scope = gateway.ScopeSite
	org := Org{
		Sites: []Site{{Name: "hq"}, {Name: "branch", Locations: []string{"floor 1"}}},
		Gateways: []Gateway{
			{Name: "east", Site: "hq", Carries: true, Spaces: []gateway.Space{all}},
			{Name: "west", Site: "hq", Carries: true, Spaces: []gateway.Space{local}},
		},
	}
	type answer struct {
		From    Origin
		Verdict Verdict
	}
	var got []answer
	for _, c := range CoverEach(org, "east", all) {
		got = append(got, answer{c.Origin, c.Verdict})
	}
	want := []answer{{Origin{Site: "hq"}, Covered}, {Origin{Site: "branch"}, Uncovered}, {Origin{Site: "branch", Location: "floor 1"}, Uncovered}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cover from each origin (-want +got):\n%s", diff)
	}
	if got := CoverEach(org, "west", local); len(got) != 1 || got[0].Origin.Site != "hq" {
		t.Errorf("a space of one site is asked about from %+v", got)
	}
	for _, c := range CoverEach(org, "east", gateway.Space{Type: "X400", Pattern: "*"}) {
		if c.Verdict != Undecided {
			t.Errorf("another type of address is %s", c.Verdict)
		}
	}
}
