package check

import (
	"context"
	"time"

	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// limits end an exploration before everything was seen, and tell how it goes on.
type limits struct {
	maxStates int    // 0 is as many as can be numbered
	until     set    // enough, if all of these are violated; none is never enough
	memory    *share // what it may take
	tell      func(Progress)
	now       func() time.Time // nil tells no time
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

// explore discovers every state that can be reached from starts, as far as
// limits let it. An exploration that has to leave its memory to another check begins anew when
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

// search explores breadth-first: the states from the one that is expanded to
// the last that is known are the frontier. It does so twice. First there is no
// crash; then one may happen in every state, so that a counterexample has a
// crash in it only if it needs one.
func search(ctx context.Context, x *shell, starts []model.Start, l limits) *graph {
	if l.now == nil {
		l.now = func() time.Time { return time.Time{} }
	}
	begin := l.now()
	g := &graph{shell: x, starts: starts, table: newTable(), limits: l, cover: newCover()}
	g.begin()
	g.run(ctx, 0, false)
	g.clean = g.states.len()
	for i := 0; i < g.clean && g.ended == complete; i++ {
		if g.ended = g.early(ctx, i); g.ended != complete {
			break
		}
		s, w := g.states.at(i).unpack()
		g.crashed(int32(i), s, &w)
	}
	g.run(ctx, g.clean, true)
	g.offset.add(uint32(g.edges.len()))
	if g.ended == complete {
		g.ended = g.look(ctx, g.states.len()-1)
	}
	g.took += l.now().Sub(begin)
	return g
}

// begin discovers the initial states: the run was opened in each of the worlds.
func (g *graph) begin() {
	for i := range g.starts {
		s := g.step(g.def.Begin(), machine.Event{Kind: machine.Opened})
		m := transition{s: s, w: g.starts[i].World}
		g.reduce(&m.s, &m.w)
		n := g.discover(m.s, &m.w, int32(-1-i), 0)
		if m.s.Phase == machine.Ready { // an effect without a guard begins the runbook
			var bad set
			g.wrongDecision(&m, &bad)
			g.violated(bad, violation{state: n})
		}
	}
}

// run expands the frontier until it is empty.
func (g *graph) run(ctx context.Context, from int, crashes bool) {
	for i := from; i < g.states.len() && g.ended == complete; i++ {
		if g.ended = g.early(ctx, i); g.ended != complete {
			return
		}
		s, w := g.states.at(i).unpack()
		g.expand(int32(i), s, &w)
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
	case g.maxStates > 0 && g.states.len() > g.maxStates:
		return hitStates
	case g.until != 0 && g.until&^g.bad == 0:
		return enough
	case i%lookEvery != 0:
		return complete
	case g.states.len() > mostStates || g.edges.len() > mostEdges:
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
	at := Progress{States: g.states.len(), Depth: g.depth(i), Bytes: bytes}
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

// expand checks a state and follows the transitions out of it.
func (g *graph) expand(i int32, s machine.State, w *model.World) {
	out := g.successors(s, w)
	g.edges.room(len(out), uint32(maybe))
	g.offset.add(uint32(g.edges.len()))
	g.violated(g.brokenIn(s, w), violation{state: i})
	if m, ok := g.unstable(s, w, out); ok {
		g.violated(1<<s6, violation{state: i, moved: true, act: m.act})
	}
	if g.silent(s, w, out) {
		g.violated(1<<l4, violation{state: i})
	}
	g.cover.state(s)
	for n := range out {
		m := &out[n]
		g.cover.transition(g.def, s, m)
		g.count++
		if bad := g.brokenBy(s, w, m); bad != 0 {
			g.violated(bad, violation{state: i, moved: true, act: m.act})
		}
		to := g.discover(m.s, &m.w, i, m.act)
		if m.class != maybe && to != i {
			g.edges.add(uint32(to)<<2 | uint32(m.class))
		}
	}
}

// crashed follows a crash. A guard that had passed is void after it.
func (g *graph) crashed(i int32, s machine.State, w *model.World) {
	if s.Phase == machine.Ready && !s.Undoing && g.def.States[s.Cur].Do.Pre != machine.Here {
		if n := g.step(s, machine.Event{Kind: machine.Resumed}); n.Phase == machine.Ready {
			g.violated(1<<s5, violation{state: i, act: actCrash, note: "the guard is not judged again"})
		}
	}
	if m, ok := g.crash(s, w); ok {
		g.count++
		g.discover(m.s, &m.w, i, actCrash)
	}
}
