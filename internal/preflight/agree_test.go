package preflight

import (
	"slices"
	"testing"

	"example.org/ims/internal/plan"
	"example.org/ims/internal/verdict"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/gateway"
	"example.org/ims/pkg/runbook"
	"example.org/ims/pkg/zone"
)

// guardsOf is the verdict on the guards of a report alone.
func guardsOf(r *Report) verdict.Check {
	worst := Pass
	for i := range r.Checks {
		if c := &r.Checks[i]; c.Group == GroupGuard || c.ID == plan.Removed {
			worst = verdict.Worse(worst, c.Verdict)
		}
	}
	return worst
}

// TestGuardsAgreeWithTheDryRun gives every fact every value that it can have,
// and none, and compares what the guards of each shipped runbook come to in a
// preflight and in a dry run. A preflight looks beyond what stops a dry run, so
// there it may be graver; where the dry run comes to an end, both are the same.
func TestGuardsAgreeWithTheDryRun(t *testing.T) {
	seen := map[verdict.Whole]int{}
	before := &plan.Before{Gateway: &gateway.Config{Name: "east"}, Zones: map[string]zone.RRset{"example.test": zone.NewMX("example.test", 60)}}
	for _, name := range []string{"q285090", "eleven-steps", "replace", "last-gateway", "add-successor", "maintenance", "rescue"} {
		b, normal := book(t, name), facts.Value(0)
		if name == "rescue" {
			normal = facts.Value(slices.Index(facts.GwMode.Definition().Enum, "none"))
		}
		for _, id := range spoken(b) {
			for _, v := range []facts.Value{facts.Unknown, 0, 1, 2} {
				if d := id.Definition(); d.Type == facts.TypeBool && v > 1 {
					continue
				}
				s := serving(map[facts.ID]facts.Value{facts.GwMode: normal, facts.GwModeSet: normal, id: v})
				s.Before = before
				set, err := s.Set()
				if err != nil {
					t.Fatal(err)
				}
				p := plan.Make(plan.Input{Book: b, Facts: plan.Assume(set), Now: s.Made, Expires: s.Cached, Before: *before})
				r := report(t, Input{Snapshot: s, Book: b})
				seen[p.Verdict]++
				pre := guardsOf(r)
				graver := !p.Complete() && pre.Gravity() >= worstOf(p).Gravity()
				if pre.Whole() != p.Verdict && !graver {
					t.Errorf("%s, %s = %d: preflight %s %q, dry run %s %q", name, id, v, pre.Whole(), wrong(r), p.Verdict, open(p))
				}
			}
		}
	}
	for _, v := range []verdict.Whole{verdict.Ready, verdict.Asks, verdict.NotKnown, verdict.Blocked} {
		if seen[v] == 0 {
			t.Errorf("no dry run is %s: %v; it proves little", v, seen)
		}
	}
}

func worstOf(p *plan.Plan) verdict.Check {
	worst := Pass
	for i := range p.Checks {
		worst = verdict.Worse(worst, p.Checks[i].Verdict)
	}
	return worst
}

func open(p *plan.Plan) []string {
	var out []string
	for i := range p.Checks {
		if c := &p.Checks[i]; c.Open() {
			out = append(out, string(c.Verdict)+" "+c.ID+" "+c.Why)
		}
	}
	return out
}

// spoken are the facts that some guard of a runbook speaks of.
func spoken(b *runbook.Book) []facts.ID {
	var out []facts.ID
	for _, all := range b.Guards {
		out = append(out, all.Refs()...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
