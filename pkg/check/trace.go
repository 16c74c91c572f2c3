package check

import (
	"fmt"
	"slices"
	"strings"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// counterexample is the shortest way to a violation, in plain words.
func (g *graph) counterexample(v violation) []Line {
	var path []int32
	i := v.state
	for ; i >= 0; i = *g.parent.at(int(i)) {
		path = append(path, i)
	}
	slices.Reverse(path)
	s, w := g.states.at(int(path[0])).unpack()
	begin := Line{State: g.def.States[s.Cur].ID, Text: "a run begins", World: g.starts[-1-*g.parent.at(int(path[0]))].Words}
	lines := []Line{begin}
	for _, n := range path[1:] {
		next, world := g.states.at(int(n)).unpack()
		lines = append(lines, g.line(*g.act.at(int(n)), s, next, &w, &world))
		s, w = next, world
	}
	if v.moved {
		for _, m := range g.successors(s, &w) {
			if m.act == v.act {
				lines = append(lines, g.line(m.act, s, m.s, &w, &m.w))
				break
			}
		}
	}
	return lines
}

func (g *graph) line(a action, before, after machine.State, from, to *model.World) Line {
	return Line{State: g.def.States[after.Cur].ID, Text: describe(g.def, a, before, after), World: g.changes(from, to)}
}

// changes are the facts that a step changes; which of them are worth showing
// is not decided by the runbook.
func (g *graph) changes(from, to *model.World) string {
	var all []string
	for id := range facts.RunExported {
		a, b := from.Fact(id, g.rules.Params), to.Fact(id, g.rules.Params)
		if a != b && !quiet(id) {
			all = append(all, fmt.Sprintf("%s %s → %s", id, id.Format(a), id.Format(b)))
		}
	}
	return strings.Join(all, ", ")
}

// quiet facts follow from others, or say only that something changed.
func quiet(id facts.ID) bool {
	switch id {
	case facts.GwAccepts, facts.GwArrivals, facts.GwExpiring, facts.GwQTotal, facts.MxWanted, facts.MxPrimaryWanted, facts.MxAgree,
		facts.NextCoversOut, facts.LateClients, facts.LateQuiet, facts.LedgerPresent:
		return true
	}
	return false
}
