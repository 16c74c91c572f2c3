package plan_test

import (
	"strings"
	"testing"

	"example.org/ims/internal/plan"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
)

// TestUncoveredIsNamed wants a blocker whose fix can be pasted as it stands.
func TestUncoveredIsNamed(t *testing.T) {
	in := input(t, map[facts.ID]facts.Value{facts.RouteUncovered: 1})
	in.Before.Gateway = &gateway.Config{Name: "east", Exists: true, Spaces: []gateway.Space{
		{Type: "SMTP", Pattern: "*", Cost: 1}, {Type: "SMTP", Pattern: "*@partner.test", Cost: 1},
	}}
	in.Notes = []string{"no other gateway covers address space SMTP:*@partner.test from site hq: mail for y@partner.test finds no route"}
	for _, c := range plan.Make(in).Checks {
		if c.ID != "consent_no_route.when[0]" {
			continue
		}
		if !strings.HasSuffix(c.Why, ": SMTP:*@partner.test") {
			t.Errorf("why is %q, want the address space named", c.Why)
		}
		if want := "ims route add west --type SMTP --pattern '*@partner.test' --cost 1 --reason 'retire east'"; c.Fix != want {
			t.Errorf("fix is %q, want %q", c.Fix, want)
		}
		return
	}
	t.Error("no check consent_no_route.when[0]")
}
