package preflight

import (
	"fmt"
	"slices"
	"strings"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// outbound judges cover of every address space from every origin, and of every
// connected site, if the runbook takes them away.
func (r *Report) outbound(s *Snapshot, book *runbook.Book) {
	o := &s.Outbound
	base := Check{Group: GroupOutbound, Provenance: s.provenance(), At: o.At}
	if !does(book, takesAway) {
		if s.Before != nil && len(s.Before.Refused) > 0 {
			return // a check of its own says what would be carried by nobody
		}
		base.ID, base.That = "cover.out", "what the gateway carries is carried"
		r.add(base.pass("runbook %s leaves %s what it carries", book.Def.Name, s.Gateway))
		return
	}
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
		} else if p.space() {
			c.That = "another gateway carries mail for " + p.Name
		} else {
			c.ID = "cover.site." + p.Name
		}
		switch p.Verdict {
		case "covered":
			c = c.pass("%s", p.Why)
		case "uncovered":
			if c = c.fail(p.Fix, "%s", p.Why); p.Blackhole == "" {
				c = r.put(c, facts.RouteUncovered)
			}
		case "undecided":
			c = c.unknown(p.Why, p.decide())
		default:
			c = c.unknown(p.Why, p.Fix)
		}
		r.add(c)
	}
	r.swallowed(o.Parts)
}

// space reports whether a part is an address space, not a connected site.
func (p Part) space() bool { return strings.Contains(p.Name, ":") }

// decide is what to do about a part that simulated routing does not decide.
func (p Part) decide() string {
	if typ, _, _ := strings.Cut(p.Name, ":"); p.space() && !strings.EqualFold(typ, "SMTP") {
		return "see with ims route list whether another gateway that carries mail has " + p.Name + ", then waive this"
	}
	return p.Fix
}

// swallowed names what a black hole takes, and what ends that, in the checks that
// fail because of it. People are not asked about it: nobody would be told of the
// mail that stays there.
func (r *Report) swallowed(parts []Part) {
	var names, fixes []string
	for _, p := range parts {
		if p.Blackhole == "" {
			continue
		}
		if !slices.Contains(names, p.Name) {
			names = append(names, p.Name)
		}
		if !slices.Contains(fixes, p.Fix) {
			fixes = append(fixes, p.Fix)
		}
	}
	for i := range r.Checks {
		if c := &r.Checks[i]; c.Verdict == Fail && len(names) > 0 && strings.Contains(c.That, facts.RouteSwallowed.String()) {
			c.Reason += ": " + strings.Join(names, ", ")
			c.Fix = strings.Join(fixes, " && ")
		}
	}
}

// dependents judges whether each other gateway has stopped naming this one, or
// will by the runbook: what has a clear replacement is then changed by the run.
func (r *Report) dependents(s *Snapshot, book *runbook.Book) {
	if !does(book, takesAway) {
		return // whoever names it goes on naming what stays
	}
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
		c.Members = open
		return c.fail(fix, "%s", strings.Join(open, "; "))
	case d.Err != "":
		return c.unknown(d.Err, "ims gateway show "+d.Gateway)
	case len(moved) > 0:
		return c.pass("changed by %s: %s", mover, strings.Join(moved, "; "))
	}
	return c.pass("none names it")
}

// does reports whether some state of a runbook has an effect of a kind.
func does(book *runbook.Book, kind func(*machine.Do) bool) bool {
	return slices.ContainsFunc(book.Def.States, func(st machine.StateDef) bool { return st.Do != nil && kind(st.Do) })
}

// takesAway reports whether an effect removes the gateway or what leads mail to
// it.
func takesAway(do *machine.Do) bool {
	switch do.Action {
	case machine.GatewayAbsent:
		return true
	case machine.RouteSpaces, machine.RouteSites:
		return !do.Args.OnSuccessor && len(do.Args.Spaces) == 0
	case machine.GatewayMode, machine.GatewayConfig, machine.GatewayRunning, machine.GatewayDependents, machine.DNSRRset, machine.QueueHold,
		machine.QueueRelease, machine.QueueReturn, machine.QueueRedirect, machine.QueueExport, machine.QueueRetry, machine.ProbeSend,
		machine.RunRestore:
	}
	return false
}

// leadsOn reports whether an effect publishes a name under which mail comes to
// the successor.
func leadsOn(do *machine.Do) bool {
	a := &do.Args
	return do.Action == machine.DNSRRset && !a.NullMX && !a.Drain && (a.Type == "" || a.Type == "MX" || a.Type == "A" || a.Type == "AAAA")
}
