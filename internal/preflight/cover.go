package preflight

import (
	"fmt"
	"strings"
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
			c = c.fail(p.Fix, "%s", p.Why)
		default:
			c = c.unknown(p.Why, p.Fix)
		}
		r.add(c)
	}
}

// dependents judges whether each other gateway has stopped naming this one.
func (r *Report) dependents(s *Snapshot) {
	for _, d := range s.Dependents {
		c := Check{
			ID: "dependents." + d.Gateway, Group: GroupDependents, Provenance: s.provenance(), At: d.At,
			That: fmt.Sprintf("no setting of gateway %s names %s (eleven-steps.2)", d.Gateway, s.Gateway),
		}
		switch {
		case d.Err != "":
			c = c.unknown(d.Err, "ims gateway show "+d.Gateway)
		case len(d.Settings) == 0:
			c = c.pass("none does")
		default:
			c = c.fail(d.Fix, "%s", strings.Join(d.Settings, "; "))
		}
		r.add(c)
	}
}
