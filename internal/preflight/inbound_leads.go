package preflight

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/runbook"
)

// Who is led away from the gateway by a runbook.
func leavesMX(do *machine.Do) bool {
	return do.Action == machine.DNSRRset && !do.Args.Also && (do.Args.Type == "" || do.Args.Type == "MX")
}

func leavesName(do *machine.Do) bool {
	return do.Action == machine.DNSRRset && !do.Args.Drain && (do.Args.Type == "A" || do.Args.Type == "AAAA")
}

// named judges whether an MX may name the successor, as it is published.
func (r *Report) named(c Check, s *Snapshot) {
	c.ID, c.That = "cover.in.name", fmt.Sprintf("%s leads to %s, and to nobody else", s.Inbound.New.Name, s.Successor)
	switch n := s.Inbound.Named; n.Verdict {
	case Pass:
		r.add(c.pass("%s", n.Why))
	case Fail:
		r.add(c.fail(n.Fix, "%s", n.Why))
	default:
		r.add(c.unknown(cmp.Or(n.Why, "it was not looked up: another version of this program saved these facts"), cmp.Or(n.Fix, "ims facts "+s.Gateway+" --out FILE, and judge that file")))
	}
}

// left makes a blocker of every domain whose mail leads to the gateway, and still
// would once the run has led everything away that it leads away.
func (r *Report) left(c Check, s *Snapshot, book *runbook.Book) {
	mx, name := does(book, leavesMX), does(book, leavesName)
	if !mx && !name {
		return
	}
	for i := range s.Inbound.List {
		d := &s.Inbound.List[i]
		c := c
		c.ID, c.That = "cover.in."+d.Name+".moved", "the run leads mail for "+d.Name+" away from "+s.Gateway
		by := strings.Join(d.Leads, " | ")
		switch {
		case len(d.Leads) == 0:
		case d.old != "":
			r.add(c.unknown(d.old, "ims facts "+s.Gateway+" --out FILE, and judge that file"))
		case s.Inbound.Old.Err != "" && slices.Equal(d.From, []string{fromAddress}):
			r.add(c.unknown("it leads here without an MX, and whether "+s.Gateway+" takes mail for it is not known: "+s.Inbound.Old.Err, "ims gateway show "+s.Gateway))
		case mx && slices.Contains(s.Domains, d.Name), !mx && !d.Otherwise && !slices.Contains(d.From, fromAddress):
			r.add(c.pass("it comes by %s", by))
		case mx:
			r.add(c.fail(fmt.Sprintf("add %s to organization.domains, and to the domains of its zone in zones of ims.yaml, and restart ims gateway run; or lead its mail elsewhere, with an MX that does not name %s", d.Name, s.Gateway),
				"it comes by %s, and the run moves the MX of %s only: mail for %s would go to a gateway that is not there", by, strings.Join(s.Domains, ", "), d.Name))
		default:
			r.add(c.fail(fmt.Sprintf("let the MX of %s name %s", d.Name, s.Inbound.Old.Name),
				"it comes by %s, and the run changes the addresses of %s only", by, s.Inbound.Old.Name))
		}
	}
}

// fromAddress is where a domain without MX is known from.
const fromAddress = "address"

// bare names those of a zone that lead to the gateway without an MX, and that it
// takes no mail for.
func (in *Inbound) bare(apex string) string {
	const most = 5
	var names []string
	for _, n := range in.Bare {
		if strings.HasSuffix("."+n, "."+strings.TrimSuffix(apex, ".")) {
			names = append(names, n)
		}
	}
	if more := len(names) - most; more > 0 {
		names = append(names[:most], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}
