package conformance

import (
	"cmp"
	"container/heap"
	"errors"
	"fmt"
	"time"

	"example.org/ims/pkg/facts"
	"example.org/ims/pkg/machine"
	"example.org/ims/pkg/model"
)

// Accept requires that the abstract world can follow a run: that between any
// two observations in its records some sequence of the world's own moves, and of
// the effects that the run performed, leads from what was seen to what was seen
// next. A count is only zero or more; a fact that could not be observed is not
// compared. The error names the record that nothing leads to.
//
// An observation is not an instant: it reads the configuration first, then the
// stores, and the ledger last, and the world may move in between. One at which
// nothing changed is not recorded, but is made before whatever is judged.
//
// Not compared are how long anything takes, since the model has no clock: a
// secondary, a cache or a table may lag for ever, so a TXT or a PTR that was never
// published looks like one that lags; how many there are of anything, which the
// model bounds; gw.sessions, gw.oldest and late.clients, which it leaves out; and
// what is the run's own, which the machine says. After a split, or an effect on
// the successor, other gateways may cover all or not, and settings may differ or
// not: the model does not say which spaces and settings there are.
func Accept(def *machine.Def, records []machine.Record, in Around) error {
	f := newFollower(def, in)
	for i, r := range records {
		if err := f.add(r); err != nil {
			return fmt.Errorf("record %d, %s at %s in state %s: %w", i+1, r.Kind, r.At.UTC().Format(time.DateTime), def.States[f.at.Cur].ID, err)
		}
	}
	if !f.begun {
		return errors.New("the records hold no observation")
	}
	return nil
}

// Around is what is known of the world around a run.
type Around struct {
	Params model.Params // readings of what is disputed
	Killed bool         // the gateway's process was killed and started again: nothing listens until it is back
	People bool         // people act beside the run: they handle held mail and Bad, and what guards and waits ask them for
}

// follower follows a run.
type follower struct {
	def   *machine.Def
	in    Around
	rules model.Rules
	wish  wish
	slots map[uint8]int // by state: where the value before its effect is kept
	at    machine.State
	seen  facts.Vector // the last observation
	empty bool         // mail is left out
	begun bool
	now   []node // the worlds that it allows
	todo  []item // effects and decisions since
}

// maxImages is how many effects of a run are undone by writing a value back.
const maxImages = 24

// node is a world on the way, with the values before the run's effects.
type node struct {
	w      model.World
	images [maxImages]uint8
	known  uint32 // which of them there are
	owed   bool   // an arrival was not counted yet at the last look
	back   origin // where what is held came from
	old    origin // where else than in mts-out some mail is old
	stage  int    // how much of what happened since has happened
}

// item is something that happened between two observations, or a part of the
// later one.
type item struct {
	may    bool // it may have happened, or not
	undo   bool
	do     *machine.Do
	slot   int // -1: no value before is kept
	choice *machine.Choice
	look   []facts.ID
}

// many stands for any number in the rules, where nothing is bounded.
const many = 60

func newFollower(def *machine.Def, in Around) *follower {
	f := &follower{
		def: def, in: in, wish: wishOf(def), at: def.Begin(), slots: map[uint8]int{}, seen: facts.UnknownVector(),
		rules: model.Rules{Params: in.Params, Bounds: model.Bounds{Out: many, In: many, Reports: many, Bad: true}},
	}
	for i := range def.States {
		if do := def.States[i].Do; do != nil && do.Undo.Kind == machine.UndoRestore && len(f.slots) < maxImages {
			f.slots[uint8(i)] = len(f.slots)
		}
	}
	return f
}

// add takes in one record.
func (f *follower) add(r machine.Record) error {
	if r.Kind == machine.Observed {
		if len(r.Detail.Facts) == 0 { // it extends a time, perhaps one of before the last effect
			return nil
		}
		return f.observed(r.Detail.Facts)
	}
	kind, ok := machine.EventKindOf(r.Kind)
	if !ok {
		return nil
	}
	before := f.at
	if !inTurn(before.Phase, kind, r.Event.Result) {
		return fmt.Errorf("out of turn: the machine is %s", before.Phase)
	}
	if looks(before.Phase, kind, r.Event.Timer) && len(f.todo) > 0 { // and what did not change was not recorded
		if err := f.observed(nil); err != nil {
			return err
		}
	}
	f.at, _ = f.def.Step(before, r.Event)
	st := &f.def.States[before.Cur]
	switch kind {
	case machine.IntentSet:
		f.happens(before, true)
	case machine.OutcomeIs:
		switch r.Event.Result {
		case machine.Done:
			f.happens(before, false)
		case machine.InDoubt, machine.Refused, machine.Transient, machine.NotDone: // the intent allows it
		case machine.Overridden:
		}
	case machine.Answered:
		if st.Approve != nil && r.Event.Answer == machine.Granted && int(r.Event.Choice) < len(st.Approve.Choices) {
			f.todo = append(f.todo, item{choice: &st.Approve.Choices[r.Event.Choice]})
		}
	case machine.Opened, machine.Resumed, machine.Judged, machine.Elapsed, machine.Moved, machine.Continue, machine.Abort, machine.ClosedRun:
	}
	return nil
}

// inTurn reports whether a record stands where the machine has one of its kind:
// where a record before it is missing, it does not.
func inTurn(p machine.Phase, kind machine.EventKind, result machine.EffectState) bool {
	switch kind {
	case machine.IntentSet:
		return p == machine.Ready
	case machine.OutcomeIs:
		return p == machine.Intended || p == machine.Doubting || (p == machine.Ready && result == machine.Transient)
	case machine.Answered:
		return p == machine.Asking
	case machine.Judged:
		return p == machine.Judging
	case machine.ClosedRun:
		return p == machine.Closing
	default: // the machine looks away where it has nothing of the kind
		return true
	}
}

// looks reports whether a run looks before it makes such a record.
func looks(p machine.Phase, kind machine.EventKind, t machine.Timer) bool {
	return p == machine.Judging && (kind == machine.Judged || (kind == machine.Elapsed && t != machine.BackoffTimer))
}

// happens notes the effect that is under work. One on several targets is what
// the world sees of it once the last is done: it has one of each kind.
func (f *follower) happens(s machine.State, may bool) {
	st := &f.def.States[s.Cur]
	if st.Do == nil {
		return
	}
	last := len(st.Do.Targets) - 1
	if s.Undoing {
		last = 0
	}
	if int(s.Target) != last {
		return
	}
	slot, ok := f.slots[s.Cur]
	if !ok {
		slot = -1
	}
	f.todo = append(f.todo, item{may: may, undo: s.Undoing, do: st.Do, slot: slot})
}

// parts are the facts that are read together, in the order in which they are.
var parts = [][]facts.ID{
	{facts.GwExists, facts.GwRunning, facts.GwModeSet, facts.GwMode, facts.RouteHere, facts.RouteSites},
	{
		facts.GwQMTA, facts.GwQMTSOut, facts.GwQOut, facts.GwQIn, facts.GwQMTSIn, facts.GwQTotal,
		facts.GwSideBad, facts.GwSideHold, facts.GwSideCorrupt, facts.GwArrivals,
	},
	{facts.GwExpiring},
	{facts.GwReply, facts.GwAccepts},
	{facts.RouteStale, facts.RouteUncovered, facts.RouteSwallowed, facts.RouteOthers, facts.RouteDependents, facts.NextCoversOut},
	{facts.MxHere, facts.MxWanted, facts.MxPrimaryWanted, facts.MxAgree, facts.MxExpired, facts.MxNull, facts.NextNamed},
	{facts.NameHere, facts.NameWanted, facts.NameAgree, facts.NameExpired},
	{facts.DrainNamed},
	{facts.SpfNone},
	{facts.NextAccepts, facts.NextSends, facts.NextCoversIn},
	{facts.NextDiffers},
	{facts.NextLimited},
	{facts.NextSplit},
	{facts.GwAged},
	{facts.LateNeverFollow, facts.LateQuiet},
	{facts.GwUnaccounted, facts.LedgerUnaccounted, facts.LedgerAbsorbed, facts.LedgerPresent},
}

// observed takes in what an observation found changed.
func (f *follower) observed(changed map[string]string) error {
	before := f.seen
	for name, text := range changed {
		id, ok := facts.Lookup(name)
		if !ok {
			continue // memory and counts
		}
		v, err := id.Parse(text)
		if err != nil {
			return err
		}
		f.seen[id] = blunt(id, v)
	}
	if !f.begun {
		f.begun = true
		return f.begin()
	}
	todo := f.todo
	for _, ids := range parts {
		todo = append(todo, item{look: ids})
	}
	f.todo = nil
	ends, err := f.bare(todo, &before)
	if err == nil {
		ends, err = f.search(todo, &before)
	}
	f.now = nil
	for _, n := range ends {
		for _, m := range f.hidden(n) {
			f.now = append(f.now, f.variants(m)...)
		}
	}
	return err
}

// begin finds the worlds of the first observation.
func (f *follower) begin() error {
	v := f.seen
	v[facts.GwArrivals], v[facts.GwAged] = 0, 0 // which mail is old is for variants
	starts, _, err := model.Live(&v, model.Bounds{Out: 1, In: 1, Reports: 1}, f.def.Begins)
	for _, s := range starts {
		s.World.Init = 0
		for _, w := range f.begins(&s.World) {
			for _, n := range f.olds(node{w: w}) {
				f.now = append(f.now, f.variants(n)...)
			}
		}
	}
	return err
}

// queue is what is still to be followed, the most promising first, of those the
// one that has come furthest, and then the one that has waited longest: what
// moves on without coming nearer would otherwise keep the others waiting for ever.
type queue []ranked

type ranked struct {
	n     node
	moves int // of the world since the last observation
	rank  int
	turn  int
}

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].rank, q[j].rank), cmp.Compare(q[j].n.stage, q[i].n.stage), cmp.Compare(q[i].turn, q[j].turn)) < 0
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(ranked)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// mostNodes bounds a search. It is far above what any step of a run needs.
const mostNodes = 40_000

// apart is how many moves one difference from what was observed counts for: the
// shortest explanation is tried first, and is soon found.
const apart = 2

// mostEnds bounds how many ways are kept of which none ends in just what was
// observed.
const mostEnds = 24

// search finds ways through everything in todo, in order, with moves of the
// world in between: one that ends in what was observed, or several that do not,
// because the world moved on while it was observed.
func (f *follower) search(todo []item, before *facts.Vector) (ends []node, err error) {
	visited := map[node]bool{}
	var open queue
	best, furthest := node{}, -1
	push := func(n node, moves int) {
		if visited[n] || len(visited) > mostNodes {
			return
		}
		visited[n] = true
		wrong := f.wrong(&n, n.stage-len(todo)+len(parts))
		heap.Push(&open, ranked{n, moves, moves + apart*len(wrong), len(visited)})
		if n.stage > furthest {
			best, furthest = n, n.stage
		}
	}
	for _, n := range f.now {
		n.stage = 0
		push(n, 0)
	}
	again := before[facts.GwArrivals] > 0 || before[facts.LateQuiet] == 0
	var steps []model.Step
	for open.Len() > 0 {
		top := heap.Pop(&open).(ranked)
		n := top.n
		if n.stage == len(todo) {
			if ends = append(ends, n); len(f.wrong(&n, len(parts))) == 0 || len(ends) == mostEnds {
				return ends, nil
			}
			continue
		}
		for _, to := range f.pass(n, &todo[n.stage]) {
			push(to, top.moves)
		}
		if to := n; again && looked(&to.w) {
			push(to, top.moves) // looks at which nothing changed are not recorded
		}
		steps = f.moves(steps[:0], &n.w)
		for _, st := range steps {
			to := n
			to.w = st.To
			push(ages(to, st.Move), top.moves+1)
		}
		for _, to := range f.time(n) {
			push(to, top.moves+1)
		}
	}
	if len(ends) == 0 {
		err = f.nothing(todo, best)
	}
	return ends, err
}

// looked forgets what came since the last look.
func looked(w *model.World) bool {
	was := w.Arrived || w.LateCame
	w.Arrived, w.LateCame = false, false
	return was
}

// nothing says what no way leads to.
func (f *follower) nothing(todo []item, best node) error {
	at := todo[min(best.stage, len(todo)-1)]
	if at.look == nil {
		return fmt.Errorf("the effect on %s cannot happen", at.do.Action)
	}
	text := ""
	for _, id := range at.look {
		if f.compared(id, &best.w) && !f.shows(id, &best) {
			text += fmt.Sprintf("; %s cannot become %s", id, id.Format(f.seen[id]))
		}
	}
	return fmt.Errorf("no sequence of moves leads from the last observation to this one%s", text)
}
