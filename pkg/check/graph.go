package check

import (
	"time"

	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// graph is the part of the state graph that can be reached from starts. States
// are numbered as they are discovered; each keeps its predecessor, so that the
// tree of first ways to all of them, which breadth makes the shortest, gives the
// counterexamples. Of the edges it keeps those that liveness relies on.
type graph struct {
	*shell
	limits
	starts []model.Start
	states list[key]
	parent list[int32]  // by state: the state that it was discovered from, or -1-start
	act    list[action] // by state: the transition that it was discovered by
	table  table        // of the numbers of states
	offset list[uint32] // by state: where its edges begin
	edges  list[uint32] // state<<2 | class
	count  int64        // of all transitions
	clean  int          // states before this one need no crash
	ended  stop
	peak   int64         // the most bytes that it has taken
	took   time.Duration // until everything was seen, without waits
	bad    set           // violated

	found [numProperties]violation
	cover cover
}

// violation is where a property fails first: in a state, or by a transition from
// it.
type violation struct {
	is    bool
	state int32
	moved bool   // by a transition
	act   action // which
	note  string
}

// discover numbers a state that is new, and returns the number of one that is
// known: the first way to it is the one that is kept.
func (g *graph) discover(s machine.State, w *model.World, parent int32, a action) int32 {
	k := pack(s, w)
	h := k.hash()
	n, slot, ok := g.table.find(&g.states, &k, h)
	if ok {
		return n
	}
	g.states.add(k)
	g.parent.add(parent)
	g.act.add(a)
	g.table.put(&g.states, slot, h)
	return int32(g.states.len() - 1)
}

// violated notes the properties that are violated here for the first time.
func (g *graph) violated(bad set, v violation) {
	if bad&^g.bad == 0 {
		return
	}
	v.is = true
	g.bad |= bad
	for p := range numProperties {
		if bad.has(p) && !g.found[p].is {
			g.found[p] = v
		}
	}
}

// from are the edges of a state; those of class maybe only fill a gap.
func (g *graph) from(i int) []uint32 {
	return g.edges.run(int(*g.offset.at(i)), int(*g.offset.at(i + 1)))
}
