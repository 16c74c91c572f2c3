package check

// ends checks that a run which nobody disturbs comes to rest: it is never
// without a fair transition, and has no lasso, a way into a cycle that it need
// not leave.
func (g *graph) ends() {
	moving := newBitmap(g.states.len()) // not at rest
	for i := range g.states.len() {
		if !rest(g.states.at(i).machine()) {
			moving.set(i)
		}
	}
	g.nearest(l2, func(i int) bool { return moving.has(i) && !g.fairly(i) }, "the run does not go on, and nobody is asked")
	n := g.states.len()
	c := cycles{
		g: g, moving: moving, order: make([]int32, n), low: make([]int32, n), on: newBitmap(n), members: newBitmap(n), worst: -1,
		stack: make([]int32, 0, n), frames: make([]frame, 0, n), // at most; what is not used is never touched
	}
	for i := range n {
		if moving.has(i) && c.order[i] == 0 {
			c.search(int32(i))
		}
	}
	if c.worst >= 0 {
		g.violated(1<<l2, violation{state: c.worst, note: "from here the run can turn in a circle for good"})
	}
}

// fairly reports whether a fair transition leads out of a state.
func (g *graph) fairly(i int) bool {
	for _, e := range g.from(i) {
		if class(e&3) == fair {
			return true
		}
	}
	return false
}

// cycles finds the strongly connected components of the fair edges between
// states that are not at rest, by Tarjan's depth-first search (Depth-first
// search and linear graph algorithms, 1972) with its recursion in frames; and
// of those components the ones in which a run can stay for good.
type cycles struct {
	g          *graph
	moving     bitmap  // states that are not at rest
	order, low []int32 // by state: when it was entered, from 1; the earliest that can be reached, as far as known
	count      int32   // states entered
	stack      []int32 // states whose component is not complete
	on         bitmap  // states on the stack
	frames     []frame // the way to the state that is searched
	members    bitmap  // states of the component that is judged
	worst      int32   // the first state of such a component; -1 if there is none
}

// frame is a state on the way, and the edge of it that is followed next.
type frame struct {
	state int32
	edge  uint32
}

// search searches what can be reached from a state, and was not searched before.
func (c *cycles) search(root int32) {
	g := c.g
	c.enter(root)
	for len(c.frames) > 0 {
		f := &c.frames[len(c.frames)-1]
		if f.edge < *g.offset.at(int(f.state) + 1) {
			e := *g.edges.at(int(f.edge))
			f.edge++
			to := int32(e >> 2)
			switch {
			case class(e&3) != fair || !c.moving.has(int(to)):
			case c.order[to] == 0:
				c.enter(to)
			case c.on.has(int(to)):
				c.low[f.state] = min(c.low[f.state], c.order[to])
			}
			continue
		}
		v := f.state
		c.frames = c.frames[:len(c.frames)-1]
		if len(c.frames) > 0 {
			up := c.frames[len(c.frames)-1].state
			c.low[up] = min(c.low[up], c.low[v])
		}
		if c.low[v] == c.order[v] {
			c.component(v)
		}
	}
}

// enter begins with a state.
func (c *cycles) enter(i int32) {
	c.count++
	c.order[i], c.low[i] = c.count, c.count
	c.stack = append(c.stack, i)
	c.on.set(int(i))
	c.frames = append(c.frames, frame{i, *c.g.offset.at(int(i))})
}

// component takes the component of v from the stack and judges it.
func (c *cycles) component(v int32) {
	n := len(c.stack)
	for {
		n--
		c.on.clear(int(c.stack[n]))
		if c.stack[n] == v {
			break
		}
	}
	members := c.stack[n:]
	if len(members) > 1 && !c.mustLeave(members) {
		first := members[0]
		for _, m := range members {
			first = min(first, m)
		}
		if c.worst < 0 || first < c.worst {
			c.worst = first
		}
	}
	c.stack = c.stack[:n]
}

// mustLeave reports whether a run that stays in a component would have to refuse
// a fair transition for ever: one that is possible in each of its states, and
// always leads out of it. That is weak fairness. One that is possible in some of
// the states only is refused by nobody who goes round all of them; and one that
// is possible in all of them is so in each cycle within the component.
func (c *cycles) mustLeave(members []int32) bool {
	for _, m := range members {
		c.members.set(int(m))
	}
	defer func() {
		for _, m := range members {
			c.members.clear(int(m))
		}
	}()
	can := map[action]int{}
	stays := map[action]bool{}
	for _, i := range members {
		s, w := c.g.states.at(int(i)).unpack()
		for _, m := range c.g.successors(s, &w) {
			if m.class != fair {
				continue
			}
			can[m.act]++
			k := pack(m.s, &m.w)
			if to, _, ok := c.g.table.find(&c.g.states, &k, k.hash()); ok && c.members.has(int(to)) {
				stays[m.act] = true
			}
		}
	}
	for a, n := range can {
		if n == len(members) && !stays[a] {
			return true
		}
	}
	return false
}
