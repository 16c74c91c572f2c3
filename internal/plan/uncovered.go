package plan

import (
	"fmt"
	"slices"
	"strings"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/guard"
)

// toFill is what a runbook's fix has where an address space belongs.
const toFill = "--pattern PATTERN"

// uncovered names the address spaces in a check that fails because nothing else
// covers some, and in its fix. The notes of the observation say which they are;
// after a simulated change nothing does.
func (m *maker) uncovered(c *Check, g *guard.Guard) {
	if m.changed || m.in.Before.Gateway == nil || !slices.Contains(g.Refs, facts.RouteUncovered) {
		return
	}
	var names, fixes []string
	for _, sp := range m.in.Before.Gateway.Spaces {
		name := sp.Type + ":" + sp.Pattern
		if !slices.ContainsFunc(m.in.Notes, func(note string) bool { return tells(note, name) }) {
			continue
		}
		names = append(names, name)
		fixes = append(fixes, strings.ReplaceAll(c.Fix, toFill, fmt.Sprintf("--type %s --pattern %s", word(sp.Type), word(sp.Pattern))))
	}
	if len(names) == 0 {
		return
	}
	c.Why += ": " + strings.Join(names, ", ")
	if strings.Contains(c.Fix, toFill) {
		c.Fix = strings.Join(fixes, " && ")
	}
}

// tells reports whether a note is about the address space with this name, and
// not about a longer one.
func tells(note, name string) bool {
	_, rest, ok := strings.Cut(note, "address space "+name)
	return ok && (rest == "" || strings.ContainsRune(" :,;", rune(rest[0])))
}
