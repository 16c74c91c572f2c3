package check

import (
	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/guard"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// memo answers a guard, remembering its verdict on every vector of the facts
// that it reads.
type memo struct {
	all   guard.All
	refs  []facts.ID
	known map[vector]machine.Verdict
	seen  [3]bool // which verdicts it gave
}

// vector packs the facts that a guard reads. Nothing is unknown in a world, and
// no count in it is as large as five bits can be.
type vector [3]uint64

const (
	factBits = 5
	perWord  = 64 / factBits
	mostRefs = perWord * len(vector{}) // a guard that reads more is judged anew each time
)

func newMemo(all guard.All) memo {
	return memo{all: all, refs: all.Refs(), known: map[vector]machine.Verdict{}}
}

// verdict judges a guard on what an observation would say now.
func (x *shell) verdict(g int, s machine.State, w *model.World) machine.Verdict {
	m := &x.guards[g]
	if len(m.refs) > mostRefs {
		v := x.eval(m, s, w)
		m.seen[v] = true
		return v
	}
	var k vector
	for i, id := range m.refs {
		k[i/perWord] |= uint64(x.fact(id, s, w)) & (1<<factBits - 1) << (factBits * (i % perWord))
	}
	v, known := m.known[k]
	if !known {
		v = x.eval(m, s, w)
		m.known[k] = v
	}
	m.seen[v] = true
	return v
}

// eval is the verdict of a guard that does not remember it.
func (x *shell) eval(m *memo, s machine.State, w *model.World) machine.Verdict {
	var all facts.Vector
	for _, id := range m.refs {
		all[id] = x.fact(id, s, w)
	}
	return m.all.Eval(&all).Verdict
}

// fact is what an observation would say of one fact.
func (x *shell) fact(id facts.ID, s machine.State, w *model.World) facts.Value {
	if id >= facts.RunGrantedNoRoute {
		return facts.Bool(s.Granted(int(id - facts.RunGrantedNoRoute)))
	}
	return w.Fact(id, x.rules.Params)
}
