package watch

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"example.org/ims/pkg/zone"
)

// finding is something that forbids to certify.
type finding struct {
	server zone.Server
	err    string
}

func splitRoles(s string) []string { return strings.Split(s, "+") }

// authorities is the union of the configured servers, the NS records at the
// parent, those in the zone, and the primary of the SOA, each with all its
// addresses.
func (w *Watcher) authorities(ctx context.Context) ([]zone.Server, []finding) {
	l := &servers{}
	for _, a := range w.cfg.Authorities {
		l.add("", a, "configured")
	}
	if !w.cfg.Discover {
		return l.list, nil
	}
	var findings []finding
	note := func(what, err string) {
		findings = append(findings, finding{zone.Server{NS: what, Role: "delegation"}, err})
	}
	parent, askedParent, err := w.parentNS(ctx)
	if err != nil {
		note("parent of "+w.cfg.Zone, err.Error())
	}
	child, mname, err := w.childNS(ctx, parent)
	if err != nil {
		note("name servers of "+w.cfg.Zone, err.Error())
	}
	if askedParent && len(parent) > 0 && len(child) > 0 && !slices.Equal(parent, child) {
		note("delegation of "+w.cfg.Zone, fmt.Sprintf("the parent names %v, the zone names %v: a change of the delegation is under way", parent, child))
	}
	add := func(names []string, role string) {
		for _, ns := range names {
			addrs, err := w.addresses(ctx, ns)
			if err != nil {
				findings = append(findings, finding{zone.Server{NS: ns, Role: role}, err.Error()})
			}
			for _, a := range addrs {
				l.add(ns, a, role)
			}
		}
	}
	add(parent, "parent")
	add(child, "child")
	if mname != "" && (!w.cfg.SkipMName || slices.Contains(child, mname)) {
		add([]string{mname}, "mname")
	}
	return l.list, findings
}
