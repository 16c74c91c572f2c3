package check

import (
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/guard"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// memo answers a guard, remembering every vector of the facts that it reads.
type memo struct {
	all   guard.All
	refs  []facts.ID
	known map[vector]machine.Verdict
	seen  [3]bool // which verdicts it gave
}

// vector packs the facts that a guard reads, five bits each.
type vector [3]uint64

const perWord = 12

func newMemo(all guard.All) memo {
	return memo{all: all, refs: all.Refs(), known: map[vector]machine.Verdict{}}
}

// verdict judges a guard on what an observation would say now.
func (x *shell) verdict(g int, s machine.State, w *model.World) machine.Verdict {
	m := &x.guards[g]
	var k vector
	for i, id := range m.refs {
		k[i/perWord] |= uint64(x.fact(id, s, w)) & 31 << (5 * (i % perWord))
	}
	v, ok := m.known[k]
	if !ok {
		var all facts.Vector
		for _, id := range m.refs {
			all[id] = x.fact(id, s, w)
		}
		v = m.all.Eval(&all).Verdict
		m.known[k] = v
	}
	m.seen[v] = true
	return v
}

func (x *shell) fact(id facts.ID, s machine.State, w *model.World) facts.Value {
	if id >= facts.RunGrantedNoRoute {
		return facts.Bool(s.Granted(int(id - facts.RunGrantedNoRoute)))
	}
	return w.Fact(id, x.rules.Params)
}
