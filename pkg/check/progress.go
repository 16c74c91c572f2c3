package check

// Progress is how far a check has come.
type Progress struct {
	States  int   // known so far
	Depth   int   // moves from a start to the state that is looked at
	Bytes   int64 // of memory that the states take
	Judging bool  // all states are known, and what must happen in the end is judged
	Waiting bool  // for memory that another check has
}

// report tells whoever wants to know.
func (g *graph) report(p Progress) {
	if g.tell != nil {
		g.tell(p)
	}
}

// depth is how many moves lead to a state.
func (g *graph) depth(i int) (n int) {
	for at := *g.parent.at(i); at >= 0; at = *g.parent.at(int(at)) {
		n++
	}
	return n
}

// after counts the states of the readings before, too.
func (o *Options) after(states int) func(Progress) {
	if o.Progress == nil {
		return nil
	}
	return func(p Progress) {
		p.States += states
		o.Progress(p)
	}
}
