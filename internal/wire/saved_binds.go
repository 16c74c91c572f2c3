package wire

import (
	"slices"
	"strings"

	"example.org/ims/internal/access"
	"example.org/ims/internal/preflight"
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/guard"
	"example.org/ims/pkg/runbook"
)

// binds reports whether a plan relies on a check: its verdict does not change by
// traffic alone, and nothing else refuses a run because of it. So a guard binds if
// every fact of it is configuration; cover binds, of what goes out and of what
// comes in, but for what the log of the gateway says, which every message makes
// longer; who names the gateway, the servers of the zones, who may answer, and
// waivers bind. An open run and what another run holds refuse by themselves, and
// that nobody is told what happens puts no message at risk.
func binds(c *preflight.Check, book *runbook.Book, s *preflight.Snapshot) bool {
	switch c.Group {
	case preflight.GroupGuard:
		return configured(c.ID, book)
	case preflight.GroupInbound:
		return !readsLog(c.ID, s)
	case preflight.GroupOutbound, preflight.GroupDependents, preflight.GroupDNS, preflight.GroupPeople, preflight.GroupWaiver:
		return true
	}
	return false
}

// configured reports whether a guard reads configuration alone. What a run was
// granted is its own.
func configured(id string, book *runbook.Book) bool {
	for _, all := range book.Guards {
		i := slices.IndexFunc(all, func(g *guard.Guard) bool { return g.Name == id })
		if i < 0 {
			continue
		}
		return !slices.ContainsFunc(all[i].Refs, func(f facts.ID) bool {
			return f.Definition().Class != facts.Config || strings.HasPrefix(f.String(), "run.")
		})
	}
	return false
}

// readsLog reports whether a check judges what the log of the gateway says.
func readsLog(id string, s *preflight.Snapshot) bool {
	return id == "cover.in.log" || slices.ContainsFunc(s.Inbound.List, func(d preflight.Domain) bool { return id == "cover.in."+d.Name+".size" })
}

// approvers are those who may approve.
func approvers(s *preflight.Snapshot) []string {
	names := []string{}
	for _, p := range s.People {
		if p.May == access.Approve.String() {
			names = append(names, p.Name)
		}
	}
	return names
}
