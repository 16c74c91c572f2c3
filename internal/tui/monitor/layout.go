package monitor

// Box is a rectangle of cells.
type Box struct{ X, Y, W, H int }

// panel is a part of the overview.
type panel uint8

const (
	headPanel panel = iota
	nowPanel
	stepsPanel
	storesPanel
	matrixPanel
	verdictPanel
	sumsPanel
	clientsPanel
	eventsPanel
	footPanel
	numPanels
)

// wants are the lines that panels would like to have.
type wants [numPanels]int

// grant is one turn of giving lines: a panel gets up to so many. 0 is what it
// wants.
type grant struct {
	to   panel
	upto int
}

// Sizes at which the overview has two columns, and the width of the left one.
const (
	wideFrom   = 120
	tallFrom   = 30
	leftColumn = 58
)

// columnWidth is the width of what is in the left column, if there are two.
func columnWidth(w, h int) int {
	if w >= wideFrom && h >= tallFrom {
		return leftColumn
	}
	return w
}

// layout divides a terminal. Every panel that has lines has its full width, no
// two overlap, and together they fill it; at the smallest size each of those
// that matter has its least.
func layout(w, h int, want wants) [numPanels]Box {
	var at [numPanels]Box
	if w >= wideFrom && h >= tallFrom {
		wide(&at, w, h, want)
		return at
	}
	order := []panel{headPanel, nowPanel, storesPanel, matrixPanel, verdictPanel, sumsPanel, clientsPanel, eventsPanel, footPanel}
	least := wants{headPanel: 2, nowPanel: 2, storesPanel: 2, matrixPanel: 2, verdictPanel: 1, sumsPanel: 1, footPanel: 1}
	rows := share(h, least, want, []grant{
		{nowPanel, 3},
		{verdictPanel, 2},
		{nowPanel, 4},
		{storesPanel, 0},
		{verdictPanel, 0},
		{sumsPanel, 4},
		{matrixPanel, 3},
		{nowPanel, 6},
		{matrixPanel, 5},
		{eventsPanel, 1},
		{clientsPanel, 1},
		{matrixPanel, 7},
		{nowPanel, 0},
		{sumsPanel, 0},
		{eventsPanel, 3},
		{matrixPanel, 0},
		{clientsPanel, 4},
		{eventsPanel, 0},
		{clientsPanel, 0},
		{matrixPanel, 1 << 20},
	})
	stack(&at, 0, 0, w, order, rows)
	return at
}

// wide has the procedure and what happened on the left, mail on the right.
func wide(at *[numPanels]Box, w, h int, want wants) {
	head, now, foot := 2, max(2, min(want[nowPanel], 8)), 1
	verdict, sums := max(2, min(want[verdictPanel], 4)), max(2, min(want[sumsPanel], 6))
	stack(at, 0, 0, w, []panel{headPanel, nowPanel}, wants{headPanel: head, nowPanel: now})
	body := h - head - now - foot - verdict - sums
	stack(at, 0, h-foot-verdict-sums, w, []panel{verdictPanel, sumsPanel, footPanel},
		wants{verdictPanel: verdict, sumsPanel: sums, footPanel: foot})
	left := share(body, wants{stepsPanel: 5, eventsPanel: 4}, want, []grant{
		{clientsPanel, 3}, {stepsPanel, 0}, {eventsPanel, 8}, {clientsPanel, 0}, {eventsPanel, 1 << 20},
	})
	stack(at, 0, head+now, leftColumn, []panel{stepsPanel, clientsPanel, eventsPanel}, left)
	right := share(body, wants{storesPanel: 6, matrixPanel: 4}, want, []grant{{storesPanel, 0}, {matrixPanel, 1 << 20}})
	stack(at, leftColumn+2, head+now, w-leftColumn-2, []panel{storesPanel, matrixPanel}, right)
}

// share gives h lines away: first what each panel needs at least, then turn by
// turn.
func share(h int, least, want wants, turns []grant) wants {
	rows := wants{}
	for p := range least {
		rows[p] = min(least[p], h)
		h -= rows[p]
	}
	for _, g := range turns {
		upto := g.upto
		if upto == 0 {
			upto = want[g.to]
		}
		if upto < 1<<20 {
			upto = min(upto, want[g.to])
		}
		more := min(max(upto-rows[g.to], 0), h)
		rows[g.to] += more
		h -= more
	}
	return rows
}

// stack puts panels below each other.
func stack(at *[numPanels]Box, x, y, w int, order []panel, rows wants) {
	for _, p := range order {
		at[p] = Box{x, y, w, rows[p]}
		y += rows[p]
	}
}
