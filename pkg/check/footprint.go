package check

// What a state takes in memory, in bytes.
const (
	keyBytes    = 40
	originBytes = 4 + 2 // its predecessor, and the transition from there
	indexBytes  = 4     // of offset and edges
	slotBytes   = 8
	// judgeBytes is what liveness takes for each state at most: eight bitmaps, and
	// of the search for cycles two orders, a stack and the frames.
	judgeBytes = 1 + 4 + 4 + 4 + 8
	// aheadStates is more than become known between two looks at the memory.
	aheadStates = 8 * lookEvery
)

// bytes is the memory that the graph takes until the next look, and that will
// be taken to judge it.
func (g *graph) bytes() int64 {
	known := int64(g.states.size())*keyBytes + int64(g.parent.size())*originBytes
	edges := int64(g.offset.size()+g.edges.size()) * indexBytes
	return known + edges + g.table.bytes(g.states.len()+aheadStates) + int64(g.states.len())*judgeBytes
}
