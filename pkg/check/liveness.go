package check

import (
	"context"

	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// bitmap holds a bit for each state.
type bitmap []uint64

func newBitmap(n int) bitmap { return make(bitmap, (n+63)/64) }

func (b bitmap) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }

func (b bitmap) set(i int) { b[i/64] |= 1 << (i % 64) }

func (b bitmap) clear(i int) { b[i/64] &^= 1 << (i % 64) }

// rest reports whether a run may stay in a state for good: it has ended, or a
// person is asked.
func rest(s machine.State) bool {
	return s.Phase == machine.Closed || s.Phase == machine.Operating || s.Phase == machine.Asking
}

// canReach marks every state from which a marked one can be reached over edges of
// the classes that use says; out of the states of alone, over fair ones only.
// Sweeping against the order of discovery needs few rounds, because almost every
// edge leads to a state that was discovered later.
func (g *graph) canReach(goal bitmap, use [4]bool, alone bitmap) {
	for again := true; again; {
		again = false
		for i := g.states.len() - 1; i >= 0; i-- {
			if goal.has(i) {
				continue
			}
			by := use
			if alone != nil && alone.has(i) {
				by = [4]bool{fair: true}
			}
			for _, e := range g.from(i) {
				if by[e&3] && goal.has(int(e>>2)) {
					goal.set(i)
					again = true
					break
				}
			}
		}
	}
}

// goal marks the states of which is says so.
func (g *graph) goal(is func(s machine.State, w *model.World) bool) bitmap {
	b := newBitmap(g.states.len())
	var w model.World // one for all, for it escapes
	for i := range g.states.len() {
		var s machine.State
		if s, w = g.states.at(i).unpack(); is(s, &w) {
			b.set(i)
		}
	}
	return b
}

// nearest finds the state nearest to the start of which bad says so.
func (g *graph) nearest(p property, bad func(i int) bool, note string) {
	for i := range g.states.len() {
		if bad(i) {
			g.violated(1<<p, violation{state: int32(i), note: note})
			return
		}
	}
}

// liveness checks what must happen in the end, once the graph is complete. It ends
// early if nobody wants to know any more.
func (g *graph) liveness(ctx context.Context) {
	for _, judge := range []func(){g.drains, g.closes, g.succeeds, g.ends, g.custody, g.transparent} {
		g.report(Progress{States: g.states.len(), Bytes: g.peak, Judging: true})
		if ctx.Err() != nil {
			return
		}
		judge()
	}
}

// drains checks that mail leaves, whatever happened, if people do their part.
func (g *graph) drains() {
	empty := g.goal(func(s machine.State, w *model.World) bool { return w.Held() == 0 || g.asBefore(s, w) })
	g.canReach(empty, [4]bool{fair: true, person: true}, g.goal(func(_ machine.State, w *model.World) bool { return forgotten(w) }))
	g.nearest(l1, func(i int) bool { return !empty.has(i) }, "from here on, neither time nor any answer about it moves the mail that the gateway holds")
}

// closes checks that from wherever a run rests, and from every abort, an end
// can be reached.
func (g *graph) closes() {
	closed := g.goal(func(s machine.State, _ *model.World) bool { return s.Phase == machine.Closed })
	g.canReach(closed, [4]bool{fair: true, person: true, aborts: true}, nil)
	g.nearest(l3, func(i int) bool { return !closed.has(i) && rest(g.states.at(i).machine()) }, "no answer leads to an end")
	g.nearest(s10, func(i int) bool { return !closed.has(i) && g.states.at(i).machine().Undoing }, "the abort does not reach its end")
}

// succeeds checks that success can be reached from every start.
func (g *graph) succeeds() {
	succeeded := g.goal(func(s machine.State, _ *model.World) bool {
		return s.Phase == machine.Closed && g.def.Outcome(s) != machine.Aborted && g.def.Outcome(s) != machine.FailedRun
	})
	g.canReach(succeeded, [4]bool{fair: true, person: true}, nil)
	g.nearest(l3, func(i int) bool { return i < len(g.starts) && !succeeded.has(i) }, "from this start the run cannot succeed, whatever people answer")
}

// forgotten reports whether mail is in a service that the run has stopped. What
// people are asked about then takes it to be empty, so that nobody who answers
// thinks of that mail.
func forgotten(w *model.World) bool {
	return w.Exists && !w.Running && w.Held() > 0 && !stranded(w.Init)
}

// asBefore reports whether an abort left a gateway that held mail back before
// the run began as it was.
func (g *graph) asBefore(s machine.State, w *model.World) bool {
	return stranded(w.Init) && s.Phase == machine.Closed && g.def.Outcome(s) == machine.Aborted && !w.Sends(g.rules.Params)
}

// custody checks that all mail leaves by itself once a run has ended.
func (g *graph) custody() {
	g.nearest(l5, func(i int) bool {
		if g.states.at(i).machine().Phase != machine.Closed {
			return false
		}
		s, w := g.states.at(i).unpack()
		if w.Held() == int(w.Side) || g.asBefore(s, &w) {
			return false
		}
		for _, m := range g.successors(s, &w) {
			if m.class == fair {
				return false
			}
		}
		return true
	}, "nothing moves the mail that the gateway holds")
}

// end is where a run ended, as far as a crash may not change it.
type end struct {
	outcome         machine.Outcome
	config          uint32
	mode, refuse    uint8
	short, cached   bool
	stale, absorbed bool
	holds           bool
}

// transparent checks that every end that is reached over a crash is reached
// without one, too.
func (g *graph) transparent() {
	known := map[end]bool{}
	g.nearest(l6, func(i int) bool {
		if g.states.at(i).machine().Phase != machine.Closed {
			return false
		}
		s, w := g.states.at(i).unpack()
		e := end{
			g.def.Outcome(s), w.Config(), w.Mode, w.Refuse, w.Short, w.MXCached, w.Stale, w.Absorbed, w.Held() > 0,
		}
		if i < g.clean {
			known[e] = true
		}
		return !known[e]
	}, "without a crash no run ends like this")
}
