package preflight

import (
	"fmt"
	"strings"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// outbound judges cover of every address space from every origin, and of every
// connected site.
func (r *Report) outbound(s *Snapshot) {
	o := &s.Outbound
	base := Check{Group: GroupOutbound, Provenance: s.provenance(), At: o.At}
	if o.Err != "" {
		base.ID, base.That = "cover.out", "other gateways cover every address space and connected site"
		r.add(base.unknown(o.Err, "ims route list --copies"))
		return
	}
	for _, p := range o.Parts {
		c := base
		c.ID, c.That = "cover.out."+p.Name, "another gateway carries mail for connected site "+p.Name
		if p.From != "" {
			c.ID, c.That = c.ID+"@"+p.From, fmt.Sprintf("another gateway carries mail for %s from site %s", p.Name, p.From)
		} else {
			c.ID = "cover.site." + p.Name
		}
		switch p.Verdict {
		case "covered":
			c = c.pass("%s", p.Why)
		case "uncovered":
			c = r.put(c.fail(p.Fix, "%s", p.Why), facts.RouteUncovered)
		default:
			c = c.unknown(p.Why, p.Fix)
		}
		r.add(c)
	}
}

// dependents judges whether each other gateway has stopped naming this one, or
// will by the runbook: what has a clear replacement is then changed by the run.
func (r *Report) dependents(s *Snapshot, book *runbook.Book) {
	mover := ""
	for i := range book.Def.States {
		if st := &book.Def.States[i]; mover == "" && st.Do != nil && st.Do.Action == machine.GatewayDependents {
			mover = st.ID
		}
	}
	for _, d := range s.Dependents {
		c := Check{
			ID: "dependents." + d.Gateway, Group: GroupDependents, Provenance: s.provenance(), At: d.At,
			That: fmt.Sprintf("no setting of gateway %s is left that names %s (eleven-steps.2)", d.Gateway, s.Gateway),
		}
		r.add(c.naming(d, mover))
	}
}

func (c Check) naming(d Dependents, mover string) Check {
	var open, moved []string
	fix := ""
	for _, n := range d.Names {
		if mover != "" && !n.Open {
			moved = append(moved, n.What)
			continue
		}
		open = append(open, n.What)
		if fix == "" {
			fix = n.Fix
		}
	}
	switch {
	case len(open) > 0:
		return c.fail(fix, "%s", strings.Join(open, "; "))
	case d.Err != "":
		return c.unknown(d.Err, "ims gateway show "+d.Gateway)
	case len(moved) > 0:
		return c.pass("changed by %s: %s", mover, strings.Join(moved, "; "))
	}
	return c.pass("none names it")
}
