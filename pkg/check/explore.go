package check

import (
	"context"
	"time"

	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// graph is every state that can be reached, with how it is reached first. The
// breadth of the search makes that the shortest way, with one exception that is
// wanted: states that can be reached without a crash come first, so a trace
// has a crash in it only if it needs one.
type graph struct {
	*shell
	limits
	starts []model.Start
	keys   list[key]
	parent list[int32] // or -1-start
	act    list[action]
	table  table
	offset list[uint32] // by state: where its edges begin
	edges  list[uint32] // state<<2 | class, for classes that liveness relies on
	count  int64        // of all moves
	clean  int          // states before this one need no crash
	ended  stop
	peak   int64         // the most bytes that it has taken
	took   time.Duration // until everything was seen, without waits
	bad    set           // violated

	found [numProperties]violation
	cover cover
}

// violation is where a property fails first: in a state, or by a move from it.
type violation struct {
	is    bool
	state int32
	act   action
	moved bool
	after machine.State
	note  string
}

// limits end an exploration before everything was seen.
type limits struct {
	states int    // that may be known; 0 is as many as can be numbered
	until  set    // enough, if all of these are violated; none is never enough
	memory *share // what it may take
	tell   func(Progress)
	now    func() time.Time // nil tells no time
}

// stop is why an exploration ended.
type stop uint8

const (
	complete  stop = iota // everything was seen
	enough                // what was looked for was found
	hitStates             // there are more states than it may know
	hitMemory             // they take more memory than it may have
	crowded               // it gave its memory to another check
	cancelled             // nobody wants to know any more
)

// Bounds of an exploration that no option lifts: an edge has 30 bits for a
// state, and an offset 32 for an edge.
const (
	mostStates = 1<<30 - 1
	mostEdges  = 1<<32 - 1<<24
)

// explore visits every state that can be reached from starts, as far as limits
// let it. One that has to leave its memory to another check begins anew when
// that has ended.
func explore(ctx context.Context, x *shell, starts []model.Start, l limits) *graph {
	for {
		g := search(ctx, x, starts, l)
		if g.ended != crowded {
			return g
		}
		g.report(Progress{Waiting: true})
		if !l.memory.rejoin(ctx) {
			g.ended = cancelled
			return g
		}
	}
}

func search(ctx context.Context, x *shell, starts []model.Start, l limits) *graph {
	if l.now == nil {
		l.now = func() time.Time { return time.Time{} }
	}
	begin := l.now()
	g := &graph{shell: x, starts: starts, table: newTable(), limits: l, cover: newCover()}
	for i := range starts {
		w := starts[i].World
		s := x.next(x.def.Begin(), machine.Event{Kind: machine.Opened})
		m := move{s: s, w: w}
		x.tidy(&m.s, &m.w)
		n := g.visit(m.s, &m.w, int32(-1-i), 0)
		if m.s.Phase == machine.Ready { // an effect without a guard begins the runbook
			var bad set
			x.wrongDecision(&m, &bad)
			g.violated(bad, violation{state: n})
		}
	}
	g.run(ctx, 0, false)
	g.clean = g.keys.len()
	for i := 0; i < g.clean && g.ended == complete; i++ {
		s, w := g.keys.at(i).unpack()
		g.crashed(int32(i), s, &w)
	}
	g.run(ctx, g.clean, true)
	g.offset.add(uint32(g.edges.len()))
	if g.ended == complete {
		g.ended = g.look(ctx, g.keys.len()-1)
	}
	g.took += l.now().Sub(begin)
	return g
}

// run expands states until none is new.
func (g *graph) run(ctx context.Context, from int, crashes bool) {
	for i := from; i < g.keys.len() && g.ended == complete; i++ {
		if g.ended = g.early(ctx, i); g.ended != complete {
			return
		}
		s, w := g.keys.at(i).unpack()
		g.state(int32(i), s, &w)
		if crashes {
			g.crashed(int32(i), s, &w)
		}
	}
}

// lookEvery is after how many states an exploration looks at its memory, says
// how far it is, and asks whether anybody still wants to know.
const lookEvery = 1 << 12

// early is why the exploration ends before state i; complete, if it goes on.
func (g *graph) early(ctx context.Context, i int) stop {
	switch {
	case g.limits.states > 0 && g.keys.len() > g.limits.states:
		return hitStates
	case g.until != 0 && g.until&^g.bad == 0:
		return enough
	case i%lookEvery != 0:
		return complete
	case g.keys.len() > mostStates || g.edges.len() > mostEdges:
		return hitStates
	case ctx.Err() != nil:
		return cancelled
	}
	return g.look(ctx, i)
}

// look says how far the exploration is, at state i, and asks for the memory
// that it needs.
func (g *graph) look(ctx context.Context, i int) stop {
	bytes := g.bytes()
	g.peak = max(g.peak, bytes)
	at := Progress{States: g.keys.len(), Depth: g.depth(i), Bytes: bytes}
	g.report(at)
	var since time.Time
	why := g.memory.hold(ctx, bytes, func() {
		since, at.Waiting = g.now(), true
		g.report(at)
	})
	if at.Waiting {
		g.took -= g.now().Sub(since)
	}
	return why
}

// state checks a state and follows its moves.
func (g *graph) state(i int32, s machine.State, w *model.World) {
	moves := g.expand(s, w)
	g.edges.room(len(moves), uint32(maybe))
	g.offset.add(uint32(g.edges.len()))
	g.violated(g.broken(s, w), violation{state: i})
	if m, ok := g.unstable(s, w, moves); ok {
		g.violated(1<<s6, violation{state: i, act: m.act, moved: true, after: m.s})
	}
	if g.silent(s, w, moves) {
		g.violated(1<<l4, violation{state: i})
	}
	g.cover.state(s)
	for n := range moves {
		m := &moves[n]
		g.cover.move(g.def, s, m)
		g.count++
		if bad := g.wrong(s, w, m); bad != 0 {
			g.violated(bad, violation{state: i, act: m.act, moved: true, after: m.s})
		}
		to := g.visit(m.s, &m.w, i, m.act)
		if m.class != maybe && to != i {
			g.edges.add(uint32(to)<<2 | uint32(m.class))
		}
	}
}

// from are the edges of a state; those of class maybe only fill a gap.
func (g *graph) from(i int) []uint32 {
	return g.edges.run(int(*g.offset.at(i)), int(*g.offset.at(i + 1)))
}

// crashed follows a crash. A guard that had passed is void after it.
func (g *graph) crashed(i int32, s machine.State, w *model.World) {
	if s.Phase == machine.Ready && !s.Undoing && g.def.States[s.Cur].Do.Pre != machine.Here {
		if n := g.next(s, machine.Event{Kind: machine.Resumed}); n.Phase == machine.Ready {
			g.violated(1<<s5, violation{state: i, act: actCrash, note: "the guard is not judged again"})
		}
	}
	if m, ok := g.crash(s, w); ok {
		g.count++
		g.visit(m.s, &m.w, i, actCrash)
	}
}

func (g *graph) visit(s machine.State, w *model.World, parent int32, a action) int32 {
	k := pack(s, w)
	h := k.hash()
	n, slot, ok := g.table.find(&g.keys, &k, h)
	if ok {
		return n
	}
	g.keys.add(k)
	g.parent.add(parent)
	g.act.add(a)
	g.table.put(&g.keys, slot, h)
	return int32(g.keys.len() - 1)
}

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

// silent reports whether a wait holds mail that nothing moves and would time
// out before it says that it is stalled.
func (g *graph) silent(s machine.State, w *model.World, moves []move) bool {
	st := &g.def.States[s.Cur]
	if st.Kind != machine.KindWait || s.Phase != machine.Judging || w.Held() == 0 {
		return false
	}
	for i := range moves {
		if moves[i].act < actLook && moves[i].class == fair {
			return false
		}
	}
	if st.Wait.Drift != machine.Here && g.verdict(st.Wait.Drift, s, w) == machine.Pass {
		return false
	}
	if g.verdict(st.Wait.Until, s, w) == machine.Pass {
		return false
	}
	reported := s.Armed(machine.StallTimer) && g.fact(g.plan.states[s.Cur].metric, s, w) > 0
	return !reported || st.Wait.Stall >= st.Wait.For+st.Wait.Timeout
}

// rest reports whether a run may stay in a state for good: it has ended, or a
// person is asked.
func rest(s machine.State) bool {
	return s.Phase == machine.Closed || s.Phase == machine.Operating || s.Phase == machine.Asking
}
